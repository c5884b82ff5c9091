"""What the design and the guides say of a checkout: what it may show, after what was asked and what happened.

Written from words alone; nothing of the product is imported. Amounts are minor units.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DAY", "DECIMALS", "OPEN", "CheckoutModel", "OrderModel", "RefundModel", "minor", "text"]

DECIMALS = {"USD": 2, "JPY": 0}
DAY = 24 * 3600
RESERVED_FOR = 7 * DAY
OPEN = {"NOT_STARTED", "EXECUTING", "REQUIRES_ACTION"}
_ENDS = {"AUTHORIZED", "SUCCESS", "FAILED", "CANCELED", "EXPIRED"}
_NEXT = {
    "NOT_STARTED": {"EXECUTING", "FAILED", "CANCELED", "EXPIRED"},
    "EXECUTING": {"REQUIRES_ACTION", *_ENDS},
    "REQUIRES_ACTION": {"EXECUTING", *_ENDS},
    "AUTHORIZED": {"SUCCESS", "FAILED", "CANCELED", "EXPIRED"},
    "SUCCESS": set[str](),
    "FAILED": set[str](),
    "CANCELED": set[str](),
    "EXPIRED": set[str](),
}
_NEXT_REFUND = {
    "REQUESTED": {"EXECUTING"},
    "EXECUTING": {"REQUESTED", "PENDING", "UNKNOWN", "SUCCESS", "FAILED"},
    "PENDING": {"UNKNOWN", "SUCCESS", "FAILED"},
    "UNKNOWN": {"PENDING", "SUCCESS", "FAILED"},
    "SUCCESS": {"FAILED"},
    "FAILED": set[str](),
}


def _reachable(table: dict[str, set[str]]) -> dict[str, set[str]]:
    """From each state, every state that any number of changes leads to, and itself."""
    found = {state: {state} for state in table}
    for _ in table:
        found = {state: seen.union(*(table[each] for each in seen)) for state, seen in found.items()}
    return found


_MAY_BECOME, _REFUND_MAY_BECOME = _reachable(_NEXT), _reachable(_NEXT_REFUND)


def minor(amount: str, currency: str) -> int:
    """Minor units of an amount with exactly the currency's decimals."""
    decimals = DECIMALS[currency]
    pattern = rf"\d+\.\d{{{decimals}}}" if decimals else r"\d+"
    assert re.fullmatch(pattern, amount), (amount, currency)
    return int(amount.replace(".", ""))


def text(amount: int, currency: str) -> str:
    """The amount as the API writes it."""
    decimals = DECIMALS[currency]
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


@dataclass
class RefundModel:
    """One refund that was accepted."""

    order: str
    amount: int
    status: str = "REQUESTED"
    # In trouble, and then a day went by: the provider has forgotten the key, so it is only asked about.
    is_forgotten: bool = False


@dataclass
class OrderModel:
    """One order: what was asked of it, and how it was seen last."""

    name: str
    seller: str
    currency: str
    amount: int
    status: str = "NOT_STARTED"
    captured: int = 0
    cancel_asked: bool = False
    # What the store ordered to be captured; `authorized_at` is when it was first seen reserved.
    ordered: set[int] = field(default_factory=set)
    authorized_at: int | None = None
    reference: str = ""

    @property
    def is_paid(self) -> bool:
        """Its money was taken."""
        return self.status == "SUCCESS"


