"""Public keys keep their API keys when they move to a table of their own, and on the way back."""

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core import clock
from core.ids import uuid7
from tests.database import owner_connection
from tests.merchants.signer import pem, private_key

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

COPY, DROP = ("merchants", "0005_copy_public_keys"), ("merchants", "0006_drop_public_key")


def steps(loader: MigrationLoader, name: tuple[str, str], *, backwards: bool) -> list[str]:
    """The SQL of one migration, as it would be run."""
    found: list[str] = loader.collect_sql([(loader.graph.nodes[name], backwards)])
    return found


def run(owner: "psycopg.Connection[object]", sql: list[str]) -> None:
    # What was inserted in this same transaction is checked before a table is changed.
    owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for each in sql:
        if not each.startswith("--") or "\n" in each:
            owner.execute(each)


def insert_key(owner: "psycopg.Connection[object]", name: str, public_key: str) -> None:
    merchant, key, now = uuid7(), uuid7(), clock.now()
    owner.execute("INSERT INTO merchants_merchant VALUES (%s, 'Acme', 'test', %s)", [merchant, now])
    owner.execute(
        "INSERT INTO merchants_apikey (id, merchant_id, mode, name, prefix, secret_hash, scopes, must_sign,"
        " created_at, public_key) VALUES (%s, %s, 'test', %s, %s, 'x', '{a}', %s, %s, %s)",
        [key, merchant, name, name, bool(public_key), now, public_key],
    )


def test_public_keys_move_to_their_own_table_and_back() -> None:
    loader = MigrationLoader(connection)
    connection.close()
    public = pem(private_key()).strip()
    with owner_connection() as owner:
        run(owner, steps(loader, DROP, backwards=True))
        run(owner, steps(loader, COPY, backwards=True))
        insert_key(owner, "signs", public)
        insert_key(owner, "plain", "")
        run(owner, steps(loader, COPY, backwards=False))
        run(owner, steps(loader, DROP, backwards=False))
        found = owner.execute(
            "SELECT key.name, signing.public_key, signing.algorithm, signing.merchant_id = key.merchant_id"
            " FROM merchants_signingkey signing JOIN merchants_apikey key ON key.id = signing.api_key_id"
        ).fetchall()
        assert found == [("signs", public, "RSA-SHA256", True)]
        run(owner, steps(loader, DROP, backwards=True))
        keys = owner.execute("SELECT name, public_key FROM merchants_apikey ORDER BY name").fetchall()
        assert keys == [("plain", ""), ("signs", public)]
        owner.rollback()
