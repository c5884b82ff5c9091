"""API keys: what they prove, when they stop, what is stored of them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from core.ids import uuid7
from core.redaction import hide_secrets
from merchants import services
from merchants.errors import InvalidKeyRequest
from merchants.models import ApiKey
from merchants.scopes import PRESETS, SCOPES, preset_of
from tests.store import Store, error, open_store

pytestmark = pytest.mark.database

CLIENT = Client()


def call(header: str | None) -> Any:
    headers = {} if header is None else {"Authorization": header}
    return CLIENT.get("/v1/sellers", headers=headers)


def pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def variants(store: Store) -> dict[str, str | None]:
    secret = store.secret
    return {
        "none": None,
        "empty": "",
        "scheme only": "Bearer",
        "other scheme": f"Basic {secret}",
        "not a key": "Bearer hello",
        "two blanks": f"Bearer  {secret}",
        "wrong secret": f"Bearer {secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        "other environment": f"Bearer {secret.replace('sk_test', 'sk_live')}",
        "unknown prefix": f"Bearer sk_test_0000000000_{secret[-32:]}",
        "NUL": f"Bearer {secret[:-1]}\0",
        "NUL behind": f"Bearer {secret}\0",
        "newline behind": f"Bearer {secret}\n",
        "not ASCII": f"Bearer {secret[:-1]}é",
        "64 KB": "Bearer " + "A" * 65536,
    }


def test_every_failed_authentication_looks_the_same_a_a1(store: Store, caplog: Any) -> None:
    """A-A1: one body, whatever was wrong; and one line in the log, with nothing secret in it."""
    assert call(f"Bearer {store.secret}").status_code == 200
    dead = open_store()
    with transaction.atomic():
        services.revoke_api_key(merchant_id=dead.merchant_id, key_id=dead.key_id)
    expired = open_store()
    ApiKey.objects.filter(pk=expired.key_id).update(expires_at=clock.now())
    with transaction.atomic():
        early = services.create_api_key(
            merchant_id=store.merchant_id, name="x", not_before=clock.now() + timedelta(hours=1)
        )
    headers = {
        **variants(store),
        "revoked": f"Bearer {dead.secret}",
        "expired": f"Bearer {expired.secret}",
        "not yet valid": f"Bearer {early.secret}",
    }
    bodies = set()
    caplog.clear()
    for name, header in headers.items():
        response = call(header)
        assert error(response) == (401, "authentication_failed", None), name
        assert response.headers["WWW-Authenticate"] == "Bearer"
        body = json.loads(response.content)
        del body["error"]["request_id"]
        bodies.add(json.dumps(body))
    assert len(bodies) == 1
    told = [record for record in caplog.records if record.name == "security"]
    assert len(told) == len(headers)
    assert "authentication_failed" in told[0].getMessage()
    for key in (store, dead, expired, early):
        assert key.secret[-32:-8] not in caplog.text


def test_no_secret_gets_into_a_log_a_a8(store: Store) -> None:
    """A-A8: whatever it is in; of our own keys the prefix stays."""
    prefix = store.secret[:-32]
    assert hide_secrets(f'"Not Found: /v1/{store.secret}", "x"') == f'"Not Found: /v1/{prefix}…", "x"'
    assert hide_secrets(prefix) == prefix
    for other in (
        "sk_live_" + "4eC39HqLyjWD" * 2,
        "rk_test_" + "a" * 24,
        "whsec_" + "MfKQ9r8GKYqrTw+/" * 2 + "==",
    ):
        head = other[: other.rindex("_") + 1]
        assert hide_secrets(f"a {other} b") == f"a {head}… b"


def test_failures_of_a_known_and_an_unknown_key_take_the_same_steps_a_a1(store: Store) -> None:
    """A-A1: one query and one comparison for each, so that time tells no more than the answer."""
    dead = open_store()
    with transaction.atomic():
        services.revoke_api_key(merchant_id=dead.merchant_id, key_id=dead.key_id)
    steps = {}
    for name in ("wrong secret", "other environment", "unknown prefix"):
        with CaptureQueriesContext(connection) as queries:
            assert call(variants(store)[name]).status_code == 401
        steps[name] = [query["sql"] for query in queries.captured_queries]
    with CaptureQueriesContext(connection) as queries:
        assert call(f"Bearer {dead.secret}").status_code == 401
    steps["revoked"] = [query["sql"] for query in queries.captured_queries]
    assert len({str(each) for each in steps.values()}) == 1 and len(steps["revoked"]) == 1


def test_a_key_in_the_query_string_is_refused_and_not_logged_a_a8(store: Store, caplog: Any) -> None:
    """A-A8."""
    response = CLIENT.get("/v1/sellers", query_params={"api_key": store.secret})
    assert error(response)[:2] == (401, "authentication_failed")
    assert store.secret not in caplog.text
    assert store.secret not in response.content.decode()


def test_only_a_hash_is_stored(store: Store) -> None:
    row = ApiKey.objects.values().get()
    secret = store.secret.split("_", 3)[3]
    assert all(secret not in str(value) for value in row.values())
    assert len(row["secret_hash"]) == 32
    with transaction.atomic():
        issued = services.create_api_key(merchant_id=store.merchant_id, name="x")
    assert issued.secret not in repr(issued)


def test_authentication_is_one_indexed_query(store: Store) -> None:
    services.authenticate(secret=store.secret)
    with CaptureQueriesContext(connection) as queries:
        identity = services.authenticate(secret=store.secret)
    assert identity is not None
    assert (identity.merchant_id, identity.mode) == (store.merchant_id, "test")
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries.captured_queries[0]['sql']}", ["any"])
        assert "merchants_apikey_prefix" in str(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_use_is_noted_at_most_once_a_minute(hooks: Any) -> None:
    store = open_store()

    def used() -> Any:
        services.authenticate(secret=store.secret)
        return ApiKey.objects.get().last_used_at

    first = used()
    assert first is not None
    clock.move(seconds=59)
    assert used() == first
    clock.move(seconds=2)
    assert used() > first


def test_rotation_lets_both_keys_work_for_the_overlap(store: Store, hooks: Any) -> None:
    with transaction.atomic():
        new = services.rotate_api_key(
            merchant_id=store.merchant_id, key_id=store.key_id, overlap=timedelta(hours=1)
        )
    assert services.authenticate(secret=store.secret) and services.authenticate(secret=new.secret)
    clock.move(seconds=3601)
    assert services.authenticate(secret=store.secret) is None
    assert services.authenticate(secret=new.secret)


def test_a_dead_key_cannot_be_rotated(store: Store) -> None:
    with transaction.atomic():
        assert services.revoke_api_key(merchant_id=store.merchant_id, key_id=store.key_id) is True
        assert services.revoke_api_key(merchant_id=store.merchant_id, key_id=store.key_id) is False
    with transaction.atomic(), pytest.raises(InvalidKeyRequest):
        services.rotate_api_key(
            merchant_id=store.merchant_id, key_id=store.key_id, overlap=timedelta(hours=1)
        )


def test_a_key_counts_from_its_first_moment(store: Store, hooks: Any) -> None:
    with transaction.atomic():
        key = services.create_api_key(
            merchant_id=store.merchant_id, name="x", not_before=clock.now() + timedelta(seconds=60)
        )
    assert services.authenticate(secret=key.secret) is None
    clock.move(seconds=61)
    assert services.authenticate(secret=key.secret)


def test_presets_are_scopes_and_known_by_their_content() -> None:
    assert all(preset and preset <= SCOPES for preset in PRESETS.values())
    assert {name: preset_of(list(preset)) for name, preset in PRESETS.items()} == {
        name: name for name in PRESETS
    }
    assert {scope.partition(":")[2] for scope in PRESETS["read only"]} == {"read"}
    assert preset_of(["payments:read"]) is None


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": ["sellers:destroy"]},
        {"scopes": []},
        {"not_before": clock.now() + timedelta(2), "expires_at": clock.now() + timedelta(1)},
        {"expires_at": clock.now() - timedelta(seconds=1)},
        {"must_sign": True},
        {"public_key": "-----BEGIN"},
        {"public_key": pem(ec.generate_private_key(ec.SECP256R1()))},
        {"public_key": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))},
        {"public_key": pem(rsa.generate_private_key(public_exponent=3, key_size=2048))},
    ],
)
def test_unusable_keys_are_not_issued(store: Store, options: dict[str, Any]) -> None:
    with transaction.atomic(), pytest.raises(InvalidKeyRequest):
        services.create_api_key(merchant_id=store.merchant_id, name="x", **options)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE merchants_apikey SET mode = 'live'",
        "UPDATE merchants_apikey SET secret_hash = 'x'",
        "UPDATE merchants_apikey SET scopes = '{}'",
        "UPDATE merchants_merchant SET mode = 'live'",
        "DELETE FROM merchants_apikey",
        "DELETE FROM merchants_merchant",
    ],
)
def test_keys_and_modes_cannot_be_rewritten_by_sql(store: Store, sql: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_revoked_key_stays_revoked(store: Store) -> None:
    with transaction.atomic():
        services.revoke_api_key(merchant_id=store.merchant_id, key_id=store.key_id)
    with pytest.raises(DatabaseError, match="stays revoked"), transaction.atomic():
        ApiKey.objects.update(revoked_at=None)


def test_a_key_of_the_other_mode_cannot_be_inserted(store: Store) -> None:
    row = ApiKey.objects.get()
    row.pk, row.mode, row.prefix = uuid7(), "live", "other"
    with pytest.raises(DatabaseError, match="merchants_apikey_merchant_mode"), transaction.atomic():
        row.save(force_insert=True)


def test_revocation_counts_from_its_commit_a_d8(store: Store) -> None:
    """A-D8: nothing is cached, so the next request after the revocation is refused."""
    assert call(f"Bearer {store.secret}").status_code == 200
    with transaction.atomic():
        services.revoke_api_key(merchant_id=store.merchant_id, key_id=store.key_id)
    assert call(f"Bearer {store.secret}").status_code == 401
