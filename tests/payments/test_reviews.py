"""Held payments: approved or rejected by a person, once, whoever else tries at the same moment."""

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from channels.services import set_enabled
from core import clock
from core.audit_trail import ReasonRequired
from core.errors import NotFound
from core.fsm import ConcurrentTransition
from core.ids import parse_public_id, public_id, uuid7
from core.models import AuditRecord, Case, OutboxEvent, StatusChange
from core.transactions import at_edge
from payments.engine import reviews
from payments.errors import CheckoutExpired, PaymentMethodUnavailable, ReviewDecided
from payments.models import Charge, PaymentEvent, PaymentOrder
from payments.services import approve_review, reject_review
from risk.models import RiskDecision, RiskFact
from tests.payments.conftest import Shop
from tests.racing import race
from tests.risk.rules import enforce

ANN, BOB = "user:ann", "user:bob"


def held(shop: Shop, **body: Any) -> tuple[dict[str, Any], UUID]:
    """A checkout that waits for a person, and its key."""
    enforce(shop.store.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="look")
    accepted = shop.accept(shop.body(**body))
    assert accepted["status"] == "in_review"
    key = parse_public_id(accepted["id"], "chk")
    assert key is not None
    return accepted, key


def approve(key: UUID, by: str = ANN, reason: str = "known buyer") -> None:
    at_edge(approve_review)(checkout_id=key, by=by, reason=reason)


def reject(key: UUID, by: str = ANN, reason: str = "stolen card") -> None:
    at_edge(reject_review)(checkout_id=key, by=by, reason=reason)


def test_an_approved_payment_is_paid(shop: Shop) -> None:
    accepted, key = held(shop)
    assert shop.work() == 0
    approve(key)
    shop.work()
    paid = shop.checkout(accepted["id"])
    assert (paid["status"], paid["risk"]) == ("succeeded", {"decision": "approve"})
    assert len(shop.captures()) == 1
    order = accepted["payment_orders"][0]["id"]
    assert [event.type for event in OutboxEvent.objects.filter(subject=order).order_by("sequence")] == [
        "payment.created",
        "payment.in_review",
        "payment.approved",
        "payment.executing",
        "payment.succeeded",
    ]
    case = Case.objects.get(kind="risk_review")
    assert (case.status, case.resolution) == ("CLOSED", "approved: known buyer")
    record = AuditRecord.objects.get(action="payment_review.approve")
    assert (record.actor, record.subject, record.reason) == (ANN, accepted["id"], "known buyer")
    verdict = RiskDecision.objects.get(source="person")
    assert (verdict.decision, verdict.by) == ("approve", ANN)


def test_each_order_of_best_effort_gets_its_charge(shop: Shop) -> None:
    accepted, key = held(shop, multi_order_policy="best_effort")
    approve(key)
    shop.work()
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    assert Charge.objects.filter(checkout_id=key).count() == 2


def test_a_rejected_payment_fails_as_any_that_risk_declines(shop: Shop) -> None:
    """A-H2: what the reviewer wrote is for the staff, not for the buyer."""
    accepted, key = held(shop)
    reject(key)
    shop.work()
    over = shop.checkout(accepted["id"])
    assert (over["status"], over["is_final"], over["risk"]) == ("failed", True, {"decision": "decline"})
    failures = [order["failure"] for order in over["payment_orders"]]
    assert {failure["code"] for failure in failures} == {"risk_declined"}
    assert not any("stolen" in failure["message"] for failure in failures)
    assert not Charge.objects.exists() and shop.captures() == []
    assert Case.objects.get(kind="risk_review").status == "CLOSED"
    assert AuditRecord.objects.get(action="payment_review.reject").actor == ANN


def test_what_is_decided_is_decided(counter: Shop) -> None:
    _, key = held(counter)
    reject(key)
    for again in (approve, reject):
        with pytest.raises(ReviewDecided):
            again(key, BOB)
    with pytest.raises(NotFound):
        approve(uuid7())
    assert AuditRecord.objects.filter(action__startswith="payment_review.").count() == 1


def test_a_payment_that_was_never_held_cannot_be_reviewed(counter: Shop) -> None:
    accepted = counter.accept(counter.body())
    with pytest.raises(ReviewDecided):
        reject(parse_public_id(accepted["id"], "chk"))  # type: ignore[arg-type]


def test_a_reason_is_required(counter: Shop) -> None:
    _, key = held(counter)
    with pytest.raises(ReasonRequired):
        approve(key, reason="  ")
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"IN_REVIEW"}


def test_too_late_to_approve_is_left_to_the_expiry(counter: Shop, hooks: Any) -> None:
    _, key = held(counter)
    clock.move(seconds=86_401)
    with pytest.raises(CheckoutExpired):
        approve(key)
    assert PaymentOrder.objects.filter(status="IN_REVIEW").count() == 2
    assert not Charge.objects.exists()


