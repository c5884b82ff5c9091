"""The only way to write pay-in."""

from payments.services.accept import accept_checkout
from payments.services.execute import execute_operation
from payments.services.observe import on_provider_event

__all__ = ["accept_checkout", "execute_operation", "on_provider_event"]
