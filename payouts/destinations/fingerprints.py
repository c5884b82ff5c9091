"""Accounts as fingerprints: comparable within one merchant, worthless outside.

Account numbers have so few digits that whoever has a plain digest tries all of them, so it is an HMAC. Its
key is a secret of the merchant's own, made when it is first needed and stored encrypted like any other
secret: `rotate_field_keys` encrypts it anew, and the fingerprints stay what they are.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from core import clock
from core.canonical import canonical_json
from core.rows import insert_new
from core.transactions import requires_transaction
from payouts.models import DestinationKey

__all__ = ["Marks", "fingerprint", "marks_of"]

# What decides where money goes, by kind. Neither the holder's name nor the bank's code does: the same account
# under another name is the same account.
_ACCOUNT = {
    "iban": ("iban",),
    "us_account": ("routing_number", "account_number"),
    "stripe_account": ("account",),
}


@requires_transaction
def fingerprint(*, merchant_id: UUID, kind: str, details: Mapping[str, str]) -> bytes:
    """Return the 32 bytes that stand for an account; the merchant's first one makes its secret."""
    return _digest(_secret(merchant_id), kind, details)


@dataclass(frozen=True)
class Marks:
    """What accounts of one merchant are told from each other by: its secret, read once for many of them."""

    _secret: bytes | None = field(repr=False)

    def matches(self, *, kind: str, details: Mapping[str, str], known: bytes) -> bool:
        """Say whether an account is the one that a fingerprint was made of."""
        return self._secret is not None and hmac.compare_digest(
            _digest(self._secret, kind, details), bytes(known)
        )

    def seal(self, *, details: Mapping[str, str]) -> bytes:
        """Return the 32 bytes that stand for all that is stored of an account, its holder's name included.

        Of an account that was added already, so that its merchant has a secret.
        """
        assert self._secret is not None, "whoever has a destination has a secret"
        return hmac.digest(self._secret, b"seal\0" + canonical_json(dict(details)), "sha256")


def marks_of(*, merchant_id: UUID) -> Marks:
    """Return what a merchant's accounts are compared by, as it is stored now."""
    row = DestinationKey.objects.filter(merchant_id=merchant_id).first()
    return Marks(bytes.fromhex(row.secret) if row else None)


def _digest(secret: bytes, kind: str, details: Mapping[str, str]) -> bytes:
    account = [kind, *(details.get(name, "") for name in _ACCOUNT[kind])]
    return hmac.digest(secret, canonical_json(account), "sha256")


def _secret(merchant_id: UUID) -> bytes:
    row = DestinationKey.objects.filter(merchant_id=merchant_id).first()
    if row is None:
        # Of many at once one is kept; the others read it.
        insert_new(
            DestinationKey(merchant_id=merchant_id, secret=secrets.token_hex(32), created_at=clock.now())
        )
        row = DestinationKey.objects.get(merchant_id=merchant_id)
    return bytes.fromhex(row.secret)
