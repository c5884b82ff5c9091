"""The events that pay-out tells the world."""

from typing import Any

from core.history import Fact
from payouts.models import Payout
from payouts.remittance import remittance_of
from payouts.snapshots import payout_object

__all__ = ["payout_fact"]


def payout_fact(payout: Payout, what: str) -> Fact:
    """Return the event `payout.<what>`, with the payout as it is after the change.

    What was paid is told with its remittance: what it covers, and its reference at the bank.
    """

    def data() -> dict[str, Any]:
        shown = payout_object(payout)
        if what == "paid":
            shown["remittance"] = remittance_of(payout)
        return {"object": shown}

    return Fact(f"payout.{what}", payout.public_id, data)
