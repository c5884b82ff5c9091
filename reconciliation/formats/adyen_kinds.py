"""The journal types of Adyen's settlement details report.

https://docs.adyen.com/reporting/settlement-reconciliation/transaction-level/settlement-details-report.
What is not here is UNKNOWN.
"""

from reconciliation.formats.contract import Kind
from reconciliation.formats.kinds import Signs, credit, debit, either

__all__ = ["CLOSES", "EXTERNAL", "JOURNALS"]

_RESERVE = either(Kind.RESERVE_RELEASE, Kind.RESERVE_HOLD)
_FEE = either(Kind.FEE, zero=True)
_ADJUSTMENT = either(Kind.ADJUSTMENT, zero=True)

JOURNALS: dict[str, Signs] = {
    "Settled": credit(Kind.CHARGE),
    "SettledBulk": credit(Kind.CHARGE),
    "SettledInstallment": credit(Kind.CHARGE),
    "SettledExternallyWithInfo": credit(Kind.CHARGE),
    "Refunded": debit(Kind.REFUND),
    "RefundedBulk": debit(Kind.REFUND),
    "RefundedInstallment": debit(Kind.REFUND),
    "RefundedExternallyWithInfo": debit(Kind.REFUND),
    "RefundedReversed": credit(Kind.REFUND_FAILURE),
    "Chargeback": debit(Kind.DISPUTE),
    "SecondChargeback": debit(Kind.DISPUTE),
    "ChargebackExternallyWithInfo": debit(Kind.DISPUTE),
    "ChargebackReversed": credit(Kind.DISPUTE_REVERSAL),
    "ChargebackReversedExternallyWithInfo": credit(Kind.DISPUTE_REVERSAL),
    "Fee": _FEE,
    "MiscCosts": _FEE,
    "PaymentCost": _FEE,
    "SettleCost": _FEE,
    "AuthorisationSchemeFee": _FEE,
    "InvoiceDeduction": _FEE,
    "DepositCorrection": _RESERVE,
    "ReserveAdjustment": _RESERVE,
    "SuspendInstallment": _ADJUSTMENT,
    "MatchedStatement": _ADJUSTMENT,
    "ManualCorrected": _ADJUSTMENT,
    "EpaPaid": _ADJUSTMENT,
    "InternalCompanyPayout": either(Kind.TRANSFER),
    "PaidOut": debit(Kind.TRANSFER),
    "PaidOutReversed": credit(Kind.TRANSFER_REVERSAL),
    # A batch that pays nothing is carried to the next one, which begins with it.
    "Balancetransfer": either(Kind.CARRIED, zero=True),
    "BankInstructionReturned": credit(Kind.PAYOUT_REVERSAL),
    "MerchantPayout": either(Kind.PAYOUT),
}

# Another acquirer settled them: what they say of amounts is information, and need not add up.
EXTERNAL = frozenset(journal for journal in JOURNALS if journal.endswith("ExternallyWithInfo"))

# With one of these a batch is worth nothing afterwards.
CLOSES = frozenset({"MerchantPayout", "Balancetransfer"})
