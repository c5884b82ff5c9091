"""Paying sellers out, and what became of it: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_store_id, read_time
from core.api.schemas import listed, one_of, our_id
from core.api.views import ApiView, PostOnceView, json_response
from core.errors import NotFound
from core.ids import public_id
from core.log_context import note
from merchants.errors import SellerUnknown
from payouts import selectors, services
from payouts.api.serializers import PayoutCancellationInput, PayoutInput
from payouts.api.shapes import PAYOUT_DETAIL, PAYOUT_OBJECT
from payouts.errors import (
    DestinationCoolingDown,
    DestinationUnknown,
    DestinationUnsupported,
    DestinationUnverified,
    PayoutBelowMinimum,
    PayoutBlocked,
    PayoutChannelUnavailable,
    PayoutLimitExceeded,
    PayoutNotCancelable,
    SellerUnverified,
)
from payouts.states import PAYOUT
from payouts.types import PayoutFilters
from wallet.errors import InsufficientFunds

__all__ = ["PayoutCancellation", "PayoutDetail", "PayoutList"]

_REFERENCE = {"reference": our_id("po", "The payout's id.")}


class PayoutList(PostOnceView):
    """POST pays a seller out, GET lists what was paid out."""

    scopes = {"GET": "payouts:read", "POST": "payouts:write"}
    query_parameters = ("limit", "cursor", "status", "seller_account", "created_gte", "created_lt")
    calls = {"GET": "list", "POST": "money"}
    is_key_required = True
    operations = {
        "GET": Operation(
            "list_payouts",
            returns=listed(PAYOUT_OBJECT),
            query={"status": one_of(PAYOUT.states, "Only payouts in this state.")},
        ),
        "POST": Operation(
            "create_payout",
            returns=PAYOUT_OBJECT,
            status=HTTPStatus.CREATED,
            errors=(
                DestinationCoolingDown,
                DestinationUnknown,
                DestinationUnsupported,
                DestinationUnverified,
                InsufficientFunds,
                PayoutBelowMinimum,
                PayoutBlocked,
                PayoutChannelUnavailable,
                PayoutLimitExceeded,
                SellerUnknown,
                SellerUnverified,
            ),
            example={"seller_account": "ann", "amount": "50.00", "currency": "EUR"},
        ),
    }
    Input = PayoutInput

    def get(self, request: Request) -> HttpResponse:
        """List payouts, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope("payouts", merchant_id, query)
        page = selectors.list_payouts(
            merchant_id=merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            filters=PayoutFilters(
                status=read_choice(query, "status", PAYOUT.states),
                seller_account=read_store_id(query, "seller_account"),
                created_gte=read_time(query, "created_gte"),
                created_lt=read_time(query, "created_lt"),
            ),
        )
        return json_response(list_object(page, scope=scope, render=dict))

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Pay a seller out of what is available.

        The amount and its fee are set aside at once. It leaves when everybody who must has said yes: the
        answer does not wait for that, nor for the bank.
        """
        payout = services.request_payout(
            merchant_id=self.caller.merchant_id,
            seller=data["seller_account"],
            amount_minor=data["amount_minor"],
            currency=data["currency"],
            destination=data.get("destination"),
            metadata=data.get("metadata"),
            origin="api",
            by=self.caller.actor,
        )
        note(payout_id=public_id("po", payout.id))
        return HTTPStatus.CREATED, selectors.shown(payout=payout)


class PayoutDetail(ApiView):
    """GET shows one payout."""

    scopes = {"GET": "payouts:read"}
    operations = {"GET": Operation("get_payout", returns=PAYOUT_DETAIL, path=_REFERENCE)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one payout with its timeline, by its po_… id."""
        return json_response(selectors.get_payout(merchant_id=self.caller.merchant_id, reference=reference))


class PayoutCancellation(PostOnceView):
    """POST takes a payout back that was not sent."""

    scopes = {"POST": "payouts:write"}
    calls = {"POST": "money"}
    is_key_required = True
    operations = {
        "POST": Operation(
            "cancel_payout",
            returns=PAYOUT_OBJECT,
            status=HTTPStatus.CREATED,
            path=_REFERENCE,
            errors=(NotFound, PayoutNotCancelable),
            example={},
        )
    }
    Input = PayoutCancellationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Take a payout back: what was set aside is available again.

        Refused as soon as its sending has begun. Then only the bank can stop it.
        """
        payout = services.cancel_payout(
            merchant_id=self.caller.merchant_id, reference=path["reference"], by=self.caller.actor
        )
        return HTTPStatus.CREATED, selectors.shown(payout=payout)
