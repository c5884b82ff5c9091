"""The refund desk: what waits for a second person, each refund with its history and entries, and new ones."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from console.acting import ReasonForm, act, asked_for, decide, reason_field
from console.frame import actor, require, show
from core.admin_display import amount, name_people, person, state
from core.approvals import at_decision_edge
from core.errors import DomainError
from core.ids import parse_public_id, public_id
from core.models import Approval, Case
from core.money import format_minor
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import (
    REFUND_ACTION,
    RefundableOrder,
    RefundData,
    WalletBack,
    find_refund,
    find_refundable,
    needs_two_people,
    refund_story,
    refunds_at_desk,
    story_layout,
)
from payments.services import approve_refund, ask_for_refund, cancel_refund, reject_refund
from payments.types import RefundRequest

__all__ = ["desk", "new"]

_SEE, _ASK, _DECIDE = "payments.view_refund", "payments.change_refund", "payments.approve_refund"
_NEEDS = {"approve": _DECIDE, "reject": _DECIDE, "cancel": _ASK}
_DONE = {
    "approve": gettext_lazy("Approved. The refund is being carried out."),
    "reject": gettext_lazy("Rejected. Nothing was sent; the money is where it was."),
    "cancel": gettext_lazy("Taken back. Nothing was sent; the money is where it was."),
}
LOOKS = {
    "REQUESTED": "progress",
    "IN_REVIEW": "waiting",
    "EXECUTING": "progress",
    "PENDING": "progress",
    "UNKNOWN": "waiting",
    "SUCCESS": "done",
    "FAILED": "failed",
    "CANCELED": "over",
}
_ORIGINS = {
    "api": gettext_lazy("The store asked for it"),
    "console": gettext_lazy("Finance asked for it"),
    "psp": gettext_lazy("It was made at the provider"),
}
KINDS = {
    "cash": gettext_lazy("Cash"),
    "bonus": gettext_lazy("Bonus"),
    "points": gettext_lazy("Points"),
}
POINTS = "PTS"
_MOST, _LATEST = 100, 25


class ShortReasonForm(ReasonForm):
    """Why, as short as a store's own reason."""

    reason = reason_field(max_length=255)


class RefundForm(ShortReasonForm):
    """How much of an order goes back, and to where."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    destination = forms.ChoiceField(
        label=gettext_lazy("Where it goes"),
        choices=[
            ("instrument", gettext_lazy("To what the buyer paid with")),
            ("wallet", gettext_lazy("To the buyer's wallet, at once")),
            ("balance", gettext_lazy("To the wallets that paid it, each its own kind, at once")),
        ],
        initial="instrument",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    field_order = ("amount", "destination", "reason")

    def offer(self, *, has_charge: bool, has_buyer: bool, has_balance: bool) -> None:
        """Offer only the ways that this order's money can go."""
        ways = {
            "instrument": has_charge,
            "wallet": has_buyer and not has_balance,
            "balance": has_balance,
        }
        field: Any = self.fields["destination"]
        field.choices = [(name, label) for name, label in field.choices if ways[name]]


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what waits, what was refunded last, and one of them; a POST calls the service of the button."""
    require(request, _SEE)
    refund_id = asked_for(reference, "re")
    waiting = refunds_at_desk(waiting=True, limit=_MOST)
    latest = refunds_at_desk(waiting=False, limit=_LATEST)
    if refund_id is None and (waiting or latest):
        refund_id = (waiting or latest)[0].id
    refund = find_refund(refund_id=refund_id) if refund_id else None
    if reference and refund is None:
        raise Http404
    form = ShortReasonForm(request.POST or None)
    if request.method == "POST":
        if refund is None:
            raise Http404
        answer = _act(request, refund, form)
        if answer is not None:
            return answer
    context = {
        "form": form,
        "queues": [
            {"name": _("Waits for a second person"), "lines": _lines(waiting, refund_id)},
            {"name": _("The latest"), "lines": _lines(latest, refund_id)},
        ],
        **(_evidence(request, refund) if refund else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/refunds.html", _("Refunds"), context, status=status)


def new(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask for a refund of one order."""
    require(request, _ASK)
    order_id = parse_public_id(reference, "pay")
    order = find_refundable(order_id=order_id) if order_id else None
    if order is None:
        raise Http404
    left = format_minor(order.left_minor, order.currency)
    way = "instrument" if order.has_charge else "balance" if order.kinds else "wallet"
    initial = {"amount": left, "destination": way}
    form = RefundForm(request.POST or None, initial=initial)
    form.offer(
        has_charge=order.has_charge, has_buyer=bool(order.buyer_account), has_balance=bool(order.kinds)
    )
    if request.method == "POST" and form.is_valid():
        made = _ask(request, order, form)
        if made is not None:
            return redirect("console:refund", made)
    bound = needs_two_people(merchant_id=order.merchant_id, currency=order.currency)
    context = {
        "form": form,
        "order": order,
        "reference": reference,
        "captured": amount(order.captured_minor, order.currency),
        "left": amount(order.left_minor, order.currency),
        "is_refundable": order.left_minor > 0,
        "kinds": ", ".join(str(KINDS[kind]) for kind in order.kinds),
        "bound": amount(bound, order.currency),
        "merchant": merchant_names(merchant_ids=[order.merchant_id]).get(order.merchant_id, ""),
        "checkout_url": reverse("console:payment", args=[public_id("chk", order.checkout_id)]),
    }
    status = 422 if form.errors else 200
    return show(request, "console/refund_new.html", _("Refund an order"), context, status=status)


