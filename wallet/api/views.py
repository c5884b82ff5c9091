"""The endpoints of wallets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.errors import InvalidParameter
from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_time
from core.api.schemas import listed, one_of, our_id, text
from core.api.views import ApiView, PostOnceView, json_response
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.money import format_minor
from merchants.selectors import find_buyer, find_seller, owner_names
from merchants.services import ensure_buyer
from wallet import selectors, services
from wallet.api.serializers import WalletInput
from wallet.api.shapes import OPERATION, STATEMENT, WALLET
from wallet.errors import StatementTooLong
from wallet.statement_files import FORMS, StatementFile, statement_file
from wallet.types import OperationData, Statement, WalletData

__all__ = [
    "BuyerWallets",
    "SellerWallets",
    "WalletDetail",
    "WalletList",
    "WalletOperations",
    "WalletStatement",
]


_FORMATS = ("json", *FORMS)
_BUYER = {"reference": text("The buyer_account, or our buy_… id.", example="u-77")}
_OWNER = {"reference": text("The seller_account, or our sel_… id.", example="ann")}
_PATH = {"reference": our_id("wal", "The wallet's id.")}


class SellerWallets(ApiView):
    """GET shows what a seller has, by currency and kind."""

    scopes = {"GET": "wallets:read"}
    operations = {"GET": Operation("list_seller_wallets", returns=listed(WALLET), path=_OWNER)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List what a seller has, by currency and kind.

        The seller is named by seller_account or sel_… id. All wallets are on one page.
        """
        merchant_id = self.caller.merchant_id
        seller = find_seller(merchant_id=merchant_id, reference=reference)
        wallets = selectors.wallets_of(merchant_id=merchant_id, owner_type="seller", owner_id=seller.id)
        return _whole_list(wallets, owner=seller.seller_account)


