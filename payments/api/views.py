"""The endpoints of pay-in: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_reference, read_store_id, read_time
from core.api.views import ApiView, json_response
from payments import selectors, services
from payments.api.inline import RegistersInline
from payments.api.serializers import CheckoutInput
from payments.states import PAYMENT_ORDER
from payments.types import OrderFilters

__all__ = ["CheckoutDetail", "PaymentDetail", "PaymentList"]


class PaymentList(RegistersInline):
    """POST accepts a checkout, GET lists the orders of all of them."""

    scopes = {"GET": "payments:read", "POST": "payments:write"}
    query_parameters = (
        "limit",
        "cursor",
        "status",
        "seller_account",
        "checkout_id",
        "created_gte",
        "created_lt",
    )
    is_key_required = True
    Input = CheckoutInput

    def get(self, request: Request) -> HttpResponse:
        """List orders, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope("payments", merchant_id, query)
        page = selectors.list_payment_orders(
            merchant_id=merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            filters=OrderFilters(
                status=read_choice(query, "status", PAYMENT_ORDER.states),
                seller_account=read_store_id(query, "seller_account"),
                checkout=read_reference(query, "checkout_id", "chk"),
                created_gte=read_time(query, "created_gte"),
                created_lt=read_time(query, "created_lt"),
            ),
        )
        return json_response(list_object(page, scope=scope, render=dict))

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Store the checkout with its first work; the answer is the stored object."""
        accepted = services.accept_checkout(
            merchant_id=self.caller.merchant_id, request=data["request"], actor=self.caller.actor
        )
        self.inline = accepted.inline
        return HTTPStatus.CREATED, selectors.checkout_as_accepted(
            checkout=accepted.checkout, orders=accepted.orders
        )


class PaymentDetail(ApiView):
    """GET shows one order with its timeline."""

    scopes = {"GET": "payments:read"}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Find the order by payment_order_id or pay_… id."""
        return json_response(
            selectors.get_payment_order(merchant_id=self.caller.merchant_id, reference=reference)
        )


class CheckoutDetail(ApiView):
    """GET shows one checkout with its orders."""

    scopes = {"GET": "payments:read"}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Find the checkout by checkout_id or chk_… id."""
        return json_response(selectors.get_checkout(merchant_id=self.caller.merchant_id, reference=reference))
