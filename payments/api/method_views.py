"""What a buyer had kept to pay with: thin shells around services and selectors."""

from http import HTTPStatus

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.pagination import list_object, read_cursor, read_limit
from core.api.views import ApiView, json_response
from core.transactions import at_edge
from payments import selectors, services

__all__ = ["PaymentMethodDetail", "PaymentMethodList"]


class PaymentMethodList(ApiView):
    """GET lists a buyer's saved payment methods."""

    scopes = {"GET": "buyers:read"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor")

    def get(self, request: Request, buyer_account: str) -> HttpResponse:
        """List them, newest first."""
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

    def delete(self, request: Request, buyer_account: str, reference: str) -> HttpResponse:
        """Delete it; nothing is paid with it any more."""
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
