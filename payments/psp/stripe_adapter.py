"""Stripe, through its official SDK. A payment takes two steps, so that there is something to ask about:
a PaymentIntent is created unconfirmed, its id is stored, and only then is it confirmed. On Stripe's own page
(a Checkout Session) the buyer takes the second step, after the session's id was stored.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog

from channels.errors import UnsupportedAmount
from channels.selectors import STRIPE_CURRENCIES, to_stripe
from channels.services import call
from channels.types import ChannelData
from core.transactions import forbids_transaction
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    CaptureRequest,
    ConfirmRequest,
    CustomerRequest,
    DetachRequest,
    Outcome,
    OutcomeKind,
    PageRequest,
    PspObject,
    PspStatus,
    RefundRequest,
    RegisterRequest,
    ToldRefunds,
)
from payments.psp.declines import decline
from payments.psp.stripe_disputes import StripeDisputes
from payments.psp.stripe_objects import (
    REFERENCE_KEY,
    Unreadable,
    read_identity,
    read_intent,
    read_payment_method,
)
from payments.psp.stripe_outcomes import (
    of_captured,
    of_closed,
    of_closed_question,
    of_confirmed,
    of_created,
    of_question,
    of_state,
    outcome_of,
)
from payments.psp.stripe_refunds import (
    REFUND_KEY,
    find_refund,
    of_refund,
    read_refund,
    read_told_refunds,
)
from payments.psp.stripe_sessions import (
    EXPANDED,
    PAGE_LIFETIME,
    is_session,
    read_session,
    read_told_session,
    session_params,
)

__all__ = ["StripeAdapter"]

log = structlog.get_logger(__name__)

# The charge tells of the card: what risk compares later payments by.
_EXPANDED: Any = {"expand": ["latest_charge"]}


class StripeAdapter(StripeDisputes):
    """PaymentIntents with payment methods that the buyer's browser made; no card number passes here."""

    provider = "stripe"
    resolves_by = "reference"
    # Keys may be pruned when they are at least 24 hours old.
    key_retention = timedelta(hours=24)
    payment_methods: tuple[str, ...] = ("card", "hosted_page")
    wallets: tuple[str, ...] = ("apple_pay", "google_pay")
    currencies = STRIPE_CURRENCIES
    page_lifetime = PAGE_LIFETIME
    # Cards; a charge that tells of another end is believed.
    authorization_lifetime = timedelta(days=7)

    @forbids_transaction
    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        """Create an unconfirmed PaymentIntent, with the payment method that is to pay it."""
        try:
            amount = to_stripe(request.amount_minor, request.currency)
        except UnsupportedAmount as error:
            return Outcome(OutcomeKind.DECLINED, decline=decline(error.code), error=str(error))
        params: dict[str, Any] = {
            "amount": amount,
            "currency": request.currency.lower(),
            "capture_method": request.capture,
            "payment_method_types": _method_types(channel),
            "metadata": {**request.metadata, REFERENCE_KEY: request.our_reference},
        }
        if request.token:
            # With it the answer tells of the card, so that nobody has to ask before money is moved.
            params |= {"payment_method": request.token, "expand": ["payment_method"]}
        if request.description:
            params["description"] = request.description
        if request.customer_reference:
            params["customer"] = request.customer_reference
        exchange = call(
            channel=channel,
            kind="register",
            send=lambda client: _post(client, "payment_intents", params, request.nonce),
        )
        return outcome_of(exchange, meaning=of_created)

    @forbids_transaction
    def open_page(self, *, channel: ChannelData, request: PageRequest) -> Outcome:
        """Create a Checkout Session that takes one payment."""
        try:
            params: Any = session_params(request, _method_types(channel))
        except UnsupportedAmount as error:
            return Outcome(OutcomeKind.DECLINED, decline=decline(error.code), error=str(error))
        exchange = call(
            channel=channel,
            kind="register",
            send=lambda client: _post(client, "checkout/sessions", params, request.nonce),
        )
        return outcome_of(exchange, read=read_session, meaning=of_state)

    @forbids_transaction
    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        """Confirm the PaymentIntent with the buyer's payment method."""
        told = {"payment_method": request.token, "return_url": request.return_url}
        params = {name: value for name, value in told.items() if value} | _EXPANDED
        path = f"payment_intents/{_id(request.reference)}/confirm"
        exchange = call(
            channel=channel,
            kind="confirm",
            send=lambda client: _post(client, path, params, request.nonce),
        )
        return outcome_of(exchange, meaning=of_confirmed)

    @forbids_transaction
    def capture(self, *, channel: ChannelData, request: CaptureRequest) -> Outcome:
        """Capture the PaymentIntent, all or part: Stripe gives the rest back."""
        try:
            params = {"amount_to_capture": to_stripe(request.amount_minor, request.currency)}
        except UnsupportedAmount as error:
            return Outcome(OutcomeKind.DECLINED, decline=decline(error.code), error=str(error))
        path = f"payment_intents/{_id(request.reference)}/capture"
        exchange = call(
            channel=channel,
            kind="capture",
            send=lambda client: _post(client, path, params, request.nonce),
        )
        # The bank may refuse to pay what it has authorised; the authorisation stays.
        return outcome_of(exchange, meaning=of_captured, refused_in=_REFUSED_TO_CAPTURE)

    @forbids_transaction
    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Fetch the PaymentIntent, or the Checkout Session with the PaymentIntent behind it."""
        if is_session(reference):
            return self._query_session(channel, reference)
        exchange = call(
            channel=channel,
            kind="query",
            send=lambda client: _get(client, f"payment_intents/{_id(reference)}", _EXPANDED),
            has_effect=False,
        )
        return of_question(outcome_of(exchange, meaning=of_state))

    def _query_session(self, channel: ChannelData, reference: str) -> Outcome:
        exchange = call(
            channel=channel,
            kind="query",
            send=lambda client: _get(client, f"checkout/sessions/{_id(reference)}", EXPANDED),
            has_effect=False,
        )
        return of_question(outcome_of(exchange, read=read_session, meaning=of_state))

    @forbids_transaction
    def cancel(self, *, channel: ChannelData, request: CancelRequest) -> Outcome:
        """Cancel the PaymentIntent, which gives back what is authorised, or expire the Checkout Session."""
        if is_session(request.reference):
            return self._expire_session(channel, request)
        path = f"payment_intents/{_id(request.reference)}/cancel"
        exchange = call(
            channel=channel,
            kind="cancel",
            send=lambda client: _post(client, path, {}, request.nonce),
        )
        return outcome_of(exchange, meaning=of_closed)

    def _expire_session(self, channel: ChannelData, request: CancelRequest) -> Outcome:
        path = f"checkout/sessions/{_id(request.reference)}/expire"
        exchange = call(
            channel=channel,
            kind="cancel",
            send=lambda client: _post(client, path, {}, request.nonce),
        )
        return outcome_of(exchange, read=read_session, meaning=of_closed)

    @forbids_transaction
    def refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """Create a Refund of the PaymentIntent."""
        params: dict[str, Any] = {
            "payment_intent": request.reference,
            "amount": to_stripe(request.amount_minor, request.currency),
            "metadata": {REFUND_KEY: request.our_reference},
        }
        exchange = call(
            channel=channel,
            kind="refund",
            send=lambda client: _post(client, "refunds", params, request.nonce),
        )
        return outcome_of(exchange, read=read_refund, meaning=of_refund)

    @forbids_transaction
    def find_refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """List the PaymentIntent's Refunds and look for ours, or fetch the one that is known by its id."""
        if request.refund_reference:
            path = f"refunds/{_id(request.refund_reference)}"
            exchange = call(
                channel=channel,
                kind="find_refund",
                send=lambda client: _get(client, path, {}),
                has_effect=False,
            )
            return of_question(outcome_of(exchange, read=read_refund, meaning=of_refund))
        params: dict[str, Any] = {"payment_intent": request.reference, "limit": 100}
        exchange = call(
            channel=channel,
            kind="find_refund",
            send=lambda client: _get(client, "refunds", params),
            has_effect=False,
        )
        return outcome_of(exchange, read=find_refund(request.our_reference), meaning=of_refund)

    @forbids_transaction
    def create_customer(self, *, channel: ChannelData, request: CustomerRequest) -> Outcome:
        """Create a Customer without personal data: only our reference."""
        params: dict[str, Any] = {"metadata": {"reference": request.our_reference}}
        exchange = call(
            channel=channel,
            kind="customer",
            send=lambda client: _post(client, "customers", params, request.nonce),
        )
        return outcome_of(exchange, read=read_identity, meaning=of_created)

    @forbids_transaction
    def attach(self, *, channel: ChannelData, request: AttachRequest) -> Outcome:
        """Attach the payment method to the Customer."""
        params: dict[str, Any] = {"customer": request.customer_reference}
        path = f"payment_methods/{_id(request.token)}/attach"
        exchange = call(
            channel=channel,
            kind="attach",
            send=lambda client: _post(client, path, params, request.nonce),
        )
        return outcome_of(exchange, read=read_payment_method, meaning=of_created)

    @forbids_transaction
    def detach(self, *, channel: ChannelData, request: DetachRequest) -> Outcome:
        """Detach the payment method from its Customer."""
        path = f"payment_methods/{_id(request.token)}/detach"
        exchange = call(
            channel=channel,
            kind="detach",
            send=lambda client: _post(client, path, {}, request.nonce),
        )
        return outcome_of(exchange, read=read_payment_method, meaning=of_closed)

    @forbids_transaction
    def find_method(self, *, channel: ChannelData, request: DetachRequest) -> Outcome:
        """Fetch the payment method."""
        exchange = call(
            channel=channel,
            kind="find_method",
            send=lambda client: _get(client, f"payment_methods/{_id(request.token)}", {}),
            has_effect=False,
        )
        return of_question(outcome_of(exchange, read=read_payment_method, meaning=of_closed_question))

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        """Return the PaymentIntent or Checkout Session of an event, as it stood when the event was made."""
        kind = str(payload.get("type") or "")
        read = next((read for prefix, read in _TOLD.items() if kind.startswith(prefix)), None)
        if read is None:
            return None
        data = payload.get("data")
        try:
            return read(data.get("object") if isinstance(data, Mapping) else None)
        except Unreadable as error:
            # The state is asked for later all the same; an event is only the first to tell.
            log.warning("event_unreadable", event_id=payload.get("id"), error=str(error))
            return None

    def read_refund_event(self, *, payload: Mapping[str, Any]) -> ToldRefunds | None:
        """Return what an event about a Refund, or about a Charge that was refunded, tells."""
        data = payload.get("data")
        try:
            return read_told_refunds(
                str(payload.get("type") or ""), data.get("object") if isinstance(data, Mapping) else None
            )
        except Unreadable as error:
            log.warning("event_unreadable", event_id=payload.get("id"), error=str(error))
            return None


_REFUSED_TO_CAPTURE = (PspStatus.AUTHORIZED, PspStatus.DECLINED, PspStatus.CANCELED, PspStatus.EXPIRED)
_TOLD = {"payment_intent.": read_intent, "checkout.session.": read_told_session}


def _method_types(channel: ChannelData) -> list[str]:
    return list(channel.capabilities.get("payment_method_types", ["card"]))


# The SDK's own door for answers as they came. Its typed methods build an object for every object in the
# answer, which costs more than the call, and we read the answer itself, field by field.
def _post(client: Any, path: str, params: Mapping[str, Any], nonce: str) -> Any:
    return client.raw_request("post", f"/v1/{path}", **params, idempotency_key=nonce)


def _get(client: Any, path: str, params: Mapping[str, Any]) -> Any:
    return client.raw_request("get", f"/v1/{path}", **params)


def _id(reference: str) -> str:
    """A provider's id as a part of a path: it can name nothing but itself."""
    return quote(reference, safe="")
