"""PayPal's transaction event codes, by credit and debit.

https://developer.paypal.com/docs/reports/reference/tcodes/. What is not here is UNKNOWN, T9900 (other) with
it, and the direction that a code should not have: a debited T0000 is a payment that the account itself sent.
"""

from reconciliation.formats.contract import Kind
from reconciliation.formats.kinds import Signs, credit, debit, either

__all__ = ["AUTHORISATIONS", "EVENTS"]

_PAYMENTS = (
    "T0000",
    "T0002",
    "T0003",
    "T0004",
    "T0005",
    "T0006",
    "T0007",
    "T0011",
    "T0012",
    "T0013",
    "T0018",
)
_FEE = either(Kind.FEE, zero=True)

EVENTS: dict[str, Signs] = {
    **dict.fromkeys(_PAYMENTS, credit(Kind.CHARGE)),
    "T0001": debit(Kind.TRANSFER),  # mass payment
    **dict.fromkeys([f"T01{number:02d}" for number in range(14)], _FEE),
    "T0200": either(Kind.CONVERSION),
    "T0201": either(Kind.CONVERSION),
    "T0202": either(Kind.CONVERSION),
    "T0300": credit(Kind.TOP_UP),
    "T0400": debit(Kind.PAYOUT),
    "T0401": debit(Kind.PAYOUT),
    "T1105": credit(Kind.RESERVE_RELEASE),
    "T1106": either(Kind.DISPUTE_REVERSAL, Kind.DISPUTE),  # a payment that PayPal takes back
    "T1107": debit(Kind.REFUND),
    "T1108": _FEE,
    "T1109": _FEE,
    "T1110": debit(Kind.RESERVE_HOLD),
    "T1111": credit(Kind.RESERVE_RELEASE),
    "T1114": credit(Kind.TRANSFER_REVERSAL),
    "T1115": credit(Kind.TRANSFER_REVERSAL),
    "T1201": debit(Kind.DISPUTE),
    "T1202": credit(Kind.DISPUTE_REVERSAL),
    "T1900": either(Kind.ADJUSTMENT),
    "T2101": debit(Kind.RESERVE_HOLD),
    "T2102": credit(Kind.RESERVE_RELEASE),
    "T2103": debit(Kind.RESERVE_HOLD),
    "T2104": credit(Kind.RESERVE_RELEASE),
}

# Authorised, authorised again, voided: no balance moves.
AUTHORISATIONS = "T13"