def _ask(request: HttpRequest, order: RefundableOrder, form: RefundForm) -> str | None:
    said = form.cleaned_data
    wanted = RefundRequest(
        payment_order_id=public_id("pay", order.id),
        amount=said["amount"],
        destination="" if said["destination"] == "balance" else said["destination"],
        reason=said["reason"],
    )
    try:
        refund = at_edge(ask_for_refund)(
            merchant_id=order.merchant_id, request=wanted, reason=said["reason"], maker=actor(request)
        )
    except DomainError as error:
        form.add_error(error.param if error.param in form.fields else None, error.message)
        return None
    if refund.status == "IN_REVIEW":
        messages.success(request, _("Reserved. A second person must say yes before it is sent."))
    else:
        messages.success(request, _("The refund was accepted."))
    return public_id("re", refund.id)


def _act(request: HttpRequest, refund: RefundData, form: ShortReasonForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, refund, said["reason"]),
        back=reverse("console:refund", args=[public_id("re", refund.id)]),
    )


def _run(request: HttpRequest, what: str, refund: RefundData, reason: str) -> str:
    if what == "cancel":
        at_edge(cancel_refund)(refund_id=refund.id, by=actor(request), reason=reason)
        return what
    approval = _approval(refund.id)

    def service(asked: Approval, by: str) -> str:
        if what == "reject":
            at_decision_edge(reject_refund)(approval_id=asked.pk, checker=by, reason=reason)
        else:
            at_decision_edge(approve_refund)(approval_id=asked.pk, checker=by)
        return what

    waiting = [approval] if approval else []
    # Who asked for it takes it back with a button of its own.
    return decide(request, waiting, is_yes=what != "reject", service=service, may_withdraw=False) or ""


def _units(back: WalletBack, currency: str) -> str:
    return amount(back.units_minor, POINTS if back.kind == "points" else currency)


def _approval(refund_id: UUID) -> Approval | None:
    rows = Approval.objects.filter(subject=public_id("re", refund_id), action=REFUND_ACTION, status="PENDING")
    return rows.order_by("-requested_at").first()


def _lines(found: list[RefundData], chosen: UUID | None) -> list[dict[str, Any]]:
    return [
        {
            "subject": public_id("re", each.id),
            "is_chosen": each.id == chosen,
            "value": amount(each.amount_minor, each.currency),
            "status": state(each.status, LOOKS[each.status]),
            "orders": ", ".join(part.payment_order_id for part in each.parts),
            "created_at": each.created_at,
        }
        for each in found
    ]


def _evidence(request: HttpRequest, refund: RefundData) -> dict[str, Any]:
    subject, user = public_id("re", refund.id), request.user
    approval = _approval(refund.id) if refund.status == "IN_REVIEW" else None
    if approval:
        name_people([approval], ("maker", "checker"))
    cases = list(Case.objects.filter(subject=subject).exclude(status="CLOSED").order_by("pk"))
    return {
        "refund": refund,
        "reference": subject,
        "amount": amount(refund.amount_minor, refund.currency),
        "status": state(refund.status, LOOKS[refund.status]),
        "origin": _ORIGINS[refund.origin],
        "merchant": merchant_names(merchant_ids=[refund.merchant_id]).get(refund.merchant_id, ""),
        "parts": [
            {
                "payment_order_id": each.payment_order_id,
                "seller_account": each.seller_account,
                "amount": amount(each.amount_minor, refund.currency),
                "seller": amount(each.seller_minor, refund.currency),
                "commission": amount(each.commission_minor, refund.currency),
                "tax": amount(each.tax_minor, refund.currency),
            }
            for each in refund.parts
        ],
        "wallets": [
            {
                "kind": KINDS[each.kind],
                "url": reverse("admin:wallet_wallet_change", args=[each.wallet_id]),
                "units": _units(each, refund.currency),
                "worth": amount(each.worth_minor, refund.currency),
            }
            for each in refund.wallets
        ],
        "cases": [
            {"summary": case.summary, "url": reverse("admin:core_case_change", args=[case.pk])}
            for case in cases
        ],
        "checkout_url": reverse("console:payment", args=[public_id("chk", refund.checkout_id)]),
        "approval": approval,
        "approval_by": person(approval, approval.maker) if approval else "",
        "is_my_request": bool(approval and approval.maker == actor(request)),
        "chapters": story_layout(
            refund_story(merchant_id=refund.merchant_id, refund_id=refund.id),
            may=user.has_perm,
        ),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }
