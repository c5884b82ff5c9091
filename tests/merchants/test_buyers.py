"""Buyers: one per account, readable only through the application."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core.errors import NotFound
from merchants import selectors, services
from merchants.models import Buyer
from tests.racing import race
from tests.store import Store, open_store

pytestmark = pytest.mark.database

PERSONAL = {"email": "ada@example.com", "name": "Ada Lovelace", "billing_address": {"city": "London"}}


def ensure(store: Store, **options: Any) -> Any:
    with transaction.atomic():
        return services.ensure_buyer(merchant_id=store.merchant_id, buyer_account="b1", **options)


def test_a_buyer_is_opened_once_and_keeps_what_is_known(store: Store) -> None:
    first = ensure(store, personal=PERSONAL)
    assert first.personal == PERSONAL
    assert ensure(store) == first
    assert ensure(store, personal={}) == first
    changed = ensure(store, personal={"email": "new@example.com"})
    assert (changed.id, changed.personal) == (first.id, {"email": "new@example.com"})
    assert "example.com" not in repr(changed)
    assert Buyer.objects.count() == 1


def test_a_known_buyer_is_not_written_again(store: Store, django_assert_num_queries: Any) -> None:
    ensure(store, personal=PERSONAL)
    with transaction.atomic(), django_assert_num_queries(1):
        services.ensure_buyer(merchant_id=store.merchant_id, buyer_account="b1", personal=PERSONAL)


def test_the_database_holds_no_readable_personal_data(store: Store) -> None:
    ensure(store, personal=PERSONAL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT merchants_buyer::text, encode(personal, 'escape') FROM merchants_buyer")
        text = str(cursor.fetchall())
    assert "Ada" not in text and "example" not in text and "London" not in text


def test_a_buyer_is_found_by_account_and_id_by_its_merchant_only_a_e1(store: Store) -> None:
    """A-E1."""
    buyer = ensure(store, personal=PERSONAL)
    other = open_store()
    for reference in ("b1", buyer.public_id):
        assert selectors.find_buyer(merchant_id=store.merchant_id, reference=reference) == buyer
        with pytest.raises(NotFound):
            selectors.find_buyer(merchant_id=other.merchant_id, reference=reference)
    with pytest.raises(NotFound):
        selectors.find_buyer(merchant_id=store.merchant_id, reference="\x00")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM merchants_buyer",
        "UPDATE merchants_buyer SET buyer_account = 'x'",
        "UPDATE merchants_buyer SET merchant_id = id",
    ],
)
def test_a_buyer_cannot_become_another(store: Store, sql: str) -> None:
    ensure(store)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_open_one_buyer() -> None:
    store = open_store()
    results = race([lambda: ensure(store, personal=PERSONAL)] * 20)
    assert {result.id for result in results} == {Buyer.objects.get().pk}
