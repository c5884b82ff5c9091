"""Which formats there are. A new one is a module beside this one, and a line in `FORMATS`."""

from reconciliation.formats.adyen import SETTLEMENT_DETAILS
from reconciliation.formats.camt import CAMT_052, CAMT_053, CAMT_054
from reconciliation.formats.contract import Format
from reconciliation.formats.mt940 import MT940
from reconciliation.formats.mt942 import MT942
from reconciliation.formats.paypal import SETTLEMENT, TRANSACTION_DETAIL
from reconciliation.formats.stripe import ACTIVITY, EXPORT, PAYOUT_RECONCILIATION, PAYOUTS
from reconciliation.formats.stripe_summary import BALANCE_SUMMARY

__all__ = ["FORMATS", "format_named"]

FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        PAYOUT_RECONCILIATION,
        ACTIVITY,
        PAYOUTS,
        BALANCE_SUMMARY,
        EXPORT,
        SETTLEMENT_DETAILS,
        SETTLEMENT,
        TRANSACTION_DETAIL,
        CAMT_053,
        CAMT_052,
        CAMT_054,
        MT940,
        MT942,
    )
}


def format_named(name: str) -> Format:
    """Return the format of this name. Raises KeyError for an unknown one."""
    return FORMATS[name]
