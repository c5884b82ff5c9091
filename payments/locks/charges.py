"""Locks of charges and checkouts, with what hangs on them."""

from collections.abc import Collection
from functools import cache
from uuid import UUID

from django.db.models import Model

from core.rows import Query, columns_of, read_together
from core.transactions import requires_transaction
from payments.locks.scopes import ChargeScope, CheckoutScope
from payments.models import (
    Charge,
    ChargeLine,
    OrderShare,
    PaymentEvent,
    PaymentMethodToken,
    PaymentOrder,
    PspOperation,
    TopUp,
)

__all__ = [
    "lock_charge",
    "lock_checkout",
    "lock_checkout_orders",
    "lock_operation",
    "lock_payment_method",
    "lock_shares",
    "lock_top_up",
    "lock_unstarted_charges",
]


# Plain SQL, because a payment takes these locks three times and the ORM made it several times as long.
# `charge` is how each statement finds the charge. They are sent together and run one after the other, each
# with a view of its own: the checkout is locked first, and only what is read after that is sure to be still.
_CHECKOUT = """
    SELECT {columns} FROM payments_charge c JOIN payments_paymentevent k ON k.id = c.checkout_id
    WHERE c.id = {charge} FOR NO KEY UPDATE OF k
"""
_TOP_UP = """
    SELECT {columns} FROM payments_charge c JOIN payments_topup k ON k.id = c.top_up_id
    WHERE c.id = {charge} FOR NO KEY UPDATE OF k
"""
_CHARGE = "SELECT {columns} FROM payments_charge c WHERE c.id = {charge} FOR NO KEY UPDATE"
_OPERATIONS = """
    SELECT {columns} FROM payments_pspoperation o WHERE o.charge_id = {charge} ORDER BY o.id FOR NO KEY UPDATE
"""
_ORDERS = """
    SELECT {columns} FROM payments_chargeline l JOIN payments_paymentorder o ON o.id = l.order_id
    WHERE l.charge_id = {charge} ORDER BY l.order_id FOR NO KEY UPDATE OF o
"""
_ITSELF = "%s"
_OF_OPERATION = "(SELECT charge_id FROM payments_pspoperation WHERE id = %s)"


@requires_transaction
def lock_operation(*, operation_id: UUID) -> ChargeScope | None:
    """Lock the charge of an operation and all around it; None when there is no such operation."""
    return _lock(_OF_OPERATION, operation_id)


@requires_transaction
def lock_charge(*, charge_id: UUID) -> ChargeScope | None:
    """Lock a charge and all around it; None when there is no such charge."""
    return _lock(_ITSELF, charge_id)


@requires_transaction
def lock_checkout_orders(*, checkout_id: UUID) -> tuple[PaymentEvent | None, list[PaymentOrder]]:
    """Lock a checkout and its orders, which come back in the order of the request.

    For what happens while no charge of them is open: charges and operations are locked between the two.
    """
    checkout = PaymentEvent.objects.select_for_update(no_key=True).filter(pk=checkout_id).first()
    if checkout is None:
        return None, []
    orders = PaymentOrder.objects.select_for_update(no_key=True).filter(checkout_id=checkout_id)
    return checkout, sorted(orders.order_by("id"), key=lambda order: order.position)


@requires_transaction
def lock_unstarted_charges(*, scope: ChargeScope) -> list[ChargeScope]:
    """Lock the other charges of a locked checkout for which nothing was started yet."""
    if scope.top_up is not None:
        return []  # It has no other charge.
    waiting = Charge.objects.filter(checkout=scope.checkout, status="CREATED", operations=None)
    ids = waiting.exclude(id=scope.charge.id).order_by("id").values_list("id", flat=True)
    return [_scope(scope.checkout, *read_together(*_below(_ITSELF, charge_id))) for charge_id in ids]


def _lock(charge: str, key: UUID) -> ChargeScope | None:
    checkouts, *below = read_together(
        _query(_CHECKOUT, charge, key, (PaymentEvent, "k")), *_below(charge, key)
    )
    if checkouts:
        return _scope(checkouts[0][0], *below)
    [top_ups] = read_together(_query(_TOP_UP, charge, key, (TopUp, "k")))
    return _scope(top_ups[0][0], *below) if top_ups else None


