"""The pull feed, single events, and sending one again."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.errors import InvalidParameter
from core.api.event_types import EVENT_TYPE, event_types
from core.api.openapi import Operation
from core.api.pagination import read_cursor, read_limit, write_cursor
from core.api.parameters import read_choice
from core.api.schemas import listed, text
from core.api.views import ApiView, PostOnceView, json_response
from core.errors import NotFound
from core.ids import parse_public_id
from events import feed, selectors, services
from events.api.references import endpoint_key, event_key
from events.api.serializers import EventRedeliveryInput
from events.api.shapes import DELIVERY_OBJECT, EVENT, EVENT_PATH
from events.errors import DeliveryCanceled, EndpointDisabled

__all__ = ["EventDetail", "EventFeed", "EventRedelivery"]


class EventFeed(ApiView):
    """GET reads the feed, oldest first; `next_cursor` is where to go on, also when there is no more yet."""

    scopes = {"GET": "events:read"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "after", "type")
    operations = {
        "GET": Operation(
            "list_events",
            returns=listed(EVENT),
            query={
                "after": text("An event's id, or the `next_cursor` of the page before."),
                "type": EVENT_TYPE,
            },
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """Read the feed of events, oldest first.

        `next_cursor` is where to go on, also when there is no more yet.
        """
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = f"events:{merchant_id}"
        text, kind = query.get("after"), read_choice(query, "type", event_types())
        try:
            after = (parse_public_id(text, "evt") or read_cursor(scope, text)) if text is not None else None
            page = feed.read_feed(
                merchant_id=merchant_id, limit=read_limit(query.get("limit")), after=after, event_type=kind
            )
        except NotFound:
            raise InvalidParameter("There is no such event in the feed.", param="after") from None
        except InvalidParameter as error:
            raise error.at("after") if error.param == "cursor" else error from None
        return json_response(
            {
                "object": "list",
                "data": [event.as_object() for event in page.items],
                "has_more": page.has_more,
                "next_cursor": write_cursor(scope, page.last) if page.last else None,
            }
        )


class EventDetail(ApiView):
    """GET shows one event, by its evt_… id, which is also its webhook-id."""

    scopes = {"GET": "events:read"}
    operations = {"GET": Operation("get_event", returns=EVENT, path=EVENT_PATH)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one event."""
        found = feed.find_event(merchant_id=self.caller.merchant_id, event_id=event_key(reference))
        return json_response(found.as_object())


class EventRedelivery(PostOnceView):
    """POST sends one event again: to one endpoint, or to all that got it."""

    scopes = {"POST": "events:write"}
    operations = {
        "POST": Operation(
            "redeliver_event",
            returns=listed(DELIVERY_OBJECT),
            status=HTTPStatus.CREATED,
            errors=(EndpointDisabled, DeliveryCanceled),
            path=EVENT_PATH,
            example={},
        )
    }
    Input = EventRedeliveryInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Send one event again.

        To the endpoint that is named, or to all that got it; the answer lists the deliveries.
        """
        caller, endpoint = self.caller, data.get("webhook_endpoint")
        event_id = event_key(path["reference"])
        feed.find_event(merchant_id=caller.merchant_id, event_id=event_id)
        try:
            ids = services.redeliver_event(
                merchant_id=caller.merchant_id,
                event_id=event_id,
                endpoint_id=None if endpoint is None else endpoint_key(endpoint),
                by=caller.actor,
            )
        except NotFound as error:
            raise error.at("webhook_endpoint") from None
        found = selectors.get_deliveries(merchant_id=caller.merchant_id, ids=ids)
        return HTTPStatus.CREATED, {
            "object": "list",
            "data": [each.as_object() for each in found],
            "has_more": False,
            "next_cursor": None,
        }
