"""Row locks of pay-in, always in one order: checkout, charge, operation, orders (by id), shares."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from core import clock
from core.rows import columns_of, read_rows
from core.transactions import requires_transaction
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation

__all__ = [
    "ChargeScope",
    "claim_due_operations",
    "lock_charge",
    "lock_operation",
    "lock_unstarted_charges",
    "lock_waiting_operations",
]


@dataclass
class ChargeScope:
    """A charge with everything that a change of it may touch, locked."""

    checkout: PaymentEvent
    charge: Charge
    operations: list[PspOperation]
    lines: list[ChargeLine]
    orders: list[PaymentOrder]

    def operation(self, operation_id: UUID) -> PspOperation:
        """Return one of the charge's operations."""
        return next(each for each in self.operations if each.id == operation_id)

    def latest(self, kind: str) -> PspOperation | None:
        """Return the newest operation of a kind."""
        return next((each for each in reversed(self.operations) if each.kind == kind), None)


# Plain SQL, because a payment takes these locks three times and the ORM made it several times as long.
_CHECKOUT_OF_OPERATION = f"""
    SELECT {columns_of(PaymentEvent, "k")} FROM payments_pspoperation o
    JOIN payments_charge c ON c.id = o.charge_id JOIN payments_paymentevent k ON k.id = c.checkout_id
    WHERE o.id = %s FOR NO KEY UPDATE OF k
"""  # noqa: S608 - the names come from the models
_CHECKOUT_OF_CHARGE = f"""
    SELECT {columns_of(PaymentEvent, "k")} FROM payments_charge c
    JOIN payments_paymentevent k ON k.id = c.checkout_id WHERE c.id = %s FOR NO KEY UPDATE OF k
"""  # noqa: S608
_CHARGE_OF_OPERATION = f"""
    SELECT {columns_of(Charge, "c")} FROM payments_charge c
    WHERE c.id = (SELECT charge_id FROM payments_pspoperation WHERE id = %s) FOR NO KEY UPDATE
"""  # noqa: S608
_CHARGE = f"SELECT {columns_of(Charge, 'c')} FROM payments_charge c WHERE c.id = %s FOR NO KEY UPDATE"  # noqa: S608
_OPERATIONS = f"""
    SELECT {columns_of(PspOperation, "o")} FROM payments_pspoperation o
    WHERE o.charge_id = %s ORDER BY o.id FOR NO KEY UPDATE
"""  # noqa: S608
_ORDERS = f"""
    SELECT {columns_of(ChargeLine, "l")}, {columns_of(PaymentOrder, "o")} FROM payments_chargeline l
    JOIN payments_paymentorder o ON o.id = l.order_id
    WHERE l.charge_id = %s ORDER BY l.order_id FOR NO KEY UPDATE OF o
"""  # noqa: S608


@requires_transaction
def lock_operation(*, operation_id: UUID) -> ChargeScope | None:
    """Lock the charge of an operation and all around it; None when there is no such operation."""
    return _lock(operation_id, checkout=_CHECKOUT_OF_OPERATION, charge=_CHARGE_OF_OPERATION)


@requires_transaction
def lock_charge(*, charge_id: UUID) -> ChargeScope | None:
    """Lock a charge and all around it; None when there is no such charge."""
    return _lock(charge_id, checkout=_CHECKOUT_OF_CHARGE, charge=_CHARGE)


@requires_transaction
def lock_unstarted_charges(*, scope: ChargeScope) -> list[ChargeScope]:
    """Lock the other charges of a locked checkout for which nothing was started yet."""
    waiting = Charge.objects.filter(checkout=scope.checkout, status="CREATED", operations=None)
    ids = waiting.exclude(id=scope.charge.id).order_by("id").values_list("id", flat=True)
    return [_below(scope.checkout, _one(_CHARGE, charge_id)) for charge_id in ids]


def _lock(key: UUID, *, checkout: str, charge: str) -> ChargeScope | None:
    """Lock the checkout first; only what is read after that is sure not to have changed meanwhile."""
    found = read_rows(sql=checkout, params=[key], models=[PaymentEvent])
    return _below(found[0][0], _one(charge, key)) if found else None


def _below(checkout: PaymentEvent, charge: Charge) -> ChargeScope:
    held = ChargeScope(checkout=checkout, charge=charge, operations=[], lines=[], orders=[])
    held.charge.checkout = held.checkout
    of_charge = [held.charge.pk]
    held.operations += [row for (row,) in read_rows(sql=_OPERATIONS, params=of_charge, models=[PspOperation])]
    for line, order in read_rows(sql=_ORDERS, params=of_charge, models=[ChargeLine, PaymentOrder]):
        line.order = order
        held.lines.append(line)
        held.orders.append(order)
    held.orders.sort(key=lambda order: order.position)
    return held


def _one(sql: str, key: UUID) -> Charge:
    [(charge,)] = read_rows(sql=sql, params=[key], models=[Charge])
    found: Charge = charge
    return found


@requires_transaction
def lock_waiting_operations(*, channel_id: UUID, looked_before: datetime) -> list[UUID]:
    """Lock and return the channel's operations without an outcome, skipping those in work.

    Only those that were last looked at before `looked_before`.
    """
    waiting = PspOperation.objects.filter(channel_id=channel_id, status__in=["UNKNOWN", "PENDING"])
    return list(
        waiting.filter(updated_at__lt=looked_before)
        .order_by("id")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("id", flat=True)
    )


@requires_transaction
def claim_due_operations(*, limit: int) -> list[tuple[UUID, int, int]]:
    """Lease due operations, oldest first, up to each channel's cap; return (id, fence, attempts) of each."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"now": clock.now(), "lease": settings.OPERATION_LEASE_SECONDS, "limit": limit}
        )
        return cursor.fetchall()


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
