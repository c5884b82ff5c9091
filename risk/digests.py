"""Names of people and cards as digests: comparable within one merchant, worthless outside.

The secret of a merchant is made when it is first needed and stored encrypted; whoever has a copy of the
database and not the keys cannot try addresses until one fits.
"""

import hmac
import secrets
from uuid import UUID

from core import clock
from core.client_address import network_of
from core.rows import insert_new
from core.transactions import requires_transaction
from risk.models import RiskKey

__all__ = ["digest", "normal", "secret_of"]

_BYTES = 16


@requires_transaction
def secret_of(*, merchant_id: UUID) -> tuple[bytes, bool]:
    """Return the merchant's secret, and whether it is older than this transaction."""
    row = RiskKey.objects.filter(merchant_id=merchant_id).first()
    if row is not None:
        return bytes.fromhex(row.secret), True
    fresh = RiskKey(merchant_id=merchant_id, secret=secrets.token_hex(32), created_at=clock.now())
    insert_new(fresh)  # Of many at once one is kept; the others read it.
    return bytes.fromhex(RiskKey.objects.get(merchant_id=merchant_id).secret), False


def digest(secret: bytes, kind: str, value: str) -> bytes | None:
    """Return the 16 bytes that stand for a value of one kind; None for no value."""
    text = normal(kind, value)
    if not text:
        return None
    return hmac.digest(secret, f"{kind}\0{text}".encode(), "sha256")[:_BYTES]


def normal(kind: str, value: str) -> str:
    """Return the one spelling of a value: the same mailbox, the same address, the same country."""
    text = value.strip()
    if kind == "email":
        return text.casefold()
    if kind in ("country", "card_country"):
        return text.upper()
    if kind == "ip":
        return network_of(text)
    return text
