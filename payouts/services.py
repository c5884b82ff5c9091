"""The only way to write payouts. What happens inside has a file for each step."""

from payouts.engine.approving import approve_payout, reject_payout
from payouts.engine.canceling import cancel_payout, change_destination
from payouts.engine.failures import replay_batch
from payouts.engine.observe import on_payout_event, record_paid, record_return
from payouts.engine.request import request_payout
from payouts.engine.waiting import reconsider

__all__ = [
    "approve_payout",
    "cancel_payout",
    "change_destination",
    "on_payout_event",
    "reconsider",
    "record_paid",
    "record_return",
    "reject_payout",
    "replay_batch",
    "request_payout",
]
