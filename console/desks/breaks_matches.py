"""How a line was matched, and the two people who may take that back."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from console.desks.breaks_links import entry_url, movement_links
from console.desks.breaks_queue import owner_names
from console.desks.breaks_words import HOW, kind_name, template_name
from console.frame import actor
from core.admin_display import amount
from reconciliation.selectors import line_at_desk, unmatchings_of
from reconciliation.types import LineAtDesk

__all__ = ["matches_of"]


def matches_of(request: HttpRequest, *, line_id: int, side: str) -> dict[str, Any]:
    """Return the matches of a line, and what waits for a yes about them. Raises NotFound for no such line."""
    line = line_at_desk(line_id=line_id)
    waiting = unmatchings_of(line_id=line_id, merchant_id=line.merchant_id)
    names = owner_names([each.maker for each in waiting])
    me = actor(request)
    return {
        "line_id": line_id,
        "rows": [_match(each, line) for each in line.explanation["matches"]],
        "can_be_taken_back": side == "psp" and bool(line.explanation["matches"]) and not waiting,
        "waiting": [
            {
                "approval": each,
                "by": names[each.maker],
                "is_mine": each.maker == me,
                "reason": each.instruction["reason"],
                "count": len(each.instruction["matches"]),
                "takes_back": [
                    {
                        "name": template_name(entry["template"]),
                        "entry": entry["entry"],
                        "entry_url": entry_url(entry["entry"]),
                    }
                    for entry in each.instruction["takes_back"]
                ],
            }
            for each in waiting
        ],
    }


def _match(each: dict[str, Any], line: LineAtDesk) -> dict[str, Any]:
    movement, currency = each["movement"], _currency(each, line)
    links = movement_links(
        kind=movement["kind"], subject_id=UUID(movement["id"]), clearing_key=each["clearing_key"]
    )
    difference = int(each["difference_minor"])
    return {
        "id": each["id"],
        "how": HOW.get(each["how"], each["how"]),
        "says": each["says"],
        "rule": each["rule"],
        "kind": kind_name(movement["kind"]),
        "amount": amount(int(each["amount_minor"]), currency),
        "difference": amount(difference, currency) if difference else "",
        "links": links,
    }


def _currency(each: dict[str, Any], line: LineAtDesk) -> str:
    """The movement's: the one in which line and movement differ by what the match says."""
    said = int(each["amount_minor"]) + int(each["difference_minor"])
    if line.original and said == line.original[0] and said not in (line.gross_minor, line.net_minor):
        return line.original[1]
    return line.currency
