"""A rail takes a captured payment back, days after it succeeded: an asynchronous method that fails late."""

from datetime import timedelta
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.money import format_minor
from core.transactions import requires_transaction
from events.errors import NotYet
from events.types import InboundEvent
from ledger.services import open_account
from ledger.templates.accounts import ReturnAccounts
from ledger.templates.entry import Posting
from ledger.templates.refunds import ReturnedOrder, reversal_entry
from payments.engine.cover import Taking, take_from_sellers
from payments.engine.disputes.lines import fit_excess
from payments.engine.facts import order_fact
from payments.engine.refunds.compensation import note_checkout_totals
from payments.engine.refunds.shares import divide, returned_so_far
from payments.engine.top_up_returns import is_booked, take_top_up_back
from payments.locks import ChargeScope, lock_charge, lock_shares
from payments.models import Charge, ChargeReversal, OrderShare, ReversalLine
from payments.psp.contract import adapter_for
from payments.psp.disputes import PspReversal
from wallet.services import post_netted

__all__ = ["on_reversal_event"]

_PSP = "psp"
_CASE_DUE = timedelta(hours=24)


@requires_transaction
def on_reversal_event(*, delivery: InboundEvent) -> None:
    """Book a captured charge that its rail took back, once (R8).

    Raises NotYet while the charge is not here or not captured: what is taken back was there before.
    """
    seen = adapter_for(delivery.provider).read_reversal_event(payload=delivery.payload)
    if seen is None:
        return
    charge_id = (
        Charge.objects.filter(channel_id=delivery.channel_id, psp_reference=seen.payment_reference)
        .values_list("id", flat=True)
        .first()
    )
    if not seen.payment_reference or charge_id is None:
        raise NotYet(f"no charge has the reference {seen.payment_reference}")
    scope = lock_charge(charge_id=charge_id)
    assert scope is not None, "charges are never deleted"
    charge = scope.charge
    if charge.status != "CAPTURED":
        raise NotYet(f"the charge is {charge.status}, not captured yet")
    if ChargeReversal.objects.filter(charge=charge).exists():
        return
    if (seen.amount_minor, seen.currency) != (charge.captured_minor, charge.amount_currency):
        _case(scope, "charge_conflict", f"{seen.reference} takes back another amount than was captured")
        return
    if scope.top_up is not None and scope.top_up.status == "SUCCESS":
        _reverse_top_up(scope, seen)
        return
    if not scope.live_lines:
        # It went back already, or pays for nothing that we could take back: a person must look.
        _case(scope, "charge_reversed", f"{seen.reference} took back a payment that covers no order")
        return
    _reverse(scope, seen)


def _reverse_top_up(scope: ChargeScope, seen: PspReversal) -> None:
    """Take the money out of the wallet again, as far as that has it (W1c)."""
    if is_booked(scope=scope):
        return
    changes = Changes()
    take_top_up_back(
        scope,
        changes,
        kind="reversal",
        reference=seen.reference,
        amount_minor=seen.amount_minor,
        reason=seen.reason,
    )
    _case(
        scope, "charge_reversed", f"{seen.reference} took a top-up back: {seen.reason or 'no reason given'}"
    )
    changes.save()


def _reverse(scope: ChargeScope, seen: PspReversal) -> None:
    charge, changes, at = scope.charge, Changes(), clock.now()
    shares = lock_shares(order_ids=[order.id for order in scope.orders])
    reversal = ChargeReversal(
        charge=charge,
        merchant_id=charge.merchant_id,
        psp_reference=seen.reference,
        amount_minor=seen.amount_minor,
        reason=seen.reason,
        recorded_at=at,
    )
    reversal.save(force_insert=True)
    lines = []
    for paid in scope.live_lines:
        order = paid.order
        part = divide(
            share=shares[order.id],
            returned=returned_so_far(order_id=order.id),
            amount_minor=order.captured_minor,
            with_commission=True,
        )
        lines.append(
            ReversalLine(
                merchant_id=charge.merchant_id,
                reversal=reversal,
                order=order,
                amount_minor=order.captured_minor,
                seller_minor=part.seller_net_minor,
                commission_minor=part.commission_minor,
                tax_minor=part.tax_minor,
            )
        )
        order.reversed_minor += order.captured_minor
        fit_excess(order)
        changes.emit(order, order_fact(scope, order, "reversed"))
    ReversalLine.objects.bulk_create(lines)
    note_checkout_totals(scope.checkout.id, changes)
    amount = format_minor(charge.captured_minor, charge.amount_currency)
    _case(
        scope,
        "charge_reversed",
        f"{seen.reference} took {amount} {charge.amount_currency} back: {seen.reason or 'no reason given'}",
    )
    _tell_overlaps(scope)
    changes.last(lambda: _post(scope, lines, shares))
    changes.save()


def _post(scope: ChargeScope, lines: list[ReversalLine], shares: dict[UUID, OrderShare]) -> None:
    charge = scope.charge
    merchant_id, currency = charge.merchant_id, str(charge.amount_currency)
    parts = take_from_sellers(
        takings=[Taking(line.order, shares[line.order_id], line.seller_minor) for line in lines], by=_PSP
    )
    provider = get_channel(channel_id=charge.channel_id).name

    def account(role: str, provider: str | None = None) -> int:
        return open_account(merchant_id=merchant_id, role=role, currency=currency, provider=provider)

    draft = reversal_entry(
        posting=Posting(merchant_id, currency, clock.today()),
        accounts=ReturnAccounts(account("commission_refunded"), account("tax_payable")),
        psp_clearing=account("psp_clearing", provider),
        charge_id=charge.id,
        orders=[ReturnedOrder(parts[line.order_id], line.commission_minor, line.tax_minor) for line in lines],
    )
    post_netted(drafts=[draft])


def _tell_overlaps(scope: ChargeScope) -> None:
    for order in scope.orders:
        if order.excess_returned_minor:
            open_case(
                kind="refund_dispute_overlap",
                due_in=_CASE_DUE,
                subject=public_id("pay", order.id),
                summary=f"{order.payment_order_id} went back more than it was captured: refunded or disputed,"
                " and taken back by the rail",
                merchant_id=order.merchant_id,
                value_minor=order.excess_returned_minor,
                currency=str(order.amount_currency),
            )


def _case(scope: ChargeScope, kind: str, summary: str) -> None:
    charge = scope.charge
    open_case(
        kind=kind,
        due_in=_CASE_DUE,
        subject=public_id("chg", charge.id),
        detail={"charge_id": str(charge.id)},
        summary=summary[:500],
        merchant_id=charge.merchant_id,
        value_minor=charge.captured_minor,
        currency=str(charge.amount_currency),
    )
