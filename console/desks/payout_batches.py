"""The desk of batches: what was sent together, what nobody knows the end of, and the file that left."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from channels.selectors import get_channel
from console.acting import ReasonForm, act, asked_for, decide, neighbours
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, name_people, person, state
from core.approvals import at_decision_edge
from core.errors import DomainError
from core.ids import public_id
from core.models import Approval
from core.transactions import at_edge
from merchants.selectors import merchant_names
from payments.selectors import story_layout
from payouts.selectors import (
    BATCH_LOOKS,
    OUTCOME_ACTIONS,
    SENDING_LOOKS,
    BatchAtDesk,
    BatchEnd,
    batch_story,
    batches_in_doubt,
    find_batch,
    sendings_in,
)
from payouts.services import (
    approve_batch_outcome,
    ask_about_batch,
    read_batch_file,
    reject_batch_outcome,
    request_batch_outcome,
)

__all__ = ["desk", "file"]

_SEE, _ASK, _DECIDE = "payouts.view_payoutbatch", "payouts.change_payout", "payouts.approve_payout"
_MOST = 100
_ENDS: dict[str, BatchEnd] = {"taken": "taken", "never_received": "never_received"}
_NEEDS = {
    "ask": _ASK,
    "taken": _ASK,
    "never_received": _ASK,
    "approve": _DECIDE,
    "reject": _DECIDE,
}
_DONE = {
    "ask": gettext_lazy("The provider is being asked now. Load the page again in a few seconds."),
    "taken": gettext_lazy("A second person was asked for a yes."),
    "never_received": gettext_lazy("A second person was asked for a yes."),
    "approve": gettext_lazy("Done, as two people decided."),
    "reject": gettext_lazy("Rejected. The provider is asked on."),
}


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show the batches in doubt and one batch; a POST calls the service behind the button."""
    require(request, _SEE)
    batch_id = asked_for(reference, "pob")
    found = batches_in_doubt(limit=_MOST + 1)
    if batch_id is None and found:
        batch_id = found[0].id
    batch = find_batch(batch_id=batch_id) if batch_id else None
    if reference and batch is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        if batch is None:
            raise Http404
        answer = _act(request, batch, form)
        if answer is not None:
            return answer
    lines = _lines(found[:_MOST], batch_id)
    context = {
        "form": form,
        "lines": lines,
        "is_cut": len(found) > _MOST,
        **neighbours(lines),
        **(_evidence(request, batch) if batch else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/payout_batches.html", _("Payout batches"), context, status=status)


@require_POST
def file(request: HttpRequest, reference: str) -> HttpResponse:
    """Hand out the file of a batch, to who decides; that it was read stands in the audit trail."""
    require(request, _DECIDE)
    batch_id = asked_for(reference, "pob")
    if batch_id is None:
        raise Http404
    try:
        message = at_edge(read_batch_file)(batch_id=batch_id, by=actor(request))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("console:payout-batch", reference)
    answer = HttpResponse(message.content, content_type="application/octet-stream")
    name = "".join(char if char.isalnum() or char in "-_." else "_" for char in message.file_name)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _act(request: HttpRequest, batch: BatchAtDesk, form: ReasonForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, batch, said["reason"]),
        back=reverse("console:payout-batch", args=[batch.public_id]),
    )


def _run(request: HttpRequest, what: str, batch: BatchAtDesk, reason: str) -> str:
    by = actor(request)
    if what == "ask":
        at_edge(ask_about_batch)(batch_id=batch.id, by=by, reason=reason)
        return what
    if end := _ENDS.get(what):
        at_edge(request_batch_outcome)(batch_id=batch.id, end=end, evidence=reason, maker=by)
        return what

    def service(asked: Approval, checker: str) -> str:
        if what == "approve":
            at_decision_edge(approve_batch_outcome)(approval_id=asked.pk, checker=checker)
        else:
            at_decision_edge(reject_batch_outcome)(approval_id=asked.pk, checker=checker, reason=reason)
        return what

    return decide(request, _approvals(batch), is_yes=what == "approve", service=service) or ""


def _approvals(batch: BatchAtDesk) -> list[Approval]:
    rows = Approval.objects.filter(
        subject=batch.public_id, action__in=OUTCOME_ACTIONS.values(), status="PENDING"
    )
    return list(rows.filter(expires_at__gt=clock.now()).order_by("requested_at"))


def _lines(found: list[BatchAtDesk], chosen: UUID | None) -> list[dict[str, Any]]:
    return [
        {
            "subject": each.public_id,
            "is_chosen": each.id == chosen,
            "value": amount(each.total_minor, each.currency),
            "count": each.payouts_count,
            "since": each.first_sent_at,
            "channel": get_channel(channel_id=each.channel_id).name,
        }
        for each in found
    ]


def _evidence(request: HttpRequest, batch: BatchAtDesk) -> dict[str, Any]:
    user, me = request.user, actor(request)
    approvals = _approvals(batch) if batch.status == "UNKNOWN" else []
    name_people(approvals, ("maker",))
    return {
        "batch": batch,
        "reference": batch.public_id,
        "total": amount(batch.total_minor, batch.currency),
        "status": state(batch.status, BATCH_LOOKS[batch.status]),
        "merchant": merchant_names(merchant_ids=[batch.merchant_id]).get(batch.merchant_id, ""),
        "channel": get_channel(channel_id=batch.channel_id).name,
        "sendings": [
            {
                "payout": public_id("po", each.payout_id),
                "position": each.position,
                "reference": each.reference,
                "seller": each.seller_account,
                "amount": amount(each.amount_minor, each.currency),
                "state": state(each.status, SENDING_LOOKS[each.status]),
                "why": (each.failure or {}).get("message", ""),
            }
            for each in sendings_in(batch_id=batch.id)
        ],
        "approvals": [
            {
                "key": each.pk,
                "by": person(each, each.maker),
                "at": each.requested_at,
                "is_mine": each.maker == me,
                "said": each.instruction,
                "total": amount(each.instruction["total_minor"], each.instruction["currency"]),
            }
            for each in approvals
        ],
        "is_unknown": batch.status == "UNKNOWN",
        "can_be_asked": batch.status in ("UNKNOWN", "SUBMITTED") and batch.due_at is not None,
        "chapters": story_layout(batch_story(batch_id=batch.id), may=user.has_perm),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }
