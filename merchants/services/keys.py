"""Merchants and their API keys."""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from core import clock
from core.rows import Query, read_together
from core.transactions import at_edge, forbids_transaction, requires_transaction
from merchants import locks
from merchants.errors import InvalidKeyRequest
from merchants.keys import hash_secret, new_key_text, read_key_text
from merchants.models import ApiKey, Merchant
from merchants.scopes import SCOPES
from merchants.types import IssuedKey, KeyIdentity, MerchantData

__all__ = ["authenticate", "create_api_key", "create_merchant", "revoke_api_key", "rotate_api_key"]

_USE_NOTED_EVERY = timedelta(minutes=1)
_SMALLEST_RSA_BITS = 2048
# Compared when there is no such key, so that both cases take the same steps.
_NO_HASH = hash_secret("")
_PROOF = (
    "SELECT id, merchant_id, mode, secret_hash, scopes, must_sign, expires_at, revoked_at, last_used_at "
    "FROM merchants_apikey WHERE prefix = %s"
)


@requires_transaction
def create_merchant(*, name: str, mode: str) -> MerchantData:
    """Open a store in one mode, "test" or "live"; the other mode is another merchant."""
    row = Merchant(name=name, mode=mode, created_at=clock.now())
    row.save(force_insert=True)
    return MerchantData(id=row.pk, name=row.name, mode=row.mode, created_at=row.created_at)


@requires_transaction
def create_api_key(
    *,
    merchant_id: UUID,
    name: str,
    scopes: Collection[str] = SCOPES,
    expires_at: datetime | None = None,
    public_key: str = "",
    must_sign: bool = False,
) -> IssuedKey:
    """Issue a key in the merchant's mode; the secret in the result is shown once and cannot be read again.

    `public_key` is an RSA key in PEM for signed requests, `must_sign` makes signatures mandatory.
    Raises InvalidKeyRequest; Merchant.DoesNotExist if there is no such merchant.
    """
    if unknown := set(scopes) - SCOPES:
        raise InvalidKeyRequest(f"unknown scopes: {', '.join(sorted(unknown))}")
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidKeyRequest("the key would be expired from the start")
    if must_sign and not public_key:
        raise InvalidKeyRequest("a key that must sign needs a public key")
    if public_key:
        _check_public_key(public_key)
    merchant = Merchant.objects.get(pk=merchant_id)
    text = new_key_text(merchant.mode)
    row = ApiKey(
        merchant=merchant,
        mode=merchant.mode,
        name=name,
        prefix=text.prefix,
        secret_hash=hash_secret(text.secret),
        scopes=sorted(scopes),
        public_key=public_key,
        must_sign=must_sign,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    return IssuedKey(
        id=row.pk,
        merchant_id=merchant_id,
        prefix=row.prefix,
        secret=text.text,
        scopes=tuple(row.scopes),
        expires_at=expires_at,
    )


@requires_transaction
def rotate_api_key(*, merchant_id: UUID, key_id: UUID, overlap: timedelta) -> IssuedKey:
    """Issue a key with the same rights; the old one goes on working for `overlap`, then expires.

    A key that would expire sooner keeps its own expiry. Raises NotFound, InvalidKeyRequest (the key is
    revoked or expired, or the overlap negative).
    """
    old = locks.lock_key(merchant_id=merchant_id, key_id=key_id)
    now = clock.now()
    if overlap < timedelta(0):
        raise InvalidKeyRequest("the overlap is negative")
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise InvalidKeyRequest("the key is revoked or expired; create a new one")
    new = create_api_key(
        merchant_id=merchant_id,
        name=old.name,
        scopes=old.scopes,
        public_key=old.public_key,
        must_sign=old.must_sign,
    )
    ends_at = now + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.save(update_fields=["expires_at"])
    return new


@requires_transaction
def revoke_api_key(*, merchant_id: UUID, key_id: UUID) -> bool:
    """Make a key useless from this commit on; return False if it was revoked before. Raises NotFound."""
    row = locks.lock_key(merchant_id=merchant_id, key_id=key_id)
    if row.revoked_at is not None:
        return False
    row.revoked_at = clock.now()
    row.save(update_fields=["revoked_at"])
    return True


@forbids_transaction
def authenticate(*, secret: str) -> KeyIdentity | None:
    """Return who holds this key, or None whatever the reason: unknown, wrong, revoked, expired.

    One indexed query and nothing cached, so a revoked key is dead at the commit of its revocation. A key
    that must sign is not proved by its secret alone and gives None. Opens a transaction of its own to
    note the use, at most once a minute.
    """
    text = read_key_text(secret)
    if text is None:
        return None
    # Plain SQL, because this runs before every request and the ORM makes it three times as long.
    rows = read_together(Query(_PROOF, [text.prefix]))[0]
    found = rows[0] if rows else None
    matches = hmac.compare_digest(bytes(found[3]) if found else _NO_HASH, hash_secret(text.secret))
    if found is None or not matches:
        return None
    key_id, merchant_id, mode, _, scopes, must_sign, expires_at, revoked_at, last_used_at = found
    now = clock.now()
    if mode != text.mode or must_sign or revoked_at is not None:
        return None
    if expires_at is not None and expires_at <= now:
        return None
    if last_used_at is None or last_used_at <= now - _USE_NOTED_EVERY:
        _note_use(key_id, now)
    return KeyIdentity(key_id=key_id, merchant_id=merchant_id, mode=mode, scopes=frozenset(scopes))


@at_edge
def _note_use(key_id: UUID, now: datetime) -> None:
    row = locks.lock_idle_key(key_id=key_id)
    if row is not None and (row.last_used_at is None or row.last_used_at <= now - _USE_NOTED_EVERY):
        row.last_used_at = now
        row.save(update_fields=["last_used_at"])


def _check_public_key(pem: str) -> None:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKeyRequest("the public key is not PEM") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST_RSA_BITS:
        raise InvalidKeyRequest(f"the public key must be RSA with at least {_SMALLEST_RSA_BITS} bits")
