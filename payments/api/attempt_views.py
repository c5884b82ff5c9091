"""Paying again after a failure, capturing, and taking back what is not paid: thin shells around services."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.request import Request

from core.api.openapi import Operation
from core.errors import InvalidState
from core.ids import public_id
from payments import selectors, services
from payments.api.attempt_serializers import AttemptInput, CancellationInput, CaptureInput
from payments.api.card_attempts import card_attempt
from payments.api.inline import RegistersInline
from payments.api.shapes import CHECKOUT, ORDER_PATH, PAYMENT_ORDER_TOLD
from payments.errors import (
    AttemptInProgress,
    BuyerAccountRequired,
    CaptureExceedsAuthorized,
    CheckoutExpired,
    CurrencyMismatch,
    MultiOrderPolicyUnsupported,
    OrderAlreadyPaid,
    OrderSharesCharge,
    PaymentMethodConflict,
    PaymentMethodUnavailable,
    PaymentMethodUnknown,
)
from wallet.errors import InsufficientFunds

__all__ = ["AttemptList", "CheckoutCancellation", "PaymentCancellation", "PaymentCapture"]


class _MoneyView(RegistersInline):
    scopes = {"POST": "payments:write"}
    calls = {"POST": "money"}
    is_key_required = True

    def _checkout(self, key: Any) -> tuple[int, dict[str, Any]]:
        merchant_id = self.caller.merchant_id
        shown = selectors.get_checkout(merchant_id=merchant_id, reference=public_id("chk", key))
        return HTTPStatus.CREATED, shown


class AttemptList(_MoneyView):
    """POST pays the failed orders of a checkout again."""

    operations = {
        "POST": Operation(
            "create_attempt",
            returns=CHECKOUT,
            status=HTTPStatus.CREATED,
            errors=(
                AttemptInProgress,
                BuyerAccountRequired,
                CheckoutExpired,
                InsufficientFunds,
                InvalidState,
                MultiOrderPolicyUnsupported,
                OrderAlreadyPaid,
                PaymentMethodConflict,
                PaymentMethodUnavailable,
                PaymentMethodUnknown,
            ),
            example={"credit_card_info": {"token": "pm_card_mastercard"}},
        )
    }
    Input = AttemptInput

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Count by the card."""
        return card_attempt(request.data)

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Pay the failed orders of a checkout again.

        The answer is the checkout as it is then.
        """
        attempt = services.start_attempt(
            merchant_id=self.caller.merchant_id,
            reference=path["reference"],
            request=data["request"],
            actor=self.caller.actor,
        )
        self.inline = attempt.inline
        return self._checkout(attempt.checkout_id)


class PaymentCapture(_MoneyView):
    """POST takes the authorized money of one order."""

    operations = {
        "POST": Operation(
            "capture_payment",
            returns=PAYMENT_ORDER_TOLD,
            path=ORDER_PATH,
            status=HTTPStatus.CREATED,
            errors=(CaptureExceedsAuthorized, CurrencyMismatch, InvalidState),
            example={"amount": "40.00"},
        )
    }
    Input = CaptureInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Capture an order whose money is authorized, once: all of it or a part.

        A part gives the rest back to the buyer. The answer does not wait for the provider: the order is
        `SUCCESS` when the money was taken, and `payment.capture_failed` tells that it was refused.
        """
        merchant_id = self.caller.merchant_id
        key = services.capture_order(
            merchant_id=merchant_id,
            reference=path["reference"],
            amount=data.get("amount"),
            currency=data.get("currency"),
            actor=self.caller.actor,
        )
        shown = selectors.get_payment_order(merchant_id=merchant_id, reference=public_id("pay", key))
        return HTTPStatus.CREATED, shown


class CheckoutCancellation(_MoneyView):
    """POST takes back everything of a checkout that is not paid."""

    operations = {
        "POST": Operation(
            "cancel_checkout",
            returns=CHECKOUT,
            status=HTTPStatus.CREATED,
            errors=(InvalidState,),
            example={},
        )
    }
    Input = CancellationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Cancel everything of a checkout that is not paid.

        What was sent to the provider is canceled when the provider has closed it; `cancel_requested` shows
        that it is asked for. The answer is the checkout as it is then.
        """
        return self._checkout(
            services.cancel_checkout(
                merchant_id=self.caller.merchant_id, reference=path["reference"], actor=self.caller.actor
            )
        )


class PaymentCancellation(_MoneyView):
    """POST takes back one order that has a charge of its own."""

    operations = {
        "POST": Operation(
            "cancel_payment",
            returns=PAYMENT_ORDER_TOLD,
            path=ORDER_PATH,
            status=HTTPStatus.CREATED,
            errors=(InvalidState, OrderSharesCharge),
            example={},
        )
    }
    Input = CancellationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Cancel one order that has a charge of its own.

        What is authorized is given back to the buyer; the order is `CANCELED` when the provider has done
        that. The answer is the order as it is then.
        """
        merchant_id, actor = self.caller.merchant_id, self.caller.actor
        key = services.cancel_order(merchant_id=merchant_id, reference=path["reference"], actor=actor)
        shown = selectors.get_payment_order(merchant_id=merchant_id, reference=public_id("pay", key))
        return HTTPStatus.CREATED, shown
