"""Runs: what became of each file, what is in transit for it, and another try for one that failed."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import ReasonForm, act
from console.desks.breaks_links import file_url
from console.desks.breaks_queue import CHANGE, owner_names
from console.desks.breaks_words import HOW, LOOKS, RUN_LOOKS, class_name
from console.frame import actor, require, show
from core.admin_display import amount, state
from core.errors import NotFound
from core.transactions import at_edge
from merchants.selectors import merchant_names
from reconciliation.selectors import breaks_of_run, run_at_desk, runs_at_desk
from reconciliation.services import retry_run
from reconciliation.types import RunAtDesk, RunPage

__all__ = ["run", "runs"]

_SEE = "reconciliation.view_reconciliationrun"
_NEEDS = {"retry": CHANGE}
_DONE = {"retry": gettext_lazy("It tries again, from where it stands.")}
_PAGE, _BREAKS = 50, 100


def runs(request: HttpRequest) -> HttpResponse:
    """List the runs of all files, newest first, of one state if asked for."""
    require(request, _SEE)
    status = request.GET.get("status", "")
    if status and status not in RUN_LOOKS:
        raise Http404
    found = runs_at_desk(status=status, before=_key(request.GET.get("before", "")), limit=_PAGE + 1)
    shown, more = found[:_PAGE], len(found) > _PAGE
    kept = f"status={status}&" if status else ""
    context = {
        "lines": [_line(each) for each in shown],
        "states": [
            {"url": f"?status={name}" if name else "?", "says": says, "is_chosen": name == status}
            for name, says in [("", _("All")), *((each, each.capitalize()) for each in RUN_LOOKS)]
        ],
        "status": status,
        "next_url": f"?{kept}before={shown[-1].id}" if more else "",
        "first_url": f"?{kept}".rstrip("&") if request.GET.get("before") else "",
    }
    return show(request, "console/break_runs.html", _("Runs"), context)


def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show one run with its counts, batches and breaks; a POST lets a failed one try again."""
    require(request, _SEE)
    try:
        page = run_at_desk(run_id=run_id)
    except NotFound as error:
        raise Http404 from error
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        answer = act(
            request,
            form,
            needs=_NEEDS,
            done=_DONE,
            run=lambda what, said: _retry(request, page.run, said["reason"]),
            back=reverse("console:run", args=[run_id]),
        )
        if answer is not None:
            return answer
    context = {"form": form, "may_retry": request.user.has_perm(CHANGE), **_shown(page)}
    status = 422 if form.errors else 200
    return show(request, "console/break_run.html", _("Run of a file"), context, status=status)


def _retry(request: HttpRequest, found: RunAtDesk, reason: str) -> str:
    at_edge(retry_run)(run_id=found.id, by=actor(request), reason=reason)
    return "retry"


def _line(each: RunAtDesk) -> dict[str, Any]:
    matched, breaks = each.counts.get("matched", {}), each.counts.get("breaks", {})
    return {
        "it": each,
        "url": reverse("console:run", args=[each.id]),
        "state": state(each.status, RUN_LOOKS[each.status]),
        "days": _days(each),
        "matched": sum(matched.values()) + each.counts.get("carried", 0),
        "breaks": sum(breaks.values()),
    }


def _days(each: RunAtDesk) -> str:
    if each.days is None:
        return "–"
    first, last = each.days
    return str(first) if first == last else f"{first} – {last}"


def _shown(page: RunPage) -> dict[str, Any]:
    found, counts = page.run, page.run.counts
    names = owner_names([each.actor for each in page.history])
    breaks = breaks_of_run(run_id=found.id, limit=_BREAKS + 1)
    return {
        "run": found,
        "reference": str(found.id),
        "state": state(found.status, RUN_LOOKS[found.status]),
        "is_failed": found.status == "FAILED",
        "days": _days(found),
        "merchant": merchant_names(merchant_ids=[found.merchant_id]).get(found.merchant_id, ""),
        "file_url": file_url(found.file_id),
        "refresh": 3 if found.status in ("QUEUED", "MATCHED", "POSTED") else 0,
        "is_superseded": bool(counts.get("superseded")),
        "ways": [(HOW.get(name, name), count) for name, count in counts.get("matched", {}).items()],
        "carried": counts.get("carried", 0),
        "expected": counts.get("expected", 0),
        "cleared": counts.get("cleared", 0),
        "classes": [(class_name(name), count) for name, count in counts.get("breaks", {}).items()],
        "batches": [
            {
                "it": each,
                "lines": amount(each.lines_minor, each.currency),
                "paid": amount(each.paid_minor, each.currency),
                "in_transit": amount(each.in_transit_minor, each.currency),
                "is_clear": not each.in_transit_minor,
            }
            for each in page.batches
        ],
        "is_cut": page.is_cut,
        "breaks": [
            {
                "url": reverse("console:break", args=[each.public_id]),
                "class": class_name(each.break_class),
                "state": state(each.status, LOOKS[each.status]),
                "says": each.summary,
                "value": amount(each.amount_minor, each.currency),
            }
            for each in breaks[:_BREAKS]
        ],
        "breaks_are_cut": len(breaks) > _BREAKS,
        "history": [
            {
                "state": state(each.to_state, RUN_LOOKS[each.to_state]),
                "reason": each.reason,
                "by": names.get(each.actor, each.actor),
                "at": each.at,
            }
            for each in page.history
        ],
    }


def _key(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Http404 from error
