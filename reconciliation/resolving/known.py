"""Movements of ours as people name them, and what a line is when it is one of them."""

from typing import Any
from uuid import UUID

from reconciliation.breaks import How, Side
from reconciliation.errors import AdjustmentInvalid
from reconciliation.matching.kinds import is_net
from reconciliation.matching.sql import MOVEMENTS_SQL, channels_for, rows
from reconciliation.matching.types import Movement, MovementKey
from reconciliation.models import Match, ReconciliationRun, SettlementLine, SettlementSource

__all__ = ["find_movement", "is_posted", "named", "pairing_of"]

_FIND = f"""
    SELECT subject_kind, subject_id, nth, kind, coalesce(reference, ''),
        coalesce(our_key::text, our_reference, ''), clearing_key, currency, amount_minor, state
    FROM ({MOVEMENTS_SQL}) AS movement
    WHERE subject_kind = %(kind)s AND subject_id = %(subject)s AND nth = %(nth)s
"""  # noqa: S608 - fragments of ours


def is_posted(file_id: UUID) -> bool:
    """Say whether all of a file is in the books."""
    runs = ReconciliationRun.objects.filter(file_id=file_id, status__in=("POSTED", "DONE"))
    return runs.exists()


def named(movement: MovementKey) -> dict[str, Any]:
    """Return the parameters that name a movement."""
    return {
        "subject_kind": movement.subject_kind,
        "subject_id": str(movement.subject_id),
        "nth": movement.nth,
    }


def find_movement(source: SettlementSource, parameters: dict[str, Any]) -> Movement:
    """Return a movement at the provider of a source, named by subject_kind, subject_id and nth.

    Raises AdjustmentInvalid when there is none, when it is not known to have moved money, or when it has a
    line.
    """
    try:
        if set(parameters) != {"subject_kind", "subject_id", "nth"}:
            raise ValueError
        wanted = MovementKey(
            str(parameters["subject_kind"]), UUID(str(parameters["subject_id"])), int(parameters["nth"])
        )
    except (TypeError, ValueError) as error:
        raise AdjustmentInvalid(
            "Name a movement by subject_kind, subject_id and nth.", param="parameters"
        ) from error
    found = rows(
        _FIND,
        {
            "merchant": source.merchant_id,
            "channels": channels_for(source),
            "kind": wanted.subject_kind,
            "subject": wanted.subject_id,
            "nth": wanted.nth,
        },
    )
    if not found:
        raise AdjustmentInvalid("This provider has no such movement of ours.", param="parameters")
    movement = Movement(MovementKey(*found[0][:3]), *found[0][3:])
    if movement.state != "final":
        raise AdjustmentInvalid(
            "With us this moved no money: it must be known there first.", param="parameters"
        )
    if Match.objects.filter(
        subject_id=wanted.subject_id,
        subject_kind=wanted.subject_kind,
        nth=wanted.nth,
        live=True,
        line_id__isnull=False,
    ).exists():
        raise AdjustmentInvalid(
            "This movement has a line already: take that match back first.", param="parameters"
        )
    return movement


def pairing_of(line: SettlementLine, movement: Movement) -> Match:
    """Return the match of a line and a movement, not of any run yet.

    Raises AdjustmentInvalid when they are of another kind, currency or direction.
    """
    minor = line.net_minor if is_net(line.kind) else line.gross_minor
    said: int | None = minor if movement.currency == line.currency else None
    if said is None and movement.currency == line.original_currency:
        said = line.original_minor
    if said is None:
        raise AdjustmentInvalid("The line says nothing in the currency of this movement.", param="parameters")
    if movement.kind != line.kind or said * movement.amount_minor < 0:
        raise AdjustmentInvalid("The line tells of something else than this movement.", param="parameters")
    return Match(
        side=Side.PSP,
        line_id=line.id,
        subject_kind=movement.key.subject_kind,
        subject_id=movement.key.subject_id,
        nth=movement.key.nth,
        how=How.BY_HAND,
        rule="by_hand",
        clearing_key=movement.clearing_key,
        amount_minor=movement.amount_minor,
        difference_minor=said - movement.amount_minor,
    )
