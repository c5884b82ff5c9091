"""The only way to write pay-in. What happens inside is in `payments.engine`, one file a step."""

from payments.engine.accept import accept_checkout
from payments.engine.execute import execute_operation
from payments.engine.failures import replay_operation
from payments.engine.observe import on_provider_event
from payments.engine.reviews import approve_review, on_risk_verdict, reject_review

__all__ = [
    "accept_checkout",
    "approve_review",
    "execute_operation",
    "on_provider_event",
    "on_risk_verdict",
    "reject_review",
    "replay_operation",
]
