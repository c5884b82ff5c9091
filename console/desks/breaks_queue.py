"""The queues of breaks: what is at stake, how old it is, and the rows themselves, a page at a time."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.desks.breaks_filters import QUEUES, Asked, asked_in, choices
from console.desks.breaks_links import entry_url
from console.desks.breaks_words import AGES, CATEGORIES, LOOKS, class_name, template_name
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, name_people, person, state
from core.models import Approval
from reconciliation.selectors import (
    ADJUSTMENT_TEMPLATES,
    PROPOSAL_ACTION,
    ageing,
    breaks_at_desk,
    breaks_by_rule,
)
from reconciliation.types import BreakRow

__all__ = ["CHANGE", "DECIDE", "SEE", "age", "desk", "lines_of", "owner_names"]

SEE, CHANGE, DECIDE = (
    "reconciliation.view_discrepancy",
    "reconciliation.change_discrepancy",
    "reconciliation.approve_discrepancy",
)
_PAGE = 50


def desk(request: HttpRequest) -> HttpResponse:
    """Show a queue of breaks with its filters, and how old all of them are."""
    require(request, SEE)
    asked = asked_in(request)
    offered = choices()
    lines, after = lines_of(asked, me=actor(request))
    _note_requests(lines)
    context = {
        "queues": [
            {"name": says, "url": asked.without_place().query(queue=name), "is_chosen": name == asked.queue}
            for name, (says, _says) in QUEUES.items()
        ],
        "queue": asked.queue,
        "queue_says": QUEUES[asked.queue][1],
        "is_by_rule": asked.queue == "rule",
        "fields": _fields(asked, offered),
        "chips": asked.chips(offered),
        "all_url": f"?queue={asked.queue}",
        "currency": asked.told.get("currency", ""),
        "is_mine": "owner" in asked.told,
        "is_overdue": "overdue" in asked.told,
        "here": asked.here,
        "lines": lines,
        "first_url": asked.without_place().query() if asked.after else "",
        "next_url": asked.query(after=after) if after else "",
        "ageing": _ageing(asked),
        "templates": [(name, f"{name} · {template_name(name)}") for name in ADJUSTMENT_TEMPLATES],
        "may_change": request.user.has_perm(CHANGE),
        "may_decide": request.user.has_perm(DECIDE),
    }
    return show(request, "console/breaks_queue.html", _("Breaks"), context)


def lines_of(asked: Asked, *, me: str, chosen: UUID | None = None) -> tuple[list[dict[str, Any]], str]:
    """Return a page of breaks as they are shown, and where the next one begins, empty at the end.

    Raises Http404 for a place that no page ended at.
    """
    try:
        if asked.queue == "rule":
            return _ruled(asked, me, chosen)
        page = breaks_at_desk(
            merchant_id=asked.merchant_id,
            queue=asked.queue,
            filters=asked.filters(me=me),
            after=asked.after or None,
            limit=_PAGE,
        )
    except (ValueError, TypeError) as error:
        raise Http404 from error
    names = owner_names([each.owner for each in page.rows])
    return [_line(each, asked, names, chosen) for each in page.rows], page.after or ""


def _note_requests(lines: list[dict[str, Any]]) -> None:
    """Note which request waits about each break, so that a yes to many is to what the page showed."""
    subjects = [each["subject"] for each in lines]
    waiting = Approval.objects.filter(subject__in=subjects, action=PROPOSAL_ACTION, status="PENDING")
    asked = {each.subject: each.pk for each in waiting}
    for each in lines:
        each["asked"] = asked.get(each["subject"], "")


def _ruled(asked: Asked, me: str, chosen: UUID | None) -> tuple[list[dict[str, Any]], str]:
    """What rules did today, each with the entry that was posted."""
    before = UUID(asked.after) if asked.after else None
    filters = asked.filters(me=me)
    found = breaks_by_rule(merchant_id=asked.merchant_id, filters=filters, before=before, limit=_PAGE + 1)
    shown = found[:_PAGE]
    names = owner_names([each.row.owner for each in shown])
    lines = [
        {
            **_line(each.row, asked, names, chosen),
            "posted": f"{each.template} · {template_name(each.template)}" if each.template else "",
            "entry": each.entry_id,
            "entry_url": entry_url(each.entry_id),
        }
        for each in shown
    ]
    return lines, str(shown[-1].row.id) if len(found) > _PAGE else ""


def owner_names(actors: list[str]) -> dict[str, str]:
    """Return the names of actors, in one query."""
    people = [SimpleNamespace(by=each) for each in dict.fromkeys(actors)]
    name_people(people, ("by",))
    return {each.by: _named(each) for each in people}


def age(days: int) -> str:
    """Return how old something is."""
    return _("today") if not days else _("%(days)d d") % {"days": days}


def _named(row: Any) -> str:
    if row.by.startswith("rule:"):
        return _("rule %(name)s") % {"name": row.by.removeprefix("rule:")}
    return person(row, row.by)


def _line(row: BreakRow, asked: Asked, names: dict[str, str], chosen: UUID | None) -> dict[str, Any]:
    return {
        "key": row.id,
        "subject": row.public_id,
        "url": reverse("console:break", args=[row.public_id]) + asked.here,
        "is_chosen": row.id == chosen,
        "value": amount(row.amount_minor, row.currency),
        "state": state(row.status, LOOKS[row.status]),
        "class": class_name(row.break_class),
        "break_class": row.break_class,
        "says": row.summary,
        "source": row.source_name or "–",
        "owner": names[row.owner] if row.owner else "",
        "rule": row.rule_name,
        "age": age(row.age_days),
        "found_at": row.created_at,
        "due_at": row.due_at,
        "is_overdue": row.is_overdue,
    }


def _fields(asked: Asked, offered: Any) -> list[dict[str, Any]]:
    labels = {"merchant": _("Merchant"), "source": _("Source"), "class": _("Class")}
    if asked.queue != "rule":
        labels |= {"age": _("Age"), "status": _("State")}
    return [
        {
            "name": name,
            "label": label,
            "options": [
                {"value": value, "says": says, "is_chosen": asked.told.get(name) == value}
                for value, says in offered.by_name[name]
            ],
        }
        for name, label in labels.items()
        if name != "merchant" or len(offered.by_name[name]) > 1
    ]


def _ageing(asked: Asked) -> dict[str, Any]:
    """Rows by category and currency, a column for each age; every figure leads to its breaks."""
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for each in ageing(merchant_id=asked.merchant_id):
        queue = "investigation" if each.category == "C" else "finance"
        told = {"merchant": asked.told.get("merchant", ""), "currency": each.currency, "age": each.bucket}
        cells.setdefault((each.category, each.currency), {})[each.bucket] = {
            "count": each.count,
            "value": amount(each.value_minor, each.currency),
            "minor": each.value_minor,
            "url": Asked(queue, {}).query(**told),
        }
    return {
        "columns": list(AGES.values()),
        "rows": [
            {
                "category": CATEGORIES[category],
                "currency": currency,
                "cells": [{"label": says, "it": row.get(name)} for name, says in AGES.items()],
                "count": sum(each["count"] for each in row.values()),
                "value": amount(sum(each["minor"] for each in row.values()), currency),
            }
            for (category, currency), row in sorted(cells.items())
        ],
        "at": clock.now(),
    }
