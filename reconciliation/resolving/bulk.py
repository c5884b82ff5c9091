"""Many breaks of one class at once: each has its own adjustment, its own yes, and its own entry."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from core.errors import DomainError
from core.transactions import requires_transaction
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Discrepancy
from reconciliation.resolving.holding import hold_for_yes
from reconciliation.resolving.proposing import approve_adjustment, propose_adjustment
from reconciliation.resolving.types import BulkResult

__all__ = ["MOST", "approve_many", "propose_many"]

MOST = 200


@requires_transaction
def propose_many(*, discrepancy_ids: Sequence[UUID], template: str, reason: str, maker: str) -> BulkResult:
    """Propose the same entry for up to 200 breaks of one class; each that does not fit is refused alone.

    `done` are the adjustments. Raises AdjustmentInvalid for too many, or for breaks of several classes.
    """
    ids = _few(discrepancy_ids)
    classes = set(Discrepancy.objects.filter(pk__in=ids).values_list("break_class", flat=True))
    if len(classes) > 1:
        raise AdjustmentInvalid("The breaks are of several classes.", param="discrepancy_ids")

    def propose(key: UUID) -> UUID:
        return propose_adjustment(discrepancy_id=key, template=template, reason=reason, maker=maker)

    return _each(sorted(ids), propose)


@requires_transaction
def approve_many(*, approval_ids: Sequence[UUID], checker: str) -> BulkResult:
    """Say yes to up to 200 proposals as the second person; each that cannot be posted is refused alone.

    `done` are the adjustments. Raises AdjustmentInvalid for too many.
    """

    def agree(key: UUID) -> UUID:
        return approve_adjustment(approval_id=key, checker=checker)

    ids = _few(approval_ids)
    hold_for_yes(ids)
    return _each(ids, agree)


def _few(ids: Sequence[UUID]) -> list[UUID]:
    once = list(dict.fromkeys(ids))
    if len(once) > MOST:
        raise AdjustmentInvalid(f"At most {MOST} at once.")
    return once


def _each(keys: Sequence[UUID], work: Callable[[UUID], Any]) -> BulkResult:
    done: list[UUID] = []
    refused: dict[UUID, str] = {}
    for key in keys:
        try:
            with transaction.atomic():
                done.append(work(key))
        except DomainError as error:
            refused[key] = error.message
    return BulkResult(tuple(done), refused)
