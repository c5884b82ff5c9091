"""What became of one line of a file: which movement it is and why, or what is wrong with it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import ReasonForm, act, decide
from console.desks.breaks_matches import matches_of
from console.desks.breaks_queue import CHANGE, DECIDE, SEE
from console.desks.breaks_sides import shown_line
from console.desks.breaks_words import LOOKS, class_name, steps_in_words
from console.frame import actor, require, show
from core.admin_display import state
from core.approvals import at_decision_edge
from core.errors import NotFound
from core.models import Approval
from core.transactions import at_edge
from reconciliation.selectors import line_at_desk, unmatchings_of
from reconciliation.services import approve_unmatching, reject_unmatching, request_unmatching
from reconciliation.types import LineAtDesk

__all__ = ["desk"]

_NEEDS = {"unmatch": CHANGE, "approve_unmatching": DECIDE, "reject_unmatching": DECIDE}
_DONE = {
    "unmatch": gettext_lazy("A second person was asked for a yes. Until then the match holds."),
    "approve_unmatching": gettext_lazy("The match is taken back, and the line is in the queue."),
    "reject_unmatching": gettext_lazy("Rejected. The match holds."),
}


def desk(request: HttpRequest, line_id: int) -> HttpResponse:
    """Show a line with its record, its match and its breaks; a POST takes a match back, by two people."""
    require(request, SEE)
    try:
        line = line_at_desk(line_id=line_id)
    except NotFound as error:
        raise Http404 from error
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        answer = _act(request, line, form)
        if answer is not None:
            return answer
    context = {
        "form": form,
        "line": shown_line(line),
        "matches": matches_of(request, line_id=line.id, side=line.side),
        "breaks": [_break(each, line) for each in line.explanation["breaks"]],
        "run_url": reverse("console:run", args=[line.run_id]) if line.run_id else "",
        "is_to_be_matched": line.run_status == "QUEUED",
        "may": {name: request.user.has_perm(needed) for name, needed in _NEEDS.items()},
    }
    status = 422 if form.errors else 200
    return show(request, "console/break_line.html", _("Line of a file"), context, status=status)


def _break(each: dict[str, Any], line: LineAtDesk) -> dict[str, Any]:
    return {
        "url": reverse("console:break", args=[each["id"]]),
        "subject": each["id"],
        "class": class_name(each["class"]),
        "state": state(each["status"], LOOKS[each["status"]]),
        "steps": steps_in_words(each.get("steps", ()), line_currency=line.currency, currency=line.currency),
    }


def _act(request: HttpRequest, line: LineAtDesk, form: ReasonForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, line, said["reason"]),
        back=reverse("console:line", args=[line.id]),
    )


def _run(request: HttpRequest, what: str, line: LineAtDesk, reason: str) -> str:
    if what == "unmatch":
        known = [each["id"] for each in line.explanation["matches"]]
        if not known:
            raise Http404
        at_edge(request_unmatching)(match_id=known[0], reason=reason, maker=actor(request))
        return what

    def service(asked: Approval, by: str) -> str:
        if what == "reject_unmatching":
            at_decision_edge(reject_unmatching)(approval_id=asked.pk, checker=by, reason=reason)
        else:
            at_decision_edge(approve_unmatching)(approval_id=asked.pk, checker=by)
        return what

    waiting = unmatchings_of(line_id=line.id, merchant_id=line.merchant_id)
    is_yes = what == "approve_unmatching"
    return decide(request, waiting, is_yes=is_yes, service=service, may_withdraw=False) or ""
