"""The sets of accounts that templates share, as ids."""

from dataclasses import dataclass

__all__ = ["BuyerAccounts", "FeeAccounts", "ReturnAccounts", "SaleAccounts", "SellerAccounts"]


@dataclass(frozen=True)
class SellerAccounts:
    """The accounts behind one seller's wallet."""

    pending: int
    available: int
    reserve: int
    dispute_hold: int
    payout_hold: int
    receivable: int


@dataclass(frozen=True)
class BuyerAccounts:
    """What a try freezes and a confirm or cancel resolves: of cash, of bonus or of points."""

    available: int
    held: int


@dataclass(frozen=True)
class SaleAccounts:
    """What the marketplace earns of a sale."""

    commission: int
    tax_payable: int


@dataclass(frozen=True)
class ReturnAccounts:
    """What the marketplace gives back of its own part when a sale is undone."""

    commission_refunded: int
    tax_payable: int


@dataclass(frozen=True)
class FeeAccounts:
    """Fees of a provider: the expense, and what was accrued of it."""

    psp_fee: int
    psp_fee_accrued: int
