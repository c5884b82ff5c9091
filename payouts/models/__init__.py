"""Pay-out: where sellers want their money, what is paid to them, and how it is sent."""

from payouts.models.blocks import PayoutBlock
from payouts.models.destinations import Destination, DestinationKey
from payouts.models.payouts import Payout
from payouts.models.schedules import PayoutSchedule
from payouts.models.sending import PayoutAttempt, PayoutBatch

__all__ = [
    "Destination",
    "DestinationKey",
    "Payout",
    "PayoutAttempt",
    "PayoutBatch",
    "PayoutBlock",
    "PayoutSchedule",
]
