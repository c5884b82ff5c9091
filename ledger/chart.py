"""The chart of accounts as data: what each role is, and which rules hold for accounts of that role."""

from dataclasses import dataclass

__all__ = ["CHART", "CLEARING_ROLES", "GUARDED_ROLES", "Role"]


@dataclass(frozen=True)
class Role:
    """One kind of account.

    `normal` is the side that makes it grow. A guarded account is the book side of a wallet: it moves only
    together with the wallet. A clearing account returns to zero per clearing key.
    """

    name: str
    code: str
    normal: str  # "debit" | "credit"
    guarded: bool = False
    clearing: bool = False


_ROLES = (
    Role("psp_clearing", "asset.psp_clearing", "debit", clearing=True),
    Role("seller_receivable", "asset.seller_receivable", "debit", guarded=True),
    Role("seller_pending", "liab.seller_pending", "credit", guarded=True),
    Role("seller_available", "liab.seller_available", "credit", guarded=True),
    Role("seller_reserve", "liab.seller_reserve", "credit", guarded=True),
    Role("seller_dispute_hold", "liab.seller_dispute_hold", "credit", guarded=True),
    Role("seller_payout_hold", "liab.seller_payout_hold", "credit", guarded=True),
    Role("wallet_pending", "liab.wallet_pending", "credit", guarded=True),
    Role("wallet_available", "liab.wallet_available", "credit", guarded=True),
    Role("wallet_held", "liab.wallet_held", "credit", guarded=True),
    Role("tax_payable", "liab.tax_payable", "credit"),
    Role("commission", "rev.commission", "credit"),
)

CHART = {role.name: role for role in _ROLES}
GUARDED_ROLES = tuple(role.name for role in _ROLES if role.guarded)
CLEARING_ROLES = tuple(role.name for role in _ROLES if role.clearing)