@dataclass
class CheckoutModel:
    """A checkout of one to three orders; `now` is seconds since it was sent."""

    policy: str
    capture: str
    orders: dict[str, OrderModel]
    refunds: dict[str, RefundModel] = field(default_factory=dict)
    now: int = 0
    # Why this attempt may fail, or ask something of the buyer.
    reasons: set[str] = field(default_factory=set)
    closed_at: int | None = None

    # What the store is answered.

    def answer_to_attempt(self) -> str:
        """While anything is open nobody may pay again; what failed may, in time."""
        states = [each.status for each in self.orders.values()]
        if OPEN & set(states):
            return "attempt_in_progress"
        if set(states) <= {"SUCCESS", "AUTHORIZED"}:
            return "order_already_paid"
        if self.now >= DAY:
            return "checkout_expired"
        return "201" if "FAILED" in states else "invalid_state"

    def answer_to_cancel(self, taking: set[str], only: OrderModel | None = None) -> str:
        """What is not at its end, or only reserved and not being taken (`taking`), can be taken back."""
        asked = [only] if only else list(self.orders.values())
        if only and only.status == "CANCELED":
            return "201"
        can = any(self._cancelable(each, taking) for each in asked)
        if not can and not any(each.status == "CANCELED" for each in asked):
            return "invalid_state"
        if only and self.policy == "all_or_nothing" and len(self.orders) > 1:
            return "order_shares_charge"
        return "201"

    def answer_to_capture(self, order: OrderModel, amount: int, taking: set[str], *, is_late: bool) -> str:
        """Once, all or a part, of what is reserved and not being given back."""
        if order.status != "AUTHORIZED" or order.cancel_asked or order.name in taking or is_late:
            return "invalid_state"
        return "201" if amount <= order.amount else "capture_exceeds_authorized"

    def is_late(self, order: OrderModel) -> bool:
        """Whether the reservation's time is over, as far as it was seen when it began."""
        return order.authorized_at is not None and self.now - order.authorized_at >= RESERVED_FOR

    def answer_to_refund(self, order: OrderModel, amount: int) -> str:
        """At most what was captured, less what was asked for and did not fail."""
        return "201" if 0 < amount <= self.left(order) else "refund_exceeds_captured"

    def left(self, order: OrderModel) -> int:
        """What can be given back."""
        return order.captured - sum(each.amount for each in self._refunds(order) if each.status != "FAILED")

    def note_a_day(self) -> None:
        """Nothing that may have been sent before is sent again (F-A16)."""
        if "trouble" in self.reasons:
            for each in self.refunds.values():
                each.is_forgotten |= each.status in ("REQUESTED", "EXECUTING", "UNKNOWN")

    @property
    def never_known(self) -> list[RefundModel]:
        """Refunds of which nobody will be told: not to be found there is no proof, so people decide."""
        return [each for each in self.refunds.values() if each.is_forgotten and each.status == "UNKNOWN"]

    # What the store has asked, once it was accepted.

    def note_attempt(self, reasons: Iterable[str]) -> None:
        """A new attempt for what failed."""
        self.reasons = {*reasons, *(self.reasons & {"trouble"})}
        for order in self.orders.values():
            if order.status == "FAILED":
                order.status = "NOT_STARTED"

    def note_cancel(self, taking: set[str], only: OrderModel | None = None) -> None:
        """They are taken back."""
        for order in [only] if only else self.orders.values():
            if self._cancelable(order, taking):
                order.cancel_asked = True

    # What is seen.

    def see(self, checkout: dict[str, Any], refunds: list[dict[str, Any]]) -> None:
        """Take over what the API shows, having found that it may be so."""
        assert {each["id"] for each in refunds} == set(self.refunds), "each refund once, and no others"
        for each in refunds:
            self._see_refund(each)
        assert [each["payment_order_id"] for each in checkout["payment_orders"]] == list(self.orders)
        for each in checkout["payment_orders"]:
            self._see_order(self.orders[each["payment_order_id"]], each)
        states = [each.status for each in self.orders.values()]
        assert checkout["status"] == checkout_status(states), (checkout["status"], states)
        assert checkout["is_final"] == (not OPEN & set(states))
        assert checkout["is_payment_done"] == self.is_done, states

    @property
    def is_done(self) -> bool:
        """Everything is paid, and not everything was given back."""
        return all(each.is_paid for each in self.orders.values()) and any(
            self.refunded(each) != each.captured for each in self.orders.values()
        )

    def refunded(self, order: OrderModel) -> int:
        """What went back."""
        return sum(each.amount for each in self._refunds(order) if each.status == "SUCCESS")

    def groups(self) -> list[list[OrderModel]]:
        """The orders that one charge pays."""
        orders = list(self.orders.values())
        return [orders] if self.policy == "all_or_nothing" else [[each] for each in orders]

    def _see_refund(self, seen: dict[str, Any]) -> None:
        ours = self.refunds[seen["id"]]
        order = self.orders[ours.order]
        assert (seen["payment_order_id"], seen["currency"]) == (order.name, order.currency)
        assert minor(seen["amount"], order.currency) == ours.amount
        assert seen["status"] in _REFUND_MAY_BECOME[ours.status], (ours, seen["status"])
        assert (seen["failure"] is not None) == (seen["status"] == "FAILED")
        ours.status = seen["status"]

    def _see_order(self, order: OrderModel, seen: dict[str, Any]) -> None:
        status = seen["payment_order_status"]
        assert status in _MAY_BECOME[order.status], f"{order.name} went from {order.status} to {status}"
        if status != order.status:
            assert status in self._allowed(order), (
                f"{order.name} is {status}, and nothing is known to cause it"
            )
        if status == "AUTHORIZED" and order.authorized_at is None:
            order.authorized_at = self.now
        order.status = status
        order.reference = seen["psp"]["reference"] or ""
        self._see_amounts(order, seen)
        assert seen["cancel_requested"] == order.cancel_asked
        may_explain = status in ("FAILED", "AUTHORIZED", "CANCELED", "EXPIRED")
        assert seen["failure"] is None or may_explain, (status, seen["failure"])
        assert seen["failure"] is not None or status != "FAILED"

    def _see_amounts(self, order: OrderModel, seen: dict[str, Any]) -> None:
        def told(name: str) -> int:
            return minor(seen[name], order.currency)

        order.captured = told("captured")
        assert (told("amount"), seen["currency"]) == (order.amount, order.currency)
        takes = order.ordered if self.capture == "manual" else {order.amount}
        assert order.captured in (takes if order.is_paid else {0}), (order, order.captured)
        assert told("capturable") == (order.amount if order.status == "AUTHORIZED" else 0)
        assert told("refunded") == self.refunded(order)
        assert told("refund_pending") == sum(
            each.amount for each in self._refunds(order) if each.status not in ("SUCCESS", "FAILED")
        )
        assert told("refunded") + told("refund_pending") <= order.captured
        assert (told("disputed"), told("reversed")) == (0, 0)
        assert seen["wallet_updated"] == seen["ledger_updated"] == order.is_paid

    def _allowed(self, order: OrderModel) -> set[str]:
        """The states for which there is a reason by now."""
        allowed = {"NOT_STARTED", "EXECUTING"}
        if "challenge" in self.reasons:
            allowed.add("REQUIRES_ACTION")
        if self.reasons & {"decline", "trouble"}:
            allowed.add("FAILED")
        if order.cancel_asked:
            allowed.add("CANCELED")
        if self.closed_at is not None or self.is_late(order):
            allowed.add("EXPIRED")
        if self.capture == "manual":
            allowed.add("AUTHORIZED")
        if self.capture == "automatic" or order.ordered:
            allowed.add("SUCCESS")
        return allowed

    def _cancelable(self, order: OrderModel, taking: set[str]) -> bool:
        return order.status in OPEN or (order.status == "AUTHORIZED" and order.name not in taking)

    def _refunds(self, order: OrderModel) -> list[RefundModel]:
        return [each for each in self.refunds.values() if each.order == order.name]


def checkout_status(states: list[str]) -> str:
    """The first word that holds."""
    every, some = set(states), states.count("NOT_STARTED")
    words = {
        "requires_action": "REQUIRES_ACTION" in every,
        "processing": "EXECUTING" in every or 0 < some < len(states),
        "open": some == len(states),
        "authorized": "AUTHORIZED" in every,
        "succeeded": every == {"SUCCESS"},
        "partially_succeeded": "SUCCESS" in every,
        "canceled": every == {"CANCELED"},
        "expired": every == {"EXPIRED"},
    }
    return next((word for word, holds in words.items() if holds), "failed")
