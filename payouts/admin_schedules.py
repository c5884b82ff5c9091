"""Merchants' working days in the console, and what the runs on them came to."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core import clock
from core.admin_display import amount, state
from core.admin_forms import FormPages
from core.admin_site import site
from core.ids import parse_public_id, public_id
from core.models import JobRun
from merchants.admin_parts import MerchantColumn
from merchants.selectors import list_merchants
from payouts.admin_exports import SCHEDULES
from payouts.calendar import CALENDARS, cut_off_at, execute_on_for, next_business_day
from payouts.models import PayoutSchedule
from payouts.schedules.runs import JOB
from payouts.services import put_schedule

__all__: list[str] = []

_CHANGE = "payouts.change_payoutschedule"
_SHOWN = 5


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


class ScheduleForm(forms.Form):
    """A merchant's working days; the service checks what it means."""

    merchant = forms.ChoiceField(
        label=gettext_lazy("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget
    )
    timezone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Such as Europe/Berlin."),
    )
    cut_off = forms.TimeField(
        label=gettext_lazy("Cut-off"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
        help_text=gettext_lazy("At this time of a business day its scheduled payouts are asked for."),
    )
    calendar = forms.ChoiceField(
        label=gettext_lazy("Calendar"),
        choices=[(each, each) for each in CALENDARS],
        widget=UnfoldAdminSelectWidget,
    )
    is_enabled = forms.BooleanField(
        label=gettext_lazy("Pay sellers by their schedules"), required=False, widget=UnfoldBooleanWidget
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )


@register(PayoutSchedule, site=site)
class PayoutScheduleAdmin(MerchantColumn, FormPages):
    """Who is paid on which days; each opens on its next days and its last runs."""

    list_display = ("shown_merchant", "shown_state", "timezone", "cut_off", "calendar", "next_run")
    export_columns = SCHEDULES
    empty_says = gettext_lazy("No merchant's sellers are paid by a schedule. Set the first working days.")
    page_template = "payouts/schedule.html"
    actions_list = ("new_schedule",)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: PayoutSchedule) -> str:
        """Whether it runs."""
        return state("ENABLED", "done") if row.is_enabled else state("DISABLED", "over")

    @display(description=gettext_lazy("Next run (UTC)"))
    def next_run(self, row: PayoutSchedule) -> str:
        """When its sellers are paid next."""
        if not row.is_enabled:
            return "–"
        return f"{cut_off_at(row, execute_on_for(row, clock.now())):%Y-%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        """Add the form, for a new merchant and for a known one."""
        view = self.admin_site.admin_view(self.put_view)
        return [
            path("put/", view, name="payouts_payoutschedule_new"),
            path("<path:object_id>/put/", view, name="payouts_payoutschedule_put"),
            *super().get_urls(),
        ]

    def has_put_permission(self, request: HttpRequest) -> bool:
        """A method, because names of permissions would be looked up before there are tables."""
        return bool(request.user.has_perm(_CHANGE))

    @action(description=gettext_lazy("Set working days"), icon="event", permissions=["put"])
    def new_schedule(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:payouts_payoutschedule_new")

    def page_title(self, row: Any) -> str:
        """Whose days."""
        return f"{_('Working days')} · {row.merchant_name}"

    def page_context(self, request: HttpRequest, row: PayoutSchedule) -> dict[str, Any]:
        """The next days, and what the last runs came to."""
        day, days = execute_on_for(row, clock.now()), []
        for _each in range(_SHOWN):
            days.append({"day": day, "at": cut_off_at(row, day)})
            day = next_business_day(row.calendar, day)
        runs = JobRun.objects.filter(job=JOB, scope=public_id("mer", row.merchant_id))
        may_change = request.user.has_perm(_CHANGE)
        return {
            "state": self.shown_state(row),
            "days": days if row.is_enabled else [],
            "runs": [_run(each) for each in runs.order_by("-business_date")[:_SHOWN]],
            "put_url": reverse("admin:payouts_payoutschedule_put", args=[row.pk]) if may_change else "",
        }

    def put_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Ask for the working days of a merchant and why they are these."""
        self.require(request, _CHANGE)
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and row is None:
            raise Http404
        form = ScheduleForm(request.POST or None, initial=_initial(row))
        if row is not None:
            del form.fields["merchant"]

        def work(actor: str) -> UUID:
            names = ("timezone", "cut_off", "calendar", "is_enabled", "reason")
            merchant_id = row.merchant_id if row else parse_public_id(form.cleaned_data["merchant"], "mer")
            assert merchant_id is not None, "the form takes none but merchants"
            put_schedule(
                merchant_id=merchant_id, by=actor, **{name: form.cleaned_data[name] for name in names}
            )
            return UUID(str(PayoutSchedule.objects.get(merchant_id=merchant_id).pk))

        done = _("These are the working days from now on.")
        sent = self.send(request, form, work, done=done, to=_page_url)
        back = _page_url(row.pk) if row else reverse("admin:payouts_payoutschedule_changelist")
        context = {"form": form, "back": back, "label": _("Set the working days")}
        return sent or self.show(request, "admin/form.html", _("Working days"), context)


def _page_url(schedule_id: UUID) -> str:
    return reverse("admin:payouts_payoutschedule_change", args=[schedule_id])


def _initial(row: PayoutSchedule | None) -> dict[str, Any]:
    if row is None:
        return {"timezone": "UTC", "cut_off": "15:00", "calendar": "TARGET2", "is_enabled": True}
    return {name: getattr(row, name) for name in ("timezone", "cut_off", "calendar", "is_enabled")}


def _run(run: JobRun) -> dict[str, Any]:
    summary = run.summary or {}
    return {
        "day": run.business_date,
        "finished_at": run.finished_at,
        "is_late": run.finished_at is None and run.started_at < clock.now() - timedelta(hours=1),
        "asked": [
            f"{each['payouts']} · {amount(each['amount_minor'], currency)}"
            for currency, each in summary.get("asked", {}).items()
        ],
        "skipped": [
            {"why": code, "count": each["count"], "sellers": ", ".join(each["sellers"])}
            for code, each in summary.get("skipped", {}).items()
        ],
        "failed": [*summary.get("failed", []), *summary.get("unreadable", [])],
    }
