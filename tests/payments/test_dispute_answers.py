"""Answering a dispute: what is sent, once, whatever happens on the way; accepting one; deadlines."""

import base64
import hashlib
from typing import Any

import pytest

from core import clock
from core.approvals import FourEyesRequired, at_decision_edge
from core.errors import DomainError
from core.models import Approval, OutboxEvent
from core.models import Case as DeskCase
from core.transactions import at_edge
from payments.models import DisputeEvidence, DisputeLine, PaymentOrder, PspOperation
from payments.services import (
    accept_dispute,
    approve_dispute_decision,
    ask_about_disputes,
    reassign_dispute,
    reject_dispute_decision,
    watch_disputes,
)
from tests.payments.conftest import Shop
from tests.payments.disputing import Case, disputed, legs, wallet
from wallet.models import Hold

UPDATE, CLOSE, FILES = "disputes.update", "disputes.close", "files.create"
PNG = b"\x89PNG\r\n\x1a\nsigned by Ben"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def answer(case: Case, status: int = 201, **body: Any) -> dict[str, Any]:
    response = case.shop.store.post(f"/v1/disputes/{case.id}/evidence", body)
    assert response.status_code == status, response.content
    return response.json()


def a_file(raw: bytes = PNG, **other: Any) -> dict[str, Any]:
    coded = base64.b64encode(raw).decode()
    return {"field": "receipt", "filename": "signed.png", "content": coded} | other


def at_provider(case: Case) -> Any:
    return case.shop.provider.client(case.shop.account_key).v1.disputes.retrieve(case.reference)


def test_an_answer_is_sent_with_what_our_records_tell(shop: Shop) -> None:
    shop_body = {"buyer_info": {"email": "ben@example.com", "name": "Ben"}}
    accepted = shop.pay(shop.body(**shop_body))
    assert accepted["status"] == "succeeded"
    case = disputed(shop)
    answer(case, texts={"explanation": "first"})
    answer(case, texts={"explanation": "He signed.", "shipping_carrier": "DHL"}, files=[a_file()])
    assert at_provider(case).evidence_details.submission_count == 0, "a draft stays with us"
    answer(case, submit=True)
    answer(case, 409, submit=True)
    shop.work()
    seen = at_provider(case)
    assert (seen.status, seen.evidence_details.submission_count) == ("under_review", 1)
    assert (seen.evidence.uncategorized_text, seen.evidence.shipping_carrier) == ("He signed.", "DHL")
    assert seen.evidence.product_description.startswith("Orders: o-")
    assert seen.evidence.receipt and seen.evidence.uncategorized_file
    assert case.dispute.status == "EVIDENCE_SENT"
    sent = DisputeEvidence.objects.exclude(operation=None)
    document = base64.b64decode(sent.get(field="case_file").content)
    assert document.startswith(b"%PDF-") and len(document) > 1000
    assert bytes(sent.get(field="receipt").sha256) == hashlib.sha256(PNG).digest()
    assert OutboxEvent.objects.filter(type="dispute.evidence_sent").count() == 1
    assert answer(case, 409, texts={"explanation": "more"})["error"]["code"] == "dispute_not_open"


def test_the_answer_to_an_inquiry_is_told_and_the_inquiry_stays_one(shop: Shop) -> None:
    case = disputed(shop, inquiry=True)
    assert (case.dispute.status, legs()) == ("INQUIRY", [])
    answer(case, texts={"explanation": "He signed."}, submit=True)
    shop.work()
    assert (case.dispute.status, case.dispute.evidence_sent_at is not None) == ("INQUIRY", True)
    assert OutboxEvent.objects.filter(type="dispute.evidence_sent").count() == 1
    case.step("rest")
    case.tell()
    assert case.dispute.status == "CLOSED"
    assert PaymentOrder.objects.filter(dispute_reserved_minor__gt=0).count() == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"texts": {"mood": "bad"}}, 422, "unknown_field"),
        ({"files": [a_file(b"GIF89a")]}, 422, "evidence_file_invalid"),
        ({"files": [a_file(b"%PDF-" + b"x" * 512 * 1024)]}, 422, "invalid_field"),
        ({"files": [a_file(content="no base64!")]}, 422, "evidence_file_invalid"),
        ({"files": [a_file(field="case_file")]}, 422, "invalid_field"),
        ({"submit": "yes"}, 422, "invalid_field"),
    ],
)
def test_bad_evidence_is_refused(shop: Shop, body: dict[str, Any], status: int, code: str) -> None:
    case = disputed(shop)
    found = answer(case, status, **body)["error"]
    assert found["code"] == code, found
    assert DisputeEvidence.objects.count() == 0


