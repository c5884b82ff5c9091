"""KYC states and versions of terms, below the API."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from core import clock
from core.errors import InvalidState, NotFound
from core.ids import uuid7
from core.models import OutboxEvent, StatusChange
from merchants import selectors, services
from merchants.errors import SellerIdentityFixed
from merchants.models import Seller
from merchants.states import SELLER_KYC
from tests.store import Store

pytestmark = pytest.mark.database

MOVES = {
    "submit": services.submit_kyc,
    "verify": services.verify_kyc,
    "reject": services.reject_kyc,
    "suspend": services.suspend_seller,
    "reinstate": services.reinstate_seller,
}
# From each state, the moves that are allowed and where they lead.
ALLOWED = {
    "UNVERIFIED": {"submit": "PENDING"},
    "PENDING": {"verify": "VERIFIED", "reject": "REJECTED"},
    "REJECTED": {"submit": "PENDING"},
    "VERIFIED": {"suspend": "SUSPENDED"},
    "SUSPENDED": {"reinstate": "VERIFIED"},
}
WAY = {
    "UNVERIFIED": [],
    "PENDING": ["submit"],
    "REJECTED": ["submit", "reject"],
    "VERIFIED": ["submit", "verify"],
    "SUSPENDED": ["submit", "verify", "suspend"],
}


def open_seller(store: Store, **options: Any) -> UUID:
    with transaction.atomic():
        seller = services.create_seller(
            merchant_id=store.merchant_id,
            **{"seller_account": "ada", "name": "Ada", "country": "DE", **options},
        )
    return seller.id


def do(store: Store, seller_id: UUID, *moves: str) -> str:
    state = ""
    for name in moves:
        with transaction.atomic():
            state = (
                MOVES[name](merchant_id=store.merchant_id, seller_id=seller_id, why="documents", by="user:1")
            ).kyc_status
    return state


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ALLOWED)
def test_every_move_from_every_state(store: Store, state: str, move: str) -> None:
    seller_id = open_seller(store)
    do(store, seller_id, *WAY[state])
    before = StatusChange.objects.count()
    target = ALLOWED[state].get(move)
    if target is None:
        with pytest.raises(InvalidState):
            do(store, seller_id, move)
        assert StatusChange.objects.count() == before
    else:
        assert do(store, seller_id, move) == target
        change = StatusChange.objects.order_by("-id")[0]
        assert (change.from_state, change.to_state, change.actor) == (state, target, "user:1")
        event = OutboxEvent.objects.order_by("-sequence")[0]
        assert event.payload["object"]["kyc_status"] == target
        assert event.sequence == len(WAY[state]) + 2


@pytest.mark.parametrize("source", SELLER_KYC.states)
@pytest.mark.parametrize("target", SELLER_KYC.states)
def test_the_database_holds_the_same_table(store: Store, source: str, target: str) -> None:
    seller_id = open_seller(store)
    do(store, seller_id, *WAY[source])

    def change() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE merchants_seller SET kyc_status = %s WHERE id = %s", [target, seller_id])

    if source == target or SELLER_KYC.allows(source, target):
        change()
    else:
        with pytest.raises(DatabaseError, match="may not change"):
            change()


def test_kyc_of_another_merchants_seller_does_not_exist(store: Store) -> None:
    seller_id = open_seller(store)
    with transaction.atomic(), pytest.raises(NotFound):
        services.submit_kyc(merchant_id=uuid7(), seller_id=seller_id, why="x", by="user:1")


def test_identity_is_fixed_once_submitted(store: Store) -> None:
    seller_id = open_seller(store)
    do(store, seller_id, "submit")
    with transaction.atomic(), pytest.raises(SellerIdentityFixed):
        services.update_seller(merchant_id=store.merchant_id, seller_id=seller_id, changes={"country": "FR"})
    with transaction.atomic():
        services.update_seller(
            merchant_id=store.merchant_id, seller_id=seller_id, changes={"country": "DE", "tax_bps": 1900}
        )
    do(store, seller_id, "reject")
    with transaction.atomic():
        changed = services.update_seller(
            merchant_id=store.merchant_id, seller_id=seller_id, changes={"country": "FR"}
        )
    assert changed.country == "FR"


def test_terms_apply_from_their_moment(store: Store, hooks: Any) -> None:
    seller_id = open_seller(store, commission_bps=100)
    opened = clock.now()
    later = opened + timedelta(days=10)
    with transaction.atomic():
        planned = services.change_terms(
            merchant_id=store.merchant_id,
            seller_id=seller_id,
            terms={"commission_bps": 300},
            effective_at=later,
        )
    assert planned.version == 2

    def bps() -> int:
        found = selectors.sellers_by_account(merchant_id=store.merchant_id, accounts=["ada", "bob"])
        assert set(found) == {"ada"}
        return found["ada"].terms.commission_bps

    assert bps() == 100
    clock.move(seconds=10 * 86400 + 1)
    assert bps() == 300
    past = selectors.terms_at(merchant_id=store.merchant_id, seller_id=seller_id, at=opened)
    assert (past.version, past.commission_bps) == (1, 100)
    with transaction.atomic(), pytest.raises(ValueError, match="past"):
        services.change_terms(
            merchant_id=store.merchant_id, seller_id=seller_id, terms={"tax_bps": 1}, effective_at=opened
        )


def test_the_fixed_commission_is_for_its_currency_only(store: Store) -> None:
    open_seller(store, commission_fixed_minor=30, commission_fixed_currency="EUR")
    terms = selectors.find_seller(merchant_id=store.merchant_id, reference="ada").terms
    assert (terms.fixed_minor("EUR"), terms.fixed_minor("USD")) == (30, 0)


def test_reading_many_sellers_is_one_query(store: Store, django_assert_num_queries: Any) -> None:
    accounts = [f"s{index}" for index in range(20)]
    for account in accounts:
        open_seller(store, seller_account=account)
    with django_assert_num_queries(1):
        found = selectors.sellers_by_account(merchant_id=store.merchant_id, accounts=accounts)
    assert sorted(found) == sorted(accounts)
    for seller in found.values():
        assert seller == selectors.get_seller(merchant_id=store.merchant_id, seller_id=seller.id)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE merchants_sellerterms SET commission_bps = 0",
        "DELETE FROM merchants_sellerterms",
        "TRUNCATE merchants_sellerterms",
        "DELETE FROM merchants_seller",
        "UPDATE merchants_seller SET seller_account = 'x'",
        "UPDATE merchants_seller SET merchant_id = id",
    ],
)
def test_terms_and_identity_cannot_be_rewritten_by_sql(store: Store, sql: str) -> None:
    open_seller(store)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Seller.objects.count() == 1
