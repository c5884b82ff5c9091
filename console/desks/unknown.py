"""The desk of unknown outcomes: what nobody knows the end of, the value at risk, and what may be done.

There is no button for "failed": a payment ends by what the provider says, or by what two people decide and
the provider bears out.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.selectors import get_channel
from console.acting import ReasonForm, act, asked_for, decide, neighbours
from console.desks.payables import payable_story, payable_url
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, name_people, person, state
from core.approvals import at_decision_edge
from core.ids import public_id
from core.models import Approval, Case
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import (
    CONFLICT_ACTION,
    WAITING_KINDS,
    ChargeData,
    ConflictEnd,
    Waiting,
    expected_shares,
    find_charge,
    story_layout,
    values_waiting,
    waiting,
)
from payments.services import (
    ask_provider_now,
    close_outcome,
    give_back_outcome,
    reject_conflict_resolution,
    request_conflict_resolution,
    resolve_conflict,
    take_outcome,
)

__all__ = ["desk"]

_SEE, _ASK, _OWN = "payments.view_pspoperation", "payments.change_pspoperation", "core.change_case"
_PROPOSE, _DECIDE = "payments.change_charge", "payments.approve_charge"
_MOST = 100
_REASONS = {
    "unknown": (gettext_lazy("No trustworthy answer"), "waiting"),
    "processing": (gettext_lazy("Still at the provider"), "progress"),
    "conflict": (gettext_lazy("The provider contradicts us"), "failed"),
    "buried": (gettext_lazy("Our own work failed: see the dead letters"), "failed"),
}
_ENDS: dict[str, ConflictEnd] = {"captured": "captured", "declined": "declined", "canceled": "canceled"}
_NEEDS = {
    "ask": _ASK,
    "take": _OWN,
    "release": _OWN,
    "close": _OWN,
    "captured": _PROPOSE,
    "declined": _PROPOSE,
    "canceled": _PROPOSE,
    "approve": _DECIDE,
    "reject": _DECIDE,
}
_DONE = {
    "ask": gettext_lazy("The provider is being asked now. Load the page again in a few seconds."),
    "take": gettext_lazy("It is yours."),
    "release": gettext_lazy("It is back in the queue."),
    "close": gettext_lazy("The case is closed."),
    "captured": gettext_lazy("A second person was asked for a yes."),
    "declined": gettext_lazy("A second person was asked for a yes."),
    "canceled": gettext_lazy("A second person was asked for a yes."),
    "reject": gettext_lazy("Rejected. The payment stays as it is."),
    "resolved": gettext_lazy("Done, as two people decided and the provider bears out."),
    "closing": gettext_lazy(
        "The provider could still charge, so it is being closed there first. Approve once more in a minute."
    ),
}


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what waits and one of it; a POST calls the service behind the button."""
    require(request, _SEE)
    charge_id = asked_for(reference, "chg")
    found = waiting(limit=_MOST + 1)
    if charge_id is None and found:
        charge_id = found[0].charge_id
    charge = find_charge(charge_id=charge_id) if charge_id else None
    if reference and charge is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        if charge is None:
            raise Http404
        answer = _act(request, charge, form)
        if answer is not None:
            return answer
    context = {
        "totals": [
            {"amount": amount(minor, currency), "count": count} for currency, count, minor in values_waiting()
        ],
        "reference": public_id("chg", charge.id) if charge else "",
        "form": form,
        "is_cut": len(found) > _MOST,
        **_queue(found[:_MOST], charge_id),
        **(_evidence(request, charge) if charge else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/unknown.html", _("Unknown outcomes"), context, status=status)


def _act(request: HttpRequest, charge: ChargeData, form: ReasonForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, charge.id, said["reason"]),
        back=_place(charge.id),
    )


def _run(request: HttpRequest, what: str, charge_id: UUID, reason: str) -> str:
    by = actor(request)
    if end := _ENDS.get(what):
        at_edge(request_conflict_resolution)(charge_id=charge_id, outcome=end, reason=reason, maker=by)
    elif what in ("approve", "reject"):
        return _decide(request, what, charge_id, reason)
    elif what == "take":
        at_edge(take_outcome)(charge_id=charge_id, by=by)
    else:
        service = {"ask": ask_provider_now, "release": give_back_outcome, "close": close_outcome}[what]
        at_edge(service)(charge_id=charge_id, by=by, reason=reason)
    return what


def _decide(request: HttpRequest, what: str, charge_id: UUID, reason: str) -> str:
    approval = _approval(charge_id)

    def service(asked: Approval, by: str) -> str:
        if what == "approve":
            return resolve_conflict(approval_id=asked.pk, checker=by)
        at_decision_edge(reject_conflict_resolution)(approval_id=asked.pk, checker=by, reason=reason)
        return what

    is_yes = what == "approve"
    return decide(request, [approval] if approval else [], is_yes=is_yes, service=service) or ""


def _approval(charge_id: UUID) -> Approval | None:
    """What waits for a second person, or was approved and is still to be carried out."""
    rows = Approval.objects.filter(
        subject=public_id("chg", charge_id), action=CONFLICT_ACTION, status__in=["PENDING", "APPROVED"]
    )
    return rows.order_by("-requested_at").first()


def _queue(found: list[Waiting], chosen: UUID | None) -> dict[str, Any]:
    subjects = {public_id("chg", each.charge_id): each for each in found}
    cases = list(
        Case.objects.filter(kind__in=WAITING_KINDS, subject__in=list(subjects)).exclude(status="CLOSED")
    )
    name_people(cases, ("owner",))
    owners = {case.subject: person(case, case.owner) for case in cases if case.owner}
    lines = [
        {
            "subject": subject,
            "is_chosen": each.charge_id == chosen,
            "value": amount(each.amount_minor, each.currency),
            "age": _age(each),
            "channel": get_channel(channel_id=each.channel_id).name,
            "why": state(str(_REASONS[each.reason][0]), _REASONS[each.reason][1]),
            "attempts": each.attempts,
            "owner": owners.get(subject, ""),
        }
        for subject, each in subjects.items()
    ]
    return {"lines": lines, **neighbours(lines)}


def _evidence(request: HttpRequest, charge: ChargeData) -> dict[str, Any]:
    subject, user, me = public_id("chg", charge.id), request.user, actor(request)
    line = next(iter(waiting(only=[charge.id], limit=1)), None)
    case = (
        Case.objects.filter(kind__in=WAITING_KINDS, subject=subject)
        .exclude(status="CLOSED")
        .order_by("kind")
        .first()
    )
    approval = _approval(charge.id) if charge.status == "CONFLICTED" else None
    if case:
        name_people([case], ("owner",))
    if approval:
        name_people([approval], ("maker", "checker"))
    is_conflict = charge.status == "CONFLICTED"
    return {
        "charge": charge,
        "amount": amount(charge.amount_minor, charge.currency),
        "merchant": merchant_names(merchant_ids=[charge.merchant_id]).get(charge.merchant_id, ""),
        "channel": get_channel(channel_id=charge.channel_id).name,
        "line": line,
        "age": _age(line) if line else "",
        "why": state(str(_REASONS[line.reason][0]), _REASONS[line.reason][1]) if line else "",
        "checkout_url": payable_url(checkout_id=charge.checkout_id, top_up_id=charge.top_up_id),
        "case": case,
        "case_owner": person(case, case.owner) if case else "",
        "is_mine": bool(case and case.owner == me),
        "approval": approval,
        "approval_by": person(approval, approval.maker) if approval else "",
        "is_my_request": bool(approval and approval.maker == me),
        "is_conflict": is_conflict,
        "shares": [
            {**vars(each), "parts": [amount(part, charge.currency) for part in each.parts]}
            for each in (expected_shares(charge_id=charge.id) if is_conflict else [])
        ],
        "chapters": story_layout(
            payable_story(
                merchant_id=charge.merchant_id, checkout_id=charge.checkout_id, top_up_id=charge.top_up_id
            ),
            may=user.has_perm,
        ),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }


def _age(line: Waiting) -> str:
    if clock.now() - line.since < timedelta(minutes=1):
        return _("just now")
    return timesince(line.since, clock.now())


def _place(charge_id: UUID) -> str:
    return reverse("console:unknown-item", args=[public_id("chg", charge_id)])
