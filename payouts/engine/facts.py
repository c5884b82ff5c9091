"""The events that pay-out tells the world."""

from typing import Any

from core.history import Fact
from payouts.models import Payout
from payouts.references import payout_reference
from payouts.snapshots import payout_object

__all__ = ["payout_fact"]


def payout_fact(payout: Payout, what: str) -> Fact:
    """Return the event `payout.<what>`, with the payout as it is after the change.

    What was paid is told with its remittance: what the seller finds on the statement of the bank.
    """

    def data() -> dict[str, Any]:
        shown = payout_object(payout)
        if what == "paid":
            shown["remittance"] = {"reference": payout_reference(payout.id)}
        return {"object": shown}

    return Fact(f"payout.{what}", payout.public_id, data)
