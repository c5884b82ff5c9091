"""Who answers for the system is told of an alert: once for each way, in time, and never in the request."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from core import alerts, clock
from core.alerts import Alert, escalate, raise_alert
from core.models import AlertNotice, Case, DeadLetter
from core.transactions import at_edge
from events.sender_alerts import AlertDrain, replay_notice
from events.signing import sign
from tests.events.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
WRONG = Alert("test_wrong", "Something is wrong", "Look at it.", timedelta(hours=1))


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(alerts, "_ALERTS", {**alerts._ALERTS, WRONG.name: WRONG})
    settings.ALERT_EMAIL_TO = ["ann@example.com", "bob@example.com"]
    settings.ALERT_WEBHOOK_URL = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receiving() as found:
        settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = found.url, SECRET
        settings.ALERT_EMAIL_TO = []
        yield found


def _raise(subject: str = "pay_1", summary: str = "it is late") -> Case | None:
    return at_edge(raise_alert)(
        WRONG.name, subject=subject, summary=summary, value_minor=1250, currency="EUR"
    )


def test_an_alert_is_mailed_once_however_often_it_is_seen() -> None:
    for _ in range(3):
        _raise()
    assert mail.outbox == []  # The transaction that saw it sends nothing.
    assert AlertDrain().run() == 1
    assert AlertDrain().run() == 0
    (sent,) = mail.outbox
    assert sent.to == ["ann@example.com", "bob@example.com"]
    assert "Something is wrong: pay_1" in sent.subject
    assert "1250 minor units of EUR" in sent.body and "runbooks.md#test-wrong" in sent.body
    notice = AlertNotice.objects.get()
    assert notice.sent_at is not None and notice.due_at is None
    assert notice.told == "ann@example.com, bob@example.com"


def test_what_nobody_dealt_with_is_told_once_more() -> None:
    _raise()
    Case.objects.update(due_at=clock.now() - timedelta(minutes=1))
    for _ in range(2):
        at_edge(escalate)()
    AlertDrain().run()
    assert sorted("critical" in each.subject for each in mail.outbox) == [False, True]


def test_an_alert_that_is_not_committed_is_told_to_nobody() -> None:
    def undone() -> None:
        raise_alert(WRONG.name, subject="pay_1", summary="never was")
        raise ValueError

    with pytest.raises(ValueError):
        at_edge(undone)()
    assert AlertDrain().run() == 0


def test_a_webhook_is_signed_like_those_of_stores(receiver: Receiver) -> None:
    _raise(summary="key whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY is bad")
    AlertDrain().run()
    (got,) = receiver.wait_for(1)
    expected = sign(
        secrets=[SECRET],
        message_id=got.headers["webhook-id"],
        timestamp=int(got.headers["webhook-timestamp"]),
        body=got.body,
    )
    assert got.headers["webhook-signature"] == expected
    body = json.loads(got.body)
    assert (body["alert"], body["value_minor"], body["currency"]) == ("test_wrong", "1250", "EUR")
    assert "QUJD" not in body["summary"]


def test_what_is_not_taken_is_tried_again_with_the_same_id_and_then_buried(receiver: Receiver) -> None:
    """After twelve tries a person sees a dead letter; replayed, the message is sent at last."""
    receiver.behave = lambda handler: handler.send_error(503)
    _raise()
    for _ in range(12):
        AlertNotice.objects.filter(due_at__isnull=False).update(due_at=clock.now())
        AlertDrain().run()
    assert AlertDrain().run() == 0
    assert len({got.headers["webhook-id"] for got in receiver.wait_for(12)}) == 1
    letter = DeadLetter.objects.get(queue="alerts")
    assert "503" in letter.error

    def takes(handler: Any) -> None:
        handler.send_response(204)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.behave = takes
    at_edge(replay_notice)(letter)
    assert AlertDrain().run() == 1
    assert AlertNotice.objects.get().sent_at is not None


def test_a_way_that_was_taken_away_holds_nothing_up(settings: Any) -> None:
    _raise()
    settings.ALERT_EMAIL_TO = []
    assert AlertDrain().run() == 1
    notice = AlertNotice.objects.get()
    assert (notice.due_at, notice.sent_at, notice.error) == (None, None, "this way was switched off")
    assert mail.outbox == []
