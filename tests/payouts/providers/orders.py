"""Orders to pay out in euro, and accounts to pay to."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import uuid4

from channels.types import Debtor
from payouts.providers.contract import BatchOrder, Instruction

__all__ = ["DEBTOR", "IBAN", "iban", "instruction", "order_of"]

IBAN = "DE89370400440532013000"
DEBTOR = Debtor(name="Bazaar GmbH", iban="DE02120300000000202051", bic="BYLADEM1001")
_serial = itertools.count(1)


def iban(country: str, account: str) -> str:
    """An IBAN with the check digits that belong to it (ISO 7064, MOD 97-10)."""
    digits = "".join(str(int(char, 36)) for char in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def instruction(**changes: object) -> Instruction:
    """One payout to one account; `holder_name`, `iban` and `bic` are of its details."""
    details = {"holder_name": "Ann Lee", "iban": IBAN}
    details |= {key: changes.pop(key) for key in ("holder_name", "iban", "bic") if key in changes}
    values = {
        "reference": f"po{uuid4().hex[:20]}-1",
        "payout_id": "po_1",
        "payee_reference": "dst_1",
        "kind": "iban",
        "country": "DE",
        "details": details,
        "amount_minor": 1000,
        "currency": "EUR",
        "remittance": "Payout of July",
        **changes,
    }
    return Instruction(**values)


def order_of(instructions: Sequence[Instruction], **changes: object) -> BatchOrder:
    """A batch of them, first sent at a fixed time."""
    values = {
        "reference": f"pob{uuid4().hex[:20]}x{next(_serial)}",
        "currency": "EUR",
        "execute_on": date(2026, 12, 1),
        "created_at": datetime(2026, 11, 30, 10, 0, tzinfo=UTC),
        "instructions": tuple(instructions),
        **changes,
    }
    return BatchOrder(**values)
