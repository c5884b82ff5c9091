"""Signed requests: what a signature covers, when it counts, and that it counts once."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.errors import NotFound
from core.models import AuditRecord
from merchants import services
from merchants.errors import InvalidKeyRequest
from merchants.models import ApiKey, Seller, SigningKey, SigningNonce
from merchants.signing import is_genuine, signed_text
from merchants.tasks import forget_old_nonces
from merchants.types import SignedRequest
from tests.merchants.signer import Request, Signer, new_signer, pem, private_key
from tests.store import Store, error, open_store

pytestmark = pytest.mark.database

SELLER = json.dumps({"seller_account": "ada", "name": "Ada", "country": "DE"}).encode()


@pytest.fixture
def signer(store: Store) -> Signer:
    return new_signer(store)


def refused(signer: Signer, request: Request, **headers: str | None) -> tuple[int, str]:
    """The refusal of a request that is signed well and then sent with other headers."""
    sent = signer.headers(request) | headers
    answer = signer.send(request, {name: value for name, value in sent.items() if value is not None})
    return error(answer)[:2]


def test_a_signed_request_passes(signer: Signer) -> None:
    assert signer.send(Request()).status_code == 200
    made = signer.send(Request("POST", "/v1/sellers", SELLER))
    assert made.status_code == 201 and Seller.objects.get().seller_account == "ada"
    assert ApiKey.objects.get(pk=signer.key_id).last_used_at and SigningKey.objects.get().last_used_at


def test_without_the_address_as_sent_the_usual_form_counts(signer: Signer) -> None:
    request = Request(target="/v1/sellers?seller_account=a%20b&limit=2")
    path, _, query = request.target.partition("?")
    headers = signer.headers(request)
    answer = Client().generic("GET", path, headers=headers, QUERY_STRING=query)
    assert answer.status_code != 401, answer.content


def test_an_address_with_its_host_counts_as_path_and_query(signer: Signer) -> None:
    request = Request()
    whole = replace(request, target=f"http://testserver:80{request.target}")
    environ = {"RAW_URI": whole.target, "QUERY_STRING": "limit=2"}
    answer = Client().generic("GET", "/v1/sellers", headers=signer.headers(request), **environ)
    assert answer.status_code == 200


def test_a_key_that_must_sign_accepts_nothing_else(store: Store, signer: Signer) -> None:
    bearer = {"Authorization": f"Bearer {signer.secret}"}
    answer = signer.send(Request("POST", "/v1/sellers", SELLER), bearer)
    assert error(answer)[:2] == (401, "signature_required")
    assert not Seller.objects.exists()
    # For another key the signature is optional, but counts when it is there.
    free = new_signer(store, must_sign=False)
    request = Request()
    assert free.send(request, {"Authorization": f"Bearer {free.secret}"}).status_code == 200
    assert free.send(request).status_code == 200
    other = free.headers(request, signed=replace(request, method="HEAD"))
    other["Signature-Nonce"] = "n" * 16
    assert error(free.send(request, other))[:2] == (401, "signature_invalid")


PARTS = ("method", "target", "timestamp", "nonce", "body")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_byte_breaks_the_signature_a_a2(data: st.DataObject) -> None:
    """A-A2: one bit of anything that is covered, or another order of the query."""
    request = Request("POST", "/v1/sellers?a=1&b=2", SELLER)
    key = private_key()
    signature = key.sign(request.text(), padding.PKCS1v15(), SHA256())

    def is_accepted(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bool:
        text = signed_text(method=method, target=target, timestamp=timestamp, nonce=nonce, body=body)
        return is_genuine(algorithm="RSA-SHA256", public_key=pem(key), signature=signature, text=text)

    values = [getattr(request, part) for part in PARTS]
    assert is_accepted(*values)
    place = data.draw(st.sampled_from(range(len(PARTS))))
    raw = bytearray(values[place] if PARTS[place] == "body" else values[place].encode())
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= 1 << data.draw(st.integers(0, 7))
    values[place] = bytes(raw) if PARTS[place] == "body" else raw.decode("latin-1")
    assert not is_accepted(*values)


@pytest.mark.parametrize(
    "sent",
    [
        {"method": "HEAD"},
        {"target": "/v1/sellers/ada?limit=2&status=VERIFIED"},
        {"target": "/v1/sellers?status=VERIFIED&limit=2"},
        {"target": "/v1/sellers?limit=2&status=VERIFIE%44"},
        {"target": "/v1/%73ellers?limit=2&status=VERIFIED"},
        {"target": "/v1/sellers?limit=2&status=VERIFIED&"},
        {"body": b" "},
        {"method": "POST", "target": "/v1/sellers", "body": SELLER},
    ],
)
def test_a_signature_is_for_one_request_a_a2(signer: Signer, sent: dict[str, Any]) -> None:
    """A-A2: over HTTP, with one thing changed on the way; nothing is done and no nonce is used up."""
    request = Request(target="/v1/sellers?limit=2&status=VERIFIED")
    changed = replace(request, **sent)
    answer = signer.send(changed, signer.headers(changed, signed=request))
    assert answer.status_code == 401
    assert changed.method == "HEAD" or error(answer)[:2] == (401, "signature_invalid")
    assert not SigningNonce.objects.exists() and not Seller.objects.exists()


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (-301, (401, "signature_expired")),
        (301, (401, "signature_expired")),
        ("soon", (400, "malformed_request")),
        ("-1700000000", (400, "malformed_request")),
        ("1" + "0" * 30, (400, "malformed_request")),
        ("1e9", (400, "malformed_request")),
        ("", (400, "malformed_request")),
        ("١٧٠٠", (400, "malformed_request")),
    ],
)
def test_bad_times_a_a3(signer: Signer, stopped_clock: Any, offset: int | str, expected: Any) -> None:
    """A-A3: five minutes either way and not a second more; what is no number is malformed."""
    now = int(stopped_clock.timestamp())
    timestamp = str(now + offset) if isinstance(offset, int) else offset.encode().decode("latin-1")
    assert refused(signer, Request(), **{"Signature-Timestamp": timestamp}) == expected
    for seconds in (-300, 300):
        assert signer.send(Request(timestamp=str(now + seconds))).status_code == 200


def test_a_nonce_counts_once_a_a4(store: Store, signer: Signer) -> None:
    """A-A4: for this key; also where the request itself was refused. Another key may use the same one."""
    request = Request("POST", "/v1/sellers", SELLER)
    assert signer.send(request).status_code == 201
    assert error(signer.send(request))[:2] == (401, "nonce_replayed")
    failing = replace(request, nonce="x" * 20, body=b"{")
    assert error(signer.send(failing))[:2] == (400, "malformed_request")
    assert error(signer.send(failing))[:2] == (401, "nonce_replayed")
    assert new_signer(store).send(replace(request, method="GET", body=b"")).status_code == 200
    assert Seller.objects.count() == 1


def forged(kind: str, signer: Signer, request: Request) -> bytes:
    """A signature in another algorithm than the record of the key names."""
    text, public = request.text(), pem(signer.key).encode()
    made: dict[str, bytes] = {
        "none": b"\0" * 3,
        "the digest alone": hashlib.sha256(text).digest(),
        "sha1": signer.key.sign(text, padding.PKCS1v15(), SHA1()),
        "sha512": signer.key.sign(text, padding.PKCS1v15(), SHA512()),
        "pss": signer.key.sign(text, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        "the digest signed again": signer.key.sign(
            hashlib.sha256(hashlib.sha256(text).digest()).digest(), padding.PKCS1v15(), Prehashed(SHA256())
        ),
        "hmac by the public key": hmac.new(public, text, "sha256").digest(),
        "another key": private_key("other").sign(text, padding.PKCS1v15(), SHA256()),
        "an end cut off": signer.key.sign(text, padding.PKCS1v15(), SHA256())[:-1],
        "a zero in front": b"\0" + signer.key.sign(text, padding.PKCS1v15(), SHA256()),
    }
    return made[kind]


@pytest.mark.parametrize("kind", ["headers", "signatures"])
def test_the_record_of_the_key_chooses_the_algorithm_a_a5(signer: Signer, kind: str) -> None:
    """A-A5: no header chooses it, and no other algorithm is tried."""
    kinds = ["none", "the digest alone", "sha1", "sha512", "pss", "the digest signed again"]
    kinds += ["hmac by the public key", "another key", "an end cut off", "a zero in front"]
    more = {"Signature-Algorithm": "none", "Signature-Input": "alg=hmac-sha256"} if kind == "headers" else {}
    for each in kinds:
        request = Request()
        signature = base64.b64encode(forged(each, signer, request)).decode()
        found = refused(signer, request, Signature=signature, **more)
        assert found == (401, "signature_invalid"), each
    with pytest.raises(DatabaseError, match="merchants_signingkey_algorithm"), transaction.atomic():
        SigningKey(
            merchant_id=signer.merchant_id,
            api_key_id=signer.key_id,
            algorithm="none",
            public_key="x",
            created_at=clock.now(),
            not_before=clock.now(),
        ).save(force_insert=True)
    assert not is_genuine(algorithm="none", public_key=pem(signer.key), signature=b"", text=b"")


def add(signer: Signer, name: str, **life: Any) -> Signer:
    """The signer, signing with one more key of its API key."""
    key = private_key(name)
    with transaction.atomic():
        added = services.add_signing_key(
            merchant_id=signer.merchant_id, key_id=signer.key_id, public_key=pem(key), **life
        )
    return replace(signer, serial=added.serial, key=key)


def test_serials_that_are_not_valid_a_a6(store: Store, signer: Signer, hooks: Any) -> None:
    """A-A6: unknown, another key's, not yet valid, expired, revoked: all the same."""
    theirs = new_signer(open_store())
    for serial in ("ser_00000000000000000000000000", "ser_x", "nonsense", theirs.serial):
        assert refused(signer, Request(), **{"Signature-Serial": serial}) == (401, "unknown_key"), serial
    moment = clock.now()
    early = add(signer, "early", not_before=moment + timedelta(seconds=60))
    brief = add(signer, "brief", expires_at=moment + timedelta(seconds=30))
    assert error(early.send(Request()))[:2] == (401, "unknown_key")
    assert brief.send(Request()).status_code == signer.send(Request()).status_code == 200
    clock.move(seconds=61)
    assert early.send(Request()).status_code == 200
    assert error(brief.send(Request()))[:2] == (401, "unknown_key")
    with transaction.atomic():
        row = SigningKey.objects.get(api_key_id=signer.key_id, public_key=pem(signer.key).strip())
        where = {"merchant_id": store.merchant_id, "signing_key_id": row.pk}
        with pytest.raises(NotFound):
            services.revoke_signing_key(merchant_id=theirs.merchant_id, signing_key_id=row.pk)
        assert services.revoke_signing_key(**where, reason="lost") is True
        assert services.revoke_signing_key(**where) is False
    assert error(signer.send(Request()))[:2] == (401, "unknown_key")
    assert early.send(Request()).status_code == 200
    kinds = AuditRecord.objects.filter(subject=row.serial).values_list("action", "reason")
    assert list(kinds) == [("signing_key.revoke", "lost")]


