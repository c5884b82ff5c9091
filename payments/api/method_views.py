"""What can be paid with, and what a buyer had kept for it: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_amount, read_country, read_currency
from core.api.views import ApiView, json_response
from core.money import format_minor
from core.transactions import at_edge
from payments import selectors, services
from payments.types import MethodOffer

__all__ = ["MethodOfferList", "PaymentMethodDetail", "PaymentMethodList"]


class MethodOfferList(ApiView):
    """GET tells with what buyers can pay now."""

    scopes = {"GET": "payments:read"}
    query_parameters = ("country", "currency", "amount")

    def get(self, request: Request) -> HttpResponse:
        """List the methods by name; with parameters, only those that take such a payment."""
        query = request.query_params
        currency = read_currency(query, "currency")
        offers = selectors.method_offers(
            merchant_id=self.caller.merchant_id,
            country=read_country(query, "country"),
            currency=currency,
            amount_minor=read_amount(query, "amount", currency),
        )
        # There are never more of them than there are ways to pay, so this list has one page.
        data = [_offer_object(offer) for offer in offers]
        return json_response({"object": "list", "data": data, "has_more": False, "next_cursor": None})


class PaymentMethodList(ApiView):
    """GET lists a buyer's saved payment methods."""

    scopes = {"GET": "buyers:read"}
    query_parameters = ("limit", "cursor")

    def get(self, request: Request, buyer_account: str) -> HttpResponse:
        """List them, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope(f"payment_methods of {buyer_account}", merchant_id, query)
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


def _offer_object(offer: MethodOffer) -> dict[str, Any]:
    return {
        "object": "payment_method_offer",
        "payment_method": offer.payment_method,
        "wallets": list(offer.wallets),
        "currencies": list(offer.currencies),
        "limits": [
            {
                "currency": currency,
                "min_amount": format_minor(least, currency) if least else None,
                "max_amount": format_minor(most, currency) if most is not None else None,
            }
            for currency, (least, most) in offer.limits.items()
        ],
    }
