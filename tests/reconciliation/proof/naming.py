"""What rows are called outside: by the names of the provider, the bank and us, the same in every run."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from payments.models import Charge
from payouts.models import PayoutAttempt
from reconciliation.models import BankLine, Discrepancy, SettlementLine

__all__ = ["Names", "ask"]

_MOVEMENTS = """
    SELECT DISTINCT subject_id, coalesce(reference, '') FROM payments_movement WHERE merchant_id = %s
        AND subject_id = ANY(%s)
"""


def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


class Names:
    """The names of a merchant's payments, payouts and lines."""

    def __init__(self, merchant_id: UUID) -> None:
        mine = {"merchant_id": merchant_id}
        self._merchant_id = merchant_id
        charges = Charge.objects.filter(**mine).values_list("pk", "psp_reference")
        sent = PayoutAttempt.objects.filter(**mine)
        self._keys = {str(key): name or "" for key, name in charges.iterator()}
        self._keys |= {str(key): name for key, name in sent.values_list("payout_id", "reference")}
        self._sendings = dict(sent.values_list("pk", "reference"))

    def of_key(self, key: str | None) -> str:
        """Return what a key of a clearing account stands for."""
        key = key or ""
        if key.startswith("line:"):
            number = int(key.partition(":")[2])
            return self.of_line(number, "psp") or self.of_line(number, "bank")
        if _is_uuid(key) and key not in self._keys:
            return "made by us"
        return self._keys.get(key, key.partition(":")[2] or key)

    def of_line(self, number: int, side: str) -> str:
        """Return what the provider calls what a line is about, or the bank its booking; empty if none."""
        if side == "psp":
            row = SettlementLine.objects.filter(pk=number, merchant_id=self._merchant_id).first()
            return row.reference or row.merchant_reference if row else ""
        booked = BankLine.objects.filter(pk=number, merchant_id=self._merchant_id).first()
        return booked.bank_reference if booked else ""

    def of_movements(self, subjects: Iterable[UUID]) -> dict[UUID, str]:
        """Return the provider's names of movements, and ours of payouts."""
        found = ask(_MOVEMENTS, self._merchant_id, list(subjects))
        names = {key: name.replace("pi_", "ch_") for key, name in found}
        return names | self._sendings

    def of_break(self, row: Discrepancy, movements: dict[UUID, str]) -> str:
        """Return what a break is about: its batch, its line, or its movement."""
        is_batch = row.side == "bank" and not row.clearing_key.startswith("line:")
        if is_batch and row.subject_kind in ("", "batch"):
            return self.of_key(row.clearing_key)
        if row.line_id is not None:
            return self.of_line(row.line_id, row.side)
        return movements[row.subject_id] if row.subject_id in movements else self.of_key(row.clearing_key)


def _is_uuid(key: str) -> bool:
    return len(key) == 36 and key.count("-") == 4
