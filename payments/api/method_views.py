"""What can be paid with, and what a buyer had kept for it: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.fields import PAYABLE_AMOUNT, PAYABLE_CURRENCY
from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_amount, read_country, read_currency
from core.api.schemas import COUNTRY, listed, our_id
from core.api.views import ApiView, json_response
from core.money import format_minor
from core.transactions import at_edge
from payments import selectors, services
from payments.api.shapes import METHOD_OFFER, PAYMENT_METHOD
from payments.types import MethodOffer

__all__ = ["MethodOfferList", "PaymentMethodDetail", "PaymentMethodList"]


class MethodOfferList(ApiView):
    """GET tells with what buyers can pay now."""

    scopes = {"GET": "payments:read"}
    query_parameters = ("country", "currency", "amount")
    operations = {
        "GET": Operation(
            "list_payment_method_offers",
            returns=listed(METHOD_OFFER),
            query={"country": COUNTRY, "currency": PAYABLE_CURRENCY, "amount": PAYABLE_AMOUNT},
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """List with what buyers can pay now.

        With parameters, only what takes such a payment; an amount needs its currency.
        """
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
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor")
    operations = {"GET": Operation("list_payment_methods", returns=listed(PAYMENT_METHOD))}

    def get(self, request: Request, buyer_account: str) -> HttpResponse:
        """List the payment methods that a buyer had kept, newest first.

        The list of a buyer whom nobody knows is empty.
        """
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
