"""The desk of one break: both sides, why they differ, what would be posted, and who agrees on it.

A yes is to one exact proposal: its request comes back with the button, and what changed since is said first.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from console.acting import act, asked_for, decide, neighbours, reason_field
from console.desks.breaks_evidence import evidence
from console.desks.breaks_filters import asked_in, queue_for
from console.desks.breaks_proposal import Wish, wish_of
from console.desks.breaks_queue import CHANGE, DECIDE, SEE, lines_of
from console.frame import actor, require, show
from core.approvals import at_decision_edge
from core.errors import NotFound
from core.models import Approval
from core.transactions import at_edge
from reconciliation.selectors import break_at_desk
from reconciliation.services import (
    approve_adjustment,
    approve_reopening,
    assign_break,
    comment_on_break,
    propose_adjustment,
    reject_adjustment,
    reject_reopening,
    release_break,
    request_reopening,
    withdraw_adjustment,
)
from reconciliation.types import BreakDetail

__all__ = ["desk"]

_NEEDS = {
    "take": CHANGE,
    "release": CHANGE,
    "comment": CHANGE,
    "propose": CHANGE,
    "withdraw": CHANGE,
    "reopen": CHANGE,
    "approve": DECIDE,
    "reject": DECIDE,
    "approve_reopening": DECIDE,
    "reject_reopening": DECIDE,
}
_DONE = {
    "take": gettext_lazy("It is yours."),
    "release": gettext_lazy("It is back in the queue."),
    "comment": gettext_lazy("Noted."),
    "propose": gettext_lazy("Proposed. A second person was asked for a yes; nothing is posted yet."),
    "withdraw": gettext_lazy("Taken back. Nothing was posted."),
    "reopen": gettext_lazy("A second person was asked for a yes."),
    "approve": gettext_lazy("Approved: it is in the books."),
    "explained": gettext_lazy("Approved: the break is explained, and nothing was to be posted."),
    "reject": gettext_lazy("Rejected. Nothing was posted."),
    "approve_reopening": gettext_lazy("Taken back by new entries. The break is in the queue again."),
    "reject_reopening": gettext_lazy("Rejected. The break stays resolved."),
}
_REOPENING = ("approve_reopening", "reject_reopening")


class BreakForm(forms.Form):
    """Why, what was found out, and what is proposed."""

    reason = reason_field()
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        strip=True,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    template = forms.CharField(max_length=8, required=False)
    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    movement = forms.CharField(max_length=120, required=False)
    named = forms.CharField(max_length=120, required=False)


def desk(request: HttpRequest, reference: str) -> HttpResponse:
    """Show one break beside its queue; a POST calls the service behind the button."""
    require(request, SEE)
    key = asked_for(reference, "dsc")
    assert key is not None
    detail = _read(key)
    form = BreakForm(request.POST or None)
    if request.method == "POST":
        answer = _act(request, detail, form)
        if answer is not None:
            return answer
    asked = asked_in(request, queue=queue_for(detail.row.category, detail.row.status))
    lines, _after = lines_of(asked, me=actor(request), chosen=key)
    context = {
        "form": form,
        "queue": asked.queue,
        "query": asked.here,
        "queue_url": reverse("console:breaks") + asked.here,
        "lines": lines,
        **_beside(lines),
        "may": {name: request.user.has_perm(needed) for name, needed in _NEEDS.items()},
        **evidence(request, detail, wish_of(request, form, detail)),
    }
    status = 422 if form.errors else 200
    return show(request, "console/break.html", _("Break"), context, status=status)


def _read(key: UUID) -> BreakDetail:
    try:
        return break_at_desk(discrepancy_id=key)
    except NotFound as error:
        raise Http404 from error


def _beside(lines: list[dict[str, Any]]) -> dict[str, str]:
    """The addresses of the breaks before and after this one in its queue."""
    subjects = neighbours(lines)
    urls = {line["subject"]: line["url"] for line in lines}
    return {f"{name}_url": urls.get(subject, "") for name, subject in subjects.items()}


def _act(request: HttpRequest, detail: BreakDetail, form: BreakForm) -> HttpResponse | None:
    place = reverse("console:break", args=[detail.row.public_id])
    query = request.META.get("QUERY_STRING", "")
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, detail, said),
        back=f"{place}?{query}" if query else place,
        field_of=lambda param: _field(request, param),
    )


def _field(request: HttpRequest, param: str | None) -> str | None:
    """The field that a refusal is about: a note without words lacks no reason, but the note."""
    if param != "reason":
        return None
    return "note" if request.POST.get("action") == "comment" else "reason"


def _run(request: HttpRequest, what: str, detail: BreakDetail, said: dict[str, Any]) -> str:
    by, key, reason = actor(request), detail.row.id, said["reason"]
    if what == "take":
        at_edge(assign_break)(discrepancy_id=key, owner=by, by=by)
    elif what == "release":
        at_edge(release_break)(discrepancy_id=key, by=by, reason=reason)
    elif what == "comment":
        at_edge(comment_on_break)(discrepancy_id=key, text=said["note"], by=by)
    elif what == "propose":
        wish = Wish.of(said, detail)
        at_edge(propose_adjustment)(
            discrepancy_id=key, template=wish.template, reason=reason, maker=by, parameters=wish.parameters
        )
    elif what == "withdraw":
        at_edge(withdraw_adjustment)(adjustment_id=_proposed(detail), by=by, reason=reason)
    elif what == "reopen":
        at_edge(request_reopening)(discrepancy_id=key, reason=reason, maker=by)
    elif what in _REOPENING:
        return _decide_reopening(request, what, detail, reason)
    else:
        return _decide(request, what, detail, reason)
    return what


def _proposed(detail: BreakDetail) -> UUID:
    found = [each.id for each in detail.adjustments if each.status == "PROPOSED"]
    if not found:
        raise Http404
    return found[0]


def _decide(request: HttpRequest, what: str, detail: BreakDetail, reason: str) -> str:
    def service(asked: Approval, by: str) -> str:
        if what == "reject":
            at_decision_edge(reject_adjustment)(approval_id=asked.pk, checker=by, reason=reason)
            return what
        at_decision_edge(approve_adjustment)(approval_id=asked.pk, checker=by)
        return what if asked.instruction["lines"] else "explained"

    return _with_two(request, detail, "adjustment", is_yes=what == "approve", service=service)


def _decide_reopening(request: HttpRequest, what: str, detail: BreakDetail, reason: str) -> str:
    def service(asked: Approval, by: str) -> str:
        if what == "reject_reopening":
            at_decision_edge(reject_reopening)(approval_id=asked.pk, checker=by, reason=reason)
        else:
            at_decision_edge(approve_reopening)(approval_id=asked.pk, checker=by)
        return what

    return _with_two(request, detail, "takes_back", is_yes=what == "approve_reopening", service=service)


def _with_two(request: HttpRequest, detail: BreakDetail, names: str, *, is_yes: bool, service: Any) -> str:
    """Decide what waits and has `names` in its instruction: a proposal, or a reopening."""
    keys = [each["approval_id"] for each in detail.pending if names in each["instruction"]]
    waiting = list(Approval.objects.filter(pk__in=keys, status="PENDING"))
    # Who asked for it takes a proposal back with a button of its own.
    return decide(request, waiting, is_yes=is_yes, service=service, may_withdraw=False) or ""
