"""What must be true of pay-in: beside the provider's journal after every step, of everything in the end."""

from collections import Counter, defaultdict
from typing import Any

from tests.stateful.pay_in_model import CheckoutModel, OrderModel
from tests.stateful.pay_in_world import World

__all__ = ["compare_effects", "judge"]


def compare_effects(model: CheckoutModel, world: World) -> None:
    """Nobody pays twice or unasked; nothing is said to be taken, given back or over that is not."""
    effects = world.journal()
    known: set[str] = set()
    for group in model.groups():
        (reference,) = {each.reference for each in group}
        known.add(reference)
        here = [row for row in effects if row["payment_intent"] == reference and reference]
        taken = [row["amount"] for row in here if row["kind"] == "charge.captured"]
        assert len(taken) <= 1, "taken once"
        asked = {sum(each.amount for each in group)}
        assert set(taken) <= (asked if model.capture == "automatic" else group[0].ordered)
        ours = sum(each.captured for each in group)
        assert ours in (0, sum(taken))
        kinds = Counter(row["kind"] for row in here)
        if {each.status for each in group} <= {"FAILED", "CANCELED", "EXPIRED"}:
            assert not taken, "what was taken is not over"
            reserved = kinds["charge.authorized"] if model.capture == "manual" else 0
            assert reserved <= kinds["authorization.released"], "nothing is reserved any more"
        _compare_refunds(model, group, here)
    strangers = [row for row in effects if row["payment_intent"] not in known]
    assert "charge.captured" not in {row["kind"] for row in strangers}, "nothing is taken elsewhere"


def _compare_refunds(model: CheckoutModel, group: list[OrderModel], effects: list[dict[str, Any]]) -> None:
    back = [-row["amount"] for row in effects if row["kind"] == "refund.succeeded"]
    names = {each.name for each in group}
    asked = Counter(each.amount for each in model.refunds.values() if each.order in names)
    assert not Counter(back) - asked, "given back once, and only what was asked for"
    assert sum(model.refunded(each) for each in group) <= sum(back)


def judge(model: CheckoutModel, world: World) -> None:
    """Nothing is left to do, and everybody says the same, to the minor unit."""
    world.assert_clean()
    due = world.due()
    assert [row[:2] for row in due] == [("refund", "UNKNOWN")] * len(model.never_known), due
    if model.never_known:
        _judge_unknown(model, world)
    else:
        _judge_known(model, world)


def _judge_known(model: CheckoutModel, world: World) -> None:
    effects = world.journal()
    net: Counter[str] = Counter()
    for row in effects:
        if row["kind"] in ("charge.captured", "refund.succeeded", "refund.failed"):
            net[row["currency"].upper()] += row["amount"]
    orders = model.orders.values()
    currency = next(iter(orders)).currency
    ours = sum(each.captured - model.refunded(each) for each in orders)
    assert len(world.refunds()) == len(model.refunds)
    assert net[currency] == ours, "what the provider owes us is what we say"
    assert +world.standing("psp_clearing") == +net, "and what the books say"
    assert not +world.standing(""), "debits are credits"
    for order in orders:
        assert order.status in ("SUCCESS", "FAILED", "CANCELED", "EXPIRED"), order
        assert order.is_paid or not order.cancel_asked or order.status == "CANCELED", order
    for group in model.groups():
        here = [row for row in effects if row["payment_intent"] == group[0].reference]
        taken = sum(row["amount"] for row in here if row["kind"] == "charge.captured")
        assert taken == sum(each.captured for each in group)
        assert (taken > 0) == all(each.is_paid for each in group)
        _judge_refunds(model, group, here)
    _judge_sellers(model, world)


def _judge_unknown(model: CheckoutModel, world: World) -> None:
    """F-A16: what is never known was never done, somebody is told, and what it would have taken is kept."""
    asked = Counter(each.amount for each in model.refunds.values() if each not in model.never_known)
    back = Counter(-row["amount"] for row in world.journal() if row["kind"] == "refund.succeeded")
    assert not back - asked, "what was done could have been found"
    assert world.has_case(), "people decide"
    assert not +world.standing(""), "debits are credits"


def _judge_refunds(model: CheckoutModel, group: list[OrderModel], effects: list[dict[str, Any]]) -> None:
    kept: dict[str, int] = defaultdict(int)
    for row in effects:
        if row["kind"].startswith("refund."):
            kept[row["refund"]] -= row["amount"]
    names = {each.name for each in group}
    ours = [each for each in model.refunds.values() if each.order in names]
    assert {each.status for each in ours} <= {"SUCCESS", "FAILED"}
    done = sorted(each.amount for each in ours if each.status == "SUCCESS")
    assert done == sorted(amount for amount in kept.values() if amount)


def _judge_sellers(model: CheckoutModel, world: World) -> None:
    """Each seller has what is left of their orders less the commission; all of it is released."""
    for seller, bps in (("ann", 1000), ("bob", 0)):
        orders = [each for each in model.orders.values() if each.seller == seller and each.is_paid]
        for currency, wallet in world.wallet(seller).items():
            amounts = {
                name: int(wallet[name].replace(".", ""))
                for name in ("pending", "available", "held", "receivable")
            }
            has = amounts["pending"] + amounts["available"] + amounts["held"] - amounts["receivable"]
            left = sum(each.captured - model.refunded(each) for each in orders if each.currency == currency)
            should = left * (10_000 - bps) / 10_000
            assert abs(has - should) <= (len(model.refunds) + 1 if bps else 0), (seller, has, should)
            assert (amounts["pending"], amounts["held"]) == (0, 0), "released after a week"
