"""Only deliveries that the provider signed for this channel, just now, get in (A-B1 … A-B9, F-C12, F-C13)."""

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from channels.apps import ChannelsConfig
from channels.errors import MalformedRequest, SignatureInvalid
from channels.models import PspCall
from channels.services import rotate_webhook_secret, verify_webhook
from channels.types import ChannelData, VerifiedDelivery
from core import clock
from core.errors import NotFound
from tests.channels.lines import open_channel

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "pi_1"}},
}


def body(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def sign(raw: bytes, *, secret: str = "whsec_current", offset: int = 0) -> str:
    stamp = int(clock.now().timestamp()) + offset
    return f"t={stamp},v1={hmac.new(secret.encode(), b'%d.' % stamp + raw, sha256).hexdigest()}"


def deliver(channel: ChannelData, raw: bytes, header: Any = None, **options: Any) -> VerifiedDelivery:
    sent = sign(raw, **options) if header is None else header
    return verify_webhook(channel_name=channel.name, raw=raw, headers={"Stripe-Signature": sent})


@pytest.fixture
def channel(db: None) -> ChannelData:
    return open_channel()


def test_a_genuine_delivery_is_read(channel: ChannelData) -> None:
    delivery = deliver(channel, body(account="acct_1"))
    assert (delivery.channel, delivery.event_id, delivery.type) == (
        channel,
        "evt_1",
        "payment_intent.succeeded",
    )
    assert delivery.created.timestamp() == 1_790_000_000
    assert (delivery.livemode, delivery.account, delivery.fits_mode) == (False, "acct_1", True)
    assert delivery.payload["data"]["object"]["id"] == "pi_1"


def test_an_event_of_the_other_mode_is_told_apart(channel: ChannelData) -> None:
    """F-C12, A-B12"""
    assert not deliver(channel, body(livemode=True)).fits_mode


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=abc",
        "t=1",
        "nonsense",
        "t=,v1=",
        "t=x,v1=" + "0" * 64,
        "t=-1,v1=" + "0" * 64,
        "t=99999999999999999999,v1=" + "0" * 64,
        "t=١٢٣,v1=" + "0" * 64,
        "ü=1",
        "t=1\x00,v1=" + "0" * 64,
        b"\xff\xfe",
        7,
        ["t=1"],
    ],
)
def test_a_header_that_is_no_signature_is_refused(channel: ChannelData, header: Any) -> None:
    """A-B1, A-B7"""
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), header)


def test_no_header_at_all_is_refused(channel: ChannelData) -> None:
    """A-B1"""
    with pytest.raises(SignatureInvalid):
        verify_webhook(channel_name=channel.name, raw=body(), headers={"content-type": "application/json"})


def test_an_altered_body_or_signature_is_refused(channel: ChannelData) -> None:
    """A-B1: nothing is written either."""
    raw = body()
    header = sign(raw)
    flipped = header[:-1] + ("0" if header[-1] != "0" else "1")
    other_time = header.replace("t=1", "t=2", 1)
    for sent, content in ((header, raw + b" "), (flipped, raw), (other_time, raw), (header.upper(), raw)):
        with pytest.raises(SignatureInvalid):
            deliver(channel, content, sent)
    assert not PspCall.objects.exists()


def test_a_scheme_we_do_not_know_to_be_strong_is_no_signature(channel: ChannelData) -> None:
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), sign(body()).replace("v1=", "v0="))


def test_another_channels_secret_is_refused(channel: ChannelData) -> None:
    """A-B2: the URL chooses the secret, never the content."""
    open_channel(webhook_secret="whsec_other")
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), secret="whsec_other")


def test_a_channel_without_a_secret_believes_nobody(db: None) -> None:
    """A-B15: an empty secret is not a secret."""
    with pytest.raises(SignatureInvalid):
        deliver(open_channel(webhook_secret=""), body(), secret="")


@pytest.mark.parametrize("offset", [-301, 301, -86_400, 365 * 86_400])
def test_a_time_that_is_not_now_is_refused(channel: ChannelData, offset: int, stopped_clock: None) -> None:
    """A-B3, A-B5: old ones are replays, and the future is no better."""
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), offset=offset)


