"""The risk desk: who may decide, what is shown, and that every button is one service call, audited."""

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core.ids import parse_public_id
from core.models import AuditRecord, Case
from payments.models import PaymentOrder
from payments.services import reject_review
from tests.admin.people import console, person
from tests.payments.conftest import Shop, counter
from tests.risk.rules import enforce

__all__ = ["counter"]

pytestmark = pytest.mark.django_db
DESK = "/admin/desks/risk/"
BUYER = {"buyer_account": "b-1", "email": "mia@example.com", "ip": "203.0.113.9", "device_id": "d-1"}


@pytest.fixture
def held(counter: Shop) -> list[dict[str, Any]]:
    """Three held payments, the dearest last."""
    enforce(
        counter.store.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="a look"
    )
    bodies = [
        counter.body(counter.order(amount)) | {"buyer_info": BUYER} for amount in ("10.00", "20.00", "30.00")
    ]
    return [counter.accept(body) for body in bodies]


@pytest.fixture
def risk(db: None) -> Client:
    return console(person("rita", "risk"))


def text(answer: Any) -> str:
    html = answer.content.decode()
    html = html[max(html.find('class="page-title"'), 0) :]
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def states(checkout: dict[str, Any]) -> set[str]:
    key = parse_public_id(checkout["id"], "chk")
    return set(PaymentOrder.objects.filter(checkout_id=key).values_list("status", flat=True))


def send(client: Client, checkout: dict[str, Any], action: str, reason: str = "looked at it") -> Any:
    return client.post(f"{DESK}{checkout['id']}/", {"action": action, "reason": reason})


def test_the_desk_shows_queue_evidence_and_consequences(risk: Client, held: list[dict[str, Any]]) -> None:
    shown = text(risk.get(f"{DESK}{held[1]['id']}/"))
    for words in ("10.00 USD", "20.00 USD", "30.00 USD", "a look", "mia@example.com", "Review"):
        assert words in shown
    assert "buyer, email, ip, device" in shown
    assert "20.00 USD is charged to the buyer now" in shown and "nothing is charged" in shown
    assert "nobody" in shown


def test_approving_opens_the_payment_and_shows_the_next(risk: Client, held: list[dict[str, Any]]) -> None:
    answer = send(risk, held[0], "approve", "knows the buyer")
    assert answer.status_code == 302 and answer.url.endswith(f"/{held[1]['id']}/")
    assert states(held[0]) == {"NOT_STARTED"}
    record = AuditRecord.objects.get(action="payment_review.approve")
    assert (record.subject, record.reason) == (held[0]["id"], "knows the buyer")
    assert record.actor.startswith("user:")
    assert "Approved." in risk.get(answer.url).content.decode()


def test_rejecting_fails_it(risk: Client, held: list[dict[str, Any]]) -> None:
    send(risk, held[2], "reject")
    assert states(held[2]) == {"FAILED"}
    assert Case.objects.get(subject=held[2]["id"]).status == "CLOSED"


def test_no_reason_no_decision(risk: Client, held: list[dict[str, Any]]) -> None:
    answer = send(risk, held[0], "approve", "  ")
    assert answer.status_code == 422
    assert "This field is required." in text(answer)
    assert states(held[0]) == {"IN_REVIEW"}


def test_taking_and_giving_back(risk: Client, held: list[dict[str, Any]]) -> None:
    send(risk, held[0], "take")
    assert Case.objects.get(subject=held[0]["id"]).status == "ASSIGNED"
    assert "It is yours." in text(risk.get(f"{DESK}{held[0]['id']}/"))
    assert "rita" in text(console(person("rob", "risk")).get(f"{DESK}{held[0]['id']}/"))
    send(risk, held[0], "release")
    assert Case.objects.get(subject=held[0]["id"]).status == "OPEN"


def test_who_comes_second_is_told_so(risk: Client, held: list[dict[str, Any]]) -> None:
    """The page was open while somebody else decided."""
    key = parse_public_id(held[0]["id"], "chk")
    assert key is not None
    with transaction.atomic():
        reject_review(checkout_id=key, by="user:other", reason="faster")
    answer = send(risk, held[0], "approve")
    assert answer.status_code == 302 and answer.url == DESK
    assert "decided meanwhile" in risk.get(answer.url).content.decode()
    assert states(held[0]) == {"FAILED"}
    assert "does not wait for a review any more" in text(risk.get(f"{DESK}{held[0]['id']}/"))


def test_others_look_or_stay_outside(held: list[dict[str, Any]]) -> None:
    """A-E3: an auditor reads and cannot press, support does not see it, a password alone opens nothing."""
    auditor = console(person("aud", "auditor"))
    page = auditor.get(f"{DESK}{held[0]['id']}/")
    assert page.status_code == 200 and "Approve" not in text(page)
    assert send(auditor, held[0], "approve").status_code == 403
    assert console(person("sue", "support")).get(DESK).status_code == 403
    assert console(person("fin", "finance_maker")).get(DESK).status_code == 403
    half = Client()
    half.force_login(person("rick", "risk"), backend="django.contrib.auth.backends.ModelBackend")
    assert half.get(DESK).status_code == 302 and half.get(DESK).url.startswith("/admin/login/")
    assert states(held[0]) == {"IN_REVIEW"}


def test_an_auditor_does_not_read_who_the_buyer_is(held: list[dict[str, Any]]) -> None:
    """Personal data is for those who decide by it."""
    page = text(console(person("aud", "auditor")).get(f"{DESK}{held[0]['id']}/"))
    assert "mia@example.com" not in page and "203.0.113.9" not in page
    assert "10.00 USD" in page


def test_nothing_else_is_an_address_or_an_action(risk: Client, held: list[dict[str, Any]]) -> None:
    assert risk.get(f"{DESK}nonsense/").status_code == 404
    assert send(risk, held[0], "pay_out").status_code == 404
    strict = console(person("rosa", "risk"), enforce_csrf_checks=True)
    assert send(strict, held[0], "approve").status_code == 403
    assert states(held[0]) == {"IN_REVIEW"}


def test_an_empty_desk_says_what_will_be_here(risk: Client) -> None:
    assert "No payment waits for a review." in text(risk.get(DESK))
