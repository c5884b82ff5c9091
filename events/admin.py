"""Webhooks that came in: what a provider told, who handles it, and putting back to work what stopped.

Webhooks out are in files of their own.
"""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from channels.selectors import channel_keys, channel_names, get_channel, without_private_data
from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import state, text
from core.admin_pages import FindsRows, PageAdmin
from core.admin_site import site
from core.audit_trail import user_actor
from core.errors import DomainError
from core.ids import as_uuid
from core.models import User
from core.transactions import at_edge
from events import admin_deliveries, admin_endpoints, stream_admin
from events.admin_exports import INBOX, WORK
from events.models import InboxWork, WebhookInbox
from events.services import MOST_AT_ONCE, replay_stopped, replay_work
from events.states import INBOX_WORK

__all__ = ["admin_deliveries", "admin_endpoints", "stream_admin"]

_LOOKS = {
    "RECEIVED": "progress",
    "PARKED": "waiting",
    "DONE": "done",
    "DEAD": "failed",
}
_STOPPED = ("PARKED", "DEAD")
_REPLAY = "events.change_inboxwork"


class StateFilter(SimpleListFilter):
    """What stopped: each of these has an index of its own."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Parked, dead and quarantined."""
        return [
            ("PARKED", gettext_lazy("Parked: what it is about is not here yet")),
            ("DEAD", gettext_lazy("Dead: handling it failed for good")),
            ("QUARANTINED", gettext_lazy("Quarantined: from another environment")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what stopped in this way."""
        value = self.value()
        if value == "QUARANTINED":
            return queryset.filter(status=value)
        if value in _STOPPED:
            return queryset.filter(pk__in=InboxWork.objects.filter(status=value).values("inbox"))
        return queryset


class WorkFilter(SimpleListFilter):
    """Work in one state. What is not done has indexes of its own; the filter asks as they do."""

    title = gettext_lazy("state")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every state there is."""
        return INBOX_WORK.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what stands like this."""
        value = self.value()
        if value == "RECEIVED":
            return queryset.filter(status=value, due_at__isnull=False)
        return queryset.filter(status=value) if value else queryset


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )


@register(WebhookInbox, site=site)
class InboxAdmin(PageAdmin):
    """Deliveries of providers, newest first; each opens on its content and on what became of it."""

    list_display = ("received_at", "type", "provider_event_id", "shown_channel", "shown_state", "shown_work")
    list_filter = (StateFilter,)
    search_fields = ("provider_event_id",)
    search_help_text = gettext_lazy(
        "The provider's whole id of an event, or of what it is about (evt_…, pi_…)"
    )
    export_columns = INBOX
    not_listed = ("raw", "payload", "headers")
    empty_says = gettext_lazy("No provider has told anything yet.")
    page_template = "events/inbox.html"
    list_before_template = "events/stopped.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the provider's ids, channel by channel: so the indexes serve."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > 255 or "\x00" in term:
            return queryset.none(), False
        channels = channel_keys()
        by_event = queryset.filter(channel_id__in=channels, provider_event_id=term)
        return by_event | queryset.filter(channel_id__in=channels, about=term).exclude(about=""), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists need no bodies."""
        return super().get_queryset(request).prefetch_related("work")

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The channels of a whole page in one query."""
        rows = list(rows)
        names = channel_names(channel_ids={row.channel_id for row in rows})
        for row in rows:
            row.channel_name = names[row.channel_id]

    @display(description=gettext_lazy("Channel"))
    def shown_channel(self, row: Any) -> str:
        """Over which line it came."""
        return str(row.channel_name)

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: WebhookInbox) -> str:
        """Received or quarantined."""
        return state(row.status, "failed" if row.status == "QUARANTINED" else "neutral")

    @display(description=gettext_lazy("Work"))
    def shown_work(self, row: WebhookInbox) -> Any:
        """How it stands with each subscriber."""
        work = list(row.work.all())
        if not work:
            return _("nobody wants it")
        return format_html_join(" ", "{}", ((state(each.status, _LOOKS[each.status]),) for each in work))

    def page_title(self, row: WebhookInbox) -> str:
        """The type of the event."""
        return f"{_('Webhook')} · {row.type}"

    def page_context(self, request: HttpRequest, row: WebhookInbox) -> dict[str, Any]:
        """Headers, content without personal data, and the work."""
        may_replay = request.user.has_perm(_REPLAY)
        return {
            "channel": get_channel(channel_id=row.channel_id).name,
            "status": self.shown_state(row),
            "size": len(bytes(row.raw)),
            "content": _content(bytes(row.raw)),
            "headers": sorted(row.headers.items()),
            "work": [
                {
                    "it": each,
                    "status": state(each.status, _LOOKS[each.status]),
                    "replay_url": reverse("admin:events_inboxwork_replay", args=[each.pk])
                    if may_replay and each.status != "DONE"
                    else "",
                }
                for each in row.work.all()
            ],
        }


def _replay(*, row: InboxWork, actor: str, reason: str) -> None:
    replay_work(work_id=row.pk, by=actor, reason=reason)


@register(InboxWork, site=site)
class InboxWorkAdmin(FindsRows, ReadOnlyAdmin):
    """What a subscriber has to do about a webhook; what stopped is replayed here, one or many."""

    list_display = ("shown_event", "subscriber", "shown_state", "attempts", "due_at", "shown_reason")
    list_filter = (WorkFilter,)
    search_fields = ("id",)
    search_help_text = gettext_lazy("The whole id of a piece of work")
    list_select_related = ("inbox",)
    exclude = ("status",)
    readonly_fields = ("shown_state",)
    export_columns = WORK
    not_listed = ("inbox__raw", "inbox__payload", "inbox__headers")
    empty_says = gettext_lazy("No subscriber has anything to do.")
    service_actions = (
        ServiceAction(
            name="replay",
            label=gettext_lazy("Replay"),
            icon="replay",
            says=gettext_lazy(
                "The webhook is handed to its subscriber again, now. What was applied already is applied no"
                " second time."
            ),
            done=gettext_lazy("It is being handled again."),
            permission=_REPLAY,
            run=_replay,
            applies=lambda row: row.status != "DONE",
        ),
    )

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the id."""
        key = as_uuid(term)
        return queryset.filter(pk=key) if key else queryset.none()

    def get_urls(self) -> list[URLPattern]:
        """Add the page that replays many."""
        view = self.admin_site.admin_view(self.replay_many)
        return [path("replay-stopped/<str:status>/", view, name="events_inboxwork_many"), *super().get_urls()]

    def replay_many(self, request: HttpRequest, status: str) -> HttpResponse:
        """Ask for a reason, then replay what stopped in one way: a portion, the oldest first."""
        if status not in _STOPPED:
            return redirect("admin:events_webhookinbox_changelist")
        if not request.user.has_perm(_REPLAY) or not isinstance(request.user, User):
            raise PermissionDenied
        form, back = ReasonForm(request.POST or None), reverse("admin:events_webhookinbox_changelist")
        if request.method == "POST" and form.is_valid():
            try:
                by, reason = user_actor(request.user), form.cleaned_data["reason"]
                number = at_edge(replay_stopped)(status=status, by=by, reason=reason)
            except DomainError as error:
                form.add_error("reason", error.message)
            else:
                says = ngettext("%(n)s is handled again.", "%(n)s are handled again.", number)
                messages.success(request, says % {"n": number})
                return redirect(f"{back}?state={status}")
        rows = InboxWork.objects.filter(status=status).order_by("inbox", "pk").select_related("inbox")
        found = list(rows[: MOST_AT_ONCE + 1])
        context = {
            "rows": found[:MOST_AT_ONCE],
            "is_cut": len(found) > MOST_AT_ONCE,
            "form": form,
            "back": f"{back}?state={status}",
            "opts": self.opts,
            "title": _("Replay what is parked") if status == "PARKED" else _("Replay what is dead"),
            **self.admin_site.each_context(request),
        }
        request.current_app = self.admin_site.name
        code = 422 if form.errors else 200
        return TemplateResponse(request, "events/replay_many.html", context, status=code)

    @display(description=gettext_lazy("Webhook"))
    def shown_event(self, row: InboxWork) -> str:
        """What came, and when."""
        return f"{row.inbox.received_at:%Y-%m-%d %H:%M:%S} {row.inbox.type}"

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: InboxWork) -> str:
        """Where it stands."""
        return state(row.status, _LOOKS[row.status])

    @display(description=gettext_lazy("Error"))
    def shown_reason(self, row: InboxWork) -> Any:
        """The beginning of the last error."""
        return text(row.reason)


def _content(raw: bytes) -> str:
    """The body without personal data, indented where it is JSON."""
    shown = without_private_data(raw=raw).decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(shown), indent=2, ensure_ascii=False)
    except ValueError:
        return shown