@pytest.mark.parametrize("operation", [UPDATE, FILES])
@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        ("charged_but_timeout", None),
        ("not_charged_timeout", None),
        ("connection_reset_after_body", True),
        ("http_503", False),
        ("empty_500", True),
        ("broken_json", True),
    ],
)
def test_silence_about_an_answer_ends_in_one_answer(
    shop: Shop, operation: str, kind: str, effect: bool | None
) -> None:
    """F-A5, F-A7, F-A8: unknown is asked about, at the dispute itself; it is answered once."""
    case = disputed(shop)
    shop.arm(kind, operation=operation, **({} if effect is None else {"effect": effect}))
    answer(case, texts={"explanation": "He signed."}, submit=True)
    shop.work()
    assert PspOperation.objects.get(kind="evidence").status == "UNKNOWN"
    assert case.dispute.status == "OPEN"
    shop.later(5)
    assert PspOperation.objects.get(kind="evidence").status == "SUCCEEDED"
    assert (case.dispute.status, at_provider(case).evidence_details.submission_count) == ("EVIDENCE_SENT", 1)
    assert len({each["idempotency_key"] for each in shop.requests(UPDATE)}) <= 1


def test_an_answer_that_comes_too_late_is_refused_and_a_person_is_told(shop: Shop) -> None:
    case = disputed(shop)
    case.step("lose")
    answer(case, texts={"explanation": "He signed."}, submit=True)
    shop.work()
    assert PspOperation.objects.get(kind="evidence").status == "DECLINED"
    assert DeskCase.objects.get(kind="dispute_answer_refused").subject == case.id
    case.tell()
    assert case.dispute.status == "LOST"


def test_an_answer_given_at_the_provider_is_adopted(shop: Shop) -> None:
    case = disputed(shop)
    client = shop.provider.client(shop.account_key).v1
    client.disputes.update(case.reference, {"evidence": {"uncategorized_text": "mine"}, "submit": True})
    case.tell()
    assert case.dispute.status == "EVIDENCE_SENT"
    assert DeskCase.objects.get(kind="dispute_answered_elsewhere").subject == case.id


def test_a_dispute_that_no_webhook_told_of_again_is_asked_about(shop: Shop) -> None:
    """F-C6: the verdict comes by asking."""
    case = disputed(shop)
    case.step("win")
    assert ask_about_disputes() == 0
    clock.move(seconds=7 * 3600)
    assert ask_about_disputes() == 1
    assert case.dispute.status == "WON"


def test_a_deadline_is_an_alert_until_it_is_answered(shop: Shop) -> None:
    case = disputed(shop, due_in=4 * 86400)
    assert at_edge(watch_disputes)() == 0
    clock.move(seconds=2 * 86400)
    assert at_edge(watch_disputes)() == 1
    assert at_edge(watch_disputes)() == 0
    alert = DeskCase.objects.get(kind="dispute_deadline")
    assert (alert.subject, alert.value_minor) == (case.id, 10000)
    answer(case, texts={"explanation": "He signed."}, submit=True)
    shop.work()
    alert.refresh_from_db()
    assert alert.status == "CLOSED"


def test_after_the_deadline_nothing_is_taken(shop: Shop) -> None:
    case = disputed(shop, due_in=3600)
    clock.move(seconds=3601)
    assert answer(case, 409, texts={"explanation": "late"})["error"]["code"] == "evidence_overdue"


