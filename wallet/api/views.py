"""The endpoints of wallets."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.views import ApiView, json_response
from core.ids import public_id
from core.money import format_minor
from merchants.selectors import find_seller
from wallet import selectors
from wallet.types import WalletData

__all__ = ["SellerWallets"]


class SellerWallets(ApiView):
    """GET shows what a seller has, by currency and kind."""

    scopes = {"GET": "wallets:read"}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Find the seller by seller_account or sel_… id; list the wallets."""
        merchant_id = self.caller.merchant_id
        seller = find_seller(merchant_id=merchant_id, reference=reference)
        wallets = selectors.wallets_of(merchant_id=merchant_id, owner_type="seller", owner_id=seller.id)
        return json_response(
            {
                "object": "list",
                "data": [_wallet_object(wallet, owner=seller.seller_account) for wallet in wallets],
                "has_more": False,
                "next_cursor": None,
            }
        )


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
