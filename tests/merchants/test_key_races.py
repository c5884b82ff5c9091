"""Keys and nonces when many ask at once, and when the memory of Redis is gone."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse

from merchants import services
from merchants.errors import InvalidKeyRequest
from merchants.models import Seller, SigningKey, SigningNonce
from tests.merchants.signer import Request, Signer, new_signer
from tests.racing import race
from tests.store import Store, error, open_store
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

SELLER = json.dumps({"seller_account": "ada", "name": "Ada", "country": "DE"}).encode()
RIVALS = 20
BEFORE, AFTER = 5, 10


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def signer(store: Store) -> Signer:
    return new_signer(store)


def answers(signer: Signer, request: Request, rivals: int) -> Counter[tuple[int, str]]:
    """What so many were told who sent the same signed request at the same moment."""
    headers = signer.headers(request)
    found = race([partial(signer.send, request, headers)] * rivals)
    return Counter((each.status_code, _code(each)) for each in found)


def _code(answer: HttpResponse) -> str:
    return "" if answer.status_code < 300 else error(answer)[1]


def test_of_twenty_with_one_nonce_one_passes_a_a4(signer: Signer) -> None:
    """A-A4: the unique index decides, whoever else is at it; the work is done once without a key for it."""
    found = answers(signer, Request("POST", "/v1/sellers", SELLER), RIVALS)
    assert found == {(201, ""): 1, (401, "nonce_replayed"): RIVALS - 1}
    assert (SigningNonce.objects.count(), Seller.objects.count()) == (1, 1)


def test_without_the_unique_index_the_race_would_be_lost(signer: Signer, owner_sql: Any) -> None:
    """The control: it is the database that keeps the second one out."""
    owner_sql("ALTER TABLE merchants_signingnonce DROP CONSTRAINT merchants_nonce_once")
    try:
        assert answers(signer, Request(), 5) == {(200, ""): 5}
        owner_sql("DELETE FROM merchants_signingnonce")
    finally:
        owner_sql(
            "ALTER TABLE merchants_signingnonce ADD CONSTRAINT merchants_nonce_once"
            " UNIQUE (signing_key_id, nonce)"
        )


def test_a_nonce_is_remembered_without_redis_a_a4(signer: Signer) -> None:
    """A-A4: what was used stays used when Redis has forgotten everything."""
    request = Request()
    assert signer.send(request).status_code == 200
    memory = redis.Redis.from_url(settings.REDIS_URL)
    memory.flushall()
    memory.close()
    assert error(signer.send(request))[:2] == (401, "nonce_replayed")


def revoke_api_key(signer: Signer) -> None:
    services.revoke_api_key(merchant_id=signer.merchant_id, key_id=signer.key_id)


def revoke_signing_key(signer: Signer) -> None:
    row = SigningKey.objects.get(api_key_id=signer.key_id)
    services.revoke_signing_key(merchant_id=signer.merchant_id, signing_key_id=row.pk)


@pytest.mark.parametrize(
    ("revoke", "code"),
    [(revoke_api_key, "authentication_failed"), (revoke_signing_key, "unknown_key")],
)
def test_revocation_while_requests_run_a_d8(
    signer: Signer, revoke: Callable[[Signer], None], code: str
) -> None:
    """A-D8: nothing is cached: who begins after the commit of the revocation is refused, in every thread."""
    is_warm, is_revoked = Event(), Event()

    def call() -> list[tuple[bool, int, str]]:
        seen: list[tuple[bool, int, str]] = []
        while sum(after for after, _, _ in seen) < AFTER:
            begins_after = is_revoked.is_set()
            answer = signer.send(Request())
            seen.append((begins_after, answer.status_code, _code(answer)))
            if len(seen) == BEFORE:
                is_warm.set()
        return seen

    def end() -> None:
        assert is_warm.wait(30)
        with transaction.atomic():
            revoke(signer)
        is_revoked.set()

    *callers, ended = race([call, call, call, end], seconds=60)
    assert ended is None
    for seen in callers:
        assert not isinstance(seen, Exception), seen
        assert {(status, why) for after, status, why in seen if after} == {(401, code)}
        assert {(status, why) for after, status, why in seen if not after} <= {(200, ""), (401, code)}
    assert any(status == 200 for seen in callers for _, status, _ in seen)


def test_a_signing_key_is_not_copied_while_it_is_revoked(signer: Signer) -> None:
    """Who replaces a key waits for who revokes one of its signing keys, and then leaves that one behind."""
    row = SigningKey.objects.get()
    is_revoking, is_replaced = Event(), Event()

    def is_waited_for() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            return bool(cursor.fetchone()[0])

    def revoke() -> None:
        with transaction.atomic():
            services.revoke_signing_key(merchant_id=signer.merchant_id, signing_key_id=row.pk)
            is_revoking.set()
            eventually(lambda: is_waited_for() or is_replaced.is_set(), what="the other waits, or is done")

    def replace() -> None:
        assert is_revoking.wait(30)
        try:
            with transaction.atomic():
                services.rotate_api_key(
                    merchant_id=signer.merchant_id, key_id=signer.key_id, overlap=timedelta(hours=1)
                )
        finally:
            is_replaced.set()

    _, replaced = race([revoke, replace])
    assert isinstance(replaced, InvalidKeyRequest), replaced
    assert SigningKey.objects.count() == 1
