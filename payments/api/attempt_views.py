"""Paying again after a failure, and taking back what is not paid: thin shells around services."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.request import Request

from core.ids import public_id
from payments import selectors, services
from payments.api.attempt_serializers import AttemptInput, CancellationInput
from payments.api.card_attempts import card_attempt
from payments.api.inline import RegistersInline

__all__ = ["AttemptList", "CheckoutCancellation", "PaymentCancellation"]


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

    Input = AttemptInput

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Count by the card."""
        return card_attempt(request.data)

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Begin the attempt; the answer is the checkout as it is then."""
        attempt = services.start_attempt(
            merchant_id=self.caller.merchant_id,
            reference=path["reference"],
            request=data["request"],
            actor=self.caller.actor,
        )
        self.inline = attempt.inline
        return self._checkout(attempt.checkout_id)


class CheckoutCancellation(_MoneyView):
    """POST takes back everything of a checkout that is not paid."""

    Input = CancellationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Cancel, or begin to; the answer is the checkout as it is then."""
        return self._checkout(
            services.cancel_checkout(
                merchant_id=self.caller.merchant_id, reference=path["reference"], actor=self.caller.actor
            )
        )


class PaymentCancellation(_MoneyView):
    """POST takes back one order that has a charge of its own."""

    Input = CancellationInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Cancel, or begin to; the answer is the order as it is then."""
        merchant_id, actor = self.caller.merchant_id, self.caller.actor
        key = services.cancel_order(merchant_id=merchant_id, reference=path["reference"], actor=actor)
        shown = selectors.get_payment_order(merchant_id=merchant_id, reference=public_id("pay", key))
        return HTTPStatus.CREATED, shown
