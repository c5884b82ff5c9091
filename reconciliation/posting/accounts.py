"""The accounts of the books that a provider's settlement moves."""

from uuid import UUID

from ledger.services import open_account
from ledger.templates.accounts import FeeAccounts
from ledger.templates.fx import ForeignAccounts
from ledger.templates.settlement import SettlementAccounts

__all__ = ["ProviderBooks"]


class ProviderBooks:
    """One provider's accounts in one currency, opened when first needed; for one transaction.

    Nothing here waits for another thread: a transaction may wait for the one that is opening an account.
    """

    def __init__(self, *, merchant_id: UUID, provider: str, currency: str) -> None:
        self._merchant_id, self._provider, self._currency = merchant_id, provider, currency
        self._settlement: SettlementAccounts | None = None

    @property
    def provider(self) -> str:
        """What the provider's accounts are called after."""
        return self._provider

    @property
    def settlement(self) -> SettlementAccounts:
        """What P4 moves."""
        if self._settlement is None:
            self._settlement = SettlementAccounts(
                psp_clearing=self.of_provider("psp_clearing"),
                in_transit=self.of_provider("psp_settlement_in_transit"),
                fees=FeeAccounts(
                    psp_fee=self.of_provider("psp_fee"), psp_fee_accrued=self.of_provider("psp_fee_accrued")
                ),
            )
        return self._settlement

    @property
    def reserve_held(self) -> int:
        """What P6 moves."""
        return self.of_provider("psp_reserve_held")

    def payouts_in_transit(self, rail: str) -> int:
        """What O4b closes."""
        return self._open("payouts_in_transit", rail)

    def in_currency(self, currency: str) -> "ProviderBooks":
        """Return the same provider's accounts in another currency."""
        return ProviderBooks(merchant_id=self._merchant_id, provider=self._provider, currency=currency)

    def foreign(self, settled: "ProviderBooks") -> ForeignAccounts:
        """What F4 moves: this currency was captured, the other one is settled."""
        return ForeignAccounts(
            psp_clearing=self.settlement.psp_clearing,
            fees=self.settlement.fees,
            position=self._open("fx_position", None),
            settled_position=settled._open("fx_position", None),
            in_transit=settled.settlement.in_transit,
        )

    def of_provider(self, role: str) -> int:
        """Return the provider's account of a role."""
        return self._open(role, self._provider)

    def _open(self, role: str, provider: str | None) -> int:
        return open_account(
            merchant_id=self._merchant_id, role=role, currency=self._currency, provider=provider
        )
