"""Callbacks of a payables API: signed by the channel's secret, of now, and readable (A-B1 … A-B9)."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import MalformedRequest, SignatureInvalid
from channels.services import verify_webhook
from channels.types import ChannelData, VerifiedDelivery
from core import clock
from tests.channels.lines import open_channel

EVENT = {
    "id": "bev_1",
    "created": "2026-11-30T10:00:00Z",
    "data": {"ref_code": "po1-1", "state": "paid"},
    "type": "payment.paid",
}


def body(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def signed(raw: bytes, *, secret: str = "bks_current", offset: int = 0) -> dict[str, Any]:
    stamp = int(clock.now().timestamp()) + offset
    digest = hmac.new(secret.encode(), b"%d." % stamp + raw, sha256).hexdigest()
    return {"X-Bank-Timestamp": str(stamp), "X-Bank-Signature": f"v1={digest}"}


def deliver(channel: ChannelData, raw: bytes, **options: Any) -> VerifiedDelivery:
    return verify_webhook(channel_name=channel.name, raw=raw, headers=signed(raw, **options))


@pytest.fixture
def channel(db: None) -> ChannelData:
    return open_channel(
        provider="sandbox",
        secret_key="bk_test_1",
        webhook_secret="bks_current",
        base_url="http://127.0.0.1:1",
    )


def test_a_genuine_callback_is_read(channel: ChannelData) -> None:
    delivery = deliver(channel, body())
    assert (delivery.event_id, delivery.type, delivery.about) == ("bev_1", "payment.paid", "po1-1")
    assert (delivery.created.isoformat(), delivery.account) == ("2026-11-30T10:00:00+00:00", "")
    assert delivery.fits_mode
    assert delivery.payload == EVENT
    assert deliver(channel, body(data={"payee_ref": "dst_1"})).about == ""
    assert deliver(channel, body(data=[])).about == ""


@pytest.mark.parametrize("offset", [-301, 301, -86_400, 86_400])
def test_a_time_that_is_not_now_is_refused(channel: ChannelData, offset: int, stopped_clock: None) -> None:
    """A-B3, A-B5: both ways."""
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), offset=offset)


@pytest.mark.parametrize("offset", [-299, 300])
def test_a_clock_may_differ_a_little(channel: ChannelData, offset: int, stopped_clock: None) -> None:
    """A-B4"""
    assert deliver(channel, body(), offset=offset).event_id == "bev_1"


def test_what_was_changed_or_signed_by_others_is_refused(channel: ChannelData) -> None:
    """A-B1, A-B2: the time is signed too."""
    raw = body()
    good = signed(raw)
    stamp, signature = good["X-Bank-Timestamp"], good["X-Bank-Signature"]
    for headers, content in (
        (good, raw + b" "),
        (signed(raw, secret="bks_other"), raw),
        (signed(raw, secret=""), raw),
        ({**good, "X-Bank-Timestamp": str(int(stamp) + 1)}, raw),
        ({**good, "X-Bank-Signature": signature.replace("v1=", "v0=")}, raw),
        ({**good, "X-Bank-Signature": signature.upper()}, raw),
        ({"X-Bank-Signature": signature}, raw),
        ({"X-Bank-Timestamp": stamp}, raw),
        ({"Stripe-Signature": f"t={stamp},{signature}"}, raw),
        ({}, raw),
    ):
        with pytest.raises(SignatureInvalid):
            verify_webhook(channel_name=channel.name, raw=content, headers=headers)
    assert verify_webhook(channel_name=channel.name, raw=raw, headers=good).event_id == "bev_1"


def test_several_signatures_are_allowed_and_thousands_are_not(channel: ChannelData) -> None:
    """A-B7"""
    raw = body()
    good = signed(raw)
    genuine = good["X-Bank-Signature"]
    two = {**good, "X-Bank-Signature": f"v1={'0' * 64}, {genuine}, v9=x"}
    assert verify_webhook(channel_name=channel.name, raw=raw, headers=two).event_id == "bev_1"
    many = {**good, "X-Bank-Signature": ",".join(["v1=" + "0" * 64] * 9) + f",{genuine}"}
    with pytest.raises(SignatureInvalid):
        verify_webhook(channel_name=channel.name, raw=raw, headers=many)


def test_the_schemes_are_not_exchangeable(channel: ChannelData) -> None:
    """A-B2: a Stripe channel does not take a bank's proof, though both are made alike."""
    stripe = open_channel(webhook_secret="bks_current")
    with pytest.raises(SignatureInvalid):
        verify_webhook(channel_name=stripe.name, raw=body(), headers=signed(body()))


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"",
        b"[]",
        b"[" * 100_000 + b"]" * 100_000,
        body(id=None),
        body(id="e" * 101),
        body(type="payment paid"),
        body(type=7),
        body(created=1_790_000_000),
        body(created="2026-11-30"),
        body(created="2026-13-30T10:00:00Z"),
        body(created="0000-01-01T00:00:00Z"),
        body(created=None),
    ],
)
def test_signed_content_that_is_no_event_is_refused(channel: ChannelData, raw: bytes) -> None:
    """A-B8, A-B9"""
    with pytest.raises(MalformedRequest):
        deliver(channel, raw)


HEADER = st.one_of(st.text(max_size=80), st.binary(max_size=80), st.integers())


@pytest.mark.django_db
@given(stamp=HEADER, signature=HEADER, raw=st.binary(max_size=100))
def test_no_input_gets_another_answer_than_a_refusal(stamp: Any, signature: Any, raw: bytes) -> None:
    """A-B7 … A-B9"""
    channel = open_channel(provider="sandbox", base_url="http://127.0.0.1:1")
    headers = {"X-Bank-Timestamp": stamp, "X-Bank-Signature": signature}
    with pytest.raises((SignatureInvalid, MalformedRequest)):
        verify_webhook(channel_name=channel.name, raw=raw, headers=headers)
