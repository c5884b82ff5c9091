"""The only way to write pay-in. What happens inside is in `payments.engine`, one file a step."""

from payments.engine.accept import accept_checkout
from payments.engine.execute import execute_operation
from payments.engine.failures import replay_operation
from payments.engine.inline import register_inline
from payments.engine.observe import on_provider_event
from payments.engine.silence import watch_webhooks
from payments.engine.wake import hurry_checkout, probe_silent_channels

__all__ = [
    "accept_checkout",
    "execute_operation",
    "hurry_checkout",
    "on_provider_event",
    "probe_silent_channels",
    "register_inline",
    "replay_operation",
    "watch_webhooks",
]
