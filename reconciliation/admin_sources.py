"""Sources in the console: what is expected of each, what came, and how they are set up."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from channels.selectors import get_channel
from core.admin_base import ServiceAction
from core.admin_display import state
from core.admin_forms import FormPages
from core.admin_site import site
from core.models import Case
from merchants.admin_parts import MerchantColumn, MerchantFilter
from reconciliation.admin_exports import SOURCES
from reconciliation.admin_forms import SourceForm
from reconciliation.fetchers.registry import FETCHERS
from reconciliation.formats.registry import FORMATS
from reconciliation.ingest.policy import QUARANTINED, REFUSED, SEQUENCE, STATEMENT
from reconciliation.looks import STANDING_LOOKS
from reconciliation.models import SettlementSource
from reconciliation.sources.at_desk import DayAtDesk, days_at_desk
from reconciliation.sources.reading import to_data
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.sweeping import UNUSABLE
from reconciliation.sources.types import SourceData
from reconciliation.sources.watching import LATE

__all__: list[str] = []

_ADD, _CHANGE = "reconciliation.add_settlementsource", "reconciliation.change_settlementsource"
_UPLOAD = "reconciliation.add_settlementfile"
_KINDS = (LATE, UNUSABLE, REFUSED, QUARANTINED, SEQUENCE, STATEMENT)


def _enable(*, row: SettlementSource, actor: str, reason: str) -> None:
    set_source_enabled(
        merchant_id=row.merchant_id, source_id=row.pk, is_enabled=True, by=actor, reason=reason
    )


def _disable(*, row: SettlementSource, actor: str, reason: str) -> None:
    set_source_enabled(
        merchant_id=row.merchant_id, source_id=row.pk, is_enabled=False, by=actor, reason=reason
    )


@register(SettlementSource, site=site)
class SourceAdmin(MerchantColumn, FormPages):
    """Where files come from; each opens on its last days."""

    list_display = ("name", "shown_state", "shown_merchant", "shown_format", "shown_fetcher", "shown_due")
    list_filter = (MerchantFilter,)
    search_fields = ("name__exact",)
    search_help_text = gettext_lazy("The whole name")
    export_columns = SOURCES
    empty_says = gettext_lazy("No provider's or bank's files are expected. Add the first source.")
    page_template = "reconciliation/source.html"
    actions_list = ("new_source",)
    service_actions = (
        ServiceAction(
            name="enable",
            label=gettext_lazy("Switch on"),
            icon="play_circle",
            says=gettext_lazy(
                "Its files are fetched and expected again, also those of the days since it was switched off."
            ),
            done=gettext_lazy("The source is on."),
            permission=_CHANGE,
            run=_enable,
            applies=lambda row: not row.is_enabled,
        ),
        ServiceAction(
            name="disable",
            label=gettext_lazy("Switch off"),
            icon="pause_circle",
            says=gettext_lazy(
                "Nothing of it is fetched and no file of it is missed any more. What was received stays."
            ),
            done=gettext_lazy("The source is off."),
            permission=_CHANGE,
            run=_disable,
            applies=lambda row: row.is_enabled,
            is_dangerous=True,
        ),
    )

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: SettlementSource) -> str:
        """Whether it is fetched from."""
        return state("ENABLED", "done") if row.is_enabled else state("DISABLED", "over")

    @display(description=gettext_lazy("Format"))
    def shown_format(self, row: SettlementSource) -> str:
        """By its title."""
        found = FORMATS.get(row.format)
        return found.title if found else row.format

    @display(description=gettext_lazy("How files come"))
    def shown_fetcher(self, row: SettlementSource) -> str:
        """By its title."""
        found = FETCHERS.get(row.fetcher)
        return _(found.title) if found else row.fetcher

    @display(description=gettext_lazy("Due"))
    def shown_due(self, row: SettlementSource) -> str:
        """When the file of a day must be there."""
        return f"+{row.expected_after} {row.calendar} {row.expected_by:%H:%M} {row.time_zone}"

    def get_urls(self) -> list[URLPattern]:
        """Add the form, for a new source and for a known one."""
        view = self.admin_site.admin_view(self.put_view)
        return [
            path("new/", view, name="reconciliation_settlementsource_new"),
            path("<path:object_id>/put/", view, name="reconciliation_settlementsource_put"),
            *super().get_urls(),
        ]

    def has_new_permission(self, request: HttpRequest) -> bool:
        """A method, because names of permissions would be looked up before there are tables."""
        return bool(request.user.has_perm(_ADD))

    @action(description=gettext_lazy("Add a source"), icon="add", permissions=["new"])
    def new_source(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:reconciliation_settlementsource_new")

    def page_title(self, row: Any) -> str:
        """Which source."""
        return f"{_('Source')} · {row.name}"

    def page_context(self, request: HttpRequest, row: SettlementSource) -> dict[str, Any]:
        """How it is set up, its last days, and what is open about it."""
        source = to_data(row)
        buttons = [
            {"action": each, "url": self._url(each.name, row)}
            for each in self.service_actions
            if each.applies(row) and request.user.has_perm(each.permission)
        ]
        may_change = request.user.has_perm(_CHANGE)
        uploads = reverse("admin:reconciliation_settlementfile_upload") + f"?source={row.pk}"
        files = reverse("admin:reconciliation_settlementfile_changelist") + f"?source={row.pk}"
        return {
            "state": self.shown_state(row),
            "format": self.shown_format(row),
            "fetcher": self.shown_fetcher(row),
            "channel": get_channel(channel_id=row.channel_id).name if row.channel_id else "",
            "days": [_day(each) for each in days_at_desk(source)],
            "cases": _cases(source),
            "buttons": buttons,
            "put_url": self._url("put", row) if may_change else "",
            "upload_url": uploads if row.is_enabled and request.user.has_perm(_UPLOAD) else "",
            "files_url": files,
        }

    def put_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Ask how a source is set up and why."""
        self.require(request, _CHANGE if object_id else _ADD)
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and row is None:
            raise Http404
        form = SourceForm(request.POST or None, initial=_initial(row))
        if row is not None:
            del form.fields["merchant"], form.fields["name"]

        def work(actor: str) -> SourceData:
            settings, reason = form.settings(), form.cleaned_data["reason"]
            if row is not None:
                return change_source(
                    merchant_id=row.merchant_id, source_id=row.pk, settings=settings, by=actor, reason=reason
                )
            name = form.cleaned_data["name"]
            return create_source(
                merchant_id=form.merchant_id(), name=name, settings=settings, by=actor, reason=reason
            )

        done = _("The source is set up like this from now on.")
        sent = self.send(request, form, work, done=done, to=lambda made: _page_url(made.id))
        back = _page_url(row.pk) if row else reverse("admin:reconciliation_settlementsource_changelist")
        context = {"form": form, "back": back, "label": _("Set up the source")}
        return sent or self.show(request, "admin/form.html", _("Source of settlement files"), context)


