"""The desk of blocks: what stops money from leaving; one person stops it, another one lets it go."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from console.acting import ReasonForm, act, neighbours, reason_field
from console.frame import actor, require, show
from core import clock
from core.admin_display import name_people, person, state
from core.errors import DomainError, NotFound
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from merchants.selectors import find_seller, list_merchants, merchant_names, owner_names
from payouts.selectors import blocks_at_desk, find_block
from payouts.services import lift_block, place_block
from payouts.types import BlockData

__all__ = ["desk", "new"]

_SEE, _PLACE, _LIFT = (
    "payouts.view_payoutblock",
    "payouts.change_payoutblock",
    "payouts.approve_payoutblock",
)
_MOST = 100
_NEEDS = {"lift": _LIFT}
_DONE = {"lift": gettext_lazy("Lifted. What it stopped is looked at again within a minute.")}


class BlockForm(forms.Form):
    """Whose money is stopped, and why."""

    merchant = forms.ChoiceField(label=gettext_lazy("Merchant"), widget=UnfoldAdminSelectWidget())
    seller = forms.CharField(
        label=gettext_lazy("Seller"),
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The store's seller_account, or a sel_…. All sellers, if it is left empty."),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("EUR, say. All currencies, if it is left empty."),
    )
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["merchant"]
        field.choices = [
            (public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()
        ]


def desk(request: HttpRequest, block_id: UUID | None = None) -> HttpResponse:
    """Show what stands and one block; a POST lifts it."""
    require(request, _SEE)
    found = blocks_at_desk(limit=_MOST + 1)
    key = block_id or (found[0].id if found else None)
    block = find_block(block_id=key) if key else None
    if block_id and block is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        if block is None:
            raise Http404
        answer = _act(request, block, form)
        if answer is not None:
            return answer
    lines = _lines(found[:_MOST], key)
    context = {
        "form": form,
        "lines": lines,
        "is_cut": len(found) > _MOST,
        **neighbours(lines),
        "may": {"lift": request.user.has_perm(_LIFT), "place": request.user.has_perm(_PLACE)},
        **(_evidence(request, block) if block else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/payout_blocks.html", _("Payout blocks"), context, status=status)


def new(request: HttpRequest) -> HttpResponse:
    """Stop money: one person is enough."""
    require(request, _PLACE)
    form = BlockForm(request.POST or None, initial={"seller": request.GET.get("seller", "")})
    if request.method == "POST" and form.is_valid():
        made = _place(request, form)
        if made is not None:
            return redirect("console:payout-block", made.id)
    status = 422 if form.errors else 200
    return show(request, "console/payout_block_new.html", _("Stop payouts"), {"form": form}, status=status)


def _place(request: HttpRequest, form: BlockForm) -> BlockData | None:
    said = form.cleaned_data
    merchant_id = parse_public_id(said["merchant"], "mer")
    assert merchant_id is not None, "the form offers merchants only"
    try:
        seller = find_seller(merchant_id=merchant_id, reference=said["seller"]) if said["seller"] else None
        made = at_edge(place_block)(
            merchant_id=merchant_id,
            seller_id=seller.id if seller else None,
            source="finance",
            reason=said["reason"],
            by=actor(request),
            currency=said["currency"].upper(),
        )
    except NotFound:
        form.add_error("seller", _("The merchant has no such seller."))
        return None
    except DomainError as error:
        form.add_error(error.param if error.param in form.fields else None, error.message)
        return None
    messages.success(request, _("Stopped. What was not sent yet waits until somebody else lifts it."))
    return made


def _act(request: HttpRequest, block: BlockData, form: ReasonForm) -> HttpResponse | None:
    def run(what: str, said: dict[str, Any]) -> str:
        by = actor(request)
        if by == block.placed_by:
            raise PermissionDenied(_("A second person must decide this."))
        at_edge(lift_block)(block_id=block.id, by=by, reason=said["reason"])
        return what

    back = reverse("console:payout-block", args=[block.id])
    return act(request, form, needs=_NEEDS, done=_DONE, run=run, back=back)


def _lines(found: list[BlockData], chosen: UUID | None) -> list[dict[str, Any]]:
    names = owner_names(owner_ids={each.seller_id for each in found if each.seller_id})
    now = clock.now()
    return [
        {
            "subject": each.id,
            "is_chosen": each.id == chosen,
            "whose": names.get(each.seller_id, "") if each.seller_id else _("All sellers"),
            "currency": each.currency or _("all currencies"),
            "age": timesince(each.placed_at, now),
            "reason": each.reason,
        }
        for each in found
    ]


def _evidence(request: HttpRequest, block: BlockData) -> dict[str, Any]:
    people = _People(block)
    name_people([people], ("placed_by", "lifted_by"))
    names = owner_names(owner_ids={block.seller_id}) if block.seller_id else {}
    return {
        "shown": block,
        "status": state(_("Lifted"), "over") if block.lifted_at else state(_("Stands"), "waiting"),
        "merchant": merchant_names(merchant_ids=[block.merchant_id]).get(block.merchant_id, ""),
        "whose": names.get(block.seller_id, "") if block.seller_id else _("All sellers"),
        "placed_by": person(people, block.placed_by),
        "lifted_by": person(people, block.lifted_by),
        "is_mine": block.placed_by == actor(request),
    }


class _People:
    """Who stopped it and who let it go, in the form in which names are looked up."""

    def __init__(self, block: BlockData) -> None:
        self.placed_by, self.lifted_by = block.placed_by, block.lifted_by
