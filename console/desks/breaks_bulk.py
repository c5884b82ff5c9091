"""Many breaks of one class at once: each has its own entry, its own yes, and its own answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from console.desks.breaks_queue import CHANGE, DECIDE, SEE
from console.frame import actor, require, show
from core.admin_display import amount, state
from core.approvals import at_decision_edge
from core.errors import DomainError
from core.models import Approval
from core.transactions import at_edge
from reconciliation.selectors import BULK_MOST, PROPOSAL_ACTION, get_break
from reconciliation.services import approve_many, propose_many
from reconciliation.types import BreakData, BulkResult

__all__ = ["together"]

_LONGEST = 1_000
_NEEDS = {"propose": CHANGE, "approve": DECIDE}


def together(request: HttpRequest) -> HttpResponse:
    """Propose or approve for all breaks that were chosen in a queue, and say what became of each.

    Nothing but a POST does anything. A yes is to the requests that the page showed.
    """
    require(request, SEE)
    back = reverse("console:breaks") + _query(request)
    if request.method != "POST":
        return redirect(back)
    what = request.POST.get("action", "")
    if what not in _NEEDS:
        raise Http404
    require(request, _NEEDS[what])
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, _("Choose some breaks first."))
        return redirect(back)
    if len(chosen) > BULK_MOST:
        messages.error(request, _("At most %(most)d at once.") % {"most": BULK_MOST})
        return redirect(back)
    rows = [get_break(discrepancy_id=key) for key in chosen]
    try:
        result = _propose(request, rows) if what == "propose" else _approve(request, rows)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(back)
    context = {
        "back": back,
        "is_proposing": what == "propose",
        "done": sum(not each["refused"] for each in result),
        "refused": sum(bool(each["refused"]) for each in result),
        "lines": result,
    }
    return show(request, "console/breaks_together.html", _("Breaks together"), context)


def _propose(request: HttpRequest, rows: list[BreakData]) -> list[dict[str, Any]]:
    if len({each.break_class for each in rows}) > 1:
        raise _several_classes()
    found: BulkResult = at_edge(propose_many)(
        discrepancy_ids=[each.id for each in rows],
        template=request.POST.get("template", ""),
        reason=request.POST.get("reason", ""),
        maker=actor(request),
    )
    return [_line(each, found.refused.get(each.id, "")) for each in rows]


def _approve(request: HttpRequest, rows: list[BreakData]) -> list[dict[str, Any]]:
    if len({each.break_class for each in rows}) > 1:
        raise _several_classes()
    subjects = {each.public_id: each for each in rows}
    asked = {
        each.subject: each
        for each in Approval.objects.filter(subject__in=subjects, action=PROPOSAL_ACTION, status="PENDING")
    }
    me = actor(request)
    if asked and all(each.maker == me for each in asked.values()):
        raise PermissionDenied(_("A second person must decide this."))
    shown = {
        subject: each
        for subject, each in asked.items()
        if request.POST.get(f"asked-{subjects[subject].id}", "") == str(each.pk)
    }
    found: BulkResult = at_decision_edge(approve_many)(
        approval_ids=[each.pk for each in shown.values()], checker=me
    )
    return [_line(row, _refusal(row, asked, shown, found.refused)) for row in rows]


def _refusal(
    row: BreakData,
    asked: Mapping[str, Approval],
    shown: Mapping[str, Approval],
    refused: Mapping[UUID, str],
) -> str:
    if row.public_id not in asked:
        return _("Nothing of this break waits for a second person.")
    approval = shown.get(row.public_id)
    if approval is None:
        return _("The request changed meanwhile. Read it again.")
    return refused.get(approval.pk, "")


def _line(row: BreakData, refused: str) -> dict[str, Any]:
    return {
        "subject": row.public_id,
        "url": reverse("console:break", args=[row.public_id]),
        "says": row.summary,
        "value": amount(row.amount_minor, row.currency),
        "refused": refused,
        "state": state(_("refused"), "failed") if refused else state(_("done"), "done"),
    }


def _several_classes() -> DomainError:
    return DomainError(_("These breaks are of several classes. Narrow the queue down to one class first."))


def _chosen(request: HttpRequest) -> list[UUID]:
    found = []
    for text in dict.fromkeys(request.POST.getlist("break")[:_LONGEST]):
        try:
            found.append(UUID(text))
        except ValueError as error:
            raise Http404 from error
    return found


def _query(request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")[:_LONGEST]
    return f"?{query}" if query else ""
