"""Every payment is judged before money moves: each kind of rule, seen from the API."""

import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import clock
from core.history import begin
from core.ids import parse_public_id
from core.models import Case, OutboxEvent
from core.transactions import at_edge
from payments.models import Charge, PaymentOrder
from risk.kinds import NewSeller
from risk.models import RiskDecision, RiskFact, RiskRule
from risk.services import shadow_rule
from tests.payments.conftest import Shop, open_shop
from tests.risk.rules import BY, enforce, in_force, listed, policy, stored


def decided(shop: Shop, **buyer: Any) -> str:
    """Accept one order of 100.00 USD; return the public decision."""
    amount = buyer.pop("amount", "100.00")
    token = buyer.pop("token", "pm_card_visa")
    seller = buyer.pop("seller", "ann")
    body = shop.body(shop.order(amount, seller), token=token) | {"buyer_info": buyer}
    return shop.accept(body)["risk"]["decision"]


def test_without_rules_everything_is_approved_and_remembered(counter: Shop) -> None:
    accepted = counter.accept(counter.body(counter.order("12.34")))
    assert accepted["risk"] == {"decision": "approve"}
    checkout = parse_public_id(accepted["id"], "chk")
    decision = RiskDecision.objects.get(subject_id=checkout)
    assert (decision.decision, decision.hits, decision.score) == ("approve", [], 0)
    fact = RiskFact.objects.get(subject_id=checkout)
    assert (fact.kind, fact.amount_minor, fact.currency) == ("accepted", 1234, "USD")
    assert Charge.objects.filter(checkout_id=checkout).count() == 1


def test_switched_off_is_not_assessed(counter: Shop) -> None:
    """The word of the contract for what nobody looked at."""
    enforce(counter.store.merchant_id, "amount_over", {"limits": {"USD": 0}})
    policy(counter.store.merchant_id, enabled=False)
    assert decided(counter) == "not_assessed"
    assert not RiskDecision.objects.exists()


