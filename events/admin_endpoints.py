"""Webhooks out in the console: who is told where, how that goes, and the buttons that change it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core import clock
from core.admin_base import ServiceAction
from core.admin_display import name_people, person, state, text
from core.admin_pages import FindsRows, PageAdmin
from core.admin_site import site
from core.alerts import open_subjects
from core.audit_trail import user_actor
from core.errors import DomainError
from core.ids import parse_public_id
from core.models import AuditRecord, User
from core.transactions import at_edge
from events import services
from events.admin_deliveries import DELIVERY_LOOKS
from events.admin_exports import ENDPOINTS
from events.facts import endpoint_data
from events.health import Health, health_of
from events.models import WebhookDelivery, WebhookEndpoint
from events.notices import FAILING, GONE
from merchants.admin_parts import MerchantColumn

__all__ = ["ENDPOINT_LOOKS", "RIGHT"]

ENDPOINT_LOOKS = {"ENABLED": "done", "PAUSED": "waiting", "DISABLED": "over"}
RIGHT = "events.change_webhookendpoint"
_SHOWN = 20
# One press makes at most so many portions again: a request must end in time.
_MOST_PORTIONS = 10


def _pause(*, row: WebhookEndpoint, actor: str, reason: str) -> None:
    services.pause_endpoint(merchant_id=row.merchant_id, endpoint_id=row.pk, why=reason, by=actor)


def _resume(*, row: WebhookEndpoint, actor: str, reason: str) -> None:
    services.resume_endpoint(merchant_id=row.merchant_id, endpoint_id=row.pk, why=reason, by=actor)


def _disable(*, row: WebhookEndpoint, actor: str, reason: str) -> None:
    services.disable_endpoint(merchant_id=row.merchant_id, endpoint_id=row.pk, why=reason, by=actor)


def _acknowledge(*, row: WebhookEndpoint, actor: str, reason: str) -> None:
    services.acknowledge_endpoint(endpoint_id=row.pk, why=reason, by=actor)


def _is_told_of(row: WebhookEndpoint) -> bool:
    return any(row.public_id in open_subjects(name) for name in (FAILING, GONE))


class RangeForm(forms.Form):
    """Which deliveries are made again, and why."""

    since = forms.DateTimeField(label=gettext_lazy("From (UTC)"), widget=UnfoldAdminTextInputWidget)
    until = forms.DateTimeField(label=gettext_lazy("Until (UTC)"), widget=UnfoldAdminTextInputWidget)
    status = forms.ChoiceField(
        label=gettext_lazy("How they ended"),
        choices=[
            ("failed", gettext_lazy("Failed for good")),
            ("delivered", gettext_lazy("Delivered")),
            ("", gettext_lazy("Either")),
        ],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)


@register(WebhookEndpoint, site=site)
class EndpointAdmin(FindsRows, MerchantColumn, PageAdmin):
    """Where stores are told, newest first; each opens on how it does and on what was sent last."""

    list_display = (
        "shown_id",
        "shown_merchant",
        "shown_host",
        "shown_state",
        "last_success_at",
        "shown_backlog",
        "shown_failures",
    )
    list_filter = ("status", "mode")
    search_fields = ("id",)
    search_help_text = gettext_lazy("The whole id of an endpoint (whe_…)")
    export_columns = ENDPOINTS
    not_listed = ("secrets",)
    empty_says = gettext_lazy("No store has asked to be told of anything yet.")
    page_template = "events/endpoint.html"
    service_actions = (
        ServiceAction(
            name="pause",
            label=gettext_lazy("Pause"),
            icon="pause",
            says=gettext_lazy(
                "Nothing is sent to it until it is resumed. What happens meanwhile waits, and is in the"
                " store's feed as well. Its store is told in the feed and at its other endpoints."
            ),
            done=gettext_lazy("The endpoint is paused."),
            permission=RIGHT,
            run=_pause,
            applies=lambda row: row.status == "ENABLED",
        ),
        ServiceAction(
            name="resume",
            label=gettext_lazy("Resume"),
            icon="play_arrow",
            says=gettext_lazy("What waits is sent now, the oldest first, then what is new."),
            done=gettext_lazy("The endpoint is told again."),
            permission=RIGHT,
            run=_resume,
            applies=lambda row: row.status == "PAUSED",
        ),
        ServiceAction(
            name="acknowledge",
            label=gettext_lazy("The store knows"),
            icon="check",
            says=gettext_lazy("The alert about this endpoint ends. Nothing else changes."),
            done=gettext_lazy("The alert is over."),
            permission=RIGHT,
            run=_acknowledge,
            applies=_is_told_of,
        ),
        ServiceAction(
            name="disable",
            label=gettext_lazy("Disable for good"),
            icon="block",
            says=gettext_lazy(
                "It is never told again, and this cannot be undone: what waits for it is canceled. The"
                " store must create a new endpoint, with another secret."
            ),
            done=gettext_lazy("The endpoint is disabled."),
            permission=RIGHT,
            run=_disable,
            applies=lambda row: row.status != "DISABLED",
            is_dangerous=True,
        ),
    )

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names of merchants, backlog and failures, each in one query for the page."""
        rows = list(rows)
        self.name_merchants(rows)
        health = health_of(endpoint_ids=[row.pk for row in rows])
        for row in rows:
            row.health = health[row.pk]

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the public id."""
        key = parse_public_id(term, "whe")
        return queryset.filter(pk=key) if key else queryset.none()

    def get_urls(self) -> list[URLPattern]:
        """Add the page that makes a range again."""
        view = self.admin_site.admin_view(self.redeliver_view)
        here = path("<uuid:endpoint_id>/redeliver/", view, name="events_webhookendpoint_redeliver")
        return [here, *super().get_urls()]

    @display(description=gettext_lazy("Endpoint"))
    def shown_id(self, row: WebhookEndpoint) -> str:
        """The end of the id."""
        return format_html('<span class="mono" title="{}">whe_…{}</span>', row.public_id, row.public_id[-6:])

    @display(description=gettext_lazy("Host"))
    def shown_host(self, row: WebhookEndpoint) -> Any:
        """Where it is."""
        return text(urlsplit(row.url).netloc)

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: WebhookEndpoint) -> str:
        """Enabled, paused or disabled."""
        return state(row.status, ENDPOINT_LOOKS[row.status])

    @display(description=gettext_lazy("Waiting"))
    def shown_backlog(self, row: Any) -> str:
        """How much waits for it."""
        return format_html('<span class="amount">{}</span>', row.health.shown_backlog)

    @display(description=gettext_lazy("Failed tries"))
    def shown_failures(self, row: Any) -> str:
        """Of the tries of its last hundred deliveries."""
        return _failures(row.health)

    def page_title(self, row: WebhookEndpoint) -> str:
        """Its id."""
        return f"{_('Webhook endpoint')} · {row.public_id}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """How it does, what may be done, what was sent last, and who did what."""
        found = endpoint_data(row)
        audits = AuditRecord.objects.filter(subject=row.public_id).order_by("-seq")[:_SHOWN]
        deliveries = WebhookDelivery.objects.filter(endpoint_id=row.pk).select_related("event")
        may_change = request.user.has_perm(RIGHT)
        return {
            "endpoint": found,
            "state": self.shown_state(row),
            "health": row.health,
            "failures": _failures(row.health),
            "buttons": [
                {"action": each, "url": self._url(each.name, row)}
                for each in self.service_actions
                if may_change and each.applies(row)
            ],
            "redeliver_url": reverse("admin:events_webhookendpoint_redeliver", args=[row.pk])
            if may_change and row.status != "DISABLED"
            else "",
            "deliveries": [
                {
                    "it": each,
                    "state": state(each.status, DELIVERY_LOOKS[each.status]),
                    "url": reverse("admin:events_webhookdelivery_change", args=[each.pk]),
                }
                for each in deliveries.order_by("-pk")[:_SHOWN]
            ],
            "all_url": reverse("admin:events_webhookdelivery_changelist") + f"?endpoint={row.pk}",
            "audits": [{"it": each, "who": person(each, each.actor)} for each in _named(audits)],
        }

    def redeliver_view(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """Ask which and why, then make them again portion by portion."""
        if not request.user.has_perm(RIGHT) or not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(endpoint_id))
        if row is None:
            raise Http404
        now = clock.now()
        begin = {
            "since": _minute(now - timedelta(days=1)),
            "until": _minute(now + timedelta(minutes=1)),
            "status": "failed",
        }
        form = RangeForm(request.POST or None, initial=begin)
        if request.method == "POST" and form.is_valid():
            try:
                return self._redeliver(request, row, form)
            except DomainError as error:
                form.add_error(_FIELDS.get(error.param or ""), error.message)
        context = {"row": row, "form": form, "back": self._url("change", row), "state": self.shown_state(row)}
        answer = self.show(request, "events/redeliver.html", _("Send a range again"), context)
        answer.status_code = 422 if form.errors else 200
        return answer

    def _redeliver(self, request: HttpRequest, row: WebhookEndpoint, form: RangeForm) -> HttpResponse:
        assert isinstance(request.user, User)
        asked, count = form.cleaned_data, 0
        after: UUID | None = asked["after"]
        for _portion in range(_MOST_PORTIONS):
            done = at_edge(services.redeliver_range)(
                endpoint_id=row.pk,
                created_gte=asked["since"],
                created_lt=asked["until"],
                status=asked["status"] or None,
                after=after,
                by=user_actor(request.user),
                reason=asked["reason"],
            )
            count, after = count + done.count, done.last
            if after is None:
                break
        says = ngettext("%(n)s is sent again.", "%(n)s are sent again.", count)
        messages.success(request, says % {"n": count})
        if after is None:
            return redirect(self._url("change", row))
        messages.warning(request, _("There are more; send the next portion."))
        more = RangeForm(initial={**asked, "after": after})
        context = {"row": row, "form": more, "back": self._url("change", row), "state": self.shown_state(row)}
        return self.show(request, "events/redeliver.html", _("Send a range again"), context)


_FIELDS = {"created_lt": "until", "created_gte": "since", "reason": "reason"}


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _failures(health: Health) -> str:
    percent = health.failed_percent
    if percent is None:
        return "–"
    shown = f"{percent} %"
    return shown if not percent else format_html('<span class="state state-failed">{}</span>', shown)


def _named(audits: Iterable[AuditRecord]) -> list[AuditRecord]:
    rows = list(audits)
    name_people(rows, ("actor",))
    return rows
