"""Risk at the door: what it is told of a payment, and what its answer does to the orders."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.transactions import requires_transaction
from merchants.types import SellerData
from payments.engine.facts import uncharged_fact
from payments.locks import ChargeScope
from payments.models import PaymentEvent, PaymentOrder, TopUp
from payments.psp.contract import Decline, PspObject
from risk.services import assess, note_outcome
from risk.types import Assessment, OrderFacts, OutcomeFacts, PaymentFacts, Who

__all__ = [
    "REVIEW_CASE",
    "RISK_FAILURE",
    "assess_checkout",
    "assess_top_up",
    "charge_groups",
    "decline_orders",
    "note_balance_paid",
    "note_decline",
    "note_paid",
    "open_review_case",
]

REVIEW_CASE = "risk_review"
_REVIEW_DUE = timedelta(hours=4)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# What a fraud rule saw is told to nobody outside: the buyer reads the same as for any refusal.
RISK_FAILURE: dict[str, Any] = {
    "code": "risk_declined",
    "message": "The payment was declined. Use another payment method.",
    "decline_code": None,
    "retryable": False,
}


@requires_transaction
def assess_checkout(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    sellers: Mapping[str, SellerData],
    changes: Changes,
) -> Assessment:
    """Have these orders of a checkout assessed; set the decision on the checkout, which the caller saves.

    `sellers` by account.
    """
    assessment = assess(facts=_facts(checkout, orders, sellers), changes=changes)
    checkout.risk_decision = assessment.decision
    return assessment


@requires_transaction
def assess_top_up(top_up: TopUp, changes: Changes) -> Assessment:
    """Have a top-up assessed; set the decision on it. There is no seller for rules to say anything of."""
    part = OrderFacts(
        seller_account="",
        seller_country="",
        seller_since=_LONG_AGO,
        amount_minor=top_up.amount_minor,
        currency=str(top_up.amount_currency),
    )
    facts = PaymentFacts(
        merchant_id=top_up.merchant_id,
        subject_id=top_up.id,
        payment_method=top_up.payment_method,
        orders=(part,),
        who=_who(top_up),
    )
    assessment = assess(facts=facts, changes=changes)
    top_up.risk_decision = assessment.decision
    return assessment


def charge_groups(checkout: PaymentEvent, orders: Sequence[PaymentOrder]) -> list[list[PaymentOrder]]:
    """Return which orders are paid by one charge together."""
    if checkout.multi_order_policy == "all_or_nothing":
        return [list(orders)]
    return [[each] for each in orders]


def decline_orders(
    checkout: PaymentEvent, orders: Sequence[PaymentOrder], changes: Changes, *, by: str, why: str
) -> None:
    """Fail orders that were never charged and never will be under this attempt."""
    for order in orders:
        fact = uncharged_fact(checkout, order, "failed")
        changes.move(order, order.to_failed, why=why[:200], by=by, failure=RISK_FAILURE, fact=fact)


@requires_transaction
def open_review_case(checkout: PaymentEvent, orders: Sequence[PaymentOrder], *, summary: str) -> None:
    """Ask a person to decide; the case carries the value where it is in one currency."""
    currencies = {str(order.amount_currency) for order in orders}
    is_one = len(currencies) == 1
    open_case(
        kind=REVIEW_CASE,
        subject=public_id("chk", checkout.id),
        summary=f"Held for review: {summary}"[:500],
        due_in=_REVIEW_DUE,
        detail={"checkout_id": checkout.checkout_id},
        value_minor=sum(order.amount_minor for order in orders) if is_one else None,
        currency=currencies.pop() if is_one else "",
        merchant_id=checkout.merchant_id,
    )


def note_paid(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Tell risk that a charge was paid, and with what card."""
    note_outcome(facts=_outcome(scope, "paid", seen), changes=changes)


def note_balance_paid(checkout: PaymentEvent, orders: Sequence[PaymentOrder], changes: Changes) -> None:
    """Tell risk that orders were paid from a balance, currency by currency."""
    totals: dict[str, int] = {}
    for order in orders:
        currency = str(order.amount_currency)
        totals[currency] = totals.get(currency, 0) + order.amount_minor
    for currency, total in totals.items():
        facts = OutcomeFacts(
            merchant_id=checkout.merchant_id,
            subject_id=checkout.id,
            result="paid",
            amount_minor=total,
            currency=currency,
            who=_who(checkout),
        )
        note_outcome(facts=facts, changes=changes)


def note_decline(
    scope: ChargeScope, seen: PspObject | None, decline: Decline | None, changes: Changes
) -> None:
    """Tell risk that a charge was declined: many of them are how stolen cards are tried out."""
    note_outcome(facts=_outcome(scope, "declined", seen, decline.code if decline else ""), changes=changes)


def _outcome(scope: ChargeScope, result: Any, seen: PspObject | None, code: str = "") -> OutcomeFacts:
    charge = scope.charge
    return OutcomeFacts(
        merchant_id=charge.merchant_id,
        subject_id=scope.payable.id,
        result=result,
        amount_minor=charge.amount_minor,
        currency=str(charge.amount_currency),
        who=_who(scope.payable),
        card=seen.card if seen else None,
        decline_code=code,
    )


def _facts(
    checkout: PaymentEvent, orders: Sequence[PaymentOrder], sellers: Mapping[str, SellerData]
) -> PaymentFacts:
    return PaymentFacts(
        merchant_id=checkout.merchant_id,
        subject_id=checkout.id,
        payment_method=checkout.payment_method,
        orders=tuple(
            OrderFacts(
                seller_account=order.seller_account,
                seller_country=sellers[order.seller_account].country,
                seller_since=sellers[order.seller_account].created_at,
                amount_minor=order.amount_minor,
                currency=str(order.amount_currency),
            )
            for order in orders
        ),
        who=_who(checkout),
    )


def _who(checkout: PaymentEvent | TopUp) -> Who:
    info = checkout.buyer_info or {}
    return Who(
        buyer_account=checkout.buyer_account,
        email=info.get("email") or "",
        ip=info.get("ip") or "",
        device_id=info.get("device_id") or "",
        method=checkout.token or "",
        billing_country=_country(info.get("billing_address")),
        shipping_country=_country(info.get("shipping_address")),
    )


def _country(address: Any) -> str:
    """The store's own address objects name the country in ISO 3166-1, or not at all."""
    value = address.get("country") if isinstance(address, Mapping) else None
    if isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha():
        return value.upper()
    return ""
