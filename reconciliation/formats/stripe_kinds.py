"""What Stripe calls the transactions of a balance.

https://docs.stripe.com/reports/reporting-categories and /reports/balance-transaction-types. What is not here
is UNKNOWN: a new category never becomes income or a fee by default.
"""

from reconciliation.formats.contract import Kind
from reconciliation.formats.kinds import Signs, credit, debit, either

__all__ = ["CATEGORIES", "DISPUTES", "TYPES"]

_RESERVE = either(Kind.RESERVE_RELEASE, Kind.RESERVE_HOLD)
_FEE = either(Kind.FEE, zero=True)  # given back, it comes in; a fee of nothing is listed as well
_ADJUSTMENT = either(Kind.ADJUSTMENT, zero=True)
# A payout comes in when Stripe collects a negative balance from the bank.
_PAYOUT, _PAYOUT_REVERSAL = either(Kind.PAYOUT), either(Kind.PAYOUT_REVERSAL)

CATEGORIES: dict[str, Signs] = {
    "charge": credit(Kind.CHARGE),
    "charge_failure": debit(Kind.CHARGE_FAILURE),
    "refund": debit(Kind.REFUND),
    "refund_failure": credit(Kind.REFUND_FAILURE),
    # The uncaptured part of an amount whose whole was listed as a charge.
    "partial_capture_reversal": debit(Kind.REFUND),
    "dispute": debit(Kind.DISPUTE),
    "dispute_reversal": credit(Kind.DISPUTE_REVERSAL),
    "fee": _FEE,
    "tax": _FEE,
    "network_cost": _FEE,
    "platform_earning": credit(Kind.ADJUSTMENT),
    "platform_earning_refund": debit(Kind.ADJUSTMENT),
    "transfer": debit(Kind.TRANSFER),
    "transfer_reversal": credit(Kind.TRANSFER_REVERSAL),
    "payout": _PAYOUT,
    "payout_reversal": _PAYOUT_REVERSAL,
    "topup": credit(Kind.TOP_UP),
    "topup_reversal": debit(Kind.TOP_UP),
    "risk_reserved_funds": _RESERVE,
    "connect_reserved_funds": _RESERVE,
    "connect_collection_transfer": _ADJUSTMENT,
    "advance": _ADJUSTMENT,
    "advance_funding": _ADJUSTMENT,
    "other_adjustment": _ADJUSTMENT,
}

# Of an adjustment whose source is a dispute.
DISPUTES: dict[str, Signs] = {"adjustment": either(Kind.DISPUTE_REVERSAL, Kind.DISPUTE)}

TYPES: dict[str, Signs] = {
    "charge": credit(Kind.CHARGE),
    "payment": credit(Kind.CHARGE),
    "payment_failure_refund": debit(Kind.CHARGE_FAILURE),
    "payment_reversal": debit(Kind.CHARGE_FAILURE),
    "refund": debit(Kind.REFUND),
    "payment_refund": debit(Kind.REFUND),
    "refund_failure": credit(Kind.REFUND_FAILURE),
    "stripe_fee": _FEE,
    "stripe_fx_fee": _FEE,
    "tax_fee": _FEE,
    "adjustment": _ADJUSTMENT,
    "application_fee": credit(Kind.ADJUSTMENT),
    "application_fee_refund": debit(Kind.ADJUSTMENT),
    "transfer": debit(Kind.TRANSFER),
    "transfer_refund": credit(Kind.TRANSFER_REVERSAL),
    "transfer_cancel": credit(Kind.TRANSFER_REVERSAL),
    "transfer_failure": credit(Kind.TRANSFER_REVERSAL),
    "payout": _PAYOUT,
    "payout_cancel": _PAYOUT_REVERSAL,
    "payout_failure": _PAYOUT_REVERSAL,
    "topup": credit(Kind.TOP_UP),
    "topup_reversal": debit(Kind.TOP_UP),
    "reserve_transaction": _RESERVE,
    "reserve_hold": debit(Kind.RESERVE_HOLD),
    "reserve_release": credit(Kind.RESERVE_RELEASE),
    "connect_collection_transfer": _ADJUSTMENT,
    "advance": _ADJUSTMENT,
    "advance_funding": _ADJUSTMENT,
    "contribution": debit(Kind.ADJUSTMENT),
}
