"""Row locks of pay-in, always in one order: checkout, charge, operation, orders (by id), shares.

A top-up is locked after its charge, and never without it.

A saved payment method is locked last of all that its transaction locks; what is inserted after it is new.
So is the count of a card's attempts (payments.engine.card_limit), by a transaction that posts nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Model, Q
from psycopg.types.numeric import Int4

from core import clock
from core.rows import Query, columns_of, read_rows, read_together
from core.transactions import requires_transaction
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
from payments.states import CHARGE_DEAD, ORDER_FINAL

__all__ = [
    "ChargeScope",
    "CheckoutScope",
    "claim_due_operations",
    "lock_charge",
    "lock_checkout",
    "lock_checkout_orders",
    "lock_operation",
    "lock_payment_method",
    "lock_shares",
    "lock_top_up",
    "lock_unstarted_charges",
    "lock_waiting_of",
    "lock_waiting_operations",
    "release_lease",
]


@dataclass
class ChargeScope:
    """A charge with everything that a change of it may touch, locked.

    `payable` is what the buyer pays: a checkout, of which the charge covers some orders, or a top-up, which
    has none.
    """

    payable: PaymentEvent | TopUp
    charge: Charge
    operations: list[PspOperation]
    lines: list[ChargeLine]
    orders: list[PaymentOrder]

    @property
    def checkout(self) -> PaymentEvent:
        """The checkout that is paid; only where the charge is known not to be a top-up's."""
        assert isinstance(self.payable, PaymentEvent), "a top-up has no checkout"
        return self.payable

    @property
    def top_up(self) -> TopUp | None:
        """The top-up that is paid; None where it is a checkout."""
        return self.payable if isinstance(self.payable, TopUp) else None

    def operation(self, operation_id: UUID) -> PspOperation:
        """Return one of the charge's operations."""
        return next(each for each in self.operations if each.id == operation_id)

    def latest(self, kind: str) -> PspOperation | None:
        """Return the newest operation of a kind."""
        return next((each for each in reversed(self.operations) if each.kind == kind), None)

    @property
    def paying(self) -> PspOperation | None:
        """The operation through which the charge may move money.

        Where the buyer pays on the provider's page, registering it is all that we ever send.
        """
        return self.latest("register" if self.charge.is_hosted else "confirm")

    @property
    def disposing(self) -> PspOperation | None:
        """The one operation that takes authorised money or gives it back, refused ones left out."""
        return next(
            (
                each
                for each in self.operations
                if each.kind in ("capture", "void") and each.status not in ("DECLINED", "CANCELED")
            ),
            None,
        )

    @property
    def is_closed(self) -> bool:
        """Whether the charge ended without money: it covers nothing."""
        return self.charge.status in CHARGE_DEAD

    @property
    def covered(self) -> list[PaymentOrder]:
        """The orders that this charge, and no other one, pays."""
        live = {line.order_id for line in self.lines if line.live}
        return [order for order in self.orders if order.id in live]

    @property
    def targets(self) -> list[PaymentOrder | TopUp]:
        """What moves with the charge: the orders that it covers, or the top-up unless that is over."""
        if self.top_up is not None:
            return [] if self.is_closed else [self.top_up]
        return list(self.covered)


@dataclass
class CheckoutScope:
    """A checkout with all its orders and charges, locked; the charges share the orders."""

    checkout: PaymentEvent
    orders: list[PaymentOrder]
    charges: list[ChargeScope]

    @property
    def open_orders(self) -> list[PaymentOrder]:
        """The orders whose end is not known yet."""
        return [order for order in self.orders if order.status not in ORDER_FINAL]

    @property
    def cancelable_orders(self) -> list[PaymentOrder]:
        """The orders that can be taken back: those without an end, and those whose money is only reserved."""
        return [order for order in self.orders if order in self.open_orders or self._is_reserved(order)]

    def _is_reserved(self, order: PaymentOrder) -> bool:
        charge = self.charge_of(order) if order.status == "AUTHORIZED" else None
        return charge is not None and (charge.disposing is None or charge.disposing.kind == "void")

    def charge_of(self, order: PaymentOrder) -> ChargeScope | None:
        """Return the charge that covers an order now."""
        return next((each for each in self.charges if order in each.covered), None)


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
def lock_waiting_operations(*, channel_id: UUID, looked_before: datetime) -> list[UUID]:
    """Lock and return the channel's operations without an outcome, skipping those in work or due already.

    Only those that were last looked at before `looked_before`.
    """
    waiting = PspOperation.objects.filter(channel_id=channel_id, status__in=["UNKNOWN", "PENDING"])
    return list(
        waiting.filter(updated_at__lt=looked_before, due_at__gt=clock.now())
        .order_by("id")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("id", flat=True)
    )


