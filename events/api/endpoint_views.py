"""The endpoints that a store is told at: thin shells around services and selectors."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice
from core.api.schemas import listed, one_of
from core.api.serializers import read_body
from core.api.views import ApiView, PostOnceView, json_response
from core.idempotency import Answer
from core.transactions import at_edge
from events import selectors, services
from events.api.references import endpoint_key
from events.api.serializers import EndpointChanges, EndpointInput, RotationInput
from events.api.shapes import ENDPOINT_OBJECT, ENDPOINT_PATH, ENDPOINT_WITH_SECRET
from events.errors import EndpointDisabled, TooManyEndpoints, TooManySecrets, UrlNotAllowed
from events.states import ENDPOINT
from events.types import EndpointData, IssuedEndpoint

__all__ = ["EndpointDetail", "EndpointList", "SecretRotation"]


_STATES = tuple(state.lower() for state in ENDPOINT.states)


class _ShowsSecret(PostOnceView):
    """A POST whose answer shows a new secret; the answer that is stored for repeats does not hold it.

    A repeat under the same Idempotency-Key shows it again, for as long as it is in use.
    """

    def issued(self, issued: IssuedEndpoint) -> tuple[int, dict[str, Any]]:
        """Return the answer with room for the secret."""
        return HTTPStatus.CREATED, issued.endpoint.as_object() | {"secret": None}

    def respond(self, answer: Answer) -> HttpResponse:
        """Put the secret into its place."""
        body = json.loads(answer.body)
        body["secret"] = selectors.issued_secret(
            merchant_id=self.caller.merchant_id,
            endpoint_id=endpoint_key(body["id"]),
            mark=body["signing_secrets"][0]["fingerprint"],
        )
        return super().respond(Answer(answer.status, JSONRenderer().render(body), answer.is_replay))


class EndpointList(_ShowsSecret):
    """POST has the store told at a URL, GET lists where it is told."""

    scopes = {"GET": "webhooks:read", "POST": "webhooks:write"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor", "status")
    operations = {
        "GET": Operation(
            "list_webhook_endpoints",
            returns=listed(ENDPOINT_OBJECT),
            query={"status": one_of(_STATES, "Only endpoints in this state.")},
        ),
        "POST": Operation(
            "create_webhook_endpoint",
            returns=ENDPOINT_WITH_SECRET,
            status=HTTPStatus.CREATED,
            errors=(UrlNotAllowed, TooManyEndpoints),
            example={
                "url": "https://store.example/webhooks",
                "event_types": ["payment.succeeded", "payment.failed"],
            },
        ),
    }
    Input = EndpointInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Create an endpoint.

        The secret in the answer verifies its deliveries; no other answer shows it.
        """
        caller = self.caller
        return self.issued(services.create_endpoint(merchant_id=caller.merchant_id, by=caller.actor, **data))

    def get(self, request: Request) -> HttpResponse:
        """List endpoints, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope("webhook_endpoints", merchant_id, query)
        page = selectors.list_endpoints(
            merchant_id=merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            status=read_choice(query, "status", _STATES),
        )
        return json_response(list_object(page, scope=scope, render=EndpointData.as_object))


class EndpointDetail(ApiView):
    """One endpoint, by its whe_… id."""

    scopes = {"GET": "webhooks:read", "PATCH": "webhooks:write", "DELETE": "webhooks:write"}
    operations = {
        "GET": Operation("get_webhook_endpoint", returns=ENDPOINT_OBJECT, path=ENDPOINT_PATH),
        "PATCH": Operation(
            "update_webhook_endpoint",
            returns=ENDPOINT_OBJECT,
            errors=(UrlNotAllowed, EndpointDisabled),
            body=EndpointChanges,
            path=ENDPOINT_PATH,
            example={"status": "paused"},
        ),
        "DELETE": Operation("delete_webhook_endpoint", returns=ENDPOINT_OBJECT, path=ENDPOINT_PATH),
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one endpoint."""
        found = selectors.get_endpoint(
            merchant_id=self.caller.merchant_id, endpoint_id=endpoint_key(reference)
        )
        return json_response(found.as_object())

    def patch(self, request: Request, reference: str) -> HttpResponse:
        """Change an endpoint.

        Paused, it is told nothing and nothing is dropped; enabled again, it gets its backlog first.
        """
        return json_response(self._change(reference, read_body(EndpointChanges, request)).as_object())

    def delete(self, request: Request, reference: str) -> HttpResponse:
        """Disable an endpoint for good.

        What waits for it is canceled; the endpoint and its deliveries can still be looked at.
        """
        return json_response(self._disable(reference).as_object())

    @at_edge
    def _change(self, reference: str, changes: dict[str, Any]) -> EndpointData:
        caller = self.caller
        whose: dict[str, Any] = {
            "merchant_id": caller.merchant_id,
            "endpoint_id": endpoint_key(reference),
            "by": caller.actor,
        }
        status = changes.pop("status", None)
        found = services.update_endpoint(**whose, **changes)
        if status == "paused":
            return services.pause_endpoint(**whose, why="asked by the store")
        if status == "enabled":
            return services.resume_endpoint(**whose, why="asked by the store")
        return found

    @at_edge
    def _disable(self, reference: str) -> EndpointData:
        caller = self.caller
        return services.disable_endpoint(
            merchant_id=caller.merchant_id,
            endpoint_id=endpoint_key(reference),
            why="removed by the store",
            by=caller.actor,
        )


class SecretRotation(_ShowsSecret):
    """POST signs with a new secret, and for a while with the old one as well."""

    scopes = {"POST": "webhooks:write"}
    operations = {
        "POST": Operation(
            "rotate_webhook_secret",
            returns=ENDPOINT_WITH_SECRET,
            status=HTTPStatus.CREATED,
            errors=(EndpointDisabled, TooManySecrets),
            path=ENDPOINT_PATH,
            example={"overlap_seconds": 86_400},
        )
    }
    Input = RotationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Rotate the signing secret.

        For the overlap every delivery is signed with the old secret too, so that either verifies it. Secrets
        that are on their way out keep their own ends; at most five are in use.
        """
        caller = self.caller
        return self.issued(
            services.rotate_endpoint_secret(
                merchant_id=caller.merchant_id,
                endpoint_id=endpoint_key(path["reference"]),
                overlap=timedelta(seconds=data["overlap_seconds"]),
                by=caller.actor,
            )
        )
