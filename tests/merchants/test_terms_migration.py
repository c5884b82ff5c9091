"""Settlement delay and reserve keep their values when they become terms, and on the way back."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.ids import uuid7
from tests.database import owner_connection
from tests.merchants.test_key_migration import run, steps

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

COPY, DROP = ("merchants", "0008_terms_of_release"), ("merchants", "0009_terms_of_release_alone")
_SELLER = (
    "INSERT INTO merchants_seller (id, event_sequence, merchant_id, seller_account, name, country,"
    " kyc_status, settlement_delay_days, payout_schedule, reserve_bps, reserve_days, created_at)"
    " VALUES (%s, 0, %s, %s, 'S', 'US', 'UNVERIFIED', %s, '{}', %s, %s, now())"
)
_TERMS = (
    "INSERT INTO merchants_sellerterms (id, merchant_id, seller_id, version, commission_bps,"
    " commission_fixed_minor, commission_fixed_currency, tax_bps, effective_at, actor, recorded_at)"
    " VALUES (%s, %s, %s, %s, %s, 0, '', 0, now() - interval '1 day', 'user:t', now())"
)


def test_delay_and_reserve_become_terms_and_come_back() -> None:
    loader = MigrationLoader(connection)
    connection.close()
    merchant = uuid7()
    with owner_connection() as owner:
        run(owner, steps(loader, DROP, backwards=True))
        run(owner, steps(loader, COPY, backwards=True))
        owner.execute("INSERT INTO merchants_merchant VALUES (%s, 'Acme', 'test', now())", [merchant])
        for account, delay, bps, days in (("usual", 7, 0, 0), ("slow", 30, 0, 0), ("risky", 7, 1000, 90)):
            seller = uuid7()
            owner.execute(_SELLER, [seller, merchant, account, delay, bps, days])
            for version, commission in ((1, 500), (2, 700)):
                owner.execute(_TERMS, [uuid7(), merchant, seller, version, commission])
        run(owner, steps(loader, COPY, backwards=False))
        run(owner, steps(loader, DROP, backwards=False))
        found = owner.execute(
            "SELECT DISTINCT ON (seller_account) seller_account, version, commission_bps,"
            " settlement_delay_days, reserve_bps, reserve_days FROM merchants_sellerterms terms"
            " JOIN merchants_seller seller ON seller.id = terms.seller_id"
            " ORDER BY seller_account, version DESC"
        ).fetchall()
        assert found == [
            ("risky", 3, 700, 7, 1000, 90),
            ("slow", 3, 700, 30, 0, 0),
            ("usual", 2, 700, 7, 0, 0),
        ]
        run(owner, steps(loader, DROP, backwards=True))
        columns = "seller_account, settlement_delay_days, reserve_bps, reserve_days"
        back = owner.execute(f"SELECT {columns} FROM merchants_seller ORDER BY 1").fetchall()
        assert back == [("risky", 7, 1000, 90), ("slow", 30, 0, 0), ("usual", 7, 0, 0)]
        owner.rollback()
