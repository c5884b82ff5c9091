"""PostgreSQL itself keeps what was written about risk, and keeps merchants apart."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from risk.services import set_vendor
from tests.payments.conftest import Shop
from tests.risk.rules import BY, enforce, listed
from tests.store import open_store

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("hooks")]


def refused(sql: str, *params: Any, because: str) -> None:
    with pytest.raises(DatabaseError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def judged(counter: Shop) -> UUID:
    """A merchant with a rule, a list, a vendor, and a payment that was judged."""
    merchant_id = counter.store.merchant_id
    enforce(merchant_id, "amount_over", {"limits": {"USD": 1_000_000}}, decision="review")
    listed(merchant_id, "bad", "block", "email", "eve@example.com")
    with transaction.atomic():
        set_vendor(
            merchant_id=merchant_id, provider="sandbox", base_url="http://127.0.0.1:1", secret_key="k", by=BY
        )
    counter.accept(counter.body())
    return merchant_id


@pytest.mark.parametrize("table", ["riskfact", "riskdecision", "riskdryrun", "risklist"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET merchant_id = merchant_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_was_seen_and_decided_stays(judged: UUID, table: str, verb: str) -> None:
    refused(verb.format(f"risk_{table}"), because="permission denied")


@pytest.mark.parametrize(
    "change",
    [
        "risk_riskrule SET params = '{}'",
        "risk_riskrule SET score = 1",
        "risk_riskrule SET version = 9",
        "risk_risklistentry SET added_by = 'user:other'",
        "risk_riskvendor SET provider = 'other'",
    ],
)
def test_a_change_is_another_version(judged: UUID, change: str) -> None:
    refused(f"UPDATE {change} WHERE merchant_id = %s", judged, because="append-only but for")


def test_a_rule_takes_no_short_cut(judged: UUID) -> None:
    refused(
        "UPDATE risk_riskrule SET status = 'DRAFT' WHERE merchant_id = %s", judged, because="may not change"
    )


@pytest.mark.parametrize(
    ("table", "column", "of"),
    [
        ("riskdryrun", "rule_id", "riskrule"),
        ("risklistentry", "list_id", "risklist"),
        ("riskcheck", "vendor_id", "riskvendor"),
    ],
)
def test_the_keys_carry_the_merchant(owner_sql: Any, table: str, column: str, of: str) -> None:
    found = owner_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        [f"risk_{table}"],
    )
    wanted = f"FOREIGN KEY (merchant_id, {column}) REFERENCES risk_{of}(merchant_id, id)"
    assert wanted in [definition for (definition,) in found]


def test_a_list_of_another_merchant_takes_no_entry(judged: UUID) -> None:
    refused(
        "INSERT INTO risk_risklistentry SELECT (jsonb_populate_record(entry, jsonb_build_object("
        "'id', %s::text, 'digest', '\\x00', 'merchant_id', %s::text))).* FROM risk_risklistentry AS entry"
        " WHERE entry.merchant_id = %s",
        str(uuid4()),
        str(open_store().merchant_id),
        judged,
        because="risk_risklistentry_merchant_list",
    )
