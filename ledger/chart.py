"""The chart of accounts as data: what each role is, and which rules hold for accounts of that role.

One account per (role, owner, provider, currency) of a merchant; its code is
class.role[:provider][:owner]:CCY.
"""

from dataclasses import dataclass

__all__ = ["CHART", "CLEARING_ROLES", "GUARDED_ROLES", "Clearing", "Role"]


@dataclass(frozen=True)
class Clearing:
    """By what a clearing account returns to zero: per key, within a time.

    `sla_hours` is the default; None where each contract names its own date. Bank days count as days here:
    who ages a key applies the calendar of the rail.
    """

    key: str
    sla_hours: int | None
    says: str


@dataclass(frozen=True)
class Role:
    """One kind of account.

    `normal` is the side that makes it grow ("either" where both do). A guarded account is the book side of
    a wallet: it moves only together with the wallet. A clearing account returns to zero per clearing key.
    `per` says what tells accounts of the role apart, beside merchant and currency.
    """

    name: str
    code: str
    normal: str  # "debit" | "credit" | "either"
    use: str
    guarded: bool = False
    clears: Clearing | None = None
    per: str = ""

    @property
    def clearing(self) -> bool:
        """Whether every line on such an account names what it clears."""
        return self.clears is not None


_DAY = 24
_CYCLE = Clearing("charge", 3 * _DAY, "PSP cycle (T+3)")

_ASSETS = (
    Role(
        "psp_clearing",
        "asset.psp_clearing",
        "debit",
        "captured, not yet in a settlement report",
        clears=_CYCLE,
        per="psp",
    ),
    Role(
        "psp_settlement_in_transit",
        "asset.psp_settlement_in_transit",
        "debit",
        "reported by the PSP, not yet at the bank",
        clears=Clearing("settlement batch", 3 * _DAY, "3 bank days"),
        per="psp",
    ),
    Role(
        "psp_reserve_held",
        "asset.psp_reserve_held",
        "debit",
        "rolling reserve kept by the PSP",
        clears=Clearing("PSP reserve", None, "contract date"),
        per="psp",
    ),
    Role("bank", "asset.bank", "debit", "own settlement or safeguarding account", per="bank account"),
    Role(
        "cod_in_transit",
        "asset.cod_in_transit",
        "debit",
        "cash held by couriers",
        clears=Clearing("parcel", 7 * _DAY, "7 days"),
        per="courier",
    ),
    Role(
        "courier_claim",
        "asset.courier_claim",
        "debit",
        "short remittances claimed",
        clears=Clearing("claim", 30 * _DAY, "30 days"),
        per="courier",
    ),
    Role(
        "dispute_receivable",
        "asset.dispute_receivable",
        "debit",
        "money taken by the scheme while a dispute is open, or of a top-up whose buyer has spent it",
        clears=Clearing("dispute", 120 * _DAY, "scheme limit (120 days)"),
        per="psp",
    ),
    Role(
        "seller_receivable",
        "asset.seller_receivable",
        "debit",
        "debts of sellers, aged 30/60/90 days",
        guarded=True,
        per="seller",
    ),
    Role(
        "suspense_payments",
        "asset.suspense_payments",
        "debit",
        "unidentified bank debits",
        clears=Clearing("bank line", 2 * _DAY, "2 days"),
    ),
)

_SELLERS = (
    Role(
        "seller_pending",
        "liab.seller_pending",
        "credit",
        "earned, not yet released",
        guarded=True,
        per="seller",
    ),
    Role(
        "seller_available", "liab.seller_available", "credit", "can be paid out", guarded=True, per="seller"
    ),
    Role(
        "seller_reserve",
        "liab.seller_reserve",
        "credit",
        "rolling reserve kept by us, by tranche",
        guarded=True,
        per="seller",
    ),
    Role(
        "seller_dispute_hold",
        "liab.seller_dispute_hold",
        "credit",
        "frozen for disputes",
        guarded=True,
        per="seller",
    ),
    Role(
        "seller_payout_hold",
        "liab.seller_payout_hold",
        "credit",
        "requested payouts",
        guarded=True,
        per="seller",
    ),
)

_BUYERS = tuple(
    Role(name, f"liab.{name}", "credit", use, guarded=True, per="buyer")
    for name, use in (
        ("wallet_pending", "topped up on a slow rail, not yet final"),
        ("wallet_available", "buyer's cash balance"),
        ("wallet_held", "frozen by a try until its confirm, cancel or time-out"),
        ("bonus_available", "non-cash credit until its expiry date"),
        ("bonus_held", "non-cash credit frozen by a try"),
        ("points_available", "points in their private unit until their expiry date"),
        ("points_held", "points frozen by a try"),
    )
)

