"""Lists in the console: what is on them, since when, and why."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import person
from core.admin_forms import FormPages
from core.admin_site import site
from merchants.admin_parts import MerchantColumn
from risk import services
from risk.admin_columns import masked
from risk.admin_exports import ENTRIES, LISTS
from risk.admin_forms import EntryForm, ListForm
from risk.models import RiskList, RiskListEntry, RiskRule

__all__: list[str] = []

_SHOWN_ENTRIES = 200


@register(RiskList, site=site)
class RiskListAdmin(MerchantColumn, FormPages):
    """Lists; each opens on its values."""

    list_display = ("shown_name", "kind", "key_kind", "shown_merchant", "created_at", "by")
    list_filter = ("kind", "key_kind")
    search_fields = ("name__exact",)
    people = ("created_by",)
    export_columns = LISTS
    empty_says = gettext_lazy("There is no list yet.")
    page_template = "risk/list.html"
    actions_list = ("new_list",)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names of merchants and people, each in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    @display(description=gettext_lazy("List"))
    def shown_name(self, row: RiskList) -> str:
        """The name, which is the link to its page."""
        return row.name

    @display(description=gettext_lazy("By"))
    def by(self, row: RiskList) -> str:
        """Who made it."""
        return person(row, row.created_by)

    def get_urls(self) -> list[URLPattern]:
        """Add the page for a new list, and the one that takes a value."""
        view = self.admin_site.admin_view
        return [
            path("create/", view(self.create_view), name="risk_risklist_create"),
            path("<path:object_id>/add/", view(self.entry_view), name="risk_risklist_entry"),
            *super().get_urls(),
        ]

    def has_create_permission(self, request: HttpRequest) -> bool:
        """See `RiskRuleAdmin.has_draft_permission`."""
        return bool(request.user.has_perm("risk.add_risklist"))

    @action(description=gettext_lazy("New list"), icon="add", permissions=["create"])
    def new_list(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:risk_risklist_create")

    def page_context(self, request: HttpRequest, row: RiskList) -> dict[str, Any]:
        """The values, and whether a rule reads them."""
        entries = RiskListEntry.objects.filter(list=row, removed_at=None).order_by("-added_at")
        rules = RiskRule.objects.filter(
            merchant_id=row.merchant_id, kind="list_hit", status="ACTIVE", params__list=row.name
        )
        shown = list(entries[:_SHOWN_ENTRIES])
        return {
            "entries": [
                {"it": each, "value": masked(row.key_kind, each.value), "url": _entry_url(each)}
                for each in shown
            ],
            "is_cut": len(shown) == _SHOWN_ENTRIES,
            "rules": [
                {"name": str(rule), "url": reverse("admin:risk_riskrule_change", args=[rule.pk])}
                for rule in rules
            ],
            "add_url": reverse("admin:risk_risklist_entry", args=[row.pk]),
            "may_add": request.user.has_perm("risk.add_risklistentry"),
            "may_remove": request.user.has_perm("risk.change_risklistentry"),
        }

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new list."""
        self.require(request, "risk.add_risklist")
        form = ListForm(request.POST or None)

        def work(actor: str) -> UUID:
            data = {name: form.cleaned_data[name] for name in ("name", "kind", "key_kind")}
            return services.create_list(merchant_id=form.merchant_id, by=actor, **data)

        done = _("The list is there. A rule of the kind “list hit” gives it its effect.")
        sent = self.send(request, form, work, done=done, to=self._list_url)
        context = {
            "form": form,
            "back": reverse("admin:risk_risklist_changelist"),
            "label": _("Create the list"),
        }
        return sent or self.show(request, "admin/form.html", _("New list"), context)

    def entry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a value and why it is on the list."""
        self.require(request, "risk.add_risklistentry")
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        form = EntryForm(request.POST or None)

        def work(actor: str) -> UUID:
            data = form.cleaned_data
            services.add_to_list(list_id=row.pk, value=data["value"], by=actor, reason=data["reason"])
            return UUID(str(row.pk))

        sent = self.send(request, form, work, done=_("The value counts from now on."), to=self._list_url)
        back = self._url("change", row)
        title = _("A value for %(list)s") % {"list": row.name}
        context = {"form": form, "back": back, "label": _("Put it on the list")}
        return sent or self.show(request, "admin/form.html", title, context)

    def _list_url(self, list_id: UUID) -> str:
        return reverse("admin:risk_risklist_change", args=[list_id])


def _entry_url(entry: RiskListEntry) -> str:
    return reverse("admin:risk_risklistentry_remove", args=[entry.pk])


def _remove(*, row: RiskListEntry, actor: str, reason: str) -> None:
    services.remove_from_list(entry_id=row.pk, by=actor, reason=reason)


@register(RiskListEntry, site=site)
class RiskListEntryAdmin(MerchantColumn, ReadOnlyAdmin):
    """Values of all lists, those that were taken off included."""

    list_display = (
        "shown_value",
        "list",
        "reason",
        "added_at",
        "adder",
        "removed_at",
        "remover",
        "removed_reason",
    )
    list_select_related = ("list",)
    people = ("added_by", "removed_by")
    fields = readonly_fields = (
        "list",
        "shown_value",
        "reason",
        "added_at",
        "adder",
        "removed_at",
        "remover",
        "removed_reason",
    )
    export_columns = ENTRIES
    empty_says = gettext_lazy("Nothing was ever put on a list.")
    service_actions = (
        ServiceAction(
            name="remove",
            label=gettext_lazy("Take off the list"),
            icon="playlist_remove",
            says=gettext_lazy("Payments are not compared with this value any more. What was decided stays."),
            done=gettext_lazy("The value was taken off the list."),
            permission="risk.change_risklistentry",
            run=_remove,
            applies=lambda row: row.removed_at is None,
            is_dangerous=True,
        ),
    )

    @display(description=gettext_lazy("Value"))
    def shown_value(self, row: RiskListEntry) -> str:
        """Enough of it to tell it from others."""
        return masked(row.list.key_kind, row.value)

    @display(description=gettext_lazy("Added by"))
    def adder(self, row: RiskListEntry) -> str:
        """Who put it there."""
        return person(row, row.added_by)

    @display(description=gettext_lazy("Removed by"))
    def remover(self, row: RiskListEntry) -> str:
        """Who took it off."""
        return person(row, row.removed_by)