@pytest.mark.parametrize("offset", [-299, 300])
def test_a_clock_may_differ_a_little(channel: ChannelData, offset: int, stopped_clock: None) -> None:
    """A-B4: within the tolerance a replay is let in; the event's id makes it harmless."""
    assert deliver(channel, body(), offset=offset).event_id == "evt_1"


def test_our_own_clock_decides(channel: ChannelData, hooks: object) -> None:
    """A-B3: what was good ten minutes ago is not."""
    header = sign(body())
    clock.move(seconds=600)
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), header)
    clock.reset()
    assert deliver(channel, body(), header).event_id == "evt_1"


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_the_check_of_time_cannot_be_switched_off(settings: Any, seconds: int) -> None:
    """A-B6"""
    settings.PSP_WEBHOOK_TOLERANCE = seconds
    with pytest.raises(ImproperlyConfigured):
        ChannelsConfig.create("channels").ready()


def test_several_signatures_are_allowed_and_thousands_are_not(channel: ChannelData) -> None:
    """A-B7: during a rotation the provider signs twice; more than a few is an attack on our time."""
    genuine = sign(body())
    stamp, signature = genuine.split(",")
    assert deliver(channel, body(), f"{stamp},v1={'0' * 64},{signature},v0=abc").event_id == "evt_1"
    for many in (9, 10_000):
        with pytest.raises(SignatureInvalid):
            deliver(channel, body(), f"{stamp}," + ",".join(["v1=" + "0" * 64] * many) + f",{signature}")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        body(data=json.loads("[" * 40 + "]" * 40)),
        body(livemode=float("nan")),
        body(id=None),
        body(id="evt\x00"),
        body(id="e" * 101),
        body(type=7),
        body(type="payment intent"),
        body(created="now"),
        body(created=True),
        body(created=-1),
        body(created=10**30),
        body(livemode="false"),
        body(account={"id": "acct_1"}),
        body().replace(b"1790000000", b"9" * 5000),
    ],
)
def test_signed_content_that_is_no_event_is_refused(channel: ChannelData, raw: bytes) -> None:
    """A-B8, A-B9: 400, whatever it is."""
    with pytest.raises(MalformedRequest) as refusal:
        deliver(channel, raw)
    assert (refusal.value.code, refusal.value.status) == ("malformed_request", 400)


@pytest.mark.parametrize("name", ["nobody", "", "../etc", "a" * 65, "line\x00", "LINE"])
def test_a_channel_that_does_not_exist_is_not_found(db: None, name: str) -> None:
    with pytest.raises(NotFound):
        verify_webhook(channel_name=name, raw=body(), headers={"stripe-signature": sign(body())})


def test_both_secrets_are_good_during_a_rotation_and_the_old_one_ends(
    channel: ChannelData, hooks: object
) -> None:
    """F-C13"""
    with transaction.atomic():
        rotate_webhook_secret(
            channel_id=channel.id, secret="whsec_new", overlap=timedelta(hours=1), actor="user:1"
        )
    for secret in ("whsec_current", "whsec_new"):
        assert deliver(channel, body(), secret=secret).event_id == "evt_1"
    clock.move(seconds=3601)
    assert deliver(channel, body(), secret="whsec_new").event_id == "evt_1"
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), secret="whsec_current")


def test_a_second_rotation_does_not_lengthen_the_life_of_the_first_secret(
    channel: ChannelData, hooks: object
) -> None:
    """F-C13"""
    for secret in ("whsec_2", "whsec_3"):
        with transaction.atomic():
            rotate_webhook_secret(
                channel_id=channel.id, secret=secret, overlap=timedelta(hours=1), actor="user:1"
            )
        clock.move(seconds=1800)
    assert deliver(channel, body(), secret="whsec_2").event_id == "evt_1"
    clock.move(seconds=1)
    with pytest.raises(SignatureInvalid):
        deliver(channel, body(), secret="whsec_current")


@pytest.mark.django_db
@given(header=st.one_of(st.text(), st.binary()), raw=st.binary(max_size=200))
def test_no_input_gets_another_answer_than_a_refusal(header: Any, raw: bytes) -> None:
    """A-B7 … A-B9"""
    channel = open_channel()
    with pytest.raises((SignatureInvalid, MalformedRequest)):
        deliver(channel, raw, header)
    with pytest.raises(MalformedRequest):
        deliver(channel, raw)
