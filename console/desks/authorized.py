"""The desk of authorised payments: whose time ends next, and two people who capture or give them back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from channels.selectors import get_channel
from console.acting import act, asked_for, decide, neighbours, reason_field
from console.desks.payables import payable_url
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, name_people, person, state
from core.approvals import at_decision_edge
from core.ids import public_id
from core.models import Approval
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import (
    DISPOSALS,
    ChargeData,
    Disposal,
    Reserved,
    expected_shares,
    find_charge,
    reserved,
    story_layout,
    story_of,
)
from payments.services import approve_disposal, reject_disposal, request_disposal

__all__ = ["desk"]

_SEE, _PROPOSE, _DECIDE = "payments.view_charge", "payments.change_charge", "payments.approve_charge"
_MOST = 100
_SOON = timedelta(days=1)
_ASKS: dict[str, Disposal] = {"capture": "capture", "void": "void"}
_NEEDS = {"capture": _PROPOSE, "void": _PROPOSE, "approve": _DECIDE, "reject": _DECIDE}
_UNDER_WAY = {"capture": gettext_lazy("Being captured"), "void": gettext_lazy("Being given back")}
_DONE = {
    "capture": gettext_lazy("A second person was asked for a yes."),
    "void": gettext_lazy("A second person was asked for a yes."),
    "approve": gettext_lazy("Approved. The provider is being told now."),
    "reject": gettext_lazy("Rejected. The money stays reserved."),
}


class DisposalForm(forms.Form):
    """How much, and why."""

    amount = forms.CharField(
        label=gettext_lazy("Amount to capture"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy(
            "Everything, if it is left empty. What is not captured goes back to the buyer."
        ),
    )
    reason = reason_field()


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what is reserved and one of it; a POST asks for a second person's yes, or gives it."""
    require(request, _SEE)
    charge_id = asked_for(reference, "chg")
    found = reserved(limit=_MOST + 1)
    if charge_id is None and found:
        charge_id = found[0].charge_id
    charge = find_charge(charge_id=charge_id) if charge_id else None
    if reference and charge is None:
        raise Http404
    form = DisposalForm(request.POST or None)
    if request.method == "POST":
        if charge is None:
            raise Http404
        answer = _act(request, charge, form)
        if answer is not None:
            return answer
    context = {
        "reference": public_id("chg", charge.id) if charge else "",
        "form": form,
        "is_cut": len(found) > _MOST,
        **_queue(found[:_MOST], charge_id),
        **(_evidence(request, charge) if charge else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/authorized.html", _("Authorised payments"), context, status=status)


def _act(request: HttpRequest, charge: ChargeData, form: DisposalForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, charge, said),
        back=reverse("console:authorized-item", args=[public_id("chg", charge.id)]),
    )


def _run(request: HttpRequest, what: str, charge: ChargeData, said: dict[str, str]) -> str:
    if disposal := _ASKS.get(what):
        at_edge(request_disposal)(
            charge_id=charge.id,
            what=disposal,
            amount=said["amount"].strip() or None,
            reason=said["reason"],
            maker=actor(request),
        )
        return what

    def service(asked: Approval, by: str) -> str:
        if what == "approve":
            at_decision_edge(approve_disposal)(approval_id=asked.pk, checker=by)
        else:
            at_decision_edge(reject_disposal)(approval_id=asked.pk, checker=by, reason=said["reason"])
        return what

    return decide(request, _approvals(charge.id), is_yes=what == "approve", service=service) or ""


def _approvals(charge_id: UUID) -> list[Approval]:
    rows = Approval.objects.filter(
        subject=public_id("chg", charge_id), action__in=DISPOSALS.values(), status="PENDING"
    )
    return list(rows.filter(expires_at__gt=clock.now()).order_by("requested_at"))


def _queue(found: list[Reserved], chosen: UUID | None) -> dict[str, Any]:
    now = clock.now()
    lines = [
        {
            "subject": public_id("chg", each.charge_id),
            "is_chosen": each.charge_id == chosen,
            "value": amount(each.authorized_minor, each.currency),
            "left": timeuntil(each.capture_before, now) if each.capture_before > now else _("over"),
            "channel": get_channel(channel_id=each.channel_id).name,
            "why": _look(each),
        }
        for each in found
    ]
    return {"lines": lines, **neighbours(lines)}


def _look(each: Reserved) -> str:
    if each.disposing:
        return state(str(_UNDER_WAY[each.disposing]), "progress")
    if each.capture_before - clock.now() < _SOON:
        return state(_("Ends soon"), "waiting")
    return state(_("Reserved"), "done")


def _evidence(request: HttpRequest, charge: ChargeData) -> dict[str, Any]:
    user, me = request.user, actor(request)
    line = next(iter(reserved(only=[charge.id], limit=1)), None)
    approvals = _approvals(charge.id) if line else []
    name_people(approvals, ("maker",))
    return {
        "charge": charge,
        "amount": amount(charge.amount_minor, charge.currency),
        "merchant": merchant_names(merchant_ids=[charge.merchant_id]).get(charge.merchant_id, ""),
        "channel": get_channel(channel_id=charge.channel_id).name,
        "line": line,
        "looks": _look(line) if line else "",
        "checkout_url": payable_url(checkout_id=charge.checkout_id, top_up_id=charge.top_up_id),
        "is_free": line is not None and not line.disposing and line.capture_before > clock.now(),
        "approvals": [
            {
                "key": each.pk,
                "what": each.instruction["what"],
                "amount": amount(each.instruction["amount_minor"], each.instruction["currency"]),
                "rest": amount(
                    each.instruction["authorized_minor"] - each.instruction["amount_minor"],
                    each.instruction["currency"],
                ),
                "reason": each.instruction["reason"],
                "by": person(each, each.maker),
                "at": each.requested_at,
                "is_mine": each.maker == me,
                "shares": _shares(charge, each.instruction["amount_minor"]),
            }
            for each in approvals
        ],
        "shares": _shares(charge, charge.amount_minor) if line else [],
        "chapters": story_layout(
            # Nothing of a top-up is reserved: each of these is of a checkout.
            story_of(merchant_id=charge.merchant_id, checkout_id=charge.checkout_id)
            if charge.checkout_id
            else [],
            may=user.has_perm,
        ),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }


def _shares(charge: ChargeData, captured_minor: int) -> list[dict[str, Any]]:
    return [
        {**vars(each), "parts": [amount(part, charge.currency) for part in each.parts]}
        for each in expected_shares(charge_id=charge.id, captured_minor=captured_minor)
    ]
