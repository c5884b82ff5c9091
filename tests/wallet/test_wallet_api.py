"""Wallets by themselves and by their owners, over the API."""

from typing import Any

from django.db import transaction

from core.ids import public_id
from merchants.services import create_seller, ensure_buyer
from tests.store import Store, error, open_store
from wallet.services import open_wallet


def opened(store: Store, owner: Any, owner_type: str, currency: str, kind: str = "cash") -> str:
    with transaction.atomic():
        wallet_id = open_wallet(
            merchant_id=store.merchant_id,
            owner_type=owner_type,
            owner_id=owner.id,
            currency=currency,
            kind=kind,
        )
    return public_id("wal", wallet_id)


def shown(wallet_id: str, owner: str, currency: str, kind: str, zero: str) -> dict[str, str]:
    names = {"object": "wallet", "id": wallet_id, "owner": owner, "currency": currency, "kind": kind}
    return names | dict.fromkeys(("pending", "available", "held", "receivable"), zero)


def test_a_buyers_wallets_are_found_by_account_and_by_id(db: None) -> None:
    store = open_store()
    with transaction.atomic():
        buyer = ensure_buyer(merchant_id=store.merchant_id, buyer_account="ben")
    wallets = [
        shown(opened(store, buyer, "buyer", "JPY"), "ben", "JPY", "cash", "0"),
        shown(opened(store, buyer, "buyer", "PTS", "points"), "ben", "PTS", "points", "0"),
        shown(opened(store, buyer, "buyer", "USD", "bonus"), "ben", "USD", "bonus", "0.00"),
        shown(opened(store, buyer, "buyer", "USD"), "ben", "USD", "cash", "0.00"),
    ]
    for reference in ("ben", buyer.public_id):
        listed = store.get(f"/v1/buyers/{reference}/wallets").json()
        assert listed == {"object": "list", "data": wallets, "has_more": False, "next_cursor": None}
    for wallet in wallets:
        assert store.get(f"/v1/wallets/{wallet['id']}").json() == wallet


def test_a_seller_of_the_same_name_has_other_wallets(db: None) -> None:
    store = open_store()
    with transaction.atomic():
        seller = create_seller(
            merchant_id=store.merchant_id, seller_account="ben", name="Ben", country="DE", by="user:test"
        )
        ensure_buyer(merchant_id=store.merchant_id, buyer_account="ben")
    wallet = shown(opened(store, seller, "seller", "KWD"), "ben", "KWD", "cash", "0.000")
    assert store.get("/v1/sellers/ben/wallets").json()["data"] == [wallet]
    assert store.get(f"/v1/wallets/{wallet['id']}").json() == wallet
    assert store.get("/v1/buyers/ben/wallets").json()["data"] == []
    assert store.get("/v1/buyers/nobody/wallets").json()["data"] == []
    assert error(open_store().get(f"/v1/wallets/{wallet['id']}")) == (404, "not_found", None)
