"""Disputes and reversals at the provider, through the official SDK: states, money, evidence, refusals."""

from __future__ import annotations

import io
from typing import Any

import pytest
import stripe


@pytest.fixture
def dispute(account) -> Any:
    """A payment of 10.00 that is disputed as fraudulent as soon as it is paid."""
    account.paid(payment_method="pm_card_createDispute")
    return account.v1.disputes.list().data[0]


def step(account, dispute: Any, name: str, *, status: int = 200) -> Any:
    return account.sandbox.control("POST", f"disputes/{dispute.id}/{name}", {}, status=status)


def types(account) -> list[str]:
    found = account.v1.events.list({"limit": 100}).data
    return [event.type for event in reversed(found) if "dispute" in event.type]


def moved(account, dispute: Any) -> list[tuple[int, int]]:
    """Amount and fee of each movement that the dispute tells of."""
    seen = account.v1.disputes.retrieve(dispute.id)
    return [(each.amount, each.fee) for each in seen.balance_transactions]


def test_a_card_that_is_disputed_as_fraudulent(account, dispute):
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 1000)
    assert dispute.payment_method_details.card.network_reason_code == "10.4"
    assert moved(account, dispute) == [(-1000, 1500)]
    assert types(account) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert [row["amount"] for row in account.journal(kind="dispute.withdrawn")] == [-2500]
    assert account.v1.charges.retrieve(dispute.charge).disputed
    (booked,) = account.v1.balance_transactions.list({"source": dispute.id}).data
    assert (booked.reporting_category, booked.net) == ("dispute", -2500)


def test_an_inquiry_moves_no_money_until_it_escalates(account):
    account.paid(payment_method="pm_card_createDisputeInquiry")
    (inquiry,) = account.v1.disputes.list().data
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert moved(account, inquiry) == []
    step(account, inquiry, "escalate")
    assert account.v1.disputes.retrieve(inquiry.id).status == "needs_response"
    assert moved(account, inquiry) == [(-1000, 1500)]
    step(account, inquiry, "rest", status=400)


def test_money_follows_every_verdict_once(account, dispute):
    for name in ("lose", "win", "lose", "win"):
        step(account, dispute, name)
        step(account, dispute, name, status=400)
    assert moved(account, dispute) == [(-1000, 1500), (1000, 0), (-1000, 0), (1000, 0)]
    assert types(account)[2:] == [
        "charge.dispute.closed",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [("winning_evidence", "won"), ("losing_evidence", "lost"), ("It was delivered.", "under_review")],
)
def test_submitted_evidence_is_reviewed(account, dispute, text, status):
    proof = account.v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(b"%PDF-1.7 signed")})
    assert (proof.type, proof.size) == ("pdf", 15)
    params = {"evidence": {"receipt": proof.id, "uncategorized_text": text}, "submit": True}
    account.v1.disputes.update(dispute.id, params, {"idempotency_key": "e-1"})
    account.v1.disputes.update(dispute.id, params, {"idempotency_key": "e-1"})
    seen = account.v1.disputes.retrieve(dispute.id)
    assert (seen.status, seen.evidence_details.submission_count) == (status, 1)
    assert (seen.evidence.receipt, seen.evidence.uncategorized_text) == (proof.id, text)
    with pytest.raises(stripe.InvalidRequestError, match="takes no evidence"):
        account.v1.disputes.update(dispute.id, params)


def test_a_draft_is_kept_and_not_sent(account, dispute):
    account.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ben"}, "submit": False})
    seen = account.v1.disputes.retrieve(dispute.id)
    assert (seen.status, seen.evidence.customer_name) == ("needs_response", "Ben")
    assert (seen.evidence_details.has_evidence, seen.evidence_details.submission_count) == (True, 0)


def test_evidence_is_checked(account, dispute):
    for evidence in ({"nonsense": "x"}, {"receipt": "file_none"}, {"uncategorized_text": "x" * 150_001}):
        with pytest.raises(stripe.InvalidRequestError):
            account.v1.disputes.update(dispute.id, {"evidence": evidence})
    for content in (b"", b"GIF89a"):
        with pytest.raises(stripe.InvalidRequestError):
            account.v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(content)})
    assert account.v1.disputes.retrieve(dispute.id).evidence_details.submission_count == 0


def test_a_dispute_that_is_accepted_is_lost(account, dispute):
    assert account.v1.disputes.close(dispute.id).status == "lost"
    assert moved(account, dispute) == [(-1000, 1500)]
    with pytest.raises(stripe.InvalidRequestError, match="closed already"):
        account.v1.disputes.close(dispute.id)


def test_a_charge_in_dispute_cannot_be_refunded_an_inquiry_can(account, dispute):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.refunds.create({"charge": dispute.charge})
    assert refused.value.code == "charge_disputed"
    step(account, dispute, "win")
    assert account.v1.refunds.create({"charge": dispute.charge}).status == "succeeded"
    account.paid(payment_method="pm_card_createDisputeInquiry")
    inquiry = account.v1.disputes.list().data[0]
    assert account.v1.refunds.create({"charge": inquiry.charge}).status == "succeeded"


def test_any_charge_can_be_disputed_in_part(account):
    charge = account.paid().latest_charge
    wish = {"reason": "product_not_received", "amount": 400, "fee": 0}
    made = account.sandbox.control("POST", f"charges/{charge}/dispute", wish)
    assert (made["amount"], made["reason"]) == (400, "product_not_received")
    for bad in ({"reason": "mood"}, {"amount": 1001}, {"colour": "red"}):
        account.sandbox.control("POST", f"charges/{charge}/dispute", bad, status=400)


def test_a_payment_that_the_rail_takes_back(account):
    paid = account.paid(metadata={"order": "1"})
    account.sandbox.control("POST", f"payment_intents/{paid.id}/reversal", {})
    charge = account.v1.charges.retrieve(paid.latest_charge)
    assert (charge.status, charge.paid) == ("failed", False)
    moved = account.v1.balance_transactions.retrieve(charge.failure_balance_transaction)
    assert (moved.type, moved.amount) == ("payment_failure_refund", -1000)
    assert [row["amount"] for row in account.journal(kind="charge.reversed")] == [-1000]
    account.sandbox.control("POST", f"payment_intents/{paid.id}/reversal", {}, status=400)
