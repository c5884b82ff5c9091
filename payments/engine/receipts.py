"""Money that a provider reported without our knowing its payment, and that is an order's all the same (A2).

Two people say whose it is. The order becomes paid as by any other capture: by a charge, with its share, its
events and its release. Only orders that ended without money can be paid so: while a payment of one is under
way or is done, the money is a second one, and goes back.
"""

from collections.abc import Sequence
from uuid import UUID

from channels.selectors import get_channel
from core.errors import NotFound
from core.history import Changes
from core.money import format_minor
from core.transactions import requires_transaction
from payments.engine.capture import book_capture, shares_of
from payments.engine.charges import FoundCharge, open_found_charge
from payments.errors import ReceiptNotTheOrders
from payments.locks import lock_checkout
from payments.models import BalancePart, Charge, ChargeLine, PaymentEvent, PaymentOrder
from payments.psp.contract import PspObject, PspStatus
from payments.references import order_keys
from payments.types import OrderPart, Receipt, ReceiptPays

__all__ = ["hold_order", "pay_with_receipt", "what_receipt_pays"]

_ENDED = ("FAILED", "CANCELED", "EXPIRED")


@requires_transaction
def hold_order(*, merchant_id: UUID, order: str) -> None:
    """Lock an order with its checkout, before rows of higher apps are locked; nothing for an unknown one."""
    try:
        _, checkout_id = order_keys(merchant_id=merchant_id, reference=order)
    except NotFound:
        return
    lock_checkout(checkout_id=checkout_id)


def what_receipt_pays(*, receipt: Receipt) -> ReceiptPays:
    """Return what a receipt pays if it is the order's: that order, or all unpaid ones of its checkout.

    Raises ReceiptNotTheOrders where it cannot be: another amount or currency, an order that is paid or may
    still be, a reference that is a payment already, or several channels of which no one took it before.
    """
    order, checkout = _order(receipt)
    orders = _paid_by(receipt, order, checkout)
    channel_id = _channel(receipt, checkout)
    if Charge.objects.filter(
        merchant_id=receipt.merchant_id, channel_id=channel_id, psp_reference=receipt.reference
    ).exists():
        raise ReceiptNotTheOrders(
            f"{receipt.reference} is a payment of ours already: match the line with it."
        )
    shares = shares_of(merchant_id=receipt.merchant_id, orders=orders, at=checkout.created_at)
    return ReceiptPays(
        checkout.id,
        channel_id,
        get_channel(channel_id=channel_id).name,
        tuple(
            OrderPart(
                each.id,
                each.payment_order_id,
                each.seller_account,
                shares[each.position].seller_net_minor,
                shares[each.position].commission_minor,
                shares[each.position].tax_minor,
            )
            for each in orders
        ),
    )


@requires_transaction
def pay_with_receipt(*, receipt: Receipt, charge_id: UUID, why: str, by: str) -> None:
    """Let a receipt pay what it is said to pay, by a captured charge with this id (P2).

    Call it last: it locks the sellers' wallets. Raises as `what_receipt_pays`.
    """
    pays = what_receipt_pays(receipt=receipt)
    found = lock_checkout(checkout_id=pays.checkout_id)
    assert found is not None, "checkouts are never deleted"
    wanted = {each.order_id for each in pays.orders}
    orders = [each for each in found.orders if each.id in wanted]
    changes = Changes()
    made = FoundCharge(
        charge_id,
        found.checkout,
        pays.channel_id,
        receipt.reference,
        receipt.amount_minor,
        receipt.currency,
    )
    scope = open_found_charge(made, orders, changes, live=True, why=why, by=by)
    charge = scope.charge
    changes.move(charge, charge.to_registered, why=why, by=by, psp_reference=receipt.reference)
    seen = PspObject(
        reference=receipt.reference,
        status=PspStatus.CAPTURED,
        amount_minor=receipt.amount_minor,
        currency=receipt.currency,
        our_reference="",
        authorized_minor=receipt.amount_minor,
        captured_minor=receipt.amount_minor,
        redirect_url=None,
        decline=None,
        charge_reference="",
    )
    book_capture(scope, None, seen, changes, why=why, by=by)
    changes.save()


def _order(receipt: Receipt) -> tuple[PaymentOrder, PaymentEvent]:
    try:
        order_id, checkout_id = order_keys(merchant_id=receipt.merchant_id, reference=receipt.order)
    except NotFound as error:
        raise ReceiptNotTheOrders(f"There is no order {receipt.order[:64]}.") from error
    return PaymentOrder.objects.get(pk=order_id), PaymentEvent.objects.get(pk=checkout_id)


def _paid_by(receipt: Receipt, order: PaymentOrder, checkout: PaymentEvent) -> list[PaymentOrder]:
    if str(order.amount_currency) != receipt.currency:
        raise ReceiptNotTheOrders(
            f"The order is in {order.amount_currency}, the money in {receipt.currency}."
        )
    if order.status == "SUCCESS":
        raise ReceiptNotTheOrders("The order is paid: this money is a second payment, and goes back.")
    if order.amount_minor == receipt.amount_minor:
        orders = [order]
    else:
        all_of_it = PaymentOrder.objects.filter(checkout=checkout, amount_currency=receipt.currency)
        orders = list(all_of_it.exclude(status="SUCCESS").order_by("position"))
    due = sum(each.amount_minor for each in orders)
    if due != receipt.amount_minor:
        money = f"{format_minor(order.amount_minor, receipt.currency)} {receipt.currency}"
        raise ReceiptNotTheOrders(f"The order is of {money}, and its checkout has no such sum open either.")
    _refuse_open(orders)
    return orders


def _refuse_open(orders: Sequence[PaymentOrder]) -> None:
    is_open = any(each.status not in _ENDED for each in orders)
    if is_open or ChargeLine.objects.filter(order__in=orders, live=True).exists():
        raise ReceiptNotTheOrders("A payment of it is still under way: wait until that has ended.")
    if BalancePart.objects.filter(order__in=orders, paid=True).exists():
        raise ReceiptNotTheOrders("A balance has paid a part of it.")


def _channel(receipt: Receipt, checkout: PaymentEvent) -> UUID:
    """The one channel of the account, or of several the one by which the buyer tried to pay."""
    if len(receipt.channel_ids) == 1:
        return receipt.channel_ids[0]
    tried = Charge.objects.filter(checkout=checkout, channel_id__in=receipt.channel_ids)
    found: set[UUID] = set(tried.values_list("channel_id", flat=True))
    if len(found) != 1:
        raise ReceiptNotTheOrders("Nothing says over which channel it was paid.")
    return found.pop()
