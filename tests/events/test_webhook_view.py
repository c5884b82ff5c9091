"""The door that providers knock at: forged, replayed, broken and endless deliveries."""

import json
import logging
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from core import clock
from events import views
from events.models import WebhookInbox
from events.views import MAX_BYTES, provider_webhook
from tests.events.cast import Provider, open_provider


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["error"]["code"]


@pytest.mark.parametrize(
    "header",
    ["", "t=1,v1=00", "v1=", "garbage", "t={now},v1=" + "0" * 64, "t={now},v0={good}", "t=é,v1=ü", None],
)
def test_unsigned_and_wrongly_signed(provider: Provider, header: str | None) -> None:
    """A-B1: refused, nothing stored."""
    body = provider.event()
    stamp, good = provider.signature(body).split(",v1=")
    headers = {} if header is None else {"Stripe-Signature": header.format(now=stamp[2:], good=good)}
    assert code(provider.post(body, headers)) == (401, "signature_invalid")
    assert WebhookInbox.objects.count() == 0


def test_signed_with_the_secret_of_another_channel(provider: Provider) -> None:
    """A-B2: the URL chooses the secret."""
    other = open_provider("psp_2")
    body = other.event()
    headers = {"Stripe-Signature": other.signature(body, secret="whsec_other")}
    assert code(provider.post(body, headers)) == (401, "signature_invalid")
    assert code(provider.post(body, {"Stripe-Signature": provider.signature(body)}, name="nobody")) == (
        404,
        "not_found",
    )


@pytest.mark.parametrize("offset", [-301, 301, 31_536_000])
def test_too_old_and_too_new(provider: Provider, offset: int, stopped_clock: None) -> None:
    """A-B3, A-B5: the clock is bounded both ways."""
    body = provider.event()
    answer = provider.deliver(body, at=int(clock.now().timestamp()) + offset)
    assert code(answer) == (401, "signature_invalid")


def test_replayed_inside_the_tolerance(provider: Provider) -> None:
    """A-B4: the very same request again is answered 200 and changes nothing."""
    body = provider.event()
    headers = {"Stripe-Signature": provider.signature(body)}
    assert [provider.post(body, headers).status_code for _ in range(3)] == [200] * 3
    assert WebhookInbox.objects.count() == 1


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"[]", b"null", b"1", b'"x"', b"[" * 100_000, b"{", b'{"id": "evt_1"}', b""]
)
def test_signed_nonsense(provider: Provider, body: bytes) -> None:
    """A-B8, A-B9: 400, never 500, nothing stored."""
    assert code(provider.deliver(body)) == (400, "malformed_request")
    assert WebhookInbox.objects.count() == 0


def test_a_body_that_is_too_large_is_refused_unread(provider: Provider, rf: RequestFactory) -> None:
    """A-B13: the declared length decides before a byte is buffered."""

    class Unread:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    for length in (str(MAX_BYTES + 1), "52428800", "9" * 40):
        request = rf.post("/psp/psp_1/webhooks", b"", "application/json")
        request._stream, request.META["CONTENT_LENGTH"] = Unread(), length
        assert code(provider_webhook(request, "psp_1")) == (413, "body_too_large")
    endless = rf.post("/psp/psp_1/webhooks", b"", "application/json", HTTP_TRANSFER_ENCODING="chunked")
    endless._stream = Unread()
    assert code(provider_webhook(endless, "psp_1")) == (413, "body_too_large")


def test_a_body_of_the_largest_size_passes(provider: Provider) -> None:
    empty = len(provider.event(filler=""))
    body = provider.event(filler="x" * (MAX_BYTES - empty))
    assert len(body) == MAX_BYTES
    assert provider.deliver(body).status_code == 200


def test_a_body_that_ends_early(provider: Provider, rf: RequestFactory) -> None:
    body = provider.event()
    headers = {"HTTP_STRIPE_SIGNATURE": provider.signature(body)}
    request = rf.post("/psp/psp_1/webhooks", body, "application/json", **headers)
    request.META["CONTENT_LENGTH"] = str(len(body) + 1)
    assert code(provider_webhook(request, provider.name)) == (400, "malformed_request")


def test_a_flood_of_bad_signatures_is_cheap(db: None, limits: Any, caplog: Any) -> None:
    """A-B14: 429 by source, a bounded log, no table growth, and genuine deliveries still pass."""
    limits({"bad_webhooks": (1, 3600, 5)})
    provider = open_provider(f"psp_{uuid4().hex[:8]}")
    body = provider.event()
    with caplog.at_level(logging.WARNING, logger="events.rejections"):
        answers = [provider.post(body, {"Stripe-Signature": "t=1,v1=0"}) for _ in range(15)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 10
    assert 3000 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert len([record for record in caplog.records if record.name == "events.rejections"]) == 3
    assert WebhookInbox.objects.count() == 0
    assert provider.deliver(body).status_code == 200


def test_the_database_is_away(provider: Provider, monkeypatch: Any) -> None:
    """F-C15: 503 and nothing acknowledged, so the provider comes back."""

    def away(**_: Any) -> bool:
        raise OperationalError("connection refused")

    monkeypatch.setattr(views, "receive_webhook", away)
    answer = provider.deliver(provider.event())
    assert code(answer) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "1"
    monkeypatch.undo()
    assert provider.deliver(provider.event()).status_code == 200


def test_the_database_cuts_the_line(provider: Provider, owner_sql: Any, hooks: Any) -> None:
    """F-C15: the connection dies under the request; the answer is 503, then the same delivery is stored."""
    from core.failpoints import arm

    body = provider.event()
    arm("inbox.storing", "cut")
    answer = provider.deliver(body)
    assert code(answer) == (503, "temporarily_unavailable")
    assert WebhookInbox.objects.count() == 0
    assert provider.deliver(body).status_code == 200


def test_the_answer_does_not_wait_for_the_work(provider: Provider, subscribed: Any) -> None:
    """F-C16: only the insert is synchronous."""
    seen = subscribed()
    assert provider.deliver(provider.event()).status_code == 200
    assert seen == []


def test_what_stripe_takes_for_an_acknowledgement_f_c14(provider: Provider) -> None:
    """F-C14, Stripe's part: any 2xx, whatever the body, ends its deliveries; a redirect would be a failure.

    An event that is new, one that is known and one that nobody here wants are all acknowledged, or Stripe
    would send them for three days; what is refused is no 2xx, so that it comes again.
    """
    body = provider.event()
    unwanted = provider.event("evt_2", "unicorn.born")
    signed = {"Stripe-Signature": provider.signature(body)}
    taken = [provider.deliver(body), provider.deliver(body), provider.deliver(unwanted)]
    assert [(answer.status_code, answer.content) for answer in taken] == [(200, b"")] * 3
    refused = provider.post(body + b" ", signed)
    assert 400 <= refused.status_code < 500


def test_only_post(provider: Provider, client: Any) -> None:
    assert code(client.get(f"/psp/{provider.name}/webhooks")) == (405, "method_not_allowed")


def test_no_csrf_token_is_needed(provider: Provider) -> None:
    from django.test import Client

    body = provider.event()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.generic(
        "POST",
        f"/psp/{provider.name}/webhooks",
        body,
        "application/json",
        headers={"Stripe-Signature": provider.signature(body)},
    )
    assert answer.status_code == 200
