"""Giving money back, and what became of it: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_reference, read_store_id, read_time
from core.api.schemas import listed, one_of, our_id, text
from core.api.views import ApiView, PostOnceView, json_response
from core.errors import NotFound
from core.ids import public_id
from payments import selectors, services
from payments.api.refund_serializers import RefundInput
from payments.api.refund_shapes import REFUND_OBJECT
from payments.errors import (
    CurrencyMismatch,
    RefundDestinationUnavailable,
    RefundExceedsCaptured,
    RefundNotInWholePoints,
)
from payments.states import REFUND
from payments.types import RefundFilters

__all__ = ["RefundDetail", "RefundList"]


class RefundList(PostOnceView):
    """POST gives money back, GET lists what was given back."""

    scopes = {"GET": "refunds:read", "POST": "refunds:write"}
    query_parameters = (
        "limit",
        "cursor",
        "status",
        "seller_account",
        "payment_order_id",
        "created_gte",
        "created_lt",
    )
    calls = {"GET": "list", "POST": "money"}
    is_key_required = True
    operations = {
        "GET": Operation(
            "list_refunds",
            returns=listed(REFUND_OBJECT),
            query={
                "status": one_of(REFUND.states, "Only refunds in this state."),
                "payment_order_id": text("Only those of this order, by the store's id or ours."),
            },
        ),
        "POST": Operation(
            "create_refund",
            returns=REFUND_OBJECT,
            status=HTTPStatus.CREATED,
            errors=(
                CurrencyMismatch,
                NotFound,
                RefundDestinationUnavailable,
                RefundExceedsCaptured,
                RefundNotInWholePoints,
            ),
            example={"payment_order_id": "o-1", "amount": "40.00", "reason": "one shirt came back"},
        ),
    }
    Input = RefundInput

    def get(self, request: Request) -> HttpResponse:
        """List refunds, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope("refunds", merchant_id, query)
        page = selectors.list_refunds(
            merchant_id=merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            filters=RefundFilters(
                status=read_choice(query, "status", REFUND.states),
                seller_account=read_store_id(query, "seller_account"),
                order=read_reference(query, "payment_order_id", "pay"),
                created_gte=read_time(query, "created_gte"),
                created_lt=read_time(query, "created_lt"),
            ),
        )
        return json_response(list_object(page, scope=scope, render=dict))

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Give an order's money back, or a part of it.

        It is taken from the seller at once and sent afterwards: the answer does not wait for the provider. A
        refund to the buyer's wallet is done when the answer comes.
        """
        merchant_id = self.caller.merchant_id
        refund = services.request_refund(
            merchant_id=merchant_id, request=data["request"], actor=self.caller.actor
        )
        shown = selectors.get_refund(merchant_id=merchant_id, reference=public_id("re", refund.id))
        return HTTPStatus.CREATED, shown


class RefundDetail(ApiView):
    """GET shows one refund."""

    scopes = {"GET": "refunds:read"}
    operations = {
        "GET": Operation(
            "get_refund", returns=REFUND_OBJECT, path={"reference": our_id("re", "The refund's id.")}
        )
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one refund, by its re_… id."""
        return json_response(selectors.get_refund(merchant_id=self.caller.merchant_id, reference=reference))
