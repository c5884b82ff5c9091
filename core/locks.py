"""Locks of the kernel, the only place that takes them. Row locks return rows, never querysets."""

from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from core.errors import NotFound
from core.models import AlertNotice, Approval, Case, DeadLetter, IdempotencyRecord, JobRun, User
from core.rows import Query, columns_of, read_together
from core.transactions import requires_transaction

__all__ = [
    "lock_alert_notice",
    "lock_approval",
    "lock_case",
    "lock_dead_letter",
    "lock_job_run",
    "lock_rows_after",
    "lock_user",
    "try_idempotency_key",
]

M = TypeVar("M", bound=models.Model)

_TRY_KEY = "SELECT pg_try_advisory_xact_lock(hashtextextended('idem:' || %s || ':' || %s, 0))"
_STORED = (
    f"SELECT {columns_of(IdempotencyRecord, 'r')} FROM core_idempotencyrecord r "  # noqa: S608
    "WHERE r.merchant_id = %s AND r.key = %s"
)


def lock_approval(*, approval_id: UUID) -> Approval:
    """Lock one approval. Raises NotFound; requires a transaction."""
    return _one(Approval, approval_id)


def lock_alert_notice(*, notice_id: UUID) -> AlertNotice:
    """Lock one message about an alert. Raises NotFound; requires a transaction."""
    return _one(AlertNotice, notice_id)


def lock_case(*, case_id: UUID) -> Case:
    """Lock one case. Raises NotFound; requires a transaction."""
    return _one(Case, case_id)


def lock_dead_letter(*, dead_letter_id: UUID) -> DeadLetter:
    """Lock one dead letter. Raises NotFound; requires a transaction."""
    return _one(DeadLetter, dead_letter_id)


def lock_job_run(*, run_id: UUID) -> JobRun:
    """Lock one run of a job. Raises NotFound; requires a transaction."""
    return _one(JobRun, run_id)


def lock_user(*, user_id: UUID) -> User:
    """Lock one person's row. Raises NotFound; requires a transaction."""
    return _one(User, user_id)


@requires_transaction
def lock_rows_after(*, model: type[M], after: Any | None, limit: int) -> list[M]:
    """Lock the next `limit` rows of any table in primary-key order, for work that walks a whole table."""
    rows = model._base_manager.order_by("pk").select_for_update(of=("self",))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows[:limit])


@requires_transaction
def try_idempotency_key(*, merchant_id: UUID, key: str) -> tuple[bool, IdempotencyRecord | None]:
    """Take the lock of one merchant's idempotency key until the transaction ends; never wait for it.

    Returns False when another request with the same key is being executed; else what is stored under the
    key, read after the lock was taken.
    """
    taken, stored = read_together(
        Query(_TRY_KEY, [str(merchant_id), key]), Query(_STORED, [merchant_id, key], [IdempotencyRecord])
    )
    if not taken[0][0]:
        return False, None
    return True, stored[0][0] if stored else None


@requires_transaction
def _one(model: type[M], key: UUID) -> M:
    row = model._base_manager.select_for_update(of=("self",)).filter(pk=key).first()
    if row is None:
        raise NotFound
    return row
