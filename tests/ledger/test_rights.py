"""As the application role, with raw SQL: nothing reaches the books but through their doors (L17)."""

import re
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.errors import AccountGuarded
from ledger.services import post_entries
from tests.ledger.books import TABLES, Books, door_call, nothing_changes, rows, run

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

# A hold is a row of the application's own; what it holds moves through the doors, and an audit compares.
BEHIND_DOORS = [table for table in TABLES if table != "wallet_hold"]


def refused(sql: str, *params: object) -> None:
    with nothing_changes(), pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
        run(sql, params)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_nothing_is_rewritten(books: Books, table: str, verb: str) -> None:
    books.fund(100)
    column = rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1",
        [table],
    )[0][0]
    refused(verb.format(table, column))


@pytest.mark.parametrize("table", BEHIND_DOORS)
def test_nothing_is_inserted_beside_the_doors(books: Books, table: str) -> None:
    books.fund(100)
    refused(f"INSERT INTO {table} SELECT * FROM {table}")


def test_a_balance_is_not_updated(books: Books) -> None:
    books.fund(100)
    refused("UPDATE wallet_wallet SET available_minor = available_minor + 1")
    refused("UPDATE ledger_accountcheckpoint SET balance_minor = 1")


@pytest.mark.parametrize("verb", ["FOR UPDATE", "FOR KEY SHARE"])
def test_rows_of_the_books_are_not_locked(books: Books, verb: str) -> None:
    books.fund(100)
    refused(f"SELECT 1 FROM ledger_journalentry {verb}")


def test_the_inner_functions_are_closed(books: Books) -> None:
    with (
        nothing_changes(),
        pytest.raises(DatabaseError, match="permission denied for function ledger_insert"),
    ):
        door_call("ledger_insert", books.arrays(books.sale()))
    refused(
        "SELECT ledger_open_guarded(%s, %s, 'USD', ARRAY['seller_available'])", books.merchant_id, uuid4()
    )


def test_a_wallet_backed_account_is_opened_only_with_its_wallet(books: Books) -> None:
    insert = (
        "INSERT INTO ledger_account (merchant_id, role, owner, currency, guarded, clearing)"
        " VALUES (%s, 'seller_available', %s, 'USD', {}, false)"
    )
    refused(insert.format("true"), books.merchant_id, uuid4())
    with nothing_changes(), pytest.raises(DatabaseError, match="ledger_account_guarded_by_role"):
        run(
            "SELECT ledger_open(%s, 'seller_available', %s, NULL, 'USD', false)", [books.merchant_id, uuid4()]
        )


@pytest.mark.parametrize("sql", ["ALTER TABLE {} DISABLE TRIGGER USER", "DROP TABLE {} CASCADE"])
@pytest.mark.parametrize("table", TABLES)
def test_the_guards_are_not_switched_off(books: Books, sql: str, table: str) -> None:
    refused(sql.format(table))


def test_replication_role_is_not_for_the_application(books: Books) -> None:
    refused("SET session_replication_role = replica")


def test_a_temporary_table_does_not_answer_for_the_real_one(books: Books) -> None:
    """A function of the owner looks into the caller's temporary schema last.

    The control is the same look-up with the path that leaves pg_temp out, where it comes first.
    """
    available = books.account("seller_available")
    draft = books.draft(books.line(books.clearing, 5), books.line(available, -5))
    owner = rows("SELECT tableowner FROM pg_tables WHERE tablename = 'ledger_account'")[0][0]
    with nothing_changes(), pytest.raises(AccountGuarded), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE ledger_account ON COMMIT DROP AS SELECT * FROM ledger_account"
            )
            cursor.execute("UPDATE pg_temp.ledger_account SET guarded = false")
            cursor.execute(f"GRANT ALL ON pg_temp.ledger_account TO {owner}")
            cursor.execute("SET LOCAL search_path = pg_catalog, public")
            cursor.execute("SELECT guarded FROM ledger_account WHERE id = %s", [available])
            assert cursor.fetchone() == (False,)
        post_entries(drafts=[draft])


def test_every_function_looks_into_pg_temp_last() -> None:
    """Whatever app it is of: one that forgets is open to the trick above."""
    found = rows(
        "SELECT proname, proconfig::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
    )
    assert len(found) > 5
    assert [
        name for name, config in found if not re.search(r"search_path=[^\"]*pg_temp\"?}", config or "")
    ] == []
