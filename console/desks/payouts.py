"""The desk of payouts: what waits for a second person or is stopped, and everything to see about each payout.

A yes is to the instruction that the page showed: its digest comes back with the button.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from console.acting import act, asked_for, decide, neighbours, reason_field
from console.desks.payout_evidence import evidence, request_to_approve, requests_to_return
from console.frame import actor, require, show
from core.admin_display import amount, state
from core.approvals import at_decision_edge
from core.models import Approval
from core.transactions import at_edge
from payouts.selectors import PAYOUT_LOOKS, PayoutAtDesk, find_payout, payouts_at_desk
from payouts.services import (
    approve_payout,
    approve_return,
    reject_payout,
    reject_return,
    request_return,
    take_payout_back,
)

__all__ = ["desk"]

_SEE, _ASK, _DECIDE = "payouts.view_payout", "payouts.change_payout", "payouts.approve_payout"
_MOST, _LATEST = 100, 25
_NEEDS = {
    "approve": _DECIDE,
    "reject": _DECIDE,
    "cancel": _ASK,
    "return": _ASK,
    "approve_return": _DECIDE,
    "reject_return": _DECIDE,
}
_DONE = {
    "approve": gettext_lazy("Approved. It is sent on its day, unless something stops it."),
    "reject": gettext_lazy("Rejected. Nothing was sent; the seller has the money again."),
    "cancel": gettext_lazy("Taken back. Nothing was sent; the seller has the money again."),
    "return": gettext_lazy("A second person was asked for a yes."),
    "approve_return": gettext_lazy("Recorded. The seller has the money again."),
    "reject_return": gettext_lazy("Rejected. The payout stays as it is."),
}


class PayoutForm(forms.Form):
    """Why, and what the bank says of a payout that came back."""

    reason = reason_field()
    provider_code = forms.CharField(
        label=gettext_lazy("The bank's reason"),
        max_length=35,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("As it stands on the statement: AC04, say."),
    )
    account_is_bad = forms.BooleanField(
        label=gettext_lazy("The account is closed or wrong: send nothing more there"),
        required=False,
        widget=UnfoldBooleanWidget(),
    )


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what waits, the latest, and one of them; a POST calls the service behind the button."""
    require(request, _SEE)
    payout_id = asked_for(reference, "po")
    waiting = payouts_at_desk(waiting=True, limit=_MOST + 1)
    latest = payouts_at_desk(waiting=False, limit=_LATEST)
    if payout_id is None and (waiting or latest):
        payout_id = (waiting or latest)[0].id
    payout = find_payout(payout_id=payout_id) if payout_id else None
    if reference and payout is None:
        raise Http404
    form = PayoutForm(request.POST or None)
    if request.method == "POST":
        if payout is None:
            raise Http404
        answer = _act(request, payout, form)
        if answer is not None:
            return answer
    lines = _lines(waiting[:_MOST], payout_id)
    context = {
        "form": form,
        "lines": lines,
        "is_cut": len(waiting) > _MOST,
        "latest": _lines(latest, payout_id),
        **neighbours(lines),
        "may": {name: request.user.has_perm(needed) for name, needed in _NEEDS.items()},
        **(evidence(request, payout) if payout else {}),
    }
    return show(request, "console/payouts.html", _("Payouts"), context, status=422 if form.errors else 200)


def _act(request: HttpRequest, payout: PayoutAtDesk, form: PayoutForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, payout, said),
        back=reverse("console:payout", args=[payout.public_id]),
    )


def _run(request: HttpRequest, what: str, payout: PayoutAtDesk, said: dict[str, Any]) -> str:
    by, reason = actor(request), said["reason"]
    if what == "cancel":
        at_edge(take_payout_back)(payout_id=payout.id, by=by, reason=reason)
        return what
    if what == "return":
        at_edge(request_return)(
            payout_id=payout.id,
            evidence=reason,
            provider_code=said["provider_code"],
            is_of_destination=said["account_is_bad"],
            maker=by,
        )
        return what
    if what in ("approve_return", "reject_return"):
        return _decide_return(request, what, payout.id, reason)
    return _decide(request, what, payout, reason)


def _decide(request: HttpRequest, what: str, payout: PayoutAtDesk, reason: str) -> str:
    by, approval = actor(request), request_to_approve(payout.id)
    if by in (payout.requested_by, approval.maker if approval else ""):
        raise PermissionDenied(_("A second person must decide this."))
    if what == "reject":
        at_decision_edge(reject_payout)(payout_id=payout.id, checker=by, reason=reason)
    else:
        # The digest of what the page showed: should it have changed meanwhile, this is refused.
        shown = request.POST.get("digest", "")
        at_decision_edge(approve_payout)(payout_id=payout.id, checker=by, digest=shown)
    return what


def _decide_return(request: HttpRequest, what: str, payout_id: UUID, reason: str) -> str:
    def service(asked: Approval, by: str) -> str:
        if what == "approve_return":
            at_decision_edge(approve_return)(approval_id=asked.pk, checker=by)
        else:
            at_decision_edge(reject_return)(approval_id=asked.pk, checker=by, reason=reason)
        return what

    is_yes = what == "approve_return"
    return decide(request, requests_to_return(payout_id), is_yes=is_yes, service=service) or ""


def _lines(found: list[PayoutAtDesk], chosen: UUID | None) -> list[dict[str, Any]]:
    return [
        {
            "subject": each.public_id,
            "is_chosen": each.id == chosen,
            "value": amount(each.amount_minor, each.currency),
            "state": state(each.status, PAYOUT_LOOKS[each.status]),
            "seller": each.seller_account,
            "why": each.why_held,
            "created_at": each.created_at,
        }
        for each in found
    ]
