"""The store says that an order was delivered."""

from http import HTTPStatus
from typing import Any

from core.api.fields import TimeField
from core.api.openapi import Operation
from core.api.serializers import StrictSerializer
from core.api.views import PostOnceView
from core.errors import InvalidState
from core.ids import public_id
from payments import selectors, services
from payments.api.shapes import ORDER_PATH, PAYMENT_ORDER_TOLD
from payments.errors import FulfillmentInFuture

__all__ = ["FulfillmentInput", "PaymentFulfillment"]


class FulfillmentInput(StrictSerializer):
    """When it was delivered; now, if it is left out."""

    fulfilled_at = TimeField(required=False)


class PaymentFulfillment(PostOnceView):
    """POST notes that one order was delivered."""

    scopes = {"POST": "payments:write"}
    operations = {
        "POST": Operation(
            "fulfill_payment",
            returns=PAYMENT_ORDER_TOLD,
            path=ORDER_PATH,
            status=HTTPStatus.CREATED,
            errors=(InvalidState, FulfillmentInFuture),
            example={},
        )
    }
    Input = FulfillmentInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Say that an order was delivered.

        Where the marketplace pays sellers on delivery, the order's money is released now. Once more changes
        nothing: the first word stands. The answer is the order as it is then.
        """
        merchant_id, actor = self.caller.merchant_id, self.caller.actor
        key = services.fulfill_order(
            merchant_id=merchant_id,
            reference=path["reference"],
            fulfilled_at=data.get("fulfilled_at"),
            actor=actor,
        )
        shown = selectors.get_payment_order(merchant_id=merchant_id, reference=public_id("pay", key))
        return HTTPStatus.CREATED, shown
