"""Merchants and their API keys."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.audit_trail import record_audit
from core.history import SYSTEM
from core.transactions import requires_transaction
from merchants import locks
from merchants.errors import InvalidKeyRequest
from merchants.keys import new_key_text
from merchants.models import ApiKey, Merchant
from merchants.scopes import SCOPES
from merchants.services.signing_keys import copy_signing_keys, new_signing_key
from merchants.signing import check_public_key
from merchants.types import IssuedKey, MerchantData

__all__ = ["create_api_key", "create_merchant", "revoke_api_key", "rotate_api_key"]


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
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    public_key: str = "",
    must_sign: bool = False,
    by: str = SYSTEM,
    reason: str = "",
) -> IssuedKey:
    """Issue a key in the merchant's mode; the secret in the result is shown once and cannot be read again.

    `public_key` is an RSA key in PEM for signed requests, `must_sign` makes signatures mandatory.
    Raises InvalidKeyRequest; Merchant.DoesNotExist if there is no such merchant.
    """
    _check(scopes, not_before, expires_at)
    if must_sign and not public_key:
        raise InvalidKeyRequest("A key that must sign needs a public key.", param="public_key")
    if public_key:
        check_public_key(public_key)
    row, secret = _insert(merchant_id, name, scopes, not_before, expires_at, must_sign)
    serials = (new_signing_key(api_key=row, public_key=public_key).serial,) if public_key else ()
    _record("api_key.issue", row, by, reason, serials=serials)
    return _issued(row, secret, serials)


@requires_transaction
def rotate_api_key(
    *, merchant_id: UUID, key_id: UUID, overlap: timedelta, by: str = SYSTEM, reason: str = ""
) -> IssuedKey:
    """Issue a key with the same rights; the old one goes on working for `overlap`, then expires.

    The valid signing keys come along, with new serials. A key that would expire sooner keeps its own
    expiry. Raises NotFound, InvalidKeyRequest (the key is revoked or expired, must sign and has no valid
    signing key, or the overlap is negative).
    """
    old = locks.lock_key(merchant_id=merchant_id, key_id=key_id)
    now = clock.now()
    if overlap < timedelta(0):
        raise InvalidKeyRequest("The overlap is negative.", param="overlap")
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise InvalidKeyRequest("The key is revoked or expired. Issue a new one.")
    new, secret = _insert(merchant_id, old.name, old.scopes, None, None, old.must_sign)
    serials = copy_signing_keys(source=old, target=new)
    if old.must_sign and not serials:
        raise InvalidKeyRequest("The key must sign and has no valid signing key. Add one first.")
    ends_at = now + overlap
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.save(update_fields=["expires_at"])
    told = {"new": new.public_id, "old_expires_at": old.expires_at, "serials": serials}
    _record("api_key.rotate", old, by, reason, **told)
    return _issued(new, secret, serials)


@requires_transaction
def revoke_api_key(*, merchant_id: UUID, key_id: UUID, by: str = SYSTEM, reason: str = "") -> bool:
    """Make a key useless from this commit on; return False if it was revoked before. Raises NotFound."""
    row = locks.lock_key(merchant_id=merchant_id, key_id=key_id)
    if row.revoked_at is not None:
        return False
    row.revoked_at = clock.now()
    row.save(update_fields=["revoked_at"])
    _record("api_key.revoke", row, by, reason)
    return True


def _check(scopes: Collection[str], not_before: datetime | None, expires_at: datetime | None) -> None:
    if not scopes:
        raise InvalidKeyRequest("A key needs at least one scope.", param="scopes")
    if unknown := set(scopes) - SCOPES:
        raise InvalidKeyRequest(f"Unknown scopes: {', '.join(sorted(unknown))}.", param="scopes")
    now = clock.now()
    if expires_at is not None and expires_at <= max(now, not_before or now):
        raise InvalidKeyRequest("The key would never be valid.", param="expires_at")


def _insert(
    merchant_id: UUID,
    name: str,
    scopes: Collection[str],
    not_before: datetime | None,
    expires_at: datetime | None,
    must_sign: bool,
) -> tuple[ApiKey, str]:
    merchant = Merchant.objects.get(pk=merchant_id)
    text = new_key_text(merchant.mode)
    row = ApiKey(
        merchant=merchant,
        mode=merchant.mode,
        name=name,
        prefix=text.prefix,
        secret_hash=text.hashed(),
        scopes=sorted(scopes),
        must_sign=must_sign,
        created_at=clock.now(),
        not_before=not_before,
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    return row, text.text


def _issued(row: ApiKey, secret: str, serials: tuple[str, ...]) -> IssuedKey:
    return IssuedKey(
        id=row.pk,
        merchant_id=row.merchant_id,
        prefix=row.prefix,
        secret=secret,
        scopes=tuple(row.scopes),
        expires_at=row.expires_at,
        serials=serials,
    )


def _record(action: str, row: ApiKey, by: str, reason: str, **more: object) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=row.public_id,
        reason=reason,
        detail={
            "name": row.name,
            "prefix": row.prefix,
            "scopes": list(row.scopes),
            "must_sign": row.must_sign,
            **more,
        },
        merchant_id=row.merchant_id,
    )
