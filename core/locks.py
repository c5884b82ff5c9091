"""Locks of the kernel."""

from uuid import UUID

from django.db import connection

from core.transactions import requires_transaction

__all__ = ["try_idempotency_key"]


@requires_transaction
def try_idempotency_key(*, merchant_id: UUID, key: str) -> bool:
    """Take the lock of one merchant's idempotency key until the transaction ends; never wait for it.

    Returns False when another request with the same key is being executed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('idem:' || %s || ':' || %s, 0))",
            [str(merchant_id), key],
        )
        row = cursor.fetchone()
    return bool(row and row[0])
