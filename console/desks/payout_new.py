"""Finance asks for a payout in a seller's place: whose money, how much of it, and to which account."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from console.acting import reason_field
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount
from core.admin_names import shown_name
from core.errors import DomainError, NotFound
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from merchants.selectors import find_seller, get_seller, list_merchants, merchant_names
from payouts.selectors import find_payout, is_usable, list_destinations
from payouts.services import ask_for_payout
from payouts.types import DestinationData
from wallet.selectors import find_wallet, wallets_of
from wallet.types import WalletData

__all__ = ["choose", "new"]

_ASK = "payouts.change_payout"
_MOST = 100


class SellerForm(forms.Form):
    """Whose money."""

    merchant = forms.ChoiceField(label=gettext_lazy("Merchant"), widget=UnfoldAdminSelectWidget())
    seller = forms.CharField(
        label=gettext_lazy("Seller"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The store's seller_account, or a sel_…"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["merchant"]
        field.choices = [
            (public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()
        ]


class PayoutForm(forms.Form):
    """How much, to where, and why. `form_id` makes a second click the same request."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    destination = forms.ChoiceField(label=gettext_lazy("To"), widget=UnfoldAdminRadioSelectWidget())
    reason = reason_field()
    form_id = forms.UUIDField(widget=forms.HiddenInput())

    def offer(self, places: list[DestinationData]) -> None:
        """Offer the seller's accounts that money may be sent to now."""
        field: Any = self.fields["destination"]
        field.choices = [(each.public_id, _account(each)) for each in places]


def choose(request: HttpRequest) -> HttpResponse:
    """Find the seller, and the wallets that it has."""
    require(request, _ASK)
    form = SellerForm(request.GET or None)
    wallets: list[WalletData] = []
    if request.GET and form.is_valid():
        merchant_id = parse_public_id(form.cleaned_data["merchant"], "mer")
        try:
            assert merchant_id is not None, "the form offers merchants only"
            seller = find_seller(merchant_id=merchant_id, reference=form.cleaned_data["seller"])
            wallets = _spendable(merchant_id, seller.id)
        except NotFound:
            form.add_error("seller", _("The merchant has no such seller."))
        if len(wallets) == 1:
            return redirect("console:payout-of", public_id("wal", wallets[0].id))
    context = {
        "form": form,
        "is_asked": bool(request.GET) and not form.errors,
        "wallets": [
            {"id": public_id("wal", each.id), "amount": amount(each.available_minor, each.currency)}
            for each in wallets
        ],
    }
    return show(request, "console/payout_choose.html", _("Ask for a payout"), context)


def new(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask for a payout out of one wallet of a seller."""
    require(request, _ASK)
    wallet = _wallet(reference)
    seller = get_seller(merchant_id=wallet.merchant_id, seller_id=wallet.owner_id)
    every = _places(wallet)
    places = [each for each in every if is_usable(each, at=clock.now())]
    usual = next((each for each in places if each.is_default), None)
    initial = {"form_id": uuid4(), "destination": usual.public_id if usual else None}
    form = PayoutForm(request.POST or None, initial=initial)
    form.offer(places)
    if request.method == "POST" and form.is_valid():
        made = _ask(request, wallet, seller.public_id, form)
        if made is not None:
            return redirect("console:payout", public_id("po", made))
    context = {
        "form": form,
        "reference": reference,
        "seller": seller,
        "seller_name": shown_name(seller.name),
        "merchant": merchant_names(merchant_ids=[wallet.merchant_id]).get(wallet.merchant_id, ""),
        "available": amount(wallet.available_minor, wallet.currency),
        "has_places": bool(places),
        "closed": [_account(each) for each in every if each not in places],
    }
    status = 422 if form.errors else 200
    return show(request, "console/payout_new.html", _("Ask for a payout"), context, status=status)


def _ask(request: HttpRequest, wallet: WalletData, seller: str, form: PayoutForm) -> UUID | None:
    said = form.cleaned_data
    try:
        made = at_edge(ask_for_payout)(
            merchant_id=wallet.merchant_id,
            seller=seller,
            amount=said["amount"],
            currency=wallet.currency,
            destination=said["destination"],
            form_id=str(said["form_id"]),
            reason=said["reason"],
            maker=actor(request),
        )
    except DomainError as error:
        form.add_error(error.param if error.param in form.fields else None, error.message)
        return None
    payout = find_payout(payout_id=made)
    if payout is not None and payout.status == "IN_REVIEW":
        messages.success(request, _("The money is set aside. A second person must say yes before it leaves."))
    else:
        messages.success(request, _("The payout was accepted."))
    return made


def _wallet(reference: str) -> WalletData:
    key = parse_public_id(reference, "wal")
    wallet = find_wallet(wallet_id=key) if key else None
    if wallet is None or wallet.owner_type != "seller":
        raise Http404
    return wallet


def _spendable(merchant_id: UUID, seller_id: UUID) -> list[WalletData]:
    mine = wallets_of(merchant_id=merchant_id, owner_type="seller", owner_id=seller_id)
    return [each for each in mine if each.kind == "cash"]


def _places(wallet: WalletData) -> list[DestinationData]:
    found = list_destinations(merchant_id=wallet.merchant_id, seller_id=wallet.owner_id, limit=_MOST)
    gone = ("REMOVED", "REJECTED")
    return [each for each in found.items if each.currency == wallet.currency and each.status not in gone]


def _account(place: DestinationData) -> str:
    bank = f", {place.bank}" if place.bank else ""
    return f"{place.country} …{place.last4}{bank} ({place.status.lower()})"
