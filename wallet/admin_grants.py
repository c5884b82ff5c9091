"""Bonus and points in the console: what was given to whom and why, giving more, and the second yes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import display, register
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin_display import amount, digits, name_people, person
from core.admin_forms import FormPages
from core.admin_site import site
from core.approvals import at_decision_edge
from core.audit_trail import user_actor
from core.errors import DomainError
from core.ids import parse_public_id, public_id, uuid7
from core.models import Approval, User
from core.money import InvalidAmount, InvalidCurrency, parse_amount
from merchants.admin_parts import MerchantColumn, MerchantFilter
from merchants.selectors import list_merchants, merchant_names, owner_names
from wallet.admin_exports import GRANTS
from wallet.models import Grant, Wallet
from wallet.services.grants import GRANT, approve_grant, grant_credit, reject_grant
from wallet.types import GrantRequest

__all__: list[str] = []

_GIVE, _APPROVE = "wallet.add_grant", "wallet.approve_grant"
_MOST = 200


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


class GrantForm(forms.Form):
    """What is given to whom, and why."""

    grant = forms.UUIDField(widget=forms.HiddenInput)
    merchant = forms.ChoiceField(
        label=gettext_lazy("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget
    )
    buyer_account = forms.CharField(
        label=gettext_lazy("Buyer"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The store's own name for the buyer, or a buy_… id."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[("bonus", gettext_lazy("bonus, in money")), ("points", gettext_lazy("points"))],
        widget=UnfoldAdminSelectWidget,
    )
    amount = forms.CharField(
        label=gettext_lazy("How much"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("An amount of money for a bonus, a whole number for points."),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The one in which it can be spent."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )

    def clean(self) -> dict[str, Any]:
        """Read the amount by its kind: money in its currency, or whole points."""
        values: dict[str, Any] = super().clean() or {}
        currency, kind = values.get("currency", "").upper(), values.get("kind")
        values["currency"] = currency
        try:
            unit = "PTS" if kind == "points" else currency
            values["amount_minor"] = parse_amount(values.get("amount", ""), unit)
        except InvalidCurrency:
            self.add_error("currency", _("There is no such currency."))
        except (DomainError, InvalidAmount) as error:
            self.add_error("amount", str(error) or _("This is no amount."))
        return values

    def request(self) -> GrantRequest:
        """Return what was filled in."""
        values = self.cleaned_data
        merchant_id = parse_public_id(values["merchant"], "mer")
        assert merchant_id is not None, "the choices are ids"
        return GrantRequest(
            merchant_id=merchant_id,
            buyer_account=values["buyer_account"].strip(),
            kind=values["kind"],
            amount_minor=values["amount_minor"],
            currency=values["currency"],
            reason=values["reason"],
        )


class DecisionForm(forms.Form):
    """Why not; a yes needs no reason beside the one that was given."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Needed to reject. It is kept in the audit trail with your name."),
    )


