"""The two sides of a break beside each other: the provider's line, our books, and what differs."""

from typing import Any

from django.utils.translation import gettext as _

from console.desks.breaks_links import file_url, line_url, movement_links
from console.desks.breaks_words import kind_name
from core.admin_display import amount
from core.errors import NotFound
from reconciliation.selectors import line_at_desk, movements_of_break
from reconciliation.types import BreakDetail, LineAtDesk, MovementAtDesk

__all__ = ["shown_line", "sides"]

_STATES = {
    "final": lambda: _("moved money"),
    "unknown": lambda: _("outcome not known"),
    "none": lambda: _("moved no money"),
}
_NET = ("dispute", "dispute_reversal")


def sides(detail: BreakDetail, *, subject_kind: str, subject_id: Any) -> dict[str, Any]:
    """Return the table of both sides, and where each of them leads to."""
    line = _line(detail)
    movements = movements_of_break(discrepancy_id=detail.row.id)
    ours = movements[0] if movements else None
    kind = ours.subject_kind if ours else subject_kind
    links = movement_links(
        kind=kind,
        subject_id=ours.subject_id if ours else subject_id,
        clearing_key=ours.clearing_key if ours else detail.clearing_key,
    )
    return {
        "line": shown_line(line) if line else None,
        "movement": ours,
        "more_movements": len(movements) - 1 if movements else 0,
        "movement_links": links,
        "sides": _table(line, movements) if line or movements else [],
    }


def shown_line(line: LineAtDesk) -> dict[str, Any]:
    """Return a line with its file, as pages show it."""
    return {
        "it": line,
        "kind": kind_name(line.kind),
        "gross": amount(line.gross_minor, line.currency),
        "fee": amount(line.fee_minor, line.currency),
        "net": amount(line.net_minor, line.currency),
        "original": amount(*line.original) if line.original else "",
        "file_url": file_url(line.file_id),
        "url": line_url(line.id),
    }


def _line(detail: BreakDetail) -> LineAtDesk | None:
    if not detail.line:
        return None
    try:
        return line_at_desk(line_id=int(detail.line["id"]))
    except NotFound:
        return None


def _table(line: LineAtDesk | None, movements: list[MovementAtDesk]) -> list[dict[str, Any]]:
    """Rows of (what, the line, ours, whether they differ); a side that there is not says nothing."""
    ours = movements[0] if movements else None
    moved = sum(each.amount_minor for each in movements)
    said = _moved(line, ours)
    rows = [
        _row(_("What"), kind_name(line.kind) if line else "", kind_name(ours.kind) if ours else ""),
        _row(
            _("Reference"),
            line.reference if line else "",
            ours.reference if ours else "",
            is_same=bool(line and ours and ours.reference in (line.reference, line.related)),
        ),
        _row(
            _("Amount"),
            amount(said[0], said[1]) if said else "",
            amount(moved, ours.currency) if ours else "",
            is_same=bool(said and ours and said == (moved, ours.currency)),
            is_money=True,
        ),
        _row(_("State"), _("reported") if line else "", _STATES[ours.state]() if ours else "", is_same=True),
    ]
    if line and said and ours and said[1] == ours.currency and said[0] != moved:
        rows.append(
            {
                "name": _("Difference"),
                "line": amount(said[0] - moved, ours.currency),
                "ours": "",
                "differs": True,
                "is_money": True,
                "is_difference": True,
            }
        )
    if ours and ours.state != "final" and line:
        rows[3]["differs"] = True
    return rows + (_of_line(line) if line else [])


def _of_line(line: LineAtDesk) -> list[dict[str, Any]]:
    """What only the provider says."""
    told = [
        (_("Fee"), amount(line.fee_minor, line.currency) if line.fee_minor is not None else "", True),
        (_("Net"), amount(line.net_minor, line.currency), True),
        (_("As the buyer saw it"), amount(*line.original) if line.original else "", True),
        (_("Belongs to"), line.related, False),
        (_("Our reference"), line.merchant_reference, False),
        (_("Payout"), line.batch, False),
        (_("Day"), str(line.business_date), False),
        (_("Text"), line.text, False),
    ]
    return [_row(name, value, "", is_same=True, is_money=is_money) for name, value, is_money in told if value]


def _moved(line: LineAtDesk | None, ours: MovementAtDesk | None) -> tuple[int, str] | None:
    """What the line moves by, in the currency of ours where it says that too."""
    if line is None:
        return None
    if ours is not None and line.original and line.original[1] == ours.currency != line.currency:
        return line.original
    minor = line.net_minor if line.gross_minor is None or line.kind in _NET else line.gross_minor
    return minor, line.currency


def _row(
    name: str, line: str, ours: str, *, is_same: bool | None = None, is_money: bool = False
) -> dict[str, Any]:
    same = line == ours if is_same is None else is_same
    return {
        "name": name,
        "line": line,
        "ours": ours,
        "differs": bool(line and ours) and not same,
        "is_money": is_money,
    }
