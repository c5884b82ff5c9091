"""Accounts are opened by the database's own function: the application may not write the table."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from core.money import InvalidCurrency
from ledger.models import Account
from ledger.services import open_account
from ledger.services import posting as services
from tests.racing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def opened(**what: object) -> int:
    with transaction.atomic():
        return open_account(**what)  # type: ignore[arg-type]


def test_opening_again_finds_the_same_account() -> None:
    merchant = uuid4()
    first = opened(merchant_id=merchant, role="psp_clearing", currency="EUR", provider="stripe")
    services._known.clear()
    assert opened(merchant_id=merchant, role="psp_clearing", currency="EUR", provider="stripe") == first
    assert opened(merchant_id=merchant, role="psp_clearing", currency="EUR", provider="adyen") != first
    assert opened(merchant_id=merchant, role="psp_clearing", currency="USD", provider="stripe") != first
    assert opened(merchant_id=uuid4(), role="psp_clearing", currency="EUR", provider="stripe") != first


def test_eight_at_once_open_one_account() -> None:
    merchant = uuid4()
    ids = race([partial(opened, merchant_id=merchant, role="commission", currency="EUR")] * 8)
    assert len(set(ids)) == 1 and isinstance(ids[0], int), ids
    assert Account.objects.filter(merchant_id=merchant).count() == 1


def test_what_was_rolled_back_is_not_remembered() -> None:
    merchant = uuid4()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lost = open_account(merchant_id=merchant, role="commission", currency="EUR")
        raise ZeroDivisionError
    assert opened(merchant_id=merchant, role="commission", currency="EUR") != lost


def test_the_memory_of_a_process_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_REMEMBERED", 5)
    services._known.clear()
    for _ in range(20):
        opened(merchant_id=uuid4(), role="commission", currency="EUR")
    assert 0 < len(services._known) <= 5


@pytest.mark.parametrize("role", ["seller_pending", "wallet_available", "seller_receivable"])
def test_a_wallet_backed_account_cannot_be_opened_without_its_wallet(role: str) -> None:
    """An account without a wallet would stand in the way of the wallet for ever: the table only grows."""
    with pytest.raises(ValueError, match="opened with its wallet"):
        opened(merchant_id=uuid4(), role=role, currency="EUR")
    with pytest.raises(DatabaseError, match="guarded_by_role"), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open(%s, %s, %s, NULL, 'EUR', false)", [uuid4(), role, uuid4()])
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open_guarded(%s, %s, 'EUR', %s)", [uuid4(), uuid4(), [role]])


@pytest.mark.parametrize("guarded", [True, False])
def test_the_application_may_not_insert_an_account(guarded: bool) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_account (merchant_id, role, owner, currency, guarded, clearing)"
            " VALUES (%s, %s, %s, 'EUR', %s, false)",
            [uuid4(), "seller_pending" if guarded else "commission", uuid4(), guarded],
        )


def test_the_clearing_mark_follows_the_role() -> None:
    with pytest.raises(DatabaseError, match="clearing_by_role"), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open(%s, 'psp_clearing', NULL, 'x', 'EUR', false)", [uuid4()])


def test_unknown_roles_and_currencies_are_refused() -> None:
    with pytest.raises(KeyError):
        opened(merchant_id=uuid4(), role="no_such_role", currency="EUR")
    with pytest.raises(InvalidCurrency):
        opened(merchant_id=uuid4(), role="commission", currency="EUX")
