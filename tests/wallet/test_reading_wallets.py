"""Wallets are read through the merchant that owns them."""

from uuid import uuid4

import pytest
from django.db import transaction

from core.errors import NotFound
from core.money import InvalidCurrency
from wallet.selectors import get_wallet, wallets_of
from wallet.services import account_of, accounts, open_wallet

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_wallet_is_found_by_its_merchant_alone() -> None:
    merchant, seller = uuid4(), uuid4()
    with transaction.atomic():
        wallet_id = open_wallet(merchant_id=merchant, owner_type="seller", owner_id=seller, currency="EUR")
    found = get_wallet(merchant_id=merchant, wallet_id=wallet_id)
    assert (found.owner_id, found.currency, found.kind, found.pending_minor) == (seller, "EUR", "cash", 0)
    assert wallets_of(merchant_id=merchant, owner_type="seller", owner_id=seller) == [found]
    with pytest.raises(NotFound):
        get_wallet(merchant_id=uuid4(), wallet_id=wallet_id)


def test_a_wallet_needs_a_known_currency() -> None:
    with pytest.raises(InvalidCurrency), transaction.atomic():
        open_wallet(merchant_id=uuid4(), owner_type="seller", owner_id=uuid4(), currency="EUX")


def test_the_memory_of_a_process_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_REMEMBERED", 5)
    accounts._known.clear()
    merchant = uuid4()
    for seller in [uuid4() for _ in range(10)]:
        for _ in range(2):
            with transaction.atomic():
                account_of(
                    merchant_id=merchant,
                    owner_type="seller",
                    owner_id=seller,
                    currency="EUR",
                    role="seller_pending",
                )
    assert 0 < len(accounts._known) <= 5
