"""What was sent to an endpoint, and sending a range of it again."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.errors import InvalidField, InvalidParameter
from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit, write_cursor
from core.api.parameters import read_choice, read_time
from core.api.schemas import listed, one_of, our_id
from core.api.views import ApiView, PostOnceView, json_response
from events import selectors, services
from events.api.references import endpoint_key, read_event
from events.api.serializers import RangeInput
from events.api.shapes import DELIVERY_OBJECT, ENDPOINT_PATH, REDELIVERY
from events.errors import EndpointDisabled
from events.states import DELIVERY
from events.types import DeliveryData

__all__ = ["DeliveryList", "RangeRedelivery"]


_STATES = tuple(state.lower() for state in DELIVERY.states)


class DeliveryList(ApiView):
    """GET lists what was sent to an endpoint, each with its attempts."""

    scopes = {"GET": "webhooks:read"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor", "status", "event", "created_gte", "created_lt")
    operations = {
        "GET": Operation(
            "list_webhook_deliveries",
            returns=listed(DELIVERY_OBJECT),
            path=ENDPOINT_PATH,
            query={
                "status": one_of(_STATES, "Only deliveries in this state."),
                "event": our_id("evt", "Only those of this event."),
            },
        )
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List an endpoint's deliveries with their attempts, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        endpoint = selectors.get_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_key(reference))
        scope = list_scope("deliveries", endpoint.id, query)
        page = selectors.list_deliveries(
            merchant_id=merchant_id,
            endpoint_id=endpoint.id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            status=read_choice(query, "status", _STATES),
            event_id=read_event(query.get("event"), name="event"),
            created_gte=read_time(query, "created_gte"),
            created_lt=read_time(query, "created_lt"),
        )
        return json_response(list_object(page, scope=scope, render=DeliveryData.as_object))


class RangeRedelivery(PostOnceView):
    """POST sends again what was first sent in a time; 500 at a request, so go on while there is more."""

    scopes = {"POST": "webhooks:write"}
    operations = {
        "POST": Operation(
            "redeliver_range",
            returns=REDELIVERY,
            status=HTTPStatus.CREATED,
            errors=(EndpointDisabled,),
            path=ENDPOINT_PATH,
            example={
                "created_gte": "2026-01-31T00:00:00Z",
                "created_lt": "2026-02-01T00:00:00Z",
                "status": "failed",
            },
        )
    }
    Input = RangeInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Send a range of deliveries again.

        At most 500 at a request, the oldest first: go on with `cursor` while there is more.
        """
        caller, endpoint_id = self.caller, endpoint_key(path["reference"])
        scope = f"redeliveries:{caller.merchant_id}:{endpoint_id}"
        try:
            after = read_cursor(scope, data.pop("cursor", None))
        except InvalidParameter as error:
            raise InvalidField(error.message, param="cursor") from None
        done = services.redeliver_range(
            merchant_id=caller.merchant_id, endpoint_id=endpoint_id, after=after, by=caller.actor, **data
        )
        return HTTPStatus.CREATED, {
            "object": "webhook_redelivery",
            "webhook_endpoint": path["reference"],
            "redelivered": done.count,
            "has_more": done.last is not None,
            "next_cursor": write_cursor(scope, done.last) if done.last else None,
        }