@pytest.mark.parametrize("name", ["Signature-Serial", "Signature-Timestamp", "Signature-Nonce", "Signature"])
def test_a_set_of_headers_is_whole_and_single_a_a7(store: Store, name: str) -> None:
    """A-A7: left out, empty, twice, or in another form: malformed, for keys that need no signature too."""
    signer = new_signer(store, must_sign=False)
    request = Request()
    value = signer.headers(request)[name]
    for other in (None, "", f"{value},{value}", f"{value}, {value}", f"{value} ", "é", "x" * 5000):
        assert refused(signer, request, **{name: other}) == (400, "malformed_request"), other
    assert not SigningNonce.objects.exists()
    assert signer.send(request).status_code == 200


def test_bad_nonces_and_signatures_are_malformed_a_a7(signer: Signer) -> None:
    """A-A7: too short, too long, other characters; base64 of another kind or without its end."""
    good = signer.headers(Request())["Signature"]
    for nonce in ("n" * 15, "n" * 65, "n" * 15 + ".", "n" * 15 + "\0"):
        assert refused(signer, Request(nonce=nonce)) == (400, "malformed_request"), nonce
    for signature in ("!" * 344, good[:-1], good.replace("=", ""), good + "====", "é" * 8):
        assert refused(signer, Request(), Signature=signature) == (400, "malformed_request"), signature


