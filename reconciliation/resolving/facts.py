"""What is known of a break: its two sides, and what the books still have open because of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from core.ids import parse_public_id
from ledger.selectors import open_keys
from reconciliation.breaks import BreakClass, Side
from reconciliation.matching.kinds import SELF_EXPLAINED
from reconciliation.models import (
    Adjustment,
    BankLine,
    Discrepancy,
    Match,
    SettlementFile,
    SettlementLine,
)
from reconciliation.models.lines import LINE_BITS
from reconciliation.posting.keys import line_key
from reconciliation.resolving.meanings import MEANINGS

__all__ = ["Facts", "Parked", "facts_of", "family_of", "file_of_line", "standing"]

# Movements that are booked against psp_clearing only when a file tells of them; the others when they happen.
_BOOKED_BY_FILES = ("transfer", "transfer_reversal")
_SUSPENSE = ("suspense_receipts", "suspense_payments")


@dataclass(frozen=True)
class Parked:
    """What an earlier entry for the break, or its statement, put into suspense and is still there.

    A credit is negative.
    """

    role: str
    key: str
    amount_minor: int


@dataclass(frozen=True)
class Facts:
    """A break with both sides. `clearing_key` is where psp_clearing has `open_minor` open because of it.

    `is_matched` says that its line has a movement. `family` are the breaks that it goes back to, itself last:
    a new version of a file goes on with the breaks of the version before.
    """

    row: Discrepancy
    family: tuple[UUID, ...]
    line: SettlementLine | BankLine | None
    file: SettlementFile | None
    matches: tuple[Match, ...]
    clearing_key: str
    open_minor: int
    parked: Parked | None
    posted: tuple[Adjustment, ...]

    @property
    def is_matched(self) -> bool:
        """Whether the line and a movement are the same thing."""
        return self.row.line_id is not None and bool(self.matches)

    @property
    def is_bank(self) -> bool:
        """Whether it is about a bank's statement."""
        return self.row.side == Side.BANK


def facts_of(row: Discrepancy) -> Facts:
    """Read all that is known of a break. What it says holds while its row is locked."""
    family = family_of(row)
    line = _line(row)
    matches = _matches(row)
    posted = tuple(standing([each.id for each in family]))
    key, before = _open(row, family[0], line, matches)
    return Facts(
        row=row,
        family=tuple(each.id for each in family),
        line=line,
        file=file_of_line(row.line_id) if row.line_id is not None else None,
        matches=matches,
        clearing_key=key,
        open_minor=before + _moved(posted, ("psp_clearing",), key),
        parked=_parked_at_bank(row, key) if row.side == Side.BANK else _parked(posted),
        posted=posted,
    )


def standing(breaks: Collection[UUID]) -> QuerySet[Adjustment]:
    """Return the adjustments of breaks that are in the books and were not taken back, oldest first."""
    rows = Adjustment.objects.filter(discrepancy_id__in=breaks, status="POSTED", reverses__isnull=True)
    return rows.order_by("pk")


def family_of(row: Discrepancy) -> list[Discrepancy]:
    """Return the breaks of earlier versions of the file that this one goes on with, itself last."""
    found = [row]
    while (before := found[0].explanation.get("carried_from")) is not None:
        key = parse_public_id(before, "dsc")
        assert key is not None, "written by us"
        found.insert(0, Discrepancy.objects.get(pk=key, merchant_id=row.merchant_id))
    return found


def file_of_line(line_id: int) -> SettlementFile | None:
    """Return the file of a line of either side."""
    return SettlementFile.objects.select_related("source").filter(number=line_id >> LINE_BITS).first()


def _line(row: Discrepancy) -> SettlementLine | BankLine | None:
    if row.line_id is None:
        return None
    if row.side == Side.BANK:
        return BankLine.objects.filter(pk=row.line_id).first()
    return SettlementLine.objects.filter(pk=row.line_id).first()


def _matches(row: Discrepancy) -> tuple[Match, ...]:
    if row.line_id is not None:
        found = Match.objects.filter(line_id=row.line_id, side=row.side, live=True)
        return tuple(found.order_by("line_part", "pk"))
    if row.subject_id is None:
        return ()
    # What was expected of the movement: its amount is there, whether it is over or not.
    found = Match.objects.filter(
        subject_id=row.subject_id,
        subject_kind=row.subject_kind,
        nth=row.explanation.get("nth", 0),
        side=row.side,
        line_id__isnull=True,
    )
    return tuple(found.order_by("-pk")[:1])


def _open(
    row: Discrepancy, first: Discrepancy, line: SettlementLine | BankLine | None, matches: Sequence[Match]
) -> tuple[str, int]:
    """Return the key in psp_clearing, and what posting left under it, before any adjustment."""
    if row.side == Side.BANK:
        return (line_key(line_id=first.line_id), 0) if first.line_id is not None else (row.clearing_key, 0)
    if isinstance(line, SettlementLine):
        return _open_of_line(first, line, matches)
    is_missing = row.break_class == BreakClass.MISSING_EXTERNAL and matches
    if is_missing and row.subject_kind not in _BOOKED_BY_FILES:
        return row.clearing_key, matches[0].amount_minor
    return row.clearing_key, 0


def _open_of_line(first: Discrepancy, line: SettlementLine, matches: Sequence[Match]) -> tuple[str, int]:
    if matches:
        # Capture and line meet under the key of the payment: what is left is by how much they differ.
        return matches[0].clearing_key, -sum(match.difference_minor for match in matches)
    if line.kind in SELF_EXPLAINED and not line.quarantine:
        return "", 0
    assert first.line_id is not None
    # Posted with the version of the file that had it first.
    return line_key(line_id=first.line_id), -line.gross_minor


def _moved(posted: Iterable[Adjustment], roles: tuple[str, ...], key: str) -> int:
    return sum(
        line["amount_minor"]
        for each in posted
        for line in each.instruction["lines"]
        if line["role"] in roles and line["clearing_key"] == key and each.template not in MEANINGS
    )


def _parked(posted: Sequence[Adjustment]) -> Parked | None:
    left: dict[tuple[str, str], int] = {}
    for each in posted:
        for line in _lines_in(each.instruction, _SUSPENSE):
            place = (line["role"], line["clearing_key"])
            left[place] = left.get(place, 0) + line["amount_minor"]
    for (role, key), amount in left.items():
        if amount:
            return Parked(role, key, amount)
    return None


def _parked_at_bank(row: Discrepancy, key: str) -> Parked | None:
    """What the statement put there with its line, and nobody has taken out since."""
    if row.line_id is None:
        return None
    for role in _SUSPENSE:
        for each in open_keys(merchant_id=row.merchant_id, role=role, currency=row.currency, keys=[key]):
            return Parked(role, key, each.balance_minor)
    return None


def _lines_in(instruction: Mapping[str, Any], roles: tuple[str, ...]) -> list[dict[str, Any]]:
    return [line for line in instruction["lines"] if line["role"] in roles]
