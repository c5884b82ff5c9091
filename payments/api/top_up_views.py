"""Bringing money into a wallet: thin shells around services and selectors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.schemas import listed, our_id
from core.api.views import ApiView, json_response
from payments import selectors, services
from payments.api.card_attempts import card_attempt
from payments.api.inline import RegistersInline
from payments.api.shapes import TOP_UP
from payments.api.top_up_serializers import TopUpInput
from payments.errors import (
    PaymentMethodConflict,
    PaymentMethodUnavailable,
    PaymentMethodUnknown,
    TopUpUnsupported,
)

__all__ = ["TopUpDetail", "TopUpList"]

_WALLET = {"reference": our_id("wal", "The wallet's id.")}


class TopUpList(RegistersInline):
    """POST begins a top-up of a wallet, GET lists those that were."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    query_parameters = ("limit", "cursor")
    calls = {"GET": "list", "POST": "money"}
    is_key_required = True
    operations = {
        "GET": Operation("list_top_ups", returns=listed(TOP_UP), path=_WALLET),
        "POST": Operation(
            "create_top_up",
            returns=TOP_UP,
            path=_WALLET,
            status=HTTPStatus.CREATED,
            errors=(
                PaymentMethodConflict,
                PaymentMethodUnavailable,
                PaymentMethodUnknown,
                TopUpUnsupported,
            ),
            example={
                "amount": "30.00",
                "currency": "USD",
                "credit_card_info": {"token": "pm_card_visa"},
                "return_url": "https://shop.example/wallet",
            },
        ),
    }
    Input = TopUpInput

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List the top-ups of a wallet, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope(f"top_ups of {reference}", merchant_id, query)
        page = selectors.list_top_ups(
            merchant_id=merchant_id,
            wallet=reference,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
        )
        return json_response(list_object(page, scope=scope, render=dict))

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Count by the card."""
        return card_attempt(request.data)

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Top up a buyer's wallet.

        It is stored and then paid, as a payment is: with a card, or on the provider's page, whose address
        comes in `next_action`. What the buyer can spend grows when it is SUCCESS.
        """
        started = services.start_top_up(
            merchant_id=self.caller.merchant_id,
            wallet=path["reference"],
            request=data["request"],
            actor=self.caller.actor,
        )
        self.inline = started.inline
        return HTTPStatus.CREATED, selectors.top_up_as_started(top_up=started.top_up)


class TopUpDetail(ApiView):
    """GET shows one top-up."""

    scopes = {"GET": "wallets:read"}
    operations = {
        "GET": Operation("get_top_up", returns=TOP_UP, path={"reference": our_id("top", "The top-up's id.")})
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one top-up."""
        return json_response(selectors.get_top_up(merchant_id=self.caller.merchant_id, reference=reference))
