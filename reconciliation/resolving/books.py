"""The accounts that adjustments move, and entries in words that a person can read and a digest can hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from core.transactions import requires_transaction
from ledger.services import land_entries, open_account, post_entries
from ledger.types import EntryDraft, EntryRef
from reconciliation.resolving.types import ProposedLine
from wallet.services import moves_for, post

__all__ = ["AdjustmentBooks", "lines_of", "post_drafts"]

# Whose account it is: a provider's, or the merchant's only one.
_OF_PROVIDER = frozenset(
    ["psp_clearing", "psp_settlement_in_transit", "psp_reserve_held", "psp_fee", "psp_fee_accrued"]
    + ["refunds_in_transit", "bank"]
)


class AdjustmentBooks:
    """A merchant's accounts in one currency around one provider, or one bank account, opened when needed."""

    def __init__(self, *, merchant_id: UUID, provider: str, currency: str) -> None:
        self.merchant_id, self.provider, self.currency = merchant_id, provider, currency
        self._roles: dict[int, tuple[str, str | None]] = {}

    def account(self, role: str) -> int:
        """Return the account of a role. Needs a transaction."""
        provider = self.provider if role in _OF_PROVIDER else None
        account_id = open_account(
            merchant_id=self.merchant_id, role=role, currency=self.currency, provider=provider
        )
        self._roles[account_id] = (role, provider)
        return account_id

    def describe(self, drafts: Iterable[EntryDraft]) -> list[dict[str, Any]]:
        """Return the lines of entries on accounts that were asked for here, as they go into an instruction."""
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


def lines_of(instruction: Mapping[str, Any]) -> tuple[ProposedLine, ...]:
    """Return the lines that an instruction says will be posted."""
    return tuple(ProposedLine(**line) for line in instruction.get("lines", ()))


@requires_transaction
def post_drafts(drafts: Sequence[EntryDraft]) -> list[EntryRef]:
    """Post entries, together with wallets where they move any; a closed day makes them land on a later one.

    Raises InsufficientFunds when a wallet does not have what is taken from it, and as the ledger does.
    """
    landed = land_entries(drafts=drafts)
    moves = moves_for(drafts=landed)
    return post(drafts=landed, moves=moves) if moves else post_entries(drafts=landed)
