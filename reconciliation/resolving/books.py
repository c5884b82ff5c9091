"""The accounts that adjustments move, and entries in words that a person can read and a digest can hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from core.transactions import requires_transaction
from ledger.services import land_entries, post_entries
from ledger.types import EntryDraft, EntryRef
from reconciliation.models import SettlementSource
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.resolving.types import ProposedLine
from wallet.services import moves_for, post

__all__ = ["AdjustmentBooks", "books_for", "lines_of", "post_drafts", "shown_lines"]

# Whose account it is: a provider's, or the merchant's only one.
_OF_PROVIDER = frozenset(
    ["psp_clearing", "psp_settlement_in_transit", "psp_fee", "refunds_in_transit", "bank"]
)


class AdjustmentBooks(ProviderBooks):
    """The accounts around one provider, or one bank account, in one currency; remembers what each is."""

    def __init__(self, *, merchant_id: UUID, provider: str, currency: str) -> None:
        super().__init__(merchant_id=merchant_id, provider=provider, currency=currency)
        self._roles: dict[int, tuple[str, str | None]] = {}

    def account(self, role: str) -> int:
        """Return the account of a role. Needs a transaction."""
        return self._open(role, self._provider if role in _OF_PROVIDER else None)

    def account_of(self, role: str, provider: str) -> int:
        """Return the account of a role that is another provider's. Needs a transaction."""
        return self._open(role, provider)

    def in_currency(self, currency: str) -> "AdjustmentBooks":
        """Return the same provider's accounts in another currency, remembered together with these."""
        other = AdjustmentBooks(merchant_id=self._merchant_id, provider=self._provider, currency=currency)
        other._roles = self._roles
        return other

    def describe(self, drafts: Iterable[EntryDraft]) -> list[dict[str, Any]]:
        """Return the lines of entries on accounts of these books, as they go into an instruction."""
        return [
            {
                "role": self._roles[line.account_id][0],
                "provider": self._roles[line.account_id][1],
                "currency": line.currency,
                "amount_minor": line.amount_minor,
                "clearing_key": line.clearing_key,
            }
            for draft in drafts
            for line in draft.lines
        ]

    def _open(self, role: str, provider: str | None) -> int:
        account_id = super()._open(role, provider)
        self._roles[account_id] = (role, provider)
        return account_id


def books_for(source: SettlementSource, currency: str) -> AdjustmentBooks:
    """Return the accounts that adjustments about a source move."""
    return AdjustmentBooks(merchant_id=source.merchant_id, provider=source.in_books, currency=currency)


def lines_of(instruction: Mapping[str, Any]) -> tuple[ProposedLine, ...]:
    """Return the lines that an instruction says will be posted.

    With what another app posts in the same commit they are one journal: what cancels out is left out.
    """
    return shown_lines(instruction.get("lines", ()), instruction.get("also", ()))


def shown_lines(
    lines: Sequence[Mapping[str, Any]], also: Sequence[Mapping[str, Any]]
) -> tuple[ProposedLine, ...]:
    """Return lines of an entry as one journal with what is posted beside it."""
    if not also:
        return tuple(ProposedLine(**line) for line in lines)
    sums: dict[ProposedLine, int] = {}
    for line in (*lines, *also):
        place = ProposedLine(**{**line, "amount_minor": 0})
        sums[place] = sums.get(place, 0) + line["amount_minor"]
    return tuple(replace(place, amount_minor=minor) for place, minor in sums.items() if minor)


@requires_transaction
def post_drafts(drafts: Sequence[EntryDraft]) -> list[EntryRef]:
    """Post entries, together with wallets where they move any; a closed day makes them land on a later one.

    Raises InsufficientFunds when a wallet does not have what is taken from it, and as the ledger does.
    """
    landed = land_entries(drafts=drafts)
    moves = moves_for(drafts=landed)
    return post(drafts=landed, moves=moves) if moves else post_entries(drafts=landed)
