"""The desk of sellers' money: what waits for release and why, what is in reserve, and debts given up by two.

Without a wallet in the address it opens on the greatest debt; each seller's wallet links here.
"""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import ReasonForm, act, decide
from console.frame import actor, require, show
from core.admin_display import amount, name_people, person
from core.approvals import at_decision_edge
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.transactions import at_edge
from merchants.selectors import get_seller, merchant_names, owner_names
from payments.selectors import WaitingOrder, waiting_of_seller, waiting_words
from wallet.selectors import BUCKETS, WRITE_OFF, debts, find_wallet, open_tranches
from wallet.services import reject_write_off, request_write_off, write_off_debt
from wallet.types import WalletData

__all__ = ["desk"]

_SEE, _PROPOSE, _DECIDE = "wallet.view_wallet", "wallet.change_wallet", "wallet.approve_wallet"
_MOST, _SHOWN = 100, 25
_NEEDS = {"write_off": _PROPOSE, "approve": _DECIDE, "reject": _DECIDE}
_DONE = {
    "write_off": gettext_lazy("A second person was asked for a yes."),
    "approve": gettext_lazy("The debt is written off, and the loss is in the books."),
    "reject": gettext_lazy("Rejected. The seller goes on owing."),
}
_BUCKET_NAMES = {
    "pending": gettext_lazy("Pending"),
    "available": gettext_lazy("Available"),
    "held": gettext_lazy("Held"),
    "receivable": gettext_lazy("Owed"),
}


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show the debts and one seller's money; a POST calls the service behind the button."""
    require(request, _SEE)
    found = debts(limit=_MOST + 1)
    wallet = _chosen(reference, found)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        if wallet is None:
            raise Http404
        answer = _act(request, wallet, form)
        if answer is not None:
            return answer
    context = {
        "lines": _lines(found[:_MOST], wallet),
        "is_cut": len(found) > _MOST,
        "form": form,
        "reference": public_id("wal", wallet.id) if wallet else "",
        **(_money(request, wallet) if wallet else {}),
    }
    return show(
        request, "console/sellers.html", _("Sellers' money"), context, status=422 if form.errors else 200
    )


def _chosen(reference: str, found: list[WalletData]) -> WalletData | None:
    if not reference:
        return found[0] if found else None
    wallet_id = parse_public_id(reference, "wal")
    wallet = find_wallet(wallet_id=wallet_id) if wallet_id else None
    if wallet is None or wallet.owner_type != "seller":
        raise Http404
    return wallet


def _act(request: HttpRequest, wallet: WalletData, form: ReasonForm) -> HttpResponse | None:
    return act(
        request,
        form,
        needs=_NEEDS,
        done=_DONE,
        run=lambda what, said: _run(request, what, wallet, said["reason"]),
        back=_place(wallet.id),
    )


def _run(request: HttpRequest, what: str, wallet: WalletData, reason: str) -> str:
    if what == "write_off":
        at_edge(request_write_off)(
            merchant_id=wallet.merchant_id, wallet_id=wallet.id, reason=reason, maker=actor(request)
        )
        return what
    approval = _approval(wallet.id)

    def service(asked: Approval, by: str) -> str:
        if what == "approve":
            at_decision_edge(write_off_debt)(approval_id=asked.pk, checker=by)
        else:
            at_decision_edge(reject_write_off)(approval_id=asked.pk, checker=by, reason=reason)
        return what

    is_yes = what == "approve"
    return decide(request, [approval] if approval else [], is_yes=is_yes, service=service) or ""


def _approval(wallet_id: UUID) -> Approval | None:
    rows = Approval.objects.filter(subject=public_id("wal", wallet_id), action=WRITE_OFF, status="PENDING")
    return rows.order_by("-requested_at").first()


def _lines(found: list[WalletData], chosen: WalletData | None) -> list[dict[str, Any]]:
    names = owner_names(owner_ids={wallet.owner_id for wallet in found})
    merchants = merchant_names(merchant_ids={wallet.merchant_id for wallet in found})
    return [
        {
            "subject": public_id("wal", wallet.id),
            "is_chosen": bool(chosen and wallet.id == chosen.id),
            "owed": amount(wallet.receivable_minor, wallet.currency),
            "seller": names.get(wallet.owner_id, ""),
            "merchant": merchants.get(wallet.merchant_id, ""),
        }
        for wallet in found
    ]


def _money(request: HttpRequest, wallet: WalletData) -> dict[str, Any]:
    user, currency = request.user, wallet.currency
    seller = get_seller(merchant_id=wallet.merchant_id, seller_id=wallet.owner_id)
    approval = _approval(wallet.id)
    if approval:
        name_people([approval], ("maker",))
    # Where nothing is pending there is nothing to look for.
    waiting = (
        waiting_of_seller(seller_id=wallet.owner_id, currency=currency, limit=_SHOWN + 1)
        if wallet.pending_minor
        else []
    )
    tranches = open_tranches(wallet_id=wallet.id, limit=_SHOWN)
    return {
        "seller": seller,
        "terms": seller.terms,
        "reserve_percent": f"{seller.terms.reserve_bps // 100}.{seller.terms.reserve_bps % 100:02d}",
        "merchant": merchant_names(merchant_ids=[wallet.merchant_id]).get(wallet.merchant_id, ""),
        "wallet_url": reverse("admin:wallet_wallet_change", args=[wallet.id]),
        "buckets": [
            {"name": _BUCKET_NAMES[name], "amount": amount(getattr(wallet, f"{name}_minor"), currency)}
            for name in BUCKETS
        ],
        "is_owing": bool(wallet.receivable_minor),
        "owed": amount(wallet.receivable_minor, currency),
        "waiting": [_order(each) for each in waiting[:_SHOWN]],
        "has_more": len(waiting) > _SHOWN,
        "tranches": [
            {"amount": amount(each.amount_minor, currency), "until": each.expires_at} for each in tranches
        ],
        "approval": approval,
        "approved_amount": amount(approval.instruction["amount_minor"], currency) if approval else "",
        "approval_by": person(approval, approval.maker) if approval else "",
        "is_my_request": bool(approval and approval.maker == actor(request)),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }


def _order(each: WaitingOrder) -> dict[str, Any]:
    return {
        "payment_order_id": each.payment_order_id,
        "url": reverse("console:payment", args=[public_id("chk", each.checkout_id)]),
        "amount": amount(each.unreleased_minor, each.currency),
        "why": waiting_words(each),
    }


def _place(wallet_id: UUID) -> str:
    return reverse("console:sellers-item", args=[public_id("wal", wallet_id)])
