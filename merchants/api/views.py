"""The seller endpoints."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_store_id, read_time
from core.api.schemas import listed, one_of
from core.api.serializers import read_body
from core.api.views import ApiView, PostOnceView, json_response
from core.transactions import at_edge
from merchants import selectors, services
from merchants.api.serializers import SellerChanges, SellerInput
from merchants.api.shapes import SELLER, SELLER_PATH
from merchants.errors import SellerExists, SellerIdentityFixed
from merchants.states import SELLER_KYC
from merchants.types import SellerData

__all__ = ["SellerDetail", "SellerList"]


class SellerList(PostOnceView):
    """POST creates a seller, GET lists them."""

    scopes = {"GET": "sellers:read", "POST": "sellers:write"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor", "status", "seller_account", "created_gte", "created_lt")
    operations = {
        "GET": Operation(
            "list_sellers",
            returns=listed(SELLER),
            query={"status": one_of(SELLER_KYC.states, "Only sellers in this state of verification.")},
        ),
        "POST": Operation(
            "create_seller",
            returns=SELLER,
            status=HTTPStatus.CREATED,
            errors=(SellerExists,),
            example={"seller_account": "ann", "name": "Ann's Books", "country": "US"},
        ),
    }
    Input = SellerInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Create a seller.

        It can sell at once; money leaves for it when it is verified.
        """
        seller = services.create_seller(merchant_id=self.caller.merchant_id, by=self.caller.actor, **data)
        return HTTPStatus.CREATED, seller.as_object()

    def get(self, request: Request) -> HttpResponse:
        """List sellers, newest first."""
        query = request.query_params
        scope = list_scope("sellers", self.caller.merchant_id, query)
        page = selectors.list_sellers(
            merchant_id=self.caller.merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            seller_account=read_store_id(query, "seller_account"),
            status=read_choice(query, "status", SELLER_KYC.states),
            created_gte=read_time(query, "created_gte"),
            created_lt=read_time(query, "created_lt"),
        )
        return json_response(list_object(page, scope=scope, render=SellerData.as_object))


class SellerDetail(ApiView):
    """One seller, by its seller_account or its sel_… id."""

    scopes = {"GET": "sellers:read", "PATCH": "sellers:write"}
    operations = {
        "GET": Operation("get_seller", returns=SELLER, path=SELLER_PATH),
        "PATCH": Operation(
            "update_seller",
            returns=SELLER,
            path=SELLER_PATH,
            errors=(SellerIdentityFixed,),
            body=SellerChanges,
            example={"commission_bps": 250},
        ),
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one seller."""
        seller = selectors.find_seller(merchant_id=self.caller.merchant_id, reference=reference)
        return json_response(seller.as_object())

    def patch(self, request: Request, reference: str) -> HttpResponse:
        """Change a seller.

        What is left out stays as it is. Other terms are in effect at once, for orders accepted from now on.
        """
        changes = read_body(SellerChanges, request)
        return json_response(self._change(reference, changes).as_object())

    @at_edge
    def _change(self, reference: str, changes: dict[str, Any]) -> SellerData:
        caller = self.caller
        seller = selectors.find_seller(merchant_id=caller.merchant_id, reference=reference)
        return services.update_seller(
            merchant_id=caller.merchant_id, seller_id=seller.id, changes=changes, by=caller.actor
        )
