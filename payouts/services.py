"""The only way to change what is paid out, where to, and what stops it."""

from payouts.by_hand.asking import ask_for_payout, take_payout_back
from payouts.by_hand.batches import ask_about_batch, read_batch_file
from payouts.by_hand.outcomes import approve_batch_outcome, reject_batch_outcome, request_batch_outcome
from payouts.by_hand.returns import approve_return, reject_return, request_return
from payouts.destinations.adding import add_destination
from payouts.destinations.blocks import lift_block, place_block
from payouts.destinations.deciding import (
    make_default,
    reject_destination,
    remove_destination,
    verify_destination,
)
from payouts.engine.approving import approve_payout, reject_payout
from payouts.engine.canceling import cancel_payout, change_destination
from payouts.engine.failures import replay_batch
from payouts.engine.observe import on_payout_event, record_paid, record_return
from payouts.engine.request import request_payout
from payouts.engine.waiting import reconsider
from payouts.engine.watch import watch_payouts
from payouts.schedules.runs import run_schedules
from payouts.schedules.working_days import put_schedule

__all__ = [
    "add_destination",
    "approve_batch_outcome",
    "approve_payout",
    "approve_return",
    "ask_about_batch",
    "ask_for_payout",
    "cancel_payout",
    "change_destination",
    "lift_block",
    "make_default",
    "on_payout_event",
    "place_block",
    "put_schedule",
    "read_batch_file",
    "reconsider",
    "record_paid",
    "record_return",
    "reject_batch_outcome",
    "reject_destination",
    "reject_payout",
    "reject_return",
    "remove_destination",
    "replay_batch",
    "request_batch_outcome",
    "request_payout",
    "request_return",
    "run_schedules",
    "take_payout_back",
    "verify_destination",
    "watch_payouts",
]