def test_without_a_channel_nothing_is_approved(counter: Shop) -> None:
    _, key = held(counter)
    with transaction.atomic():
        set_enabled(channel_id=counter.channel.id, enabled=False, actor=ANN, reason="maintenance")
    with pytest.raises(PaymentMethodUnavailable):
        approve(key)
    assert PaymentOrder.objects.filter(status="IN_REVIEW").count() == 2
    assert Case.objects.get(kind="risk_review").status == "OPEN"


def _both(key: UUID) -> list[Any]:
    return race([lambda: approve(key, ANN), lambda: reject(key, BOB)], connected=True)


def test_two_reviewers_at_once_make_one_transition(shop: Shop) -> None:
    """A-D5, and any other two who press at the same moment: the first decides, the other is told so."""
    for _ in range(5):
        _, key = held(shop)
        results = _both(key)
        assert results.count(None) == 1
        [loser] = [result for result in results if result is not None]
        assert isinstance(loser, ReviewDecided), loser
        states = {order.status for order in PaymentOrder.objects.filter(checkout_id=key)}
        assert len(states) == 1 and states <= {"NOT_STARTED", "FAILED"}
        orders = PaymentOrder.objects.filter(checkout_id=key).values_list("pk", flat=True)
        decided = StatusChange.objects.filter(subject_id__in=list(orders), from_state="IN_REVIEW")
        assert decided.count() == 2
        audits = AuditRecord.objects.filter(action__startswith="payment_review.")
        assert audits.filter(subject=public_id("chk", key)).count() == 1
        assert Charge.objects.filter(checkout_id=key).exists() == ("NOT_STARTED" in states)


def test_without_the_lock_both_begin(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the race: unlocked, the loser runs into what the winner wrote instead of being told."""

    def unlocked(*, checkout_id: UUID) -> Any:
        checkout = PaymentEvent.objects.get(pk=checkout_id)
        return checkout, list(PaymentOrder.objects.filter(checkout_id=checkout_id).order_by("position"))

    monkeypatch.setattr(reviews, "lock_checkout_orders", unlocked)
    for _ in range(20):
        _, key = held(shop)
        losers = [result for result in _both(key) if isinstance(result, Exception)]
        if losers and not isinstance(losers[0], ReviewDecided):
            break
    # Either the state or the number of the next event was taken: the database is the last to hold.
    assert isinstance(losers[0], ConcurrentTransition | IntegrityError), losers


def test_what_became_of_a_payment_is_remembered(shop: Shop) -> None:
    """A-H1: paid with which card, or declined and why, for whoever is judged next."""
    buyer = {"buyer_info": {"buyer_account": "b-1"}}
    shop.pay(shop.body() | buyer)
    shop.pay(shop.body(token="pm_card_chargeDeclined") | buyer)
    paid, declined = (RiskFact.objects.get(kind=kind) for kind in ("paid", "declined"))
    assert (paid.amount_minor, paid.card_brand, paid.card_country, paid.cvc) == (10_000, "visa", "US", "pass")
    assert declined.decline_code == "card_declined"
    assert paid.card_key and declined.card_key and bytes(paid.card_key) != bytes(declined.card_key)
    assert bytes(paid.buyer_key or b"") == bytes(declined.buyer_key or b"") != b""


def test_trying_out_cards_is_stopped(shop: Shop) -> None:
    """A-H1: many cards and many refusals from one device; the fourth try never reaches the bank."""
    rule = {"key": "device", "measure": "declines", "window_seconds": 3600, "over": 2}
    enforce(shop.store.merchant_id, "velocity", rule)
    for token in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds") * 2:
        body = shop.body(token=token) | {"buyer_info": {"device_id": "d-1"}}
        last = shop.pay(body)
    assert last["payment_orders"][0]["failure"]["code"] == "risk_declined"
    assert RiskFact.objects.filter(kind="declined").count() == 3


def test_the_card_behind_a_method_is_known_from_the_last_time(shop: Shop) -> None:
    """Issuing country and card are only learned by paying; the next payment is judged by them."""
    merchant = shop.store.merchant_id
    enforce(merchant, "country_mismatch", {"between": ["billing", "card"]}, decision="review")
    enforce(
        merchant,
        "velocity",
        {"key": "card", "measure": "payments", "window_seconds": 3600, "over": 2},
        decision="decline",
    )
    abroad = {"buyer_info": {"billing_address": {"country": "DE"}}}
    home = {"buyer_info": {"billing_address": {"country": "US"}}}
    assert shop.pay(shop.body() | abroad)["risk"]["decision"] == "approve"
    assert shop.pay(shop.body() | abroad)["risk"]["decision"] == "review"
    assert shop.pay(shop.body() | home)["risk"]["decision"] == "approve"
    assert shop.pay(shop.body() | home)["risk"]["decision"] == "decline"