@register(Grant, site=site)
class GrantAdmin(MerchantColumn, FormPages):
    """What buyers were given, newest first."""

    list_display = (
        "shown_id",
        "created_at",
        "owner",
        "shown_merchant",
        "kind",
        "shown_amount",
        "shown_worth",
        "given_by",
        "agreed_by",
    )
    list_filter = (MerchantFilter,)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A whole wal_… id")
    export_columns = GRANTS
    empty_says = gettext_lazy("Nobody was given bonus or points yet.")
    page_template = "wallet/grant.html"
    actions_list = ("new_grant", "waiting_grants")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find by the id of the wallet."""
        term = search_term.strip()
        if not term:
            return queryset, False
        key = parse_public_id(term, "wal")
        return (queryset.filter(wallet_id=key) if key else queryset.none()), False

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that give and that decide."""
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.new_view), name="wallet_grant_new"),
            path("waiting/", view(self.waiting_view), name="wallet_grant_waiting"),
            path("waiting/<uuid:approval_id>/", view(self.decide_view), name="wallet_grant_decide"),
            *super().get_urls(),
        ]

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query each."""
        rows = list(rows)
        self.name_merchants(rows)
        name_people(rows, ("granted_by", "checked_by"))
        owners = dict(
            Wallet.objects.filter(pk__in={row.wallet_id for row in rows}).values_list("pk", "owner_id")
        )
        names = owner_names(owner_ids=set(owners.values()))
        for row in rows:
            row.owner_name = names.get(owners[row.wallet_id], public_id("buy", owners[row.wallet_id]))

    @display(description=gettext_lazy("Grant"))
    def shown_id(self, row: Any) -> str:
        """Its id, which is the link to its page."""
        whole = public_id("grant", row.pk)
        return format_html('<span class="mono" title="{}">grant_…{}</span>', whole, whole[-6:])

    @display(description=gettext_lazy("Buyer"))
    def owner(self, row: Any) -> str:
        """Who got it, under the store's own name."""
        return str(row.owner_name)

    @display(description=gettext_lazy("Amount"))
    def shown_amount(self, row: Any) -> str:
        """In units of the wallet."""
        return amount(row.amount_minor, "PTS" if row.kind == "points" else row.currency)

    @display(description=gettext_lazy("Worth"))
    def shown_worth(self, row: Any) -> str:
        """What the books expensed."""
        return amount(row.value_minor, row.currency)

    @display(description=gettext_lazy("Given by"))
    def given_by(self, row: Any) -> Any:
        """Who asked for it."""
        return person(row, row.granted_by)

    @display(description=gettext_lazy("Agreed by"))
    def agreed_by(self, row: Any) -> Any:
        """The second person, where one was needed."""
        return person(row, row.checked_by) if row.checked_by else "–"

    def has_give_permission(self, request: HttpRequest) -> bool:
        """A method, because names of permissions would be looked up before there are tables."""
        return bool(request.user.has_perm(_GIVE))

    def has_see_permission(self, request: HttpRequest) -> bool:
        """The link to what waits is for whoever may see it."""
        return self.has_view_permission(request)

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Give bonus or points"), icon="redeem", permissions=["give"]
    )
    def new_grant(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:wallet_grant_new")

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Waiting for a second person"), icon="pending_actions", permissions=["see"]
    )
    def waiting_grants(self, request: HttpRequest) -> HttpResponse:
        """Lead to what waits."""
        return redirect("admin:wallet_grant_waiting")

    def page_title(self, row: Any) -> str:
        """What, and to whom."""
        return f"{_('Grant')} · {row.owner_name}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What it was, what of it is used, and who gave it why."""
        return {
            "public_id": public_id("grant", row.pk),
            "amount": self.shown_amount(row),
            "worth": self.shown_worth(row),
            "used": digits(row.used_minor, "PTS") if row.kind == "points" else "",
            "given_by": person(row, row.granted_by),
            "agreed_by": person(row, row.checked_by) if row.checked_by else "",
            "wallet": public_id("wal", row.wallet_id),
            "wallet_url": reverse("admin:wallet_wallet_change", args=[row.wallet_id]),
        }

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what to give; above the limit it waits for a second person."""
        self.require(request, _GIVE)
        # The same page sent twice gives once.
        form = GrantForm(request.POST or None, initial={"grant": uuid7(), **_wished(request)})

        def work(actor: str) -> tuple[UUID | None]:
            given = grant_credit(grant_id=form.cleaned_data["grant"], request=form.request(), by=actor)
            return (given,)

        done = self.attempt(request, form, work)
        if done is None:
            context = {"form": form, "label": _("Give it"), "back": reverse("admin:wallet_grant_changelist")}
            return self.show(request, "admin/form.html", _("Give bonus or points"), context)
        if done[0] is None:
            messages.success(request, _("It is in the buyer's wallet."))
            return redirect("admin:wallet_grant_changelist")
        messages.success(request, _("A second person was asked for a yes."))
        return redirect("admin:wallet_grant_waiting")

    def waiting_view(self, request: HttpRequest) -> HttpResponse:
        """List what waits for a second person."""
        self.only_look(request)
        rows = list(Approval.objects.filter(action=GRANT, status="PENDING").order_by("expires_at")[:_MOST])
        name_people(rows, ("maker",))
        context = {"lines": [_line(row) for row in rows], "may_decide": request.user.has_perm(_APPROVE)}
        return self.show(request, "wallet/waiting_grants.html", _("Waiting for a second person"), context)

    def decide_view(self, request: HttpRequest, approval_id: UUID) -> HttpResponse:
        """Show exactly what would be given; a POST says yes or no to it."""
        self.require(request, _APPROVE)
        row = Approval.objects.filter(pk=approval_id, action=GRANT).first()
        if row is None:
            raise Http404
        name_people([row], ("maker",))
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._decide(request, row, form):
            return redirect("admin:wallet_grant_waiting")
        context = {"form": form, "it": _line(row), "back": reverse("admin:wallet_grant_waiting")}
        return self.show(request, "wallet/decide_grant.html", _("Give bonus or points"), context)

    def _decide(self, request: HttpRequest, row: Approval, form: DecisionForm) -> bool:
        user, what = request.user, request.POST.get("action")
        assert isinstance(user, User)
        try:
            if what == "approve":
                at_decision_edge(approve_grant)(approval_id=row.pk, checker=user_actor(user))
                messages.success(request, _("It is in the buyer's wallet, as two people decided."))
            elif what == "reject":
                reason = form.cleaned_data["reason"]
                at_decision_edge(reject_grant)(approval_id=row.pk, checker=user_actor(user), reason=reason)
                messages.success(request, _("Rejected. Nothing was given."))
            else:
                raise Http404
        except DomainError as error:
            form.add_error("reason" if error.param == "reason" else None, error.message)
            return False
        return True


def _wished(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("merchant", "buyer_account") if name in request.GET}


def _line(row: Approval) -> dict[str, Any]:
    """The exact instruction, in words."""
    asked = row.instruction
    merchant_id = UUID(asked["merchant"])
    unit = "PTS" if asked["kind"] == "points" else asked["currency"]
    return {
        "id": row.pk,
        "status": row.status,
        "buyer": asked["buyer_account"],
        "merchant": merchant_names(merchant_ids=[merchant_id]).get(merchant_id, ""),
        "kind": asked["kind"],
        "amount": amount(asked["amount_minor"], unit),
        "worth": amount(asked["value_minor"], asked["currency"]),
        "reason": asked["reason"],
        "by": person(row, row.maker),
        "expires_at": row.expires_at,
        "url": reverse("admin:wallet_grant_decide", args=[row.pk]),
    }
