"""Movements of ours as people see them beside a line: what they are called, their amount and their state."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from reconciliation.breaks import Side
from reconciliation.matching.sql import MOVEMENTS_SQL, channels_for, rows
from reconciliation.matching.types import MovementKey
from reconciliation.models import Discrepancy, SettlementSource
from reconciliation.resolving.facts import facts_of

__all__ = ["MovementAtDesk", "find_movements", "movements_of_break"]

_FIND = f"""
    SELECT subject_kind, subject_id, nth, kind, coalesce(reference, ''), clearing_key, currency, amount_minor,
        state
    FROM ({MOVEMENTS_SQL}) AS movement WHERE subject_id = ANY(%(subjects)s)
"""  # noqa: S608 - fragments of ours


@dataclass(frozen=True)
class MovementAtDesk:
    """One movement, signed as the provider signs it; minor units.

    `state` is final (it moved money), unknown, or none (it moved none). `clearing_key` is under which key of
    psp_clearing the books have it: the charge's for all of pay-in.
    """

    subject_kind: str
    subject_id: UUID
    nth: int
    kind: str
    reference: str
    clearing_key: str
    currency: str
    amount_minor: int
    state: str

    @property
    def key(self) -> MovementKey:
        """Its name for good."""
        return MovementKey(self.subject_kind, self.subject_id, self.nth)


def find_movements(source: SettlementSource, keys: Sequence[MovementKey]) -> list[MovementAtDesk]:
    """Return these movements at the provider of a source, in their order; unknown ones are absent."""
    if not keys:
        return []
    found = rows(
        _FIND,
        {
            "merchant": source.merchant_id,
            "channels": channels_for(source),
            "subjects": [each.subject_id for each in keys],
        },
    )
    known = {each.key: each for each in (MovementAtDesk(*row) for row in found)}
    return [known[key] for key in keys if key in known]


def movements_of_break(*, discrepancy_id: UUID) -> list[MovementAtDesk]:
    """Return what a break's line is matched with, or which movement of ours the break is about; maybe none.

    Empty for breaks of a bank's statement: there the other side is a payout, or nothing.
    """
    row = Discrepancy.objects.select_related("source").filter(pk=discrepancy_id).first()
    if row is None or row.source is None or row.side != Side.PSP:
        return []
    matches = facts_of(row).matches
    keys = [MovementKey(each.subject_kind, each.subject_id, each.nth) for each in matches]
    if not keys and row.subject_id is not None:
        keys = [MovementKey(row.subject_kind, row.subject_id, row.explanation.get("nth", 0))]
    return find_movements(row.source, keys)
