"""The endpoints of sellers' destinations: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice
from core.api.schemas import listed, one_of
from core.api.views import ApiView, PostOnceView, json_response
from core.errors import NotFound
from core.ids import parse_public_id
from core.transactions import at_edge
from merchants.selectors import find_seller
from payouts import selectors, services
from payouts.api.destination_serializers import DestinationInput
from payouts.api.destination_shapes import DESTINATION, DESTINATION_PATH
from payouts.errors import (
    DestinationExists,
    DestinationInvalid,
    DestinationUnsupported,
    TooManyDestinations,
)
from payouts.states import DESTINATION as MACHINE
from payouts.types import DestinationData

__all__ = ["DestinationDetail", "DestinationList"]

_SELLER = {"reference": DESTINATION_PATH["reference"]}


class DestinationList(PostOnceView):
    """POST adds an account to a seller, GET lists them."""

    scopes = {"GET": "payouts:read", "POST": "payouts:write"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor", "status")
    operations = {
        "GET": Operation(
            "list_destinations",
            returns=listed(DESTINATION),
            path=_SELLER,
            query={"status": one_of(MACHINE.states, "Only destinations in this state.")},
        ),
        "POST": Operation(
            "add_destination",
            returns=DESTINATION,
            status=HTTPStatus.CREATED,
            path=_SELLER,
            errors=(DestinationInvalid, DestinationUnsupported, DestinationExists, TooManyDestinations),
            example={
                "kind": "iban",
                "country": "DE",
                "currency": "EUR",
                "holder_name": "Ann Bell",
                "iban": "DE89 3704 0044 0532 0130 00",
                "bic": "COBADEFFXXX",
            },
        ),
    }
    Input = DestinationInput

    def work(self, *, data: dict[str, Any], reference: str = "", **path: Any) -> tuple[int, dict[str, Any]]:
        """Add an account to a seller.

        It is paid to when a person has verified it and its cool-down is over.
        """
        made = services.add_destination(
            merchant_id=self.caller.merchant_id, seller=reference, by=self.caller.actor, **data
        )
        return HTTPStatus.CREATED, made.as_object()

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List a seller's destinations, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        seller = find_seller(merchant_id=merchant_id, reference=reference)
        scope = list_scope(f"destinations of {seller.public_id}", merchant_id, query)
        page = selectors.list_destinations(
            merchant_id=merchant_id,
            seller_id=seller.id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            status=read_choice(query, "status", MACHINE.states),
        )
        return json_response(list_object(page, scope=scope, render=DestinationData.as_object))


class DestinationDetail(ApiView):
    """One account of a seller."""

    scopes = {"GET": "payouts:read", "DELETE": "payouts:write"}
    operations = {
        "GET": Operation("get_destination", returns=DESTINATION, path=DESTINATION_PATH),
        "DELETE": Operation("remove_destination", returns=DESTINATION, path=DESTINATION_PATH),
    }

    def get(self, request: Request, reference: str, destination: str) -> HttpResponse:
        """Show one destination."""
        merchant_id = self.caller.merchant_id
        seller = find_seller(merchant_id=merchant_id, reference=reference)
        found = selectors.get_destination(
            merchant_id=merchant_id, destination_id=_key_of(destination), seller_id=seller.id
        )
        return json_response(found.as_object())

    def delete(self, request: Request, reference: str, destination: str) -> HttpResponse:
        """Remove a destination.

        Nothing is sent there any more. Payouts to it that were not sent are blocked: cancel them, and ask
        anew. Those that were sent stay as they are.
        """
        return json_response(self._remove(reference, destination).as_object())

    @at_edge
    def _remove(self, reference: str, destination: str) -> DestinationData:
        merchant_id = self.caller.merchant_id
        seller = find_seller(merchant_id=merchant_id, reference=reference)
        return services.remove_destination(
            merchant_id=merchant_id,
            destination_id=_key_of(destination),
            seller_id=seller.id,
            by=self.caller.actor,
        )


def _key_of(reference: str) -> UUID:
    key = parse_public_id(reference, "dst")
    if key is None:
        raise NotFound()
    return key
