"""The endpoints of pay-in: thin shells around services and selectors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.views import ApiView, json_response
from payments import selectors, services
from payments.api.card_attempts import card_attempt
from payments.api.inline import RegistersInline
from payments.api.serializers import CheckoutInput

__all__ = ["CheckoutDetail", "PaymentDetail", "PaymentList"]


class PaymentList(RegistersInline):
    """POST accepts a checkout."""

    scopes = {"POST": "payments:write"}
    calls = {"POST": "money"}
    is_key_required = True
    Input = CheckoutInput

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Count by the card, and by the buyer's address where the store tells it."""
        return card_attempt(request.data)

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