_LIABILITIES = (
    Role(
        "payouts_in_transit",
        "liab.payouts_in_transit",
        "credit",
        "sent, not yet on the statement",
        clears=Clearing("payout", 3 * _DAY, "rail SLA (1–3 days)"),
        per="rail",
    ),
    Role(
        "payout_returns",
        "liab.payout_returns",
        "credit",
        "returned money not yet attributed",
        clears=Clearing("payout return", 1 * _DAY, "1 day"),
        per="rail",
    ),
    Role(
        "refunds_in_transit",
        "liab.refunds_in_transit",
        "credit",
        "accepted refunds not yet netted",
        clears=Clearing("refund", 10 * _DAY, "10 days"),
        per="psp",
    ),
    Role("psp_fee_accrued", "liab.psp_fee_accrued", "credit", "estimated fees", clears=_CYCLE, per="psp"),
    Role(
        "customer_overpayment",
        "liab.customer_overpayment",
        "credit",
        "duplicates and overpayments",
        clears=Clearing("charge", 3 * _DAY, "3 days"),
    ),
    Role(
        "suspense_receipts",
        "liab.suspense_receipts",
        "credit",
        "unidentified receipts",
        clears=Clearing("line of a file or statement", 2 * _DAY, "2 days"),
    ),
    Role(
        "tax_payable",
        "liab.tax_payable",
        "credit",
        "VAT or marketplace tax, by filing period",
        per="jurisdiction",
    ),
)

# The cost of a payout and what sellers pay for one have the same last part of the code; a role has one name.
_RESULTS = (
    Role("commission", "rev.commission", "credit", "what the marketplace keeps of a sale"),
    Role("payout_fee", "rev.payout_fee", "credit", "what sellers pay for payouts and returns"),
    Role("fx_spread", "rev.fx_spread", "credit", "margin on conversions"),
    Role("psp_fee_recovered", "rev.psp_fee_recovered", "credit", "PSP fees passed on to sellers"),
    Role(
        "chargeback_fee_recovered",
        "rev.chargeback_fee_recovered",
        "credit",
        "dispute fees passed on to sellers",
    ),
    Role(
        "commission_refunded",
        "contra.commission_refunded",
        "debit",
        "commission given back; keeps the gross visible",
    ),
    Role("psp_fee", "exp.psp_fee", "debit", "fees of the PSP", per="psp"),
    Role("bank_fee", "exp.bank_fee", "debit", "fees of the bank on deposits"),
    Role("payout_fee_expense", "exp.payout_fee", "debit", "fees of the bank on payouts"),
    Role("cod_fee", "exp.cod_fee", "debit", "fees of couriers"),
    Role("chargeback_fee", "exp.chargeback_fee", "debit", "fees of disputes"),
    Role("chargeback_loss", "exp.chargeback_loss", "debit", "lost disputes that the platform bears"),
    Role("recon_loss", "exp.recon_loss", "debit", "captures that the PSP denies and nobody covers"),
    Role("recon_difference", "exp.recon_difference", "debit", "amount differences; capped and alerted"),
    Role("rounding", "exp.rounding", "debit", "one minor unit a line at most; capped and alerted"),
    Role("bad_debt", "exp.bad_debt", "debit", "debts of sellers written off"),
    Role("promo", "exp.promo", "debit", "promotional credit and points"),
)

_POSITIONS = (
    Role(
        "fx_position",
        "trade.fx_position",
        "either",
        "one per currency; the sum of positions is the open FX exposure",
        clears=Clearing("conversion", 1 * _DAY, "1 day"),
    ),
    Role("fx_gain_loss", "pnl.fx_gain_loss", "either", "realised gain (credit) or loss (debit)"),
    Role("opening", "equity.opening", "credit", "balances brought in by a migration"),
    Role("retained", "equity.retained", "credit", "results of closed years"),
)

_ROLES = (*_ASSETS, *_SELLERS, *_BUYERS, *_LIABILITIES, *_RESULTS, *_POSITIONS)

CHART = {role.name: role for role in _ROLES}
GUARDED_ROLES = tuple(role.name for role in _ROLES if role.guarded)
CLEARING_ROLES = tuple(role.name for role in _ROLES if role.clearing)
