"""Stripe, through its official SDK. A payment takes two steps, so that there is something to ask about:
a PaymentIntent is created unconfirmed, its id is stored, and only then is it confirmed.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from channels.services import call
from channels.types import ChannelData
from core.transactions import forbids_transaction
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    ConfirmRequest,
    CustomerRequest,
    Outcome,
    OutcomeKind,
    PspObject,
    RegisterRequest,
)
from payments.psp.declines import decline
from payments.psp.stripe_amounts import UnsupportedAmount, to_stripe
from payments.psp.stripe_objects import REFERENCE_KEY, Unreadable, read_identity, read_intent
from payments.psp.stripe_outcomes import of_closed, of_confirmed, of_created, of_state, outcome_of

__all__ = ["StripeAdapter"]

log = structlog.get_logger(__name__)

# The charge tells of the card: what risk compares later payments by.
_EXPANDED: Any = {"expand": ["latest_charge"]}


class StripeAdapter:
    """PaymentIntents with payment methods that the buyer's browser made; no card number passes here."""

    provider = "stripe"
    resolves_by = "reference"
    # Keys may be pruned when they are at least 24 hours old.
    key_retention = timedelta(hours=24)

    @forbids_transaction
    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        """Create an unconfirmed PaymentIntent."""
        try:
            amount = to_stripe(request.amount_minor, request.currency)
        except UnsupportedAmount as error:
            return Outcome(OutcomeKind.DECLINED, decline=decline(error.code), error=str(error))
        params: dict[str, Any] = {
            "amount": amount,
            "currency": request.currency.lower(),
            "capture_method": request.capture,
            "payment_method_types": list(channel.capabilities.get("payment_method_types", ["card"])),
            "metadata": {**request.metadata, REFERENCE_KEY: request.our_reference},
        }
        if request.description:
            params["description"] = request.description
        if request.customer_reference:
            params["customer"] = request.customer_reference
        exchange = call(
            channel=channel,
            kind="register",
            send=lambda client: client.v1.payment_intents.create(params, _key(request.nonce)),
        )
        return outcome_of(exchange, meaning=of_created)

    @forbids_transaction
    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        """Confirm the PaymentIntent with the buyer's payment method."""
        params = {"payment_method": request.token, "return_url": request.return_url}
        exchange = call(
            channel=channel,
            kind="confirm",
            send=lambda client: client.v1.payment_intents.confirm(
                request.reference,
                {name: value for name, value in params.items() if value} | _EXPANDED,
                _key(request.nonce),
            ),
        )
        return outcome_of(exchange, meaning=of_confirmed)

    @forbids_transaction
    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Fetch the PaymentIntent."""
        exchange = call(
            channel=channel,
            kind="query",
            send=lambda client: client.v1.payment_intents.retrieve(reference, _EXPANDED),
            has_effect=False,
        )
        return outcome_of(exchange, meaning=of_state)

    @forbids_transaction
    def cancel(self, *, channel: ChannelData, request: CancelRequest) -> Outcome:
        """Cancel the PaymentIntent, which gives back what is authorised."""
        exchange = call(
            channel=channel,
            kind="cancel",
            send=lambda client: client.v1.payment_intents.cancel(request.reference, {}, _key(request.nonce)),
        )
        return outcome_of(exchange, meaning=of_closed)

    @forbids_transaction
    def create_customer(self, *, channel: ChannelData, request: CustomerRequest) -> Outcome:
        """Create a Customer without personal data: only our reference."""
        params: dict[str, Any] = {"metadata": {"reference": request.our_reference}}
        exchange = call(
            channel=channel,
            kind="customer",
            send=lambda client: client.v1.customers.create(params, _key(request.nonce)),
        )
        return outcome_of(exchange, read=read_identity, meaning=of_created)

    @forbids_transaction
    def attach(self, *, channel: ChannelData, request: AttachRequest) -> Outcome:
        """Attach the payment method to the Customer."""
        params: dict[str, Any] = {"customer": request.customer_reference}
        exchange = call(
            channel=channel,
            kind="attach",
            send=lambda client: client.v1.payment_methods.attach(request.token, params, _key(request.nonce)),
        )
        return outcome_of(exchange, read=read_identity, meaning=of_created)

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        """Return the PaymentIntent that an event tells of, as it stood when the event was made."""
        if not str(payload.get("type") or "").startswith("payment_intent."):
            return None
        data = payload.get("data")
        try:
            return read_intent(data.get("object") if isinstance(data, Mapping) else None)
        except Unreadable as error:
            # The state is asked for later all the same; an event is only the first to tell.
            log.warning("event_unreadable", event_id=payload.get("id"), error=str(error))
            return None


def _key(nonce: str) -> Any:
    return {"idempotency_key": nonce}
