"""What the movements of a seller's wallet were for: earned, refunded, paid out, and so on.

A buyer's movements are not told apart: all of them are `other`.
"""

from collections.abc import Collection, Mapping

from wallet.types import OperationData

__all__ = ["CATEGORIES", "FEE_ROLE", "category_of", "totals_of"]

CATEGORIES = ("earnings", "refunds", "disputes", "fees", "payouts", "returns", "other")
# What a payout or its return costs is in the entry of the payout; the rest of that entry is the payout.
FEE_ROLE = "payout_fee"
_KINDS = {
    # What a buyer's hold or points paid is confirmed to the seller in one entry with it.
    "earnings": (
        "capture_denial_undone",
        "capture_denied",
        "cash_collected",
        "hold_confirmed",
        "payment_captured",
        "points_spent",
        "suspense_identified",
        "unknown_capture_reported",
    ),
    "refunds": (
        "charge_reversed",
        "refund_accepted",
        "refund_failed",
        "refund_netted",
        "refund_to_balance",
        "refund_to_wallet",
    ),
    "disputes": (
        "dispute_held",
        "dispute_held_again",
        "dispute_hold_released",
        "dispute_lost",
        "dispute_lost_undone",
    ),
    "fees": ("dispute_fee_recovered", "dispute_fee_returned", "psp_fee_recovered"),
    "payouts": ("payout_cancelled", "payout_rejected", "payout_requested", "payout_sent"),
    "returns": ("payout_return_credited",),
}
_CATEGORY = {kind: category for category, kinds in _KINDS.items() for kind in kinds}


def category_of(kind: str) -> str:
    """Return the category of a kind of entry: what no other has is `other`."""
    return _CATEGORY.get(kind, "other")


def totals_of(
    lines: Collection[OperationData], *, owner_type: str, fees: Mapping[int, int]
) -> dict[str, int]:
    """Return what the wallet gained by category, in minor units; a loss is below zero.

    A wallet is worth what is pending, available and held, less what the owner owes: money that only goes
    from one bucket to another is no gain. `fees` is what each entry debited to the account of payout fees.
    """
    totals = dict.fromkeys(CATEGORIES, 0)

    def category(what: str) -> str:
        return category_of(what) if owner_type == "seller" else "other"

    for line in lines:
        sign = -1 if line.bucket == "receivable" else 1
        totals[category(line.what)] += sign * line.delta_minor
    for entry_id, what in {line.entry_id: line.what for line in lines}.items():
        totals["fees"] += fees.get(entry_id, 0)
        totals[category(what)] -= fees.get(entry_id, 0)
    return totals
