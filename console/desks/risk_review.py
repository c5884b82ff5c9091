"""The risk desk: held payments at the left, the evidence in the middle, the decision at the right."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from console.frame import actor, require, show
from console.queues import Queue, QueueLine, queue_of
from core.admin_display import amount, state
from core.cases import assign_case, release_case
from core.errors import DomainError
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import HeldPayment, held_payment, payment_briefs
from payments.services import approve_review, reject_review
from risk.selectors import FactData, decisions_of, found_words, related_facts, vendor_check_of

__all__ = ["desk"]

KIND = "risk_review"
_SEE, _DECIDE = "risk.view_riskdecision", "risk.add_riskdecision"
_DECISION_LOOKS = {"approve": "done", "review": "waiting", "decline": "failed"}
_FACT_LOOKS = {"paid": "done", "declined": "failed"}
_STATUS_LOOKS = {"succeeded": "done", "failed": "failed", "in_review": "waiting", "processing": "progress"}
_NEEDS = dict.fromkeys(("take", "release", "approve", "reject"), _DECIDE)
_DONE = {
    "approve": gettext_lazy("Approved. The payment is on its way to the provider."),
    "reject": gettext_lazy("Rejected. The buyer and the store are told that it was declined."),
    "take": gettext_lazy("It is yours."),
    "release": gettext_lazy("It is back in the queue."),
}


class DecisionForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "It is kept in the audit trail with your name. Buyers and stores never see it."
        ),
    )


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show the queue and one payment of it; a POST takes, gives back, approves or rejects."""
    require(request, _SEE)
    if reference and parse_public_id(reference, "chk") is None:
        raise Http404
    queue = queue_of(kind=KIND, subject=reference)
    form = DecisionForm()
    if request.method == "POST":
        answer, form = _act(request, queue)
        if answer is not None:
            return answer
    context = {
        "queue": queue,
        "reference": reference,
        "form": form,
        "may_decide": request.user.has_perm(_DECIDE),
        "is_mine": bool(queue.chosen and queue.chosen.owner_actor == actor(request)),
        **(_evidence(queue.chosen, may_know=request.user.has_perm(_DECIDE)) if queue.chosen else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/risk_review.html", _("Risk review"), context, status=status)


def _act(request: HttpRequest, queue: Queue) -> tuple[HttpResponse | None, DecisionForm]:
    """Call the service behind the button; the next payment is shown when this one is decided."""
    form, what = DecisionForm(request.POST), request.POST.get("action", "")
    if what not in _NEEDS:
        raise Http404
    require(request, _NEEDS[what])
    if queue.chosen is None:
        messages.warning(request, _("This was decided meanwhile; nothing was changed."))
        return redirect("console:risk-review"), form
    line = queue.chosen
    if what in ("approve", "reject") and not form.is_valid():
        return None, form
    try:
        at_edge(_run)(what, line, actor(request), form.data.get("reason", ""))
    except DomainError as error:
        if error.param == "reason":
            form.add_error("reason", error.message)
            return None, form
        messages.error(request, error.message)
        return redirect(_place(line.subject)), form
    messages.success(request, _DONE[what])
    following = line.subject if what in ("take", "release") else queue.after or queue.before
    return redirect(_place(following)), form


def _run(what: str, line: QueueLine, by: str, reason: str) -> None:
    checkout_id = _key(line)
    if what == "approve":
        approve_review(checkout_id=checkout_id, by=by, reason=reason)
    elif what == "reject":
        reject_review(checkout_id=checkout_id, by=by, reason=reason)
    elif what == "take":
        assign_case(case_id=line.case_id, owner=by, by=by)
    else:
        release_case(case_id=line.case_id, by=by, reason=_("given back at the desk"))


def _key(line: QueueLine) -> UUID:
    key = parse_public_id(line.subject, "chk")
    if key is None:
        raise Http404
    return key


def _place(subject: str) -> str:
    return reverse("console:risk-review-item", args=[subject]) if subject else reverse("console:risk-review")


def _evidence(line: QueueLine, *, may_know: bool) -> dict[str, Any]:
    """Everything that speaks for or against the payment; who the buyer is only for those who decide."""
    key, merchant_id = _key(line), line.merchant_id
    assert merchant_id is not None, "a held payment has a merchant"
    held = held_payment(merchant_id=merchant_id, checkout_id=key)
    decisions = decisions_of(merchant_id=merchant_id, subject_id=key)
    by_rules = next((each for each in reversed(decisions) if each.source == "rules"), None)
    related = related_facts(merchant_id=merchant_id, subject_id=key)
    briefs = payment_briefs(merchant_id=merchant_id, checkout_ids=[each.subject_id for each in related])
    return {
        "held": held,
        "merchant": merchant_names(merchant_ids=[merchant_id]).get(merchant_id, ""),
        "totals": [amount(minor, currency) for currency, minor in held.totals.items()],
        "orders": [
            {**vars(each), "amount": amount(each.amount_minor, each.currency)} for each in held.orders
        ],
        "buyer": _buyer(held) if may_know else [],
        "rules": by_rules,
        "hits": [_hit(hit) for hit in (by_rules.hits if by_rules else [])],
        "check": vendor_check_of(merchant_id=merchant_id, subject_id=key),
        "related": _related(related, briefs),
    }


def _hit(hit: dict[str, Any]) -> dict[str, Any]:
    said = hit["decision"]
    shown = state(said, _DECISION_LOOKS[said]) if said else "–"
    return {**hit, "shown": shown, "found": found_words(detail=hit["detail"])}


def _related(facts: list[FactData], briefs: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """One line for each outcome; a payment without one is shown as it stands now."""
    ended = {each.subject_id for each in facts if each.kind != "accepted"}
    return [
        {
            "at": each.at,
            "id": public_id("chk", each.subject_id),
            "what": _status(briefs.get(each.subject_id, ""))
            if each.kind == "accepted"
            else state(each.kind, _FACT_LOOKS[each.kind]),
            "amount": amount(each.amount_minor, each.currency),
            "shares": ", ".join(each.shares),
            "detail": _card_words(each),
        }
        for each in facts
        if each.kind != "accepted" or each.subject_id not in ended
    ]


def _status(word: str) -> str:
    return state(word, _STATUS_LOOKS.get(word, "neutral")) if word else "–"


def _card_words(fact: FactData) -> str:
    parts = [
        f"{fact.card_brand} {fact.card_country}".strip(),
        fact.decline_code,
        f"CVC {fact.cvc}" if fact.cvc else "",
        f"AVS {fact.avs}" if fact.avs else "",
    ]
    return ", ".join(part for part in parts if part)


_BUYER_WORDS = {
    "buyer_account": gettext_lazy("Account"),
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "ip": gettext_lazy("IP address"),
    "device_id": gettext_lazy("Device"),
    "billing_address": gettext_lazy("Billing address"),
    "shipping_address": gettext_lazy("Shipping address"),
}


def _buyer(held: HeldPayment) -> list[tuple[Any, str]]:
    """What the store told of the buyer, field by field."""
    return [(says, _words(held.buyer[name])) for name, says in _BUYER_WORDS.items() if held.buyer.get(name)]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if isinstance(part, str | int))
    return str(value)
