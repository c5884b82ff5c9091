"""The desk of disputes: what must be answered by when, what our records say, and what may be done."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from console.acting import act, asked_for, decide, neighbours, reason_field
from console.desks.payables import payable_story, payable_url
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, name_people, person, state
from core.approvals import at_decision_edge
from core.ids import public_id
from core.models import Approval
from core.money import parse_amount
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import (
    DISPUTE_ACTIONS,
    DisputeCase,
    dispute_case,
    disputes_to_answer,
    story_layout,
)
from payments.services import (
    accept_dispute,
    add_evidence,
    approve_dispute_decision,
    reassign_dispute,
    reject_dispute_decision,
)
from payments.types import DisputeAnswer, DisputeFile

__all__ = ["desk"]

_SEE, _ANSWER, _DECIDE = "payments.view_dispute", "payments.change_dispute", "payments.approve_dispute"
_MOST = 100
_LOOKS = {
    "INQUIRY": "disputed",
    "OPEN": "disputed",
    "EVIDENCE_SENT": "progress",
    "ACCEPTED": "progress",
    "WON": "done",
    "LOST": "failed",
    "CLOSED": "over",
}
_NEEDS = {
    "keep": _ANSWER,
    "submit": _ANSWER,
    "accept": _ANSWER,
    "reassign": _ANSWER,
    "approve": _DECIDE,
    "reject": _DECIDE,
}
_DONE = {
    "keep": gettext_lazy("Kept. Nothing is sent yet."),
    "submit": gettext_lazy("The answer is on its way to the bank."),
    "accept": gettext_lazy("The provider is told that the dispute may stand."),
    "reassign": gettext_lazy("The dispute is assigned to these orders."),
    "asked": gettext_lazy("A second person was asked for a yes."),
    "approve": gettext_lazy("Done, as two people decided."),
    "reject": gettext_lazy("Rejected. The dispute stays as it is."),
}


class AnswerForm(forms.Form):
    """What is said, what proves it, and why something is decided."""

    explanation = forms.CharField(
        label=gettext_lazy("What you say to the bank"),
        max_length=5000,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )
    shipping_carrier = forms.CharField(
        label=gettext_lazy("Carrier"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )
    shipping_tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )
    proof = forms.FileField(
        label=gettext_lazy("Proof"),
        required=False,
        help_text=gettext_lazy("A PDF, a PNG or a JPEG of at most 512 KiB: a signature, say, or a letter."),
    )
    reason = reason_field(label=gettext_lazy("Reason of a decision"), rows=2)


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what must be answered and one dispute; a POST calls the service behind the button."""
    require(request, _SEE)
    dispute_id = asked_for(reference, "dp")
    lines = disputes_to_answer(limit=_MOST + 1)
    if dispute_id is None and lines:
        dispute_id = lines[0].id
    case = dispute_case(dispute_id=dispute_id) if dispute_id else None
    if reference and case is None:
        raise Http404
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if case is None:
            raise Http404
        answer = _act(request, case, form)
        if answer is not None:
            return answer
    context = {
        "form": form,
        "is_cut": len(lines) > _MOST,
        **_queue(lines[:_MOST], dispute_id),
        **(_evidence(request, case) if case else {"case": None}),
    }
    return show(request, "console/disputes.html", _("Disputes"), context, status=422 if form.errors else 200)


def _act(request: HttpRequest, case: DisputeCase, form: AnswerForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, told: _run(request, what, case, told),
        back=_place(case.id),
        field_of=lambda param: "proof" if "files" in str(param) else param if param == "reason" else None,
    )


def _run(request: HttpRequest, what: str, case: DisputeCase, told: dict[str, Any]) -> str:
    by = actor(request)
    if what in ("keep", "submit"):
        names = ("explanation", "shipping_carrier", "shipping_tracking_number")
        proof = told["proof"]
        files = (DisputeFile("service_documentation", proof.name, proof.read()),) if proof else ()
        at_edge(add_evidence)(
            merchant_id=case.merchant_id,
            reference=public_id("dp", case.id),
            answer=DisputeAnswer(
                {name: " ".join(told[name].split()) for name in names if told[name].strip()},
                files,
                what == "submit",
            ),
            actor=by,
        )
        return what
    if what == "accept":
        asked = at_edge(accept_dispute)(dispute_id=case.id, reason=told["reason"], maker=by)
        return "asked" if asked else what
    if what == "reassign":
        asked = at_edge(reassign_dispute)(
            dispute_id=case.id, amounts=_amounts(request, case), reason=told["reason"], maker=by
        )
        return "asked" if asked else what
    return _decide(request, what, case, told["reason"])


