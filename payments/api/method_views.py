"""What a buyer had kept to pay with: thin shells around services and selectors."""

from http import HTTPStatus

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, read_cursor, read_limit
from core.api.schemas import listed, our_id
from core.api.views import ApiView, json_response
from core.transactions import at_edge
from payments import selectors, services
from payments.api.shapes import PAYMENT_METHOD

__all__ = ["PaymentMethodDetail", "PaymentMethodList"]


class PaymentMethodList(ApiView):
    """GET lists a buyer's saved payment methods."""

    scopes = {"GET": "buyers:read"}
    query_parameters = ("limit", "cursor")
    operations = {"GET": Operation("list_payment_methods", returns=listed(PAYMENT_METHOD))}

    def get(self, request: Request, buyer_account: str) -> HttpResponse:
        """List the payment methods that a buyer had kept, newest first.

        The list of a buyer whom nobody knows is empty.
        """
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = f"payment_methods:{merchant_id}:{buyer_account}"
        page = selectors.list_payment_methods(
            merchant_id=merchant_id,
            buyer_account=buyer_account,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
        )
        return json_response(list_object(page, scope=scope, render=dict))


class PaymentMethodDetail(ApiView):
    """DELETE lets one go."""

    scopes = {"DELETE": "buyers:write"}
    operations = {
        "DELETE": Operation(
            "delete_payment_method",
            status=HTTPStatus.NO_CONTENT,
            path={"reference": our_id("saved", "The payment method's id.")},
        )
    }

    def delete(self, request: Request, buyer_account: str, reference: str) -> HttpResponse:
        """Delete a payment method.

        Nothing is paid with it any more, here or at the provider.
        """
        self._delete(buyer_account, reference)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)

    @at_edge
    def _delete(self, buyer_account: str, reference: str) -> None:
        services.delete_payment_method(
            merchant_id=self.caller.merchant_id,
            buyer_account=buyer_account,
            reference=reference,
            actor=self.caller.actor,
        )