def _below(charge: str, key: UUID) -> list[Query]:
    return [
        _query(_CHARGE, charge, key, (Charge, "c")),
        _query(_OPERATIONS, charge, key, (PspOperation, "o")),
        _query(_ORDERS, charge, key, (ChargeLine, "l"), (PaymentOrder, "o")),
    ]


def _query(template: str, charge: str, key: UUID, *models: tuple[type[Model], str]) -> Query:
    return Query(_sql(template, charge, *models), [key], [model for model, _ in models])


@cache
def _sql(template: str, charge: str, *models: tuple[type[Model], str]) -> str:
    columns = ", ".join([columns_of(model, alias) for model, alias in models])
    return template.format(columns=columns, charge=charge)


def _scope(
    payable: PaymentEvent | TopUp,
    charges: list[tuple[Charge]],
    operations: list[tuple[PspOperation]],
    orders: list[tuple[ChargeLine, PaymentOrder]],
) -> ChargeScope:
    charge = charges[0][0]
    if isinstance(payable, TopUp):
        charge.top_up = payable
    else:
        charge.checkout = payable
    for line, order in orders:
        line.order = order
    return ChargeScope(
        payable=payable,
        charge=charge,
        operations=[operation for (operation,) in operations],
        lines=[line for line, _ in orders],
        orders=sorted((order for _, order in orders), key=lambda order: order.position),
    )


@requires_transaction
def lock_checkout(*, checkout_id: UUID) -> CheckoutScope | None:
    """Lock a checkout and everything of it; None when there is no such checkout."""
    checkout = PaymentEvent.objects.select_for_update(no_key=True).filter(id=checkout_id).first()
    if checkout is None:
        return None
    charges = Charge.objects.filter(checkout=checkout).order_by("id").select_for_update(no_key=True)
    by_charge: dict[UUID, ChargeScope] = {}
    for charge in charges:
        charge.checkout = checkout
        by_charge[charge.id] = ChargeScope(checkout, charge, [], [], [])
    operations = PspOperation.objects.filter(charge_id__in=list(by_charge)).order_by("id")
    for operation in operations.select_for_update(no_key=True):
        by_charge[operation.charge_id].operations.append(operation)
    orders = PaymentOrder.objects.filter(checkout=checkout).order_by("id").select_for_update(no_key=True)
    by_order = {order.id: order for order in orders}
    for order in by_order.values():
        order.checkout = checkout
    for line in ChargeLine.objects.filter(charge_id__in=list(by_charge)).order_by("order__position"):
        line.order = by_order[line.order_id]
        by_charge[line.charge_id].lines.append(line)
        by_charge[line.charge_id].orders.append(line.order)
    in_order = sorted(by_order.values(), key=lambda order: order.position)
    return CheckoutScope(checkout, in_order, list(by_charge.values()))


@requires_transaction
def lock_top_up(*, top_up_id: UUID) -> ChargeScope | None:
    """Lock a top-up with its charge and its operations; None when there is none, or no charge of it."""
    found = Charge.objects.filter(top_up_id=top_up_id).values_list("id", flat=True).first()
    return _lock(_ITSELF, found) if found else None


@requires_transaction
def lock_shares(*, order_ids: Collection[UUID]) -> dict[UUID, OrderShare]:
    """Lock what became of the money of locked orders, in the order of their ids; by order, if captured."""
    rows = OrderShare.objects.filter(order_id__in=order_ids).order_by("order_id")
    return {share.order_id: share for share in rows.select_for_update(no_key=True)}


@requires_transaction
def lock_payment_method(*, merchant_id: UUID, buyer_id: UUID, method_id: UUID) -> PaymentMethodToken | None:
    """Lock a saved method of a buyer, unless it was deleted; who comes second sees what the first one did."""
    return (
        PaymentMethodToken.objects.filter(merchant_id=merchant_id, buyer_id=buyer_id, pk=method_id)
        .filter(deleted_at__isnull=True)
        .select_related("customer")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
