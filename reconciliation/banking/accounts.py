"""The accounts of the books that a bank statement moves."""

from functools import cached_property
from uuid import UUID

from channels.selectors import get_channel
from ledger.services import open_account
from payouts.selectors import rail_of

__all__ = ["BankBooks"]


class BankBooks:
    """One bank account and what stands against it, in one currency; for one transaction.

    The account in the books is called as the source is. Accounts are opened when they are first needed.
    """

    def __init__(self, *, merchant_id: UUID, source_name: str, currency: str) -> None:
        self._merchant_id, self._source, self._currency = merchant_id, source_name, currency
        self._rails: dict[UUID, str] = {}

    @cached_property
    def bank(self) -> int:
        """The bank account itself."""
        return self._open("bank", self._source)

    def of(self, role: str, provider: str | None = None) -> int:
        """Return the account of a role."""
        return self._open(role, provider)

    def rail(self, channel_id: UUID) -> str:
        """Return what names the accounts of payouts over a channel."""
        if channel_id not in self._rails:
            provider = get_channel(channel_id=channel_id).provider
            self._rails[channel_id] = rail_of(provider=provider) or provider
        return self._rails[channel_id]

    def _open(self, role: str, provider: str | None) -> int:
        return open_account(
            merchant_id=self._merchant_id, role=role, currency=self._currency, provider=provider
        )
