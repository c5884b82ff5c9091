"""The only way to write pay-in. What happens inside is in `payments.engine`, one file a step."""

from payments.engine.accept import accept_checkout
from payments.engine.adopting import adopt_from_provider
from payments.engine.asking import (
    ask_provider_now,
    close_outcome,
    give_back_outcome,
    take_outcome,
)
from payments.engine.attempts import start_attempt
from payments.engine.cancellations import cancel_checkout, cancel_order
from payments.engine.captures import capture_order
from payments.engine.conflicts import (
    reject_conflict_resolution,
    request_conflict_resolution,
    resolve_conflict,
)
from payments.engine.denials import deny_capture, hold_charge, undo_denial
from payments.engine.disposal_requests import approve_disposal, reject_disposal, request_disposal
from payments.engine.disputes.answers import add_evidence
from payments.engine.disputes.desk import (
    accept_dispute,
    approve_dispute_decision,
    reassign_dispute,
    reject_dispute_decision,
)
from payments.engine.disputes.observe import on_dispute_event
from payments.engine.disputes.reversals import on_reversal_event
from payments.engine.disputes.watch import ask_about_disputes, watch_disputes
from payments.engine.execute import execute_operation
from payments.engine.expiry import expire_checkout, replay_expiry
from payments.engine.failures import replay_operation
from payments.engine.inline import register_inline
from payments.engine.observe import on_provider_event
from payments.engine.receipts import hold_order, pay_with_receipt
from payments.engine.refunds.observe import on_refund_event
from payments.engine.refunds.request import request_refund
from payments.engine.refunds.reviews import (
    approve_refund,
    ask_for_refund,
    cancel_refund,
    reject_refund,
)
from payments.engine.reviews import approve_review, on_risk_verdict, reject_review
from payments.engine.saved import delete_payment_method
from payments.engine.settling import settle_from_file
from payments.engine.silence import watch_webhooks
from payments.engine.stuck import watch_stuck
from payments.engine.top_ups import expire_top_up, replay_top_up_expiry, start_top_up
from payments.engine.wake import hurry_checkout, hurry_top_up, probe_silent_channels
from payments.releases.failures import replay_release
from payments.releases.schedule import fulfill_order, mark_proven
from payments.releases.watch import watch_releases

__all__ = [
    "accept_checkout",
    "accept_dispute",
    "add_evidence",
    "adopt_from_provider",
    "approve_disposal",
    "approve_dispute_decision",
    "approve_refund",
    "approve_review",
    "ask_about_disputes",
    "ask_for_refund",
    "ask_provider_now",
    "cancel_checkout",
    "cancel_order",
    "cancel_refund",
    "capture_order",
    "close_outcome",
    "delete_payment_method",
    "deny_capture",
    "execute_operation",
    "expire_checkout",
    "expire_top_up",
    "fulfill_order",
    "give_back_outcome",
    "hold_charge",
    "hold_order",
    "hurry_checkout",
    "hurry_top_up",
    "mark_proven",
    "on_dispute_event",
    "on_provider_event",
    "on_refund_event",
    "on_reversal_event",
    "on_risk_verdict",
    "pay_with_receipt",
    "probe_silent_channels",
    "reassign_dispute",
    "register_inline",
    "reject_conflict_resolution",
    "reject_disposal",
    "reject_dispute_decision",
    "reject_refund",
    "reject_review",
    "replay_expiry",
    "replay_operation",
    "replay_release",
    "replay_top_up_expiry",
    "request_conflict_resolution",
    "request_disposal",
    "request_refund",
    "resolve_conflict",
    "settle_from_file",
    "start_attempt",
    "start_top_up",
    "take_outcome",
    "undo_denial",
    "watch_disputes",
    "watch_releases",
    "watch_stuck",
    "watch_webhooks",
]
