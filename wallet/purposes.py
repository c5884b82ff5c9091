"""What money is held for: which account holds it, and how its entries are called in the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ledger.templates.accounts import SellerAccounts
from wallet.errors import PurposeUnsupported

__all__ = ["PURPOSES", "Place", "Purpose", "place_of", "seller_accounts"]


class Place(NamedTuple):
    """The roles between which a try moves money."""

    available: str
    held: str


@dataclass(frozen=True)
class Purpose:
    """How the entries of holds for one purpose are called.

    A confirm and a cancel share a leg, so that the books resolve a hold once whoever comes first.
    """

    source: str
    tried: str
    confirmed: str
    canceled: str
    try_leg: str
    end_leg: str
    held: str


PURPOSES: Mapping[str, Purpose] = {
    "payment": Purpose("hold", "hold_tried", "hold_confirmed", "hold_cancelled", "try", "resolved", ""),
    "payout": Purpose(
        source="payout",
        tried="payout_requested",
        confirmed="payout_sent",
        canceled="payout_cancelled",
        try_leg="requested",
        end_leg="hold_resolved",
        held="seller_payout_hold",
    ),
    "dispute": Purpose(
        source="dispute_hold",
        tried="dispute_held",
        confirmed="dispute_lost",
        canceled="dispute_hold_released",
        try_leg="held",
        end_leg="resolved",
        held="seller_dispute_hold",
    ),
    "reserve": Purpose(
        source="reserve_tranche",
        tried="reserve_held",
        confirmed="reserve_used",
        canceled="reserve_released",
        try_leg="held",
        end_leg="released",
        held="seller_reserve",
    ),
}
_BUYERS = {
    "wallet_available": "wallet_held",
    "bonus_available": "bonus_held",
    "points_available": "points_held",
}


def place_of(*, purpose: str, accounts: Mapping[str, int]) -> Place:
    """Return the roles that a hold moves money between, in a wallet with these accounts by role.

    Payments are held in wallets of buyers, everything else in those of sellers. Raises PurposeUnsupported.
    """
    if purpose == "payment":
        for available, held in _BUYERS.items():
            if available in accounts and held in accounts:
                return Place(available, held)
    elif purpose in PURPOSES and PURPOSES[purpose].held in accounts:
        return Place("seller_available", PURPOSES[purpose].held)
    raise PurposeUnsupported(param="purpose")


def seller_accounts(*, accounts: Mapping[str, int]) -> SellerAccounts:
    """Return the accounts of a seller's wallet by what they are for."""
    return SellerAccounts(
        pending=accounts["seller_pending"],
        available=accounts["seller_available"],
        reserve=accounts["seller_reserve"],
        dispute_hold=accounts["seller_dispute_hold"],
        payout_hold=accounts["seller_payout_hold"],
        receivable=accounts["seller_receivable"],
    )
