"""The public keys that prove a store's signatures, several for an API key while they are replaced."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from core import clock
from core.audit_trail import record_audit
from core.history import SYSTEM
from core.transactions import requires_transaction
from merchants import locks
from merchants.errors import InvalidKeyRequest
from merchants.models import ApiKey, SigningKey
from merchants.signing import check_public_key
from merchants.types import SigningKeyData

__all__ = ["add_signing_key", "copy_signing_keys", "new_signing_key", "revoke_signing_key"]


@requires_transaction
def add_signing_key(
    *,
    merchant_id: UUID,
    key_id: UUID,
    public_key: str,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    by: str = SYSTEM,
    reason: str = "",
) -> SigningKeyData:
    """Let signatures by one more key count for an API key, beside those that count already.

    `public_key` is RSA in PEM; it counts from `not_before` (now, if not given) until `expires_at`. Raises
    NotFound, InvalidKeyRequest (also where the API key is revoked, or has this public key already).
    """
    check_public_key(public_key)
    now = clock.now()
    if expires_at is not None and expires_at <= max(now, not_before or now):
        raise InvalidKeyRequest("The signing key would never be valid.", param="expires_at")
    api_key = locks.lock_key(merchant_id=merchant_id, key_id=key_id)
    if api_key.revoked_at is not None:
        raise InvalidKeyRequest("The API key is revoked.")
    if SigningKey.objects.filter(api_key=api_key, public_key=public_key.strip()).exists():
        raise InvalidKeyRequest("The API key has, or had, this public key already.", param="public_key")
    row = new_signing_key(
        api_key=api_key, public_key=public_key, not_before=not_before, expires_at=expires_at
    )
    _record("signing_key.add", row, by, reason)
    return _data(row)


@requires_transaction
def revoke_signing_key(
    *, merchant_id: UUID, signing_key_id: UUID, by: str = SYSTEM, reason: str = ""
) -> bool:
    """Let nothing signed with this key through from this commit on; False if it was revoked before.

    An API key that must sign is useless once its last signing key is revoked. Where another API key has the
    same public key, that has a serial of its own and goes on. Raises NotFound.
    """
    # The API key's lock too: whoever copies its signing keys meanwhile must not copy this one.
    row = locks.lock_signing_key(merchant_id=merchant_id, signing_key_id=signing_key_id)
    if row.revoked_at is not None:
        return False
    row.revoked_at = clock.now()
    row.save(update_fields=["revoked_at"])
    _record("signing_key.revoke", row, by, reason)
    return True


@requires_transaction
def new_signing_key(
    *,
    api_key: ApiKey,
    public_key: str,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> SigningKey:
    """Insert a signing key whose public key was checked; the caller writes the audit record."""
    now = clock.now()
    row = SigningKey(
        merchant_id=api_key.merchant_id,
        api_key=api_key,
        public_key=public_key.strip(),
        created_at=now,
        not_before=not_before or now,
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    return row


@requires_transaction
def copy_signing_keys(*, source: ApiKey, target: ApiKey) -> tuple[str, ...]:
    """Give a key what another one is or will be signed with; return the new serials, oldest first."""
    now = clock.now()
    rows = SigningKey.objects.filter(api_key=source, revoked_at=None)
    alive = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("created_at", "pk")
    return tuple(
        new_signing_key(
            api_key=target,
            public_key=each.public_key,
            not_before=max(now, each.not_before),
            expires_at=each.expires_at,
        ).serial
        for each in alive
    )


def _data(row: SigningKey) -> SigningKeyData:
    return SigningKeyData(
        id=row.pk,
        api_key_id=row.api_key_id,
        serial=row.serial,
        not_before=row.not_before,
        expires_at=row.expires_at,
    )


def _record(action: str, row: SigningKey, by: str, reason: str) -> None:
    detail = {"api_key": row.api_key.public_id, "not_before": row.not_before, "expires_at": row.expires_at}
    record_audit(
        actor=by,
        action=action,
        subject=row.serial,
        reason=reason,
        detail=detail,
        merchant_id=row.merchant_id,
    )
