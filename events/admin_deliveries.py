"""Single deliveries in the console: what was sent, what was answered to each try, and sending it again."""

import json
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_base import ServiceAction
from core.admin_display import identifier, state
from core.admin_pages import FindsRows, PageAdmin
from core.admin_site import site
from core.ids import parse_public_id, public_id
from events import services
from events.admin_exports import DELIVERIES
from events.facts import event_data
from events.models import WebhookDelivery

__all__ = ["DELIVERY_LOOKS"]

DELIVERY_LOOKS = {"PENDING": "progress", "DELIVERED": "done", "FAILED": "failed", "CANCELED": "over"}
_RIGHT = "events.change_webhookdelivery"


def _redeliver(*, row: WebhookDelivery, actor: str, reason: str) -> None:
    services.redeliver(delivery_id=row.pk, by=actor, reason=reason)


class EndpointFilter(SimpleListFilter):
    """Of one endpoint; its page leads here."""

    title = gettext_lazy("endpoint")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The one that is chosen: a list of all would be long and say little."""
        given = request.GET.get("endpoint", "")
        key = _uuid(given)
        return [(given, public_id("whe", key) if key else given)] if given else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what went to the endpoint."""
        if not self.value():
            return queryset
        key = _uuid(str(self.value()))
        return queryset.filter(endpoint_id=key) if key else queryset.none()


class StateFilter(SimpleListFilter):
    """What was not told, of one endpoint: there an index serves."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Waiting, failed and canceled."""
        if not request.GET.get("endpoint"):
            return []
        return [
            ("PENDING", gettext_lazy("Waiting for its next try")),
            ("FAILED", gettext_lazy("Failed for good")),
            ("CANCELED", gettext_lazy("Canceled with its endpoint")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what stands like this."""
        return queryset.filter(status=self.value()) if self.value() else queryset


@register(WebhookDelivery, site=site)
class DeliveryAdmin(FindsRows, PageAdmin):
    """Events on their way to endpoints, newest first."""

    list_display = ("created_at", "shown_type", "shown_event", "shown_endpoint", "shown_state", "shown_tries")
    list_filter = (EndpointFilter, StateFilter)
    list_select_related = ("event", "endpoint")
    search_fields = ("event",)
    search_help_text = gettext_lazy("The whole id of an event (evt_…), or what it is about (pay_…)")
    export_columns = DELIVERIES
    not_listed = ("event__payload", "endpoint__secrets")
    empty_says = gettext_lazy("No event has been sent to a store yet.")
    page_template = "events/delivery.html"
    service_actions = (
        ServiceAction(
            name="redeliver",
            label=gettext_lazy("Send again"),
            icon="replay",
            says=gettext_lazy(
                "The same event, with the same id, is sent once more with a fresh signature. A store that"
                " handled it already knows it by its id."
            ),
            done=gettext_lazy("It is being sent again."),
            permission=_RIGHT,
            run=_redeliver,
            applies=lambda row: row.status != "CANCELED" and row.endpoint.status != "DISABLED",
        ),
    )

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the event's id, or by its subject."""
        key = parse_public_id(term, "evt")
        if key:
            return queryset.filter(event_id=key)
        if len(term) > 64 or "\x00" in term:
            return queryset.none()
        return queryset.filter(event__subject=term)

    @display(description=gettext_lazy("Type"))
    def shown_type(self, row: WebhookDelivery) -> str:
        """What happened."""
        return row.event.type

    @display(description=gettext_lazy("Event"))
    def shown_event(self, row: WebhookDelivery) -> str:
        """The id of the event, which is the webhook-id."""
        return identifier(public_id("evt", row.event_id))

    @display(description=gettext_lazy("Endpoint"))
    def shown_endpoint(self, row: WebhookDelivery) -> str:
        """Where to."""
        return identifier(row.endpoint.public_id)

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: WebhookDelivery) -> str:
        """Where it stands."""
        return state(row.status, DELIVERY_LOOKS[row.status])

    @display(description=gettext_lazy("Tries"))
    def shown_tries(self, row: WebhookDelivery) -> int:
        """How often it was tried in all."""
        return row.tries_so_far

    def page_title(self, row: WebhookDelivery) -> str:
        """What is sent."""
        return f"{_('Webhook')} · {row.event.type}"

    def page_context(self, request: HttpRequest, row: WebhookDelivery) -> dict[str, Any]:
        """What was sent, and every try with the beginning of its answer."""
        event = event_data(row.event)
        return {
            "event": event,
            "state": self.shown_state(row),
            "endpoint": row.endpoint.public_id,
            "endpoint_url": reverse("admin:events_webhookendpoint_change", args=[row.endpoint_id]),
            "content": json.dumps(event.as_object(), indent=2, ensure_ascii=False),
            "tries": list(row.tries.order_by("pk")),
            "buttons": [
                {"action": each, "url": self._url(each.name, row)}
                for each in self.service_actions
                if request.user.has_perm(each.permission) and each.applies(row)
            ],
        }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