class BuyerWallets(ApiView):
    """GET shows what a buyer has, by currency and kind."""

    scopes = {"GET": "wallets:read"}
    operations = {"GET": Operation("list_buyer_wallets", returns=listed(WALLET), path=_BUYER)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List what a buyer has, by currency and kind.

        The buyer is named by buyer_account or buy_… id; one whom nobody knows has no wallets.
        """
        merchant_id = self.caller.merchant_id
        try:
            buyer = find_buyer(merchant_id=merchant_id, reference=reference)
        except NotFound:
            return _whole_list([], owner="")
        wallets = selectors.wallets_of(merchant_id=merchant_id, owner_type="buyer", owner_id=buyer.id)
        return _whole_list(wallets, owner=buyer.buyer_account)


class WalletList(PostOnceView):
    """POST opens a buyer's wallet of cash."""

    scopes = {"POST": "wallets:write"}
    operations = {
        "POST": Operation(
            "open_wallet",
            returns=WALLET,
            status=HTTPStatus.CREATED,
            example={"buyer_account": "u-77", "currency": "USD"},
        ),
    }
    Input = WalletInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Open a buyer's wallet of cash, to be topped up and paid from.

        One that is open already is answered as it is. A buyer of whom nothing was kept yet is from now on
        known by the buyer_account.
        """
        merchant_id = self.caller.merchant_id
        buyer = ensure_buyer(merchant_id=merchant_id, buyer_account=data["buyer_account"])
        wallet_id = services.open_wallet(
            merchant_id=merchant_id, owner_type="buyer", owner_id=buyer.id, currency=data["currency"]
        )
        wallet = selectors.get_wallet(merchant_id=merchant_id, wallet_id=wallet_id)
        return HTTPStatus.CREATED, _wallet_object(wallet, owner=buyer.buyer_account)


class WalletDetail(ApiView):
    """GET shows one wallet."""

    scopes = {"GET": "wallets:read"}
    operations = {"GET": Operation("get_wallet", returns=WALLET, path=_PATH)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one wallet."""
        wallet = selectors.get_wallet(merchant_id=self.caller.merchant_id, wallet_id=_key(reference))
        owner = owner_names(owner_ids=[wallet.owner_id])[wallet.owner_id]
        return json_response(_wallet_object(wallet, owner=owner))


class WalletOperations(ApiView):
    """GET lists what moved in a wallet, newest first."""

    scopes = {"GET": "wallets:read"}
    calls = {"GET": "list"}
    query_parameters = ("limit", "cursor")
    operations = {"GET": Operation("list_wallet_operations", returns=listed(OPERATION), path=_PATH)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """List what moved in a wallet, newest first."""
        wallet = selectors.get_wallet(merchant_id=self.caller.merchant_id, wallet_id=_key(reference))
        query = request.query_params
        scope = list_scope("wallet_operations", wallet.id, query)
        page = selectors.operations_of(
            merchant_id=wallet.merchant_id,
            wallet_id=wallet.id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
        )
        return json_response(
            list_object(page, scope=scope, render=lambda each: _operation_object(each, wallet.currency))
        )


class WalletStatement(ApiView):
    """GET shows the balances of a wallet before and after a time, and all that moved in it."""

    scopes = {"GET": "wallets:read"}
    calls = {"GET": "list"}
    query_parameters = ("created_gte", "created_lt", "format")
    operations = {
        "GET": Operation(
            "get_wallet_statement",
            path=_PATH,
            returns=STATEMENT,
            errors=(StatementTooLong,),
            query={"format": one_of(_FORMATS, "The form of the answer; json where it is left out.")},
            required_query=("created_gte", "created_lt"),
            files={
                "text/csv": "One line a movement, the balances first and last.",
                "application/pdf": "The same for people.",
            },
        )
    }

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show what a wallet had, what moved in it, and what it had then.

        As JSON, or as a file for a spreadsheet or for people.
        """
        query = request.query_params
        form = read_choice(query, "format", _FORMATS)
        since, until = (_needed(query, name) for name in ("created_gte", "created_lt"))
        if since >= until:
            raise InvalidParameter("The end comes after the beginning.", param="created_lt")
        found = selectors.statement(
            merchant_id=self.caller.merchant_id, wallet_id=_key(reference), since=since, until=until
        )
        if form in FORMS:
            return _file(statement_file(found, form=form))
        return json_response(_statement_object(found))


def _whole_list(wallets: Sequence[WalletData], *, owner: str) -> HttpResponse:
    """An owner has a wallet for each currency and kind and no more, so this list has one page."""
    data = [_wallet_object(wallet, owner=owner) for wallet in wallets]
    return json_response({"object": "list", "data": data, "has_more": False, "next_cursor": None})


def _key(reference: str) -> UUID:
    key = parse_public_id(reference, "wal")
    if key is None:
        raise NotFound()
    return key


def _needed(query: Mapping[str, str], name: str) -> datetime:
    moment = read_time(query, name)
    if moment is None:
        raise InvalidParameter("Send a time like 2026-01-31T12:00:00Z.", param=name)
    return moment


def _file(file: StatementFile) -> HttpResponse:
    answer = HttpResponse(file.content, content_type=file.kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer


def _operation_object(operation: OperationData, currency: str) -> dict[str, Any]:
    return {
        "object": "wallet_operation",
        "id": str(operation.id),
        "bucket": operation.bucket,
        "account": operation.role,
        "entry": str(operation.entry_id),
        "amount": format_minor(operation.delta_minor, currency),
        "balance": format_minor(operation.balance_after_minor, currency),
        "currency": currency,
        "what": operation.what,
        "reference": operation.reference,
        "created_at": operation.recorded_at.isoformat().replace("+00:00", "Z"),
    }


def _statement_object(found: Statement) -> dict[str, Any]:
    currency = found.wallet.currency
    opening, closing = (
        {bucket: format_minor(minor, currency) for bucket, minor in balances.items()}
        for balances in (found.opening, found.closing)
    )
    return {
        "object": "wallet_statement",
        "wallet": public_id("wal", found.wallet.id),
        "currency": currency,
        "opening": opening,
        "lines": [_operation_object(line, currency) for line in found.lines],
        "closing": closing,
        "totals": {name: format_minor(minor, currency) for name, minor in found.totals.items()},
    }


def _wallet_object(wallet: WalletData, *, owner: str) -> dict[str, Any]:
    amounts = {
        name: format_minor(getattr(wallet, f"{name}_minor"), wallet.currency)
        for name in ("pending", "available", "held", "receivable")
    }
    return {
        "object": "wallet",
        "id": public_id("wal", wallet.id),
        "owner": owner,
        "currency": wallet.currency,
        "kind": wallet.kind,
        **amounts,
    }
