"""Authorised money that nobody took in time is given back; what the provider says of it ends the orders."""

from datetime import timedelta
from uuid import UUID

from django.db import connection

from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.nudges import nudge
from core.transactions import at_edge, forbids_transaction
from payments.engine.disposal import VOID_AGAIN
from payments.engine.endings import start_closing
from payments.locks import lock_charge

__all__ = ["due_authorizations", "expire_authorization", "give_up_authorization"]

_UNSENT = ("CREATED", "NOT_SENT")
# A capture that is on its way comes to its end; one that provably never arrived is not sent any more.
_DUE = """
    SELECT c.id FROM payments_charge c
    WHERE c.status = 'AUTHORIZED' AND c.capture_before <= %(now)s AND NOT EXISTS (
        SELECT FROM payments_pspoperation o WHERE o.charge_id = c.id AND (
            (o.kind = 'void' AND (o.status NOT IN ('DECLINED', 'CANCELED') OR o.created_at > %(recent)s))
            OR (o.kind = 'capture' AND o.status NOT IN ('CREATED', 'NOT_SENT', 'DECLINED', 'CANCELED'))))
    ORDER BY c.capture_before, c.id LIMIT %(limit)s
"""


def due_authorizations(*, limit: int = 100) -> list[UUID]:
    """Return charges whose authorised money was not taken in time and is not being given back yet."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "recent": now - VOID_AGAIN, "limit": limit})
        return [key for (key,) in cursor.fetchall()]


@forbids_transaction
def expire_authorization(*, charge_id: UUID) -> None:
    """Begin to give back what one charge has reserved, in a transaction of its own.

    The orders are EXPIRED when the provider has said so. Does nothing when somebody was faster.
    """
    _expire(charge_id)


@at_edge
def _expire(charge_id: UUID) -> None:
    scope = lock_charge(charge_id=charge_id)
    if scope is None or scope.charge.status != "AUTHORIZED":
        return
    if scope.charge.capture_before is None or scope.charge.capture_before > clock.now():
        return
    changes, ours, why = Changes(), scope.disposing, "not captured in time"
    if ours is not None and ours.kind == "capture" and ours.status in _UNSENT:
        changes.move(ours, ours.to_canceled, why=why, error="never sent")
    if start_closing(scope, changes) is not None:
        nudge("operations")
    changes.save()


@at_edge
def give_up_authorization(*, charge_id: UUID, error: Exception) -> None:
    """Have a person look at a charge that cannot be expired; the others do not wait for it."""
    scope = lock_charge(charge_id=charge_id)
    if scope is None:
        return
    open_case(
        kind="authorization_stuck",
        due_in=timedelta(hours=24),
        subject=public_id("chg", charge_id),
        detail={"charge_id": str(charge_id)},
        summary=f"The authorised money cannot be given back: {type(error).__name__}: {error}"[:500],
        merchant_id=scope.charge.merchant_id,
        value_minor=scope.charge.authorized_minor,
        currency=scope.charge.amount_currency,
    )