def decide(shop: Shop, approval_id: Any, checker: str) -> None:
    at_decision_edge(approve_dispute_decision)(approval_id=approval_id, checker=checker)


def test_two_people_accept_a_dispute(shop: Shop) -> None:
    case = disputed(shop)
    asked = at_edge(accept_dispute)(dispute_id=case.dispute.id, reason="he is right", maker="user:1")
    assert asked is not None and case.dispute.status == "OPEN"
    with pytest.raises(FourEyesRequired):
        decide(shop, asked, "user:1")
    decide(shop, asked, "user:2")
    shop.work()
    assert (case.dispute.status, at_provider(case).status) == ("LOST", "lost")
    assert [each.to_state for each in _history(case)][-2:] == ["ACCEPTED", "LOST"]


def test_an_approval_is_void_when_the_dispute_moved_on(shop: Shop) -> None:
    case = disputed(shop)
    asked = at_edge(accept_dispute)(dispute_id=case.dispute.id, reason="he is right", maker="user:1")
    case.step("win")
    case.tell()
    with pytest.raises(DomainError):
        decide(shop, asked, "user:2")
    assert Approval.objects.get().status in ("VOID", "PENDING")
    assert not PspOperation.objects.filter(kind="accept_dispute").exists()


@pytest.mark.parametrize("kind", ["charged_but_timeout", "not_charged_timeout"])
def test_silence_about_an_acceptance(shop: Shop, kind: str) -> None:
    """F-A5."""
    case = disputed(shop, amount=500)
    shop.arm(kind, operation=CLOSE)
    assert at_edge(accept_dispute)(dispute_id=case.dispute.id, reason="small", maker="user:1") is None
    shop.work()
    assert PspOperation.objects.get(kind="accept_dispute").status == "UNKNOWN"
    shop.later(5)
    assert (case.dispute.status, PspOperation.objects.get(kind="accept_dispute").status) == (
        "LOST",
        "SUCCEEDED",
    )


def test_finance_assigns_a_dispute_to_the_order_that_it_is_about(shop: Shop) -> None:
    """What is held moves with it, before it is lost."""
    case = disputed(shop, amount=1000)
    ann, bob = PaymentOrder.objects.order_by("position")
    assert (ann.dispute_reserved_minor, bob.dispute_reserved_minor) == (900, 100)
    for bad in ({ann.id: 999}, {bob.id: 1001}, {case.charge.id: 1000}):
        with pytest.raises(DomainError):
            at_edge(reassign_dispute)(dispute_id=case.dispute.id, amounts=bad, reason="x", maker="user:1")
    whole = {bob.id: 1000}
    asked = at_edge(reassign_dispute)(
        dispute_id=case.dispute.id, amounts=whole, reason="bob's", maker="user:1"
    )
    assert asked is None, "below the bound one person is enough"
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.dispute_reserved_minor, bob.dispute_reserved_minor) == (0, 1000)
    assert (wallet(ann)[2], wallet(bob)[2]) == (0, 1000)
    assert sum(Hold.objects.filter(state="OPEN").values_list("amount_minor", flat=True)) == 1000
    case.step("lose")
    case.tell()
    assert sorted(DisputeLine.objects.values_list("amount_minor", flat=True)) == [0, 1000]
    assert wallet(bob)[2] == 0


def test_a_second_person_may_refuse(shop: Shop) -> None:
    case = disputed(shop)
    asked = at_edge(accept_dispute)(dispute_id=case.dispute.id, reason="he is right", maker="user:1")
    at_decision_edge(reject_dispute_decision)(approval_id=asked, checker="user:2", reason="we have proof")
    shop.work()
    assert case.dispute.status == "OPEN"


def _history(case: Case) -> list[Any]:
    from core.models import StatusChange

    return list(StatusChange.objects.filter(subject_id=case.dispute.id).order_by("id"))
