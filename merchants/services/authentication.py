"""Who is calling: proved by the secret of a key, and by a signature where there is one or must be one."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core import clock
from core.ids import parse_public_id
from core.rows import Query, insert_new, new_row, read_together
from core.transactions import at_edge, forbids_transaction, requires_transaction
from merchants import locks
from merchants.errors import NonceReplayed, SignatureExpired, SignatureInvalid, SignatureRequired, UnknownKey
from merchants.keys import hash_secret, read_key_text
from merchants.models import ApiKey, SigningKey, SigningNonce
from merchants.signing import is_genuine
from merchants.types import KeyIdentity, SignedRequest

__all__ = ["authenticate", "forget_nonces"]

_USE_NOTED_EVERY = timedelta(minutes=1)
_WINDOW = timedelta(seconds=300)
# For clocks of other hosts: the row must outlast the time in the request on every one of them.
_MARGIN = timedelta(seconds=300)
# Compared when there is no such key, so that both cases take the same steps.
_NO_HASH = hash_secret("")
_PROOF = (
    "SELECT id, merchant_id, mode, secret_hash, scopes, must_sign, not_before, expires_at, revoked_at, "
    "last_used_at FROM merchants_apikey WHERE prefix = %s"
)
_SIGNING_KEY = (
    "SELECT algorithm, public_key, not_before, expires_at, revoked_at, last_used_at "
    "FROM merchants_signingkey WHERE id = %s AND api_key_id = %s"
)


def _unsigned() -> SignedRequest | None:
    return None


@forbids_transaction
def authenticate(
    *, secret: str, read_signature: Callable[[], SignedRequest | None] = _unsigned
) -> KeyIdentity | None:
    """Return who holds this key, or None whatever the reason: unknown, wrong, revoked, not valid now.

    One indexed query and nothing cached, so a revoked key is dead at the commit of its revocation.
    `read_signature` is called only once the secret is proved, and may raise; what it returns is verified,
    and its nonce is used up by a commit of its own before anything else happens. Opens a transaction of
    its own to note the use, at most once a minute.

    Raises SignatureRequired, SignatureExpired, UnknownKey, SignatureInvalid, NonceReplayed.
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
    key_id, merchant_id, mode, _, scopes, must_sign, not_before, expires_at, revoked_at, used_at = found
    now = clock.now()
    if mode != text.mode or not _is_valid(now, not_before, expires_at, revoked_at):
        return None
    request = read_signature()
    if request is not None:
        _verify(key_id, request, now)
    elif must_sign:
        raise SignatureRequired()
    if _is_due(used_at, now):
        _note_use(key_id, now)
    return KeyIdentity(key_id=key_id, merchant_id=merchant_id, mode=mode, scopes=frozenset(scopes))


@requires_transaction
def forget_nonces(*, limit: int) -> int:
    """Delete up to `limit` nonces that no request can use any more; return how many went."""
    old = SigningNonce.objects.filter(usable_until__lt=clock.now() - _MARGIN).order_by("usable_until")
    gone, _ = SigningNonce.objects.filter(pk__in=old.values("pk")[:limit]).delete()
    return gone


def _verify(api_key_id: UUID, request: SignedRequest, now: datetime) -> None:
    # The cheapest first: a stale request costs no query, a forged one no write.
    if abs(int(now.timestamp()) - request.timestamp) > _WINDOW.total_seconds():
        raise SignatureExpired()
    signing_key_id = parse_public_id(request.serial, "ser")
    if signing_key_id is None:
        raise UnknownKey()
    [rows] = read_together(Query(_SIGNING_KEY, [signing_key_id, api_key_id]))
    if not rows:
        raise UnknownKey()
    algorithm, public_key, not_before, expires_at, revoked_at, used_at = rows[0]
    if not _is_valid(now, not_before, expires_at, revoked_at):
        raise UnknownKey()
    if not is_genuine(
        algorithm=algorithm, public_key=public_key, signature=request.signature, text=request.text()
    ):
        raise SignatureInvalid()
    if not _use_up(signing_key_id, request, now, _is_due(used_at, now)):
        raise NonceReplayed()


@at_edge
def _use_up(signing_key_id: UUID, request: SignedRequest, now: datetime, note_use: bool) -> bool:
    """Take the nonce for ever; False if it was taken. Of many at once, the unique index lets one through."""
    nonce = new_row(
        SigningNonce,
        signing_key_id=signing_key_id,
        nonce=request.nonce,
        usable_until=datetime.fromtimestamp(request.timestamp, UTC) + _WINDOW,
    )
    if not insert_new(nonce):
        return False
    if note_use:
        _note(locks.lock_idle_signing_key(signing_key_id=signing_key_id), now)
    return True


@at_edge
def _note_use(key_id: UUID, now: datetime) -> None:
    _note(locks.lock_idle_key(key_id=key_id), now)


def _note(row: ApiKey | SigningKey | None, now: datetime) -> None:
    if row is not None and _is_due(row.last_used_at, now):
        row.last_used_at = now
        row.save(update_fields=["last_used_at"])


def _is_due(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or last_used_at <= now - _USE_NOTED_EVERY


def _is_valid(
    now: datetime, not_before: datetime | None, expires_at: datetime | None, revoked_at: datetime | None
) -> bool:
    has_begun = not_before is None or not_before <= now
    return revoked_at is None and has_begun and (expires_at is None or now < expires_at)
