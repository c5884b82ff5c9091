"""A merchant's two plain accounts and entries between them."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from django.db import transaction

from ledger.services import open_account
from ledger.types import EntryDraft, LineDraft

__all__ = ["PlainBooks", "open_books"]


@dataclass(frozen=True)
class PlainBooks:
    """Commission and tax of one merchant: no wallet, no clearing key."""

    merchant_id: UUID
    commission: int
    tax: int

    def draft(self, ref: str, minor: int = 100) -> EntryDraft:
        """Debit commission, credit tax."""
        return EntryDraft(
            merchant_id=self.merchant_id,
            kind="test",
            source="test",
            source_ref=ref,
            leg="main",
            effective_date=date(2026, 1, 31),
            lines=(LineDraft(self.commission, minor, "EUR"), LineDraft(self.tax, -minor, "EUR")),
        )


def open_books() -> PlainBooks:
    """Open the two accounts of a new merchant, and commit."""
    merchant_id = uuid4()
    with transaction.atomic():
        commission = open_account(merchant_id=merchant_id, role="commission", currency="EUR")
        tax = open_account(merchant_id=merchant_id, role="tax_payable", currency="EUR")
    return PlainBooks(merchant_id, commission, tax)
