"""Buyers with something in their wallets, for tests of payments from a balance."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from core import clock
from core.ids import public_id
from core.settings_store import put_setting
from ledger.services import open_account
from ledger.templates.entry import Posting, credit, debit, entry
from merchants.services import ensure_buyer
from tests.payments.conftest import Shop
from wallet.selectors import wallets_of
from wallet.services import account_of, grant_credit, moves_for, open_wallet, post
from wallet.types import GrantRequest, WalletData

__all__ = ["Purse", "open_purse"]


@dataclass
class Purse:
    """The wallets of one buyer of a shop."""

    shop: Shop
    buyer: str
    buyer_id: UUID

    @property
    def merchant_id(self) -> UUID:
        """The shop's merchant."""
        return self.shop.store.merchant_id

    def fill(self, amount_minor: int, currency: str = "USD") -> None:
        """Put cash into the wallet, as a migration from another system would (opening balance)."""
        with transaction.atomic():
            available = account_of(
                merchant_id=self.merchant_id,
                owner_type="buyer",
                owner_id=self.buyer_id,
                currency=currency,
                role="wallet_available",
            )
            opening = open_account(merchant_id=self.merchant_id, role="opening", currency=currency)
            draft = entry(
                posting=Posting(self.merchant_id, currency, clock.today()),
                kind="opening_balance",
                source="migration",
                source_ref=uuid4(),
                leg="opening",
                legs=[debit(opening, amount_minor), credit(available, amount_minor)],
            )
            post(drafts=[draft], moves=moves_for(drafts=[draft]))

    def give(self, kind: str, amount_minor: int, currency: str = "USD") -> UUID | None:
        """Grant bonus or points as finance does; return the approval that is waited for, if one is."""
        with transaction.atomic():
            return grant_credit(
                grant_id=uuid4(),
                request=GrantRequest(
                    merchant_id=self.merchant_id,
                    buyer_account=self.buyer,
                    kind=kind,
                    amount_minor=amount_minor,
                    currency=currency,
                    reason="a late delivery",
                ),
                by="user:maker",
            )

    def wallet(self, kind: str = "cash", currency: str = "USD") -> WalletData:
        """One wallet as it is now."""
        wanted = "PTS" if kind == "points" else currency
        found = wallets_of(merchant_id=self.merchant_id, owner_type="buyer", owner_id=self.buyer_id)
        return next(each for each in found if (each.kind, each.currency) == (kind, wanted))

    def left(self, kind: str = "cash", currency: str = "USD") -> tuple[int, int]:
        """What is available and what is held."""
        wallet = self.wallet(kind, currency)
        return wallet.available_minor, wallet.held_minor

    def body(self, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
        """A checkout that the buyer pays from the balance."""
        body = self.shop.body(
            *orders, payment_method="balance", buyer_info={"buyer_account": self.buyer}, **other
        )
        del body["credit_card_info"]
        return body


def open_purse(shop: Shop, *, cash: int = 0, rate: int = 100) -> Purse:
    """A buyer with so much cash; a hundred points are worth `rate` cents."""
    buyer = f"b-{uuid4().hex[:8]}"
    merchant_id = shop.store.merchant_id
    with transaction.atomic():
        found = ensure_buyer(merchant_id=merchant_id, buyer_account=buyer)
        open_wallet(
            merchant_id=merchant_id, owner_type="buyer", owner_id=found.id, currency="USD", kind="cash"
        )
        put_setting(
            name="wallet.points_worth",
            value={"USD": rate, "JPY": rate},
            actor="user:test",
            reason="test",
            scope=public_id("mer", merchant_id),
        )
    purse = Purse(shop, buyer, found.id)
    if cash:
        purse.fill(cash)
    return purse