def test_nothing_personal_is_stored_in_clear(counter: Shop) -> None:
    """A-H13: who has the tables and not the keys finds no person in them."""
    secrets = {
        "buyer_account": "buyer-quokka",
        "email": "Quokka@example.com",
        "ip": "203.0.113.77",
        "device_id": "device-quokka",
    }
    decided(counter, **secrets, token="pm_card_quokka")
    with connection.cursor() as cursor:
        for table in ("risk_riskfact", "risk_riskdecision", "risk_riskkey"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            dump = " ".join(text for (text,) in cursor.fetchall()).lower()
            assert "quokka" not in dump and "203.0.113" not in dump


def test_a_decline_answers_201_and_never_charges(counter: Shop) -> None:
    """A-H2: the buyer reads nothing of why; the staff reads everything."""
    enforce(counter.store.merchant_id, "amount_over", {"limits": {"USD": 5000}}, reason="too much money")
    accepted = counter.accept(counter.body(counter.order("50.01"), counter.order("1.00", "bob")))
    assert (accepted["status"], accepted["is_final"], accepted["risk"]) == (
        "failed",
        True,
        {"decision": "decline"},
    )
    for order in accepted["payment_orders"]:
        assert order["payment_order_status"] == "FAILED"
        assert order["failure"] == {
            "code": "risk_declined",
            "message": "The payment was declined. Use another payment method.",
            "decline_code": None,
            "retryable": False,
        }
        assert "too much money" not in str(counter.store.get(f"/v1/payments/{order['id']}").content)
        events = OutboxEvent.objects.filter(subject=order["id"]).order_by("sequence")
        assert [event.type for event in events] == ["payment.created", "payment.failed"]
    assert not Charge.objects.exists()
    decision = RiskDecision.objects.get()
    assert (decision.decision, decision.reasons) == ("decline", ["too much money"])
    assert decision.hits[0]["detail"] == {"total_minor": {"USD": 5101}}


def test_amounts_have_a_limit_in_each_currency(counter: Shop) -> None:
    enforce(counter.store.merchant_id, "amount_over", {"limits": {"JPY": 1000, "USD": 10_000}})
    assert decided(counter, amount="100.00") == "approve"
    assert decided(counter, amount="100.01") == "decline"
    for amount, expected in (("1000", "approve"), ("1001", "decline")):
        body = counter.body(counter.order(amount, currency="JPY"))
        assert counter.accept(body)["risk"]["decision"] == expected
    assert (
        counter.accept(counter.body(counter.order("999.000", currency="KWD")))["risk"]["decision"]
        == "approve"
    )


@pytest.mark.parametrize(
    ("key", "buyer", "other"),
    [
        ("buyer", {"buyer_account": "b-1"}, {"buyer_account": "b-2"}),
        ("email", {"email": "A@Example.com "}, {"email": "b@example.com"}),
        ("ip", {"ip": "203.0.113.5"}, {"ip": "203.0.113.6"}),
        ("device", {"device_id": "d-1"}, {"device_id": "d-2"}),
        ("method", {"token": "pm_one"}, {"token": "pm_two"}),
    ],
)
def test_too_many_payments_of_one(counter: Shop, key: str, buyer: Any, other: Any) -> None:
    """A-H1: the third within the hour; another buyer, mailbox, address or device is not counted."""
    enforce(
        counter.store.merchant_id,
        "velocity",
        {"key": key, "measure": "payments", "window_seconds": 3600, "over": 2},
    )
    base = {"token": "pm_" + uuid.uuid4().hex}
    assert [decided(counter, **{**base, **buyer}) for _ in range(3)] == ["approve", "approve", "decline"]
    assert decided(counter, **{**base, "token": "pm_" + uuid.uuid4().hex, **other}) == "approve"


def test_a_window_ends(counter: Shop, hooks: Any) -> None:
    enforce(
        counter.store.merchant_id,
        "velocity",
        {"key": "merchant", "measure": "payments", "window_seconds": 60, "over": 1},
    )
    assert [decided(counter), decided(counter)] == ["approve", "decline"]
    clock.move(seconds=61)
    assert decided(counter) == "approve"


def test_too_much_money_of_one(counter: Shop) -> None:
    enforce(
        counter.store.merchant_id,
        "velocity",
        {"key": "buyer", "measure": "amount", "currency": "USD", "window_seconds": 3600, "over": 25_000},
    )
    assert decided(counter, buyer_account="b") == "approve"
    assert decided(counter, buyer_account="b") == "approve"
    assert decided(counter, buyer_account="b", amount="50.00") == "approve"
    assert decided(counter, buyer_account="b", amount="0.01") == "decline"


def test_countries_that_differ(counter: Shop) -> None:
    enforce(
        counter.store.merchant_id, "country_mismatch", {"between": ["billing", "shipping"]}, decision="review"
    )
    here, there = {"country": "US"}, {"country": "de"}
    assert decided(counter, billing_address=here, shipping_address=here) == "approve"
    assert decided(counter, billing_address=here) == "approve"
    assert decided(counter, billing_address={"country": "nowhere"}, shipping_address=there) == "approve"
    assert decided(counter, billing_address=here, shipping_address=there) == "review"


@pytest.mark.parametrize(
    ("key_kind", "value", "buyer"),
    [
        ("buyer", "b-9", {"buyer_account": "b-9"}),
        ("email", "Mallory@Example.com", {"email": "mallory@example.com"}),
        ("ip", "2001:db8::1", {"ip": "2001:db8::ffff"}),
        ("ip", "203.0.113.9", {"ip": "::ffff:203.0.113.9"}),
        ("device", "d-9", {"device_id": "d-9"}),
        ("country", "kp", {"shipping_address": {"country": "KP"}}),
        ("seller", "bob", {"seller": "bob"}),
    ],
)
def test_lists_block_what_is_on_them(counter: Shop, key_kind: str, value: str, buyer: Any) -> None:
    listed(counter.store.merchant_id, "bad", "block", key_kind, value)
    assert decided(counter, buyer_account="somebody") == "approve"
    assert decided(counter, **buyer) == "decline"


def test_who_is_trusted_passes_and_who_is_blocked_does_not(counter: Shop) -> None:
    """An allow list overrides scores and reviews, and no block."""
    merchant = counter.store.merchant_id
    enforce(merchant, "amount_over", {"limits": {"USD": 0}}, decision="", score=1000)
    assert decided(counter, buyer_account="vip") == "decline"
    listed(merchant, "good", "allow", "buyer", "vip")
    assert decided(counter, buyer_account="vip") == "approve"
    listed(merchant, "bad", "block", "device", "stolen")
    assert decided(counter, buyer_account="vip", device_id="stolen") == "decline"


def test_lists_and_history_of_one_merchant_mean_nothing_to_another(counter: Shop) -> None:
    listed(counter.store.merchant_id, "bad", "block", "buyer", "b-9")
    other = open_shop(None, "http://127.0.0.1:9")
    assert decided(counter, buyer_account="b-9") == "decline"
    assert decided(other, buyer_account="b-9") == "approve"


def test_a_new_seller(counter: Shop, hooks: Any) -> None:
    enforce(counter.store.merchant_id, "new_seller", {"days": 7}, decision="review")
    assert decided(counter) == "review"
    clock.move(seconds=7 * 86_400)
    assert decided(counter) == "approve"


def test_sellers_who_buy_from_themselves(counter: Shop) -> None:
    """A-H6: under their own name, or with the mailbox or device that they bought with before."""
    enforce(counter.store.merchant_id, "buyer_is_seller", {"window_seconds": 86_400}, decision="review")
    assert decided(counter, buyer_account="ann") == "review"
    assert decided(counter, buyer_account="ann", seller="bob", device_id="laptop") == "approve"
    assert decided(counter, buyer_account="somebody", device_id="laptop") == "review"
    assert decided(counter, buyer_account="somebody", device_id="laptop", seller="bob") == "approve"
    hits = RiskDecision.objects.order_by("-pk")[1].hits
    assert hits[0]["detail"] == {"shares": ["device"]}


def test_scores_add_up_to_thresholds(counter: Shop) -> None:
    merchant = counter.store.merchant_id
    policy(merchant, review_from=30, decline_from=60)
    for limit in (1000, 2000, 3000):
        enforce(merchant, "amount_over", {"limits": {"USD": limit}}, decision="", score=20)
    assert [decided(counter, amount=a) for a in ("10.00", "10.01", "20.01", "30.01")] == [
        "approve",
        "approve",
        "review",
        "decline",
    ]
    assert RiskDecision.objects.order_by("-pk")[0].score == 60


def test_a_shadow_rule_is_recorded_and_has_no_effect(counter: Shop) -> None:
    rule = stored(counter.store.merchant_id, "amount_over", {"limits": {"USD": 0}})
    with transaction.atomic():
        shadow_rule(rule_id=rule, by=BY, reason="watch it")
    assert decided(counter) == "approve"
    [hit] = RiskDecision.objects.get().hits
    assert hit["is_shadow"] and hit["decision"] == "decline"


@pytest.mark.parametrize(
    ("on_error", "expected"), [("ignore", "approve"), ("review", "review"), ("decline", "decline")]
)
def test_a_broken_rule_degrades_by_its_own_policy(counter: Shop, on_error: str, expected: str) -> None:
    """A version of the code that does not know the rule's kind any more."""
    row = RiskRule.objects.create(
        merchant_id=counter.store.merchant_id,
        name="of-tomorrow",
        version=1,
        kind="of_tomorrow",
        params={},
        decision="approve",
        reason="tomorrow",
        on_error=on_error,
        created_by=BY,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    at_edge(begin)(row, why="drafted")
    in_force(row.pk)
    assert decided(counter) == expected
    [hit] = RiskDecision.objects.get().hits
    assert hit["error"].startswith("kind: one of ")


@pytest.mark.parametrize("place", ["question", "answer"])
def test_a_rule_that_raises_stops_neither_the_payment_nor_the_others(
    counter: Shop, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def boom(*_: Any) -> Any:
        raise ZeroDivisionError("boom")

    merchant = counter.store.merchant_id
    enforce(merchant, "new_seller", {"days": 1}, on_error="ignore")
    enforce(merchant, "amount_over", {"limits": {"USD": 0}}, decision="review")
    monkeypatch.setattr(NewSeller, place, boom)
    assert decided(counter) == "review"
    assert {hit["error"] for hit in RiskDecision.objects.get().hits} == {"", "ZeroDivisionError: boom"}


def test_a_review_holds_the_payment(counter: Shop) -> None:
    enforce(
        counter.store.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="look"
    )
    accepted = counter.accept(counter.body())
    assert (accepted["status"], accepted["is_final"], accepted["risk"]) == (
        "in_review",
        False,
        {"decision": "review"},
    )
    assert {order["payment_order_status"] for order in accepted["payment_orders"]} == {"IN_REVIEW"}
    assert not Charge.objects.exists()
    case = Case.objects.get(kind="risk_review")
    assert (case.subject, case.value_minor, case.currency) == (accepted["id"], 10_000, "USD")
    order = accepted["payment_orders"][0]["id"]
    events = OutboxEvent.objects.filter(subject=order).order_by("sequence")
    assert [event.type for event in events] == ["payment.created", "payment.in_review"]
    assert events[1].payload["object"]["payment_order_status"] == "IN_REVIEW"


def test_the_history_is_read_in_at_most_two_trips(counter: Shop) -> None:
    """Ten rules about velocity cost one trip, and the card behind the method another."""
    merchant = counter.store.merchant_id
    for key in ("buyer", "email", "ip", "device", "card"):
        for measure in ("payments", "declines"):
            enforce(
                merchant, "velocity", {"key": key, "measure": measure, "window_seconds": 3600, "over": 100}
            )
    buyer = {"buyer_account": "b", "email": "a@b.c", "ip": "203.0.113.1", "device_id": "d"}
    decided(counter, **buyer)
    with CaptureQueriesContext(connection) as seen:
        decided(counter, **buyer)
    reads = [q["sql"] for q in seen.captured_queries if "FROM risk_riskfact" in q["sql"]]
    assert len(reads) == 1 + 8
    assert PaymentOrder.objects.count() == 2