def _page_url(source_id: Any) -> str:
    return reverse("admin:reconciliation_settlementsource_change", args=[source_id])


def _initial(row: SettlementSource | None) -> dict[str, Any]:
    if row is None:
        return {
            "fetcher": "upload",
            "time_zone": "UTC",
            "calendar": "EVERY_DAY",
            "expected_after": 1,
            "expected_by": "12:00",
        }
    names = (
        "format", "encoding", "fetcher", "provider", "account", "currency", "time_zone", "calendar",
        "expected_after", "expected_by", "begins_on",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"channel": str(row.channel_id or "")}


def _cases(source: SourceData) -> list[dict[str, str]]:
    """What is open about the source: late days and a folder are named by it."""
    rows = Case.objects.filter(kind__in=_KINDS, detail__source_id=str(source.id)).exclude(status="CLOSED")
    rows = rows.order_by("-pk")[:20]
    return [{"summary": row.summary, "url": reverse("admin:core_case_change", args=[row.pk])} for row in rows]


def _day(day: DayAtDesk) -> dict[str, Any]:
    word = day.standing.value if day.is_over or day.files else _("not over")
    look = "failed" if day.is_late else STANDING_LOOKS[day.standing]
    files = [
        {"name": each.name, "url": reverse("admin:reconciliation_settlementfile_change", args=[each.id])}
        for each in day.files
    ]
    return {"it": day, "state": state(word, look), "files": files}
