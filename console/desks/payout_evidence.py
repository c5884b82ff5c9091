"""What the desk shows about one payout: the instruction, the seller's habits, gates and history."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.desks import payout_journals
from console.desks.payout_differences import differences
from console.frame import actor
from core import clock
from core.admin_display import amount, name_people, person, state
from core.admin_names import shown_name
from core.ids import public_id
from core.models import Approval, Case
from merchants.selectors import get_seller, merchant_names
from payments.selectors import story_layout
from payouts.selectors import (
    APPROVE_ACTION,
    PAYOUT_CANCELABLE,
    PAYOUT_LOOKS,
    RETURN_ACTION,
    SENDING_LOOKS,
    PayoutAtDesk,
    approval_subject,
    get_destination,
    instruction_of,
    name_evidence,
    payout_gates,
    payout_story,
    sendings_of,
)
from payouts.types import InstructionData
from wallet.selectors import get_wallet

__all__ = ["evidence", "request_to_approve", "requests_to_return"]

_ORIGINS = {
    "api": gettext_lazy("The store asked for it"),
    "console": gettext_lazy("Finance asked"),
    "schedule": gettext_lazy("On schedule"),
}
_GATES = {
    "seller": gettext_lazy("Seller"),
    "destination": gettext_lazy("Account"),
    "block": gettext_lazy("Blocks"),
    "debt": gettext_lazy("Debt"),
    "channel": gettext_lazy("Channel"),
}
_WORDS = {
    "amount": gettext_lazy("amount"),
    "fee": gettext_lazy("fee"),
    "payee": gettext_lazy("account"),
    "channel": gettext_lazy("channel"),
    "rail": gettext_lazy("rail"),
    "execute_on": gettext_lazy("day"),
    "reference": gettext_lazy("reference"),
}


def request_to_approve(payout_id: UUID) -> Approval | None:
    """Return what waits for a second person's yes before a payout leaves, if anything does."""
    rows = Approval.objects.filter(
        subject=approval_subject(payout_id), action=APPROVE_ACTION, status="PENDING"
    )
    return rows.filter(expires_at__gt=clock.now()).order_by("-requested_at").first()


def requests_to_return(payout_id: UUID) -> list[Approval]:
    """Return what waits for a second person's yes to: it came back."""
    rows = Approval.objects.filter(subject=public_id("po", payout_id), action=RETURN_ACTION, status="PENDING")
    return list(rows.filter(expires_at__gt=clock.now()).order_by("requested_at"))


def evidence(request: HttpRequest, payout: PayoutAtDesk) -> dict[str, Any]:
    """Return what the page says of a payout."""
    user, whose = request.user, {"merchant_id": payout.merchant_id}
    to = get_destination(**whose, destination_id=payout.destination_id)
    seller = get_seller(**whose, seller_id=payout.seller_id)
    leaves = instruction_of(payout_id=payout.id)
    cases = Case.objects.filter(subject=payout.public_id).exclude(status="CLOSED").order_by("pk")
    return {
        "payout": payout,
        "reference": payout.public_id,
        "amount": amount(payout.amount_minor, payout.currency),
        "fee": amount(payout.fee_minor, payout.currency),
        "taken": amount(payout.amount_minor + payout.fee_minor, payout.currency),
        "status": state(payout.status, PAYOUT_LOOKS[payout.status]),
        "merchant": merchant_names(merchant_ids=[payout.merchant_id]).get(payout.merchant_id, ""),
        "seller": seller,
        "seller_name": shown_name(seller.name),
        "to": to,
        "to_url": reverse("console:destination", args=[to.public_id]),
        "payee": _payee(request, payout),
        "leaves": leaves.instruction,
        "digest": leaves.digest,
        "differences": (found := differences(payout, to)),
        "alarms": [each for each in found if each.look == "failed"],
        **_gates(payout),
        **_wallet(payout),
        "sendings": _sendings(payout),
        "cases": [
            {"summary": case.summary, "url": reverse("admin:core_case_change", args=[case.pk])}
            for case in cases
        ],
        **_decision(payout, leaves, actor(request)),
        "returns": _returns(payout, actor(request)),
        "can_be_canceled": payout.status in PAYOUT_CANCELABLE,
        "is_out": payout.status in ("SENT", "PAID"),
        "posted_when_sent": payout_journals.sent(payout, leaves.instruction["rail"]),
        "posted_when_not": payout_journals.given_back(payout),
        "chapters": story_layout(payout_story(payout_id=payout.id), may=user.has_perm),
    }