def _amounts(request: HttpRequest, case: DisputeCase) -> dict[UUID, int]:
    amounts = {}
    for line in case.lines:
        text = request.POST.get(f"part-{line.order_id}", "").strip()
        amounts[line.order_id] = parse_amount(text, case.currency) if text not in ("", "0", "0.00") else 0
    return amounts


def _decide(request: HttpRequest, what: str, case: DisputeCase, reason: str) -> str:
    approval = _approval(case.id)

    def service(asked: Approval, by: str) -> str:
        if what == "approve":
            at_decision_edge(approve_dispute_decision)(approval_id=asked.pk, checker=by)
        else:
            at_decision_edge(reject_dispute_decision)(approval_id=asked.pk, checker=by, reason=reason)
        return what

    is_yes = what == "approve"
    return decide(request, [approval] if approval else [], is_yes=is_yes, service=service) or ""


def _approval(dispute_id: UUID) -> Approval | None:
    rows = Approval.objects.filter(
        subject=public_id("dp", dispute_id), action__in=DISPUTE_ACTIONS, status="PENDING"
    )
    return rows.order_by("-requested_at").first()


def _queue(found: list[DisputeCase], chosen: UUID | None) -> dict[str, Any]:
    lines = [
        {
            "subject": public_id("dp", each.id),
            "is_chosen": each.id == chosen,
            "value": amount(each.amount_minor, each.currency),
            "state": state(each.status, _LOOKS[each.status]),
            "reason": each.reason.replace("_", " "),
            "due": _due(each),
            "is_overdue": bool(each.evidence_due_at and each.evidence_due_at <= clock.now()),
        }
        for each in found
    ]
    return {"lines": lines, **neighbours(lines)}


def _due(case: DisputeCase) -> str:
    if case.status in ("WON", "LOST", "CLOSED"):
        return _("decided")
    if case.status not in ("INQUIRY", "OPEN") or case.evidence_sent_at:
        return _("answered")
    if case.evidence_due_at is None:
        return _("no deadline")
    if case.evidence_due_at <= clock.now():
        return _("too late to answer")
    return _("%(time)s left") % {"time": timeuntil(case.evidence_due_at, clock.now())}


def _evidence(request: HttpRequest, case: DisputeCase) -> dict[str, Any]:
    user, me = request.user, actor(request)
    approval = _approval(case.id)
    if approval:
        name_people([approval], ("maker",))
    is_answerable = case.status in ("INQUIRY", "OPEN") and case.evidence_sent_at is None and not case.is_busy
    return {
        "case": case,
        "reference": public_id("dp", case.id),
        "state": state(case.status, _LOOKS[case.status]),
        "amount": amount(case.amount_minor, case.currency),
        "fee": amount(case.fee_minor, case.currency),
        "taken": amount(case.taken_minor, case.currency),
        "due": _due(case),
        "reason": case.reason.replace("_", " "),
        "merchant": merchant_names(merchant_ids=[case.merchant_id]).get(case.merchant_id, ""),
        "checkout_url": payable_url(checkout_id=case.checkout_id, top_up_id=case.top_up_id),
        "parts": [
            {
                **vars(line),
                "amount": amount(line.amount_minor, case.currency),
                "seller": amount(line.seller_minor, case.currency),
                "commission": amount(line.commission_minor + line.tax_minor, case.currency),
                "input": UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}).render(
                    f"part-{line.order_id}", line.plain
                ),
            }
            for line in case.lines
        ],
        "pieces": case.pieces,
        "movements": [
            {
                **vars(each),
                "amount": amount(each.amount_minor, case.currency),
                "fee": amount(each.fee_minor, case.currency),
            }
            for each in case.movements
        ],
        "is_answerable": is_answerable,
        "is_divisible": case.status in ("INQUIRY", "OPEN", "EVIDENCE_SENT") and len(case.lines) > 1,
        "is_acceptable": case.status == "OPEN" and not case.is_busy,
        "approval": approval,
        "approval_by": person(approval, approval.maker) if approval else "",
        "is_my_request": bool(approval and approval.maker == me),
        "chapters": story_layout(
            payable_story(
                merchant_id=case.merchant_id, checkout_id=case.checkout_id, top_up_id=case.top_up_id
            ),
            may=user.has_perm,
        ),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }


def _place(dispute_id: UUID) -> str:
    return reverse("console:dispute", args=[public_id("dp", dispute_id)])
