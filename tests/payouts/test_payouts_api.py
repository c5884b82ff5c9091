"""POST /v1/payouts and what is behind it: what is refused, what is held, what is shown."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from core.transactions import at_edge
from merchants.services import suspend_seller
from payouts import services
from payouts.selectors import payout_gates, usual_of
from tests.payouts.conftest import Payer
from tests.store import error

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BODY = {"seller_account": "ann", "amount": "50.00", "currency": "EUR"}


def post(payer: Payer, key: str = "", **other: Any) -> Any:
    """Ask for a payout."""
    return payer.store.post("/v1/payouts", BODY | other, key=key or uuid4().hex)


def test_a_payout_is_made_shown_listed_and_taken_back(payer: Payer) -> None:
    payer.set("payouts.fee", {"EUR": {"fixed_minor": 25}})
    answer = post(payer, "k1", metadata={"week": "7"})
    made = answer.json()
    assert answer.status_code == 201
    assert made == {
        "object": "payout",
        "id": made["id"],
        "seller_account": "ann",
        "amount": "50.00",
        "fee": "0.25",
        "currency": "EUR",
        "status": "IN_REVIEW",
        "destination": payer.places["ann"].public_id,
        "failure": None,
        "provider_reference": None,
        "metadata": {"week": "7"},
        "created_at": made["created_at"],
        "arrival_date": None,
    }
    again = post(payer, "k1", metadata={"week": "7"})
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    other = post(payer).json()
    assert [each["id"] for each in payer.store.get("/v1/payouts").json()["data"]] == [other["id"], made["id"]]
    assert payer.store.get("/v1/payouts", status="PAID").json()["data"] == []
    assert payer.store.get("/v1/payouts", seller_account="bob").json()["data"] == []
    assert len(payer.store.get("/v1/payouts", seller_account="ann", limit="1").json()["data"]) == 1
    path = f"/v1/payouts/{made['id']}"
    canceled = payer.store.post(f"{path}/cancellation", {}, key="k2")
    assert (canceled.status_code, canceled.json()["status"]) == (201, "CANCELED")
    assert error(payer.store.post(f"{path}/cancellation", {}, key="k3"))[:2] == (409, "payout_not_cancelable")
    steps = [step["to"] for step in payer.store.get(path).json()["timeline"]]
    assert (steps, payer.wallet().held_minor) == (["REQUESTED", "IN_REVIEW", "CANCELED"], 5025)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"seller_account": "nobody"}, (422, "seller_unknown", "seller_account")),
        ({"amount": "1000.01"}, (422, "insufficient_funds", None)),
        ({"currency": "USD"}, (422, "destination_unknown", "destination")),
        ({"destination": "dst_x"}, (422, "destination_unknown", "destination")),
        ({"amount": "0.99"}, (422, "payout_below_minimum", "amount")),
        ({"amount": "500.01"}, (422, "payout_limit_exceeded", "amount")),
        ({"amount": "5.001"}, (422, "invalid_amount", "amount")),
    ],
)
def test_what_is_refused_holds_nothing(payer: Payer, change: Any, refusal: Any) -> None:
    payer.set("payouts.minimum", {"EUR": 100})
    if refusal[1] == "payout_limit_exceeded":
        payer.set("payouts.limits", {"EUR": {"per_payout_minor": 50_000}})
    assert error(post(payer, **change)) == refusal
    assert payer.wallet().held_minor == 0


def test_gates_that_are_closed_when_it_is_asked_for(payer: Payer) -> None:
    """A-H3: who is not verified, what cools down, and what is blocked: nothing is held."""
    payer.seller("bob", money=10_000, is_verified=False)
    assert error(post(payer, seller_account="bob"))[:2] == (422, "seller_unverified")
    new = payer.place("ann", is_default=False, is_verified=False)
    assert error(post(payer, destination=new.public_id))[:2] == (409, "destination_unverified")
    payer.set("payouts.destination_cool_down_hours", 48)
    cold = payer.place("ann", is_default=False)
    assert error(post(payer, destination=cold.public_id))[:2] == (409, "destination_cooling_down")
    place = {"merchant_id": payer.merchant_id, "seller_id": None, "source": "finance", "by": "user:olga"}
    with transaction.atomic():
        services.place_block(reason="the bank is slow", **place)
    assert error(post(payer))[:2] == (409, "payout_blocked")
    assert (payer.wallet().held_minor, payer.wallet("bob").held_minor) == (0, 0)


def test_gates_that_close_before_it_is_sent(payer: Payer) -> None:
    """A-H3: BLOCKED with why, let go by itself when nothing stops it any more."""
    payer.trust()
    payout = payer.ask()
    owned = {"merchant_id": payer.merchant_id, "seller_id": payer.sellers["ann"], "why": "x", "by": "user:o"}
    with transaction.atomic():
        suspend_seller(**owned)
    payer.work()
    assert (payer.look(payout).status, payer.events(payout)[-1]) == ("BLOCKED", "blocked")
    shut = [gate.name for gate in payout_gates(payout_id=payout.id) if not gate.is_open]
    assert (shut, payer.look(payout).why_held) == (["seller"], "the seller's identity is SUSPENDED")
    from merchants.services import reinstate_seller

    with transaction.atomic():
        reinstate_seller(**owned)
    assert services.reconsider() == (1, 0)
    payer.work()
    assert payer.look(payout).status == "SENT"
    usual = usual_of(merchant_id=payer.merchant_id, seller_id=payer.sellers["ann"], currency="EUR")
    assert (usual.count, usual.median_minor, usual.last_destination_id) == (1, 5000, payer.places["ann"].id)


def test_a_yes_that_nobody_gave_in_time_is_asked_for_again(payer: Payer, hooks: Any) -> None:
    from core import clock
    from core.approvals import expire_due_approvals

    payout = payer.ask()
    clock.move(seconds=8 * 86400)
    at_edge(expire_due_approvals)()
    assert services.reconsider() == (0, 1)
    assert payer.approve(payout).status == "APPROVED"


def test_pay_in_never_chooses_a_channel_that_only_pays_out(payer: Payer) -> None:
    """A channel of a provider without pay-in offers no way to pay."""
    assert payer.store.get("/v1/payment_methods", currency="EUR").json()["data"] == []
    body = {
        "checkout_id": "c-1",
        "credit_card_info": {"token": "pm_card_visa"},
        "payment_orders": [BODY | {"payment_order_id": "o-1"}],
    }
    assert error(payer.store.post("/v1/payments", body, key="p1"))[:2] == (422, "payment_method_unavailable")


def test_a_run_asks_once(payer: Payer) -> None:
    asked = [payer.ask(origin="schedule", run="schedule:2026-12-01", by="system") for _ in range(2)]
    assert asked[0].id == asked[1].id
    assert payer.wallet().held_minor == 5000
