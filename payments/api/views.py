"""The endpoints of pay-in: thin shells around services and selectors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_reference, read_store_id, read_time
from core.api.schemas import listed, one_of, text
from core.api.views import ApiView, json_response
from core.history import Changes
from core.log_context import note
from core.money import AmountTooLarge
from payments import selectors, services
from payments.api.card_attempts import card_attempt
from payments.api.inline import RegistersInline
from payments.api.serializers import CheckoutInput
from payments.api.shapes import CHECKOUT, ORDER_PATH, PAYMENT_ORDER_OBJECT, PAYMENT_ORDER_TOLD
from payments.errors import (
    BuyerAccountRequired,
    CaptureUnsupported,
    CheckoutExists,
    DuplicatePaymentOrderId,
    MixedCurrencyUnsupported,
    MultiOrderPolicyUnsupported,
    PaymentMethodConflict,
    PaymentMethodUnavailable,
    PaymentMethodUnknown,
    PaymentOrderExists,
    SellerUnknown,
)
from payments.states import PAYMENT_ORDER
from payments.types import OrderFilters
from wallet.errors import InsufficientFunds

__all__ = ["CheckoutDetail", "PaymentDetail", "PaymentList"]


_EXAMPLE: dict[str, Any] = {
    "checkout_id": "c-1001",
    "buyer_info": {"buyer_account": "u-77", "email": "ben@example.com"},
    "credit_card_info": {"token": "pm_card_visa"},
    "payment_orders": [
        {"payment_order_id": "o-1", "seller_account": "ann", "amount": "90.00", "currency": "USD"}
    ],
    "return_url": "https://shop.example/orders/1001",
    "metadata": {"basket": "42"},
}


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
    calls = {"GET": "list", "POST": "money"}
    is_key_required = True
    operations = {
        "GET": Operation(
            "list_payments",
            returns=listed(PAYMENT_ORDER_OBJECT),
            query={
                "status": one_of(PAYMENT_ORDER.states, "Only orders in this state."),
                "checkout_id": text("Only those of this checkout, by the store's id or ours."),
            },
        ),
        "POST": Operation(
            "create_payment",
            returns=CHECKOUT,
            status=HTTPStatus.CREATED,
            errors=(
                AmountTooLarge,
                BuyerAccountRequired,
                CaptureUnsupported,
                CheckoutExists,
                DuplicatePaymentOrderId,
                InsufficientFunds,
                MixedCurrencyUnsupported,
                MultiOrderPolicyUnsupported,
                PaymentMethodConflict,
                PaymentMethodUnavailable,
                PaymentMethodUnknown,
                PaymentOrderExists,
                SellerUnknown,
            ),
            example=_EXAMPLE,
        ),
    }
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

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Count by the card, and by the buyer's address where the store tells it."""
        return card_attempt(request.data)

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Accept a checkout.

        It is stored and then paid: the answer does not wait for the provider. A token pays with a card;
        without one the buyer pays on the provider's page, whose address comes in `next_action`. A
        payment from the buyer's `balance` is done when this is answered; one that it does not cover stores
        nothing.
        """
        shown: dict[str, Any] = {}
        note(checkout_id=data["request"].checkout_id)

        def answer(checkout: Any, orders: Any, changes: Changes) -> None:
            shown.update(selectors.checkout_as_accepted(checkout=checkout, orders=orders))
            self.store_answer(HTTPStatus.CREATED, shown, changes)

        accepted = services.accept_checkout(
            merchant_id=self.caller.merchant_id,
            request=data["request"],
            actor=self.caller.actor,
            answer=answer,
        )
        self.inline = accepted.inline
        return HTTPStatus.CREATED, shown


class PaymentDetail(ApiView):
    """GET shows one order with its timeline."""

    scopes = {"GET": "payments:read"}
    operations = {"GET": Operation("get_payment", returns=PAYMENT_ORDER_TOLD, path=ORDER_PATH)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one order with its timeline, by payment_order_id or pay_… id."""
        return json_response(
            selectors.get_payment_order(merchant_id=self.caller.merchant_id, reference=reference)
        )


class CheckoutDetail(ApiView):
    """GET shows one checkout with its orders."""

    scopes = {"GET": "payments:read"}
    operations = {"GET": Operation("get_checkout", returns=CHECKOUT)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one checkout with its orders, by checkout_id or chk_… id."""
        return json_response(selectors.get_checkout(merchant_id=self.caller.merchant_id, reference=reference))
