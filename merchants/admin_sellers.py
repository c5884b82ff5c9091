"""Sellers in the console, and the desk of their terms: proposed by one person, agreed to by another."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core import clock
from core.admin_display import name_people, person, state
from core.admin_filters import SinceFilter
from core.admin_forms import FormPages
from core.admin_pages import FindsRows
from core.admin_site import site
from core.approvals import at_decision_edge
from core.audit_trail import user_actor
from core.errors import DomainError
from core.ids import parse_public_id, public_id
from core.models import Approval, User
from merchants import services
from merchants.admin_exports import SELLERS
from merchants.admin_parts import MerchantFilter
from merchants.models import Seller, SellerTerms
from merchants.selectors import merchant_ids, terms_at
from merchants.terms_forms import DecisionForm, ProposeForm
from merchants.terms_words import compared, from_values, in_words

__all__: list[str] = []

_PROPOSE, _DECIDE = "merchants.add_sellerterms", "merchants.approve_sellerterms"
_MOST = 100
_LOOKS = {
    "UNVERIFIED": "neutral",
    "PENDING": "waiting",
    "VERIFIED": "done",
    "REJECTED": "failed",
    "SUSPENDED": "over",
}


@register(Seller, site=site)
class SellerAdmin(FindsRows, FormPages):
    """Every seller of every merchant, with the terms that hold; a seller's page has all versions of them."""

    list_display = (
        "shown_account",
        "name",
        "merchant",
        "shown_state",
        "commission",
        "released",
        "created_at",
    )
    list_filter = (SinceFilter, MerchantFilter)
    list_select_related = ("merchant",)
    search_fields = ("seller_account__exact",)
    search_help_text = gettext_lazy("A whole sel_… id, or a seller_account")
    empty_says = gettext_lazy("No store has opened a seller yet.")
    export_columns = SELLERS
    page_template = "merchants/seller.html"
    actions_list = ("waiting_terms",)
    reports = {"waiting": "waiting"}

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the id, or by the account at any merchant."""
        if key := parse_public_id(term, "sel"):
            return queryset.filter(pk=key)
        if "\x00" in term:
            return queryset.none()
        # With the merchants named, the index of accounts is used.
        merchants = merchant_ids()
        return queryset.filter(merchant_id__in=merchants, seller_account=term)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Fetch the terms of a whole page in one query."""
        rows = list(rows)
        found = SellerTerms.objects.filter(
            seller_id__in=[row.pk for row in rows], effective_at__lte=clock.now()
        ).order_by("seller_id", "-effective_at", "-version")
        terms = {each.seller_id: each for each in found.distinct("seller_id")}
        for row in rows:
            row.terms_now = terms.get(row.pk)
            row.terms_in_words = in_words(row.terms_now) if row.terms_now else {}

    @display(description=gettext_lazy("Seller"))
    def shown_account(self, row: Seller) -> str:
        """The store's own name, which is the link to its page."""
        return row.seller_account

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: Seller) -> str:
        """Where its verification stands."""
        return state(row.kyc_status, _LOOKS[row.kyc_status])

    @display(description=gettext_lazy("Commission"))
    def commission(self, row: Any) -> str:
        """What the marketplace takes of an order now."""
        fixed = row.terms_in_words.get(_("Fixed part"), _("none"))
        share = str(row.terms_in_words.get(_("Commission"), "–"))
        return share if fixed == _("none") else f"{share} + {fixed}"

    @display(description=gettext_lazy("Released after"))
    def released(self, row: Any) -> str:
        """How long an order's money is kept now."""
        return str(row.terms_in_words.get(_("Released after"), "–"))

    def has_see_permission(self, request: HttpRequest) -> bool:
        """The link to what waits is for whoever may see it."""
        return self.has_view_permission(request)

    @action(
        description=gettext_lazy("Terms that wait for a second person"),
        icon="pending_actions",
        permissions=["see"],
    )
    def waiting_terms(self, request: HttpRequest) -> HttpResponse:
        """Lead to what waits."""
        return redirect("admin:merchants_seller_waiting")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that propose and that decide."""
        view = self.admin_site.admin_view
        return [
            path("terms/<uuid:approval_id>/", view(self.decide_view), name="merchants_seller_decide"),
            path("<path:object_id>/propose/", view(self.propose_view), name="merchants_seller_propose"),
            *super().get_urls(),
        ]

    def waiting(self, request: HttpRequest) -> HttpResponse:
        """List the terms that wait for a second person, those that end first at the top."""
        rows = list(
            Approval.objects.filter(action=services.TERMS, status="PENDING").order_by("expires_at")[:_MOST]
        )
        name_people(rows, ("maker",))
        context = {
            "lines": [_asked(row) for row in rows],
            "may_decide": request.user.has_perm(_DECIDE),
        }
        return self.show(request, "merchants/terms_waiting.html", _("Terms that wait"), context)

    def page_title(self, row: Seller) -> str:
        """The seller, as the store names it."""
        return f"{_('Seller')} · {row.seller_account}"

    def page_context(self, request: HttpRequest, row: Seller) -> dict[str, Any]:
        """The seller, every version of its terms, and two of them side by side."""
        versions = list(SellerTerms.objects.filter(seller=row).order_by("-version")[:_MOST])
        name_people(versions, ("actor",))
        now = clock.now()
        held = terms_at(merchant_id=row.merchant_id, seller_id=row.pk, at=now).version
        waiting = Approval.objects.filter(
            subject=row.public_id, action=services.TERMS, status="PENDING"
        ).first()
        may = request.user.has_perm
        return {
            "state": self.shown_state(row),
            "public_id": row.public_id,
            "versions": [
                {
                    "it": each,
                    "words": in_words(each),
                    "by": person(each, each.actor),
                    "is_held": each.version == held,
                    "is_planned": each.effective_at > now,
                }
                for each in versions
            ],
            "trail_url": f"{reverse('admin:core_auditrecord_changelist')}?q={row.public_id}"
            if may("core.view_auditrecord")
            else "",
            "propose_url": self._url("propose", row) if may(_PROPOSE) else "",
            "waiting": bool(waiting),
            "decide_url": _decide_url(waiting) if waiting and may(_DECIDE) else "",
            **_two(request, versions),
        }

    def propose_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for new terms; a second person decides."""
        self.require(request, _PROPOSE)
        row = self.get_object(request, unquote(object_id))
        if not isinstance(row, Seller):
            raise Http404
        held = terms_at(merchant_id=row.merchant_id, seller_id=row.pk, at=clock.now())
        form = ProposeForm(request.POST or None, initial=ProposeForm.of(held))
        sent = self.send(
            request,
            form,
            lambda actor: services.propose_terms(
                merchant_id=row.merchant_id,
                seller_id=row.pk,
                terms=form.terms,
                effective_at=form.cleaned_data["effective_at"],
                reason=form.cleaned_data["reason"],
                maker=actor,
            ),
            done=_("A second person was asked for a yes."),
            to=lambda _asked: self._url("change", row),
        )
        title = _("New terms for %(seller)s") % {"seller": row}
        context = {"form": form, "label": _("Ask for a yes"), "back": self._url("change", row)}
        return sent or self.show(request, "admin/form.html", title, context)

    def decide_view(self, request: HttpRequest, approval_id: UUID) -> HttpResponse:
        """Show exactly what would change and from when on; a POST says yes or no to it."""
        self.require(request, _DECIDE)
        row = Approval.objects.filter(pk=approval_id, action=services.TERMS).first()
        if row is None:
            raise Http404
        name_people([row], ("maker",))
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._decide(request, row, form):
            return redirect("admin:merchants_seller_change", parse_public_id(row.subject, "sel"))
        context = {"form": form, "it": _asked(row), "back": reverse("admin:merchants_seller_waiting")}
        return self.show(request, "merchants/terms_decide.html", _("New terms"), context)

    def _decide(self, request: HttpRequest, row: Approval, form: DecisionForm) -> bool:
        user, what = request.user, request.POST.get("action")
        assert isinstance(user, User)
        by = user_actor(user)
        try:
            if what == "approve":
                at_decision_edge(services.approve_terms)(approval_id=row.pk, checker=by)
                messages.success(request, _("The new terms are written, as two people decided."))
            elif what == "reject":
                at_decision_edge(services.reject_terms)(
                    approval_id=row.pk, checker=by, reason=form.cleaned_data["reason"]
                )
                messages.success(request, _("Rejected. The terms stay as they are."))
            else:
                raise Http404
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.message)
            return False
        return True