def test_two_idempotency_keys_are_malformed_a_a7(store: Store) -> None:
    """A-A7: two headers of one name arrive joined by a comma."""
    answer = store.post("/v1/sellers", json.loads(SELLER), key="one,two")
    assert error(answer)[:2] == (400, "malformed_request")
    assert not Seller.objects.exists()


def test_the_secret_is_proved_before_anything_about_the_signature_is_told_a_a1(signer: Signer) -> None:
    """A-A1: without the secret a signature, good or bad, changes nothing in the answer."""
    wrong = signer.secret[:-1] + ("A" if signer.secret[-1] != "A" else "B")
    for more in ({}, {"Signature": "x"}, {"Signature-Serial": "ser_x"}):
        found = refused(signer, Request(), Authorization=f"Bearer {wrong}", **more)
        assert found == (401, "authentication_failed")
    assert not SigningNonce.objects.exists()


def test_what_a_signature_costs_in_queries(signer: Signer, store: Store) -> None:
    """A stale one none, a forged one a look, and nothing for who does not sign."""

    def queries(headers: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as found:
            signer.send(request, headers)
        return len(found)

    signer.send(Request())
    request = Request()
    unsigned = queries({"Authorization": f"Bearer {signer.secret}"})
    assert unsigned == 1
    stale = Request(timestamp=str(int(time.time()) - 1000))
    assert queries(signer.headers(stale)) == 1
    forged_headers = signer.headers(request, signed=stale)
    assert queries(forged_headers) == 2


def test_a_body_that_is_too_large_is_not_read_for_its_signature(signer: Signer) -> None:
    request = Request("POST", "/v1/sellers", b"x" * (1024 * 1024 + 1))
    assert error(signer.send(request))[:2] == (413, "body_too_large")


def test_old_nonces_are_forgotten_and_no_others(signer: Signer, hooks: Any, monkeypatch: Any) -> None:
    """A nonce stays for as long as the time in its request could still pass anywhere."""
    monkeypatch.setattr("merchants.tasks._PORTION", 2)
    requests = [Request() for _ in range(5)]
    assert {signer.send(each).status_code for each in requests} == {200}
    clock.move(seconds=300)
    late = Request(timestamp=str(int(clock.now().timestamp())))
    assert signer.send(late).status_code == 200
    forget_old_nonces()
    assert SigningNonce.objects.count() == 6
    clock.move(seconds=301)
    forget_old_nonces()
    assert SigningNonce.objects.get().nonce == late.nonce


def test_rotation_brings_the_signing_keys_along(signer: Signer) -> None:
    second = add(signer, "early")
    with transaction.atomic():
        services.add_signing_key(
            merchant_id=signer.merchant_id, key_id=signer.key_id, public_key=pem(private_key("other"))
        )
        row = SigningKey.objects.get(public_key=pem(private_key("other")).strip())
        services.revoke_signing_key(merchant_id=signer.merchant_id, signing_key_id=row.pk)
        new = services.rotate_api_key(
            merchant_id=signer.merchant_id, key_id=signer.key_id, overlap=timedelta(hours=1)
        )
    assert len(new.serials) == 2 and signer.serial not in new.serials
    for serial, each in zip(new.serials, (signer, second), strict=True):
        rotated = replace(each, secret=new.secret, serial=serial)
        assert rotated.send(Request()).status_code == each.send(Request()).status_code == 200
        mixed = replace(rotated, serial=each.serial)
        assert error(mixed.send(Request()))[:2] == (401, "unknown_key")


def test_a_key_without_a_way_to_sign_is_not_rotated(signer: Signer) -> None:
    row = SigningKey.objects.get()
    with transaction.atomic():
        services.revoke_signing_key(merchant_id=signer.merchant_id, signing_key_id=row.pk)
    with pytest.raises(InvalidKeyRequest, match="no valid signing key"), transaction.atomic():
        services.rotate_api_key(
            merchant_id=signer.merchant_id, key_id=signer.key_id, overlap=timedelta(hours=1)
        )
    assert ApiKey.objects.filter(merchant_id=signer.merchant_id, expires_at=None).count() == 2


def test_unusable_signing_keys_are_not_added(signer: Signer) -> None:
    def says(public_key: str, **life: Any) -> str:
        with pytest.raises(InvalidKeyRequest) as caught, transaction.atomic():
            services.add_signing_key(
                merchant_id=signer.merchant_id, key_id=signer.key_id, public_key=public_key, **life
            )
        return caught.value.message

    assert "already" in says(pem(signer.key))
    assert "private key" in says("-----BEGIN PRIVATE KEY-----")
    assert "too long" in says("x" * 5000)
    assert "never be valid" in says(pem(private_key("other")), expires_at=clock.now())
    with transaction.atomic():
        services.revoke_api_key(merchant_id=signer.merchant_id, key_id=signer.key_id)
    assert "revoked" in says(pem(private_key("other")))


def test_the_database_keeps_signing_keys_as_they_are(store: Store, signer: Signer) -> None:
    other = open_store()
    statements = [
        ("UPDATE merchants_signingkey SET public_key = 'x'", "append-only but for"),
        ("UPDATE merchants_signingkey SET not_before = now()", "append-only but for"),
        ("DELETE FROM merchants_signingkey", "permission denied"),
        ("UPDATE merchants_signingnonce SET nonce = 'x'", "permission denied"),
    ]
    for sql, says in statements:
        with pytest.raises(DatabaseError, match=says), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    with transaction.atomic():
        row = SigningKey.objects.get()
        services.revoke_signing_key(merchant_id=store.merchant_id, signing_key_id=row.pk)
    with pytest.raises(DatabaseError, match="stays revoked"), transaction.atomic():
        SigningKey.objects.update(revoked_at=None)
    with pytest.raises(DatabaseError, match="merchants_signingkey_merchant_key"), transaction.atomic():
        row.pk, row.merchant_id = other.key_id, other.merchant_id
        row.save(force_insert=True)


def test_a_key_that_must_sign_has_a_signing_key_at_its_commit(store: Store) -> None:
    row = ApiKey.objects.get()
    row.pk, row.prefix, row.must_sign = open_store().merchant_id, "other", True
    with pytest.raises(DatabaseError, match="needs a signing key"), transaction.atomic():
        row.save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_nothing_of_a_signature_is_in_what_is_printed() -> None:
    shown = repr(SignedRequest("ser_1", 1, "n" * 16, b"signature", lambda: b"body"))
    assert "signature=" not in shown and "body" not in shown
