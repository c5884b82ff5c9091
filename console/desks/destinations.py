"""The desk of destinations: accounts that nobody has verified yet, and what speaks for and against each."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import ReasonForm, act, asked_for, neighbours
from console.desks.payout_differences import of_name, of_twins
from console.frame import actor, require, show
from core import clock
from core.admin_display import name_people, person, state
from core.admin_names import shown_name
from core.models import Case
from core.transactions import at_edge
from merchants.selectors import get_seller, merchant_names
from payments.selectors import story_layout
from payouts.selectors import (
    DESTINATION_LOOKS,
    destination_story,
    destinations_at_desk,
    find_destination,
    name_evidence,
    payouts_to,
    twins_of,
)
from payouts.services import reject_destination, remove_destination, verify_destination
from payouts.types import DestinationData

__all__ = ["desk"]

_SEE, _STOP, _DECIDE = (
    "payouts.view_destination",
    "payouts.change_destination",
    "payouts.approve_destination",
)
_MOST = 100
# One person is enough to stop money; it takes another one than who added it to let it go.
_NEEDS = {"verify": _DECIDE, "reject": _STOP, "remove": _STOP}
_DONE = {
    "verify": gettext_lazy("Verified. Money may be sent there when its cool-down is over."),
    "reject": gettext_lazy("Rejected. Nothing is sent there."),
    "remove": gettext_lazy("Removed. Nothing is sent there any more."),
}
_SERVICES = {"verify": verify_destination, "reject": reject_destination, "remove": remove_destination}
_APPLIES = {
    "UNVERIFIED": ("verify", "reject", "remove"),
    "VERIFIED": ("reject", "remove"),
    "REJECTED": ("remove",),
    "REMOVED": (),
}


def desk(request: HttpRequest, reference: str = "") -> HttpResponse:
    """Show what waits to be verified and one account; a POST calls the service behind the button."""
    require(request, _SEE)
    key = asked_for(reference, "dst")
    found = destinations_at_desk(limit=_MOST + 1)
    if key is None and found:
        key = found[0].id
    place = find_destination(destination_id=key) if key else None
    if reference and place is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        if place is None:
            raise Http404
        answer = _act(request, place, form)
        if answer is not None:
            return answer
    lines = _lines(found[:_MOST], key)
    context = {
        "form": form,
        "lines": lines,
        "is_cut": len(found) > _MOST,
        **neighbours(lines),
        **(_evidence(request, place) if place else {}),
    }
    status = 422 if form.errors else 200
    return show(request, "console/destinations.html", _("Accounts of sellers"), context, status=status)


def _act(request: HttpRequest, place: DestinationData, form: ReasonForm) -> HttpResponse | None:
    def run(what: str, said: dict[str, Any]) -> str:
        by = actor(request)
        if what == "verify" and by == place.added_by:
            raise PermissionDenied(_("A second person must decide this."))
        at_edge(_SERVICES[what])(
            merchant_id=place.merchant_id, destination_id=place.id, by=by, reason=said["reason"]
        )
        return what

    back = reverse("console:destination", args=[place.public_id])
    return act(request, form, needs=_NEEDS, done=_DONE, run=run, back=back)


def _lines(found: list[DestinationData], chosen: UUID | None) -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "subject": each.public_id,
            "is_chosen": each.id == chosen,
            "account": f"{each.country} …{each.last4}",
            "currency": each.currency,
            "seller": each.seller_account,
            "age": timesince(each.created_at, now),
        }
        for each in found
    ]


def _evidence(request: HttpRequest, place: DestinationData) -> dict[str, Any]:
    user, whose = request.user, {"merchant_id": place.merchant_id, "destination_id": place.id}
    name, twins = name_evidence(**whose), twins_of(**whose)
    seller = get_seller(merchant_id=place.merchant_id, seller_id=place.seller_id)
    people = _People(place)
    name_people([people], ("added_by", "verified_by"))
    cases = Case.objects.filter(subject=place.public_id).exclude(status="CLOSED").order_by("pk")
    now, is_finance = clock.now(), user.has_perm(_STOP)
    return {
        "place": place,
        "reference": place.public_id,
        "status": state(place.status, DESTINATION_LOOKS[place.status]),
        "merchant": merchant_names(merchant_ids=[place.merchant_id]).get(place.merchant_id, ""),
        "seller": seller,
        "seller_name": shown_name(seller.name),
        "holder": shown_name(name.holder_name if is_finance else place.holder_name or ""),
        "added_by": person(people, place.added_by),
        "verified_by": person(people, place.verified_by),
        "is_mine": place.added_by == actor(request),
        "left": timeuntil(place.usable_from, now) if place.usable_from > now else "",
        "differences": [*of_name(name), *of_twins(place, twins)],
        "twins": [
            {
                "id": each.public_id,
                "seller": each.seller_account,
                "state": state(each.status, DESTINATION_LOOKS[each.status]),
                "is_own": each.seller_id == place.seller_id,
            }
            for each in twins
        ],
        "counts": payouts_to(destination_id=place.id),
        "cases": [
            {"summary": case.summary, "url": reverse("admin:core_case_change", args=[case.pk])}
            for case in cases
        ],
        "chapters": story_layout(destination_story(destination_id=place.id), may=request.user.has_perm),
        "applies": dict.fromkeys(_APPLIES[place.status], True),
        "may": {name: user.has_perm(needed) for name, needed in _NEEDS.items()},
    }


class _People:
    """Who added and who verified it, in the form in which names are looked up."""

    def __init__(self, place: DestinationData) -> None:
        self.added_by, self.verified_by = place.added_by, place.verified_by