def _decision(payout: PayoutAtDesk, leaves: InstructionData, me: str) -> dict[str, Any]:
    """Who asked and who decided, what waits for a yes, and what has changed since somebody asked."""
    approval = request_to_approve(payout.id) if payout.status == "IN_REVIEW" else None
    people = _People(payout, approval.maker if approval else "")
    name_people([people], ("maker", "requested_by", "approved_by"))
    return {
        "origin": _ORIGINS[payout.origin],
        "asked_by": person(people, payout.requested_by),
        "decided_by": _("the policy") if payout.is_automatic else person(people, payout.approved_by),
        "approval": approval,
        "approval_by": person(people, people.maker) if approval else "",
        "changed": _changed(approval, leaves) if approval else [],
        "is_mine": me in (payout.requested_by, people.maker),
    }


def _gates(payout: PayoutAtDesk) -> dict[str, Any]:
    found = payout_gates(payout_id=payout.id)
    shown = [
        {
            "name": _GATES.get(each.name, each.name),
            "state": state(_("open"), "done") if each.is_open else state(_("closed"), "failed"),
            "says": each.says,
        }
        for each in found
    ]
    return {"gates": shown, "is_closed": any(not each.is_open for each in found)}


def _wallet(payout: PayoutAtDesk) -> dict[str, Any]:
    wallet = get_wallet(merchant_id=payout.merchant_id, wallet_id=payout.wallet_id)
    buckets = (
        (_("Available"), wallet.available_minor),
        (_("Held"), wallet.held_minor),
        (_("Pending"), wallet.pending_minor),
        (_("Owed"), wallet.receivable_minor),
    )
    return {
        "buckets": [(name, amount(minor, wallet.currency)) for name, minor in buckets],
        "wallet_url": reverse("admin:wallet_wallet_change", args=[wallet.id]),
    }


class _People:
    """Who asked and who decided, in the form in which names are looked up."""

    def __init__(self, payout: PayoutAtDesk, maker: str) -> None:
        self.requested_by, self.approved_by, self.maker = payout.requested_by, payout.approved_by, maker


def _payee(request: HttpRequest, payout: PayoutAtDesk) -> str:
    """Whose account it is: in full for those who decide, its first letters for everybody else."""
    whose = {"merchant_id": payout.merchant_id, "destination_id": payout.destination_id}
    if request.user.has_perm("payouts.change_payout"):
        return shown_name(name_evidence(**whose).holder_name)
    return shown_name(get_destination(**whose).holder_name or "")


def _changed(approval: Approval, leaves: InstructionData) -> list[str]:
    """What is not any more as it was when somebody asked: for that nobody can say yes."""
    then: Mapping[str, Any] = approval.instruction
    names = then.keys() | leaves.instruction.keys()
    return sorted(
        str(_WORDS.get(name, name)) for name in names if then.get(name) != leaves.instruction.get(name)
    )


def _sendings(payout: PayoutAtDesk) -> list[dict[str, Any]]:
    return [
        {
            "reference": each.reference,
            "provider_reference": each.provider_reference or "–",
            "state": state(each.status, SENDING_LOOKS[each.status]),
            "sent_at": each.sent_at,
            "file_name": each.file_name,
            "position": each.position,
            "failure": each.failure,
            "batch": public_id("pob", each.batch_id),
        }
        for each in sendings_of(payout_id=payout.id)
    ]


def _returns(payout: PayoutAtDesk, me: str) -> list[dict[str, Any]]:
    found = requests_to_return(payout.id)
    name_people(found, ("maker",))
    return [
        {
            "key": each.pk,
            "by": person(each, each.maker),
            "at": each.requested_at,
            "is_mine": each.maker == me,
            "said": each.instruction,
            "posted": payout_journals.returned(
                each.instruction["amount_minor"], each.instruction["fee_minor"], payout.currency
            ),
        }
        for each in found
    ]