def _two(request: HttpRequest, versions: list[SellerTerms]) -> dict[str, Any]:
    """Two versions side by side: those that were asked for, else the newest beside the one before it."""
    by_number = {str(each.version): each for each in versions}
    newest = [str(each.version) for each in versions[:2]]
    first = by_number.get(request.GET.get("from", "")) or by_number.get(newest[-1] if newest else "")
    second = by_number.get(request.GET.get("to", "")) or by_number.get(newest[0] if newest else "")
    if first is None or second is None:
        return {"first": None, "second": None, "lines": []}
    return {"first": first, "second": second, "lines": compared(first, second)}


def _asked(row: Approval) -> dict[str, Any]:
    said, seller_id = row.instruction, parse_public_id(row.subject, "sel")
    assert seller_id is not None, "terms are those of a seller"
    seller = Seller.objects.select_related("merchant").get(pk=seller_id)
    return {
        "seller": seller.seller_account,
        "seller_url": reverse("admin:merchants_seller_change", args=[seller.pk]),
        "merchant": str(seller.merchant),
        "lines": compared(from_values(said["before"]), from_values(said["after"])),
        "effective_at": said["effective_at"].replace("T", " ")[:16],
        "reason": said["reason"],
        "by": person(row, row.maker),
        "status": row.status,
        "expires_at": row.expires_at,
        "url": _decide_url(row),
        "subject": public_id("sel", seller.pk),
    }


def _decide_url(row: Approval) -> str:
    return reverse("admin:merchants_seller_decide", args=[row.pk])