@requires_transaction
def lock_waiting_of(
    *,
    looked_before: datetime,
    due_after: datetime,
    checkout_id: UUID | None = None,
    top_up_id: UUID | None = None,
) -> list[UUID]:
    """Lock and return the paying operations without an outcome of a checkout or top-up.

    Those in work are skipped. Only those that were last looked at before `looked_before` and would be looked
    at after `due_after`.
    """
    waiting = PspOperation.objects.filter(
        Q(kind="confirm") | Q(kind="register", charge__payment_method="hosted_page"),
        charge__checkout_id=checkout_id,
        charge__top_up_id=top_up_id,
        status__in=["UNKNOWN", "PENDING"],
    )
    return list(
        waiting.filter(updated_at__lt=looked_before, due_at__gt=due_after)
        .order_by("id")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .values_list("id", flat=True)
    )


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


@requires_transaction
def release_lease(*, operation_id: UUID, fence: int) -> None:
    """Give a claimed operation back, unless a newer claim holds it."""
    PspOperation.objects.filter(id=operation_id, fence=fence).update(leased_until=None)


@requires_transaction
def lock_probes(*, silent_since: datetime, idle_until: datetime) -> list[UUID]:
    """Lock and return one UNKNOWN operation of each channel, the one that was looked at longest ago.

    Of no channel where any was looked at since `silent_since`, or will be before `idle_until`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PROBES, {"silent_since": silent_since, "idle_until": idle_until})
        return [key for (key,) in cursor.fetchall()]


_PROBES = """
SELECT id FROM payments_pspoperation
WHERE id IN (
    SELECT (array_agg(id ORDER BY updated_at))[1] FROM payments_pspoperation
    WHERE status = 'UNKNOWN' AND due_at IS NOT NULL
    GROUP BY channel_id HAVING max(updated_at) < %(silent_since)s AND min(due_at) > %(idle_until)s
)
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""


@requires_transaction
def claim_due_operations(*, limit: int) -> list[tuple[UUID, int, int]]:
    """Lease due operations, oldest first, up to each channel's cap; return (id, fence, attempts) of each."""
    lease = Int4(settings.OPERATION_LEASE_SECONDS)
    return read_rows(sql=_CLAIM, params={"now": clock.now(), "lease": lease, "limit": Int4(limit)})


# Channel by channel, so that one with a long queue costs no more than its cap.
_CLAIM = """
WITH busy AS (
    SELECT channel_id, count(*) AS running FROM payments_pspoperation
    WHERE leased_until > clock_timestamp() AND due_at IS NOT NULL GROUP BY channel_id
), waiting AS (
    SELECT DISTINCT channel_id FROM payments_pspoperation
    WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until < clock_timestamp())
), allowed AS (
    SELECT due.id, due.due_at FROM waiting
    JOIN channels_channel AS channel ON channel.id = waiting.channel_id
    LEFT JOIN busy ON busy.channel_id = waiting.channel_id
    CROSS JOIN LATERAL (
        SELECT id, due_at FROM payments_pspoperation AS operation
        WHERE operation.channel_id = waiting.channel_id AND operation.due_at <= %(now)s
          AND (operation.leased_until IS NULL OR operation.leased_until < clock_timestamp())
        ORDER BY operation.due_at
        LIMIT greatest(channel.max_in_flight - coalesce(busy.running, 0), 0)
    ) AS due
)
UPDATE payments_pspoperation
SET leased_until = clock_timestamp() + %(lease)s * interval '1 second', fence = fence + 1
WHERE id IN (
    SELECT id FROM payments_pspoperation
    WHERE id IN (SELECT id FROM allowed ORDER BY due_at LIMIT %(limit)s) AND due_at <= %(now)s
      AND (leased_until IS NULL OR leased_until < clock_timestamp())
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, fence, attempts
"""
