"""What every payment provider's adapter does, in words that do not depend on the provider.

An adapter talks to the provider and says what came of it; it writes nothing and decides nothing. A call
ends in exactly one of five ways, and no exception leaves an adapter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

from channels.errors import UnsupportedProvider
from channels.types import CallRecord, ChannelData
from risk.types import CardFacts

__all__ = [
    "AttachRequest",
    "CancelRequest",
    "ConfirmRequest",
    "CustomerRequest",
    "Decline",
    "Outcome",
    "OutcomeKind",
    "PspAdapter",
    "PspObject",
    "PspStatus",
    "RegisterRequest",
    "adapter_for",
]


class OutcomeKind(StrEnum):
    """How a call ended. Never fewer than five: a time-out is not a failure."""

    SUCCEEDED = "succeeded"
    """Done, and the provider said so."""
    DECLINED = "declined"
    """Refused for good; no money moved and none will through this operation."""
    NOT_SENT = "not_sent"
    """Provably not executed: it never arrived, or was turned away before execution."""
    PENDING = "pending"
    """Taken on; the provider or the buyer will end it."""
    UNKNOWN = "unknown"
    """Sent, and there is no trustworthy answer. Ask; never send under another nonce."""


class PspStatus(StrEnum):
    """The state of the provider's payment object."""

    REGISTERED = "registered"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Decline:
    """Why a payment was refused.

    `code` is our public code (see payments.psp.declines), `decline_code` the provider's own word,
    `message` is fit for a buyer's eyes, `retryable` says whether another try can help: later, with
    another card, or with the buyer present.
    """

    code: str
    message: str
    decline_code: str
    retryable: bool


@dataclass(frozen=True)
class PspObject:
    """The provider's payment object as it stood when it was read. Amounts are minor units (ISO 4217).

    `our_reference` is the charge id that we put into its metadata, empty if there is none.
    `authorized_minor` is what the provider approved (still capturable plus captured), `captured_minor`
    what it took. `charge_reference` is the provider's id of the money movement, empty before there is one.
    `card` is what the object tells of the card that was tried, if it does.
    """

    reference: str
    status: PspStatus
    amount_minor: int
    currency: str
    our_reference: str
    authorized_minor: int
    captured_minor: int
    redirect_url: str | None
    decline: Decline | None
    charge_reference: str
    card: CardFacts | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    `retry_after` is the provider's wish in seconds. `conflict`: the nonce was used with other parameters,
    so the operation is frozen for a person and no new nonce is made. `permanent`: the same call cannot
    succeed until somebody changes something (a revoked key, say).
    `calls` is the evidence; save it in the transaction that records the outcome.
    """

    kind: OutcomeKind
    object: PspObject | None = None
    decline: Decline | None = None
    retry_after: float | None = None
    error: str = ""
    conflict: bool = False
    permanent: bool = False
    calls: tuple[CallRecord, ...] = ()


@dataclass(frozen=True)
class RegisterRequest:
    """Create the payment object. `our_reference` is the charge id; amounts are minor units."""

    nonce: str
    our_reference: str
    amount_minor: int
    currency: str
    capture: Literal["automatic", "manual"]
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    return_url: str = ""
    customer_reference: str = ""


@dataclass(frozen=True)
class ConfirmRequest:
    """Pay: `token` is the payment method at the provider, `return_url` where a 3-D Secure step ends."""

    nonce: str
    reference: str
    token: str
    return_url: str


@dataclass(frozen=True)
class CancelRequest:
    """Close the object for good, giving back what is authorised."""

    nonce: str
    reference: str


@dataclass(frozen=True)
class CustomerRequest:
    """Create the buyer at the provider, so that one payment method can pay several charges."""

    nonce: str
    our_reference: str


@dataclass(frozen=True)
class AttachRequest:
    """Bind a payment method to the buyer, which makes it reusable."""

    nonce: str
    customer_reference: str
    token: str


class PspAdapter(Protocol):
    """One provider. Every function that talks to the network refuses to run inside a transaction."""

    provider: str
    resolves_by: str
    """How an unknown outcome is cleared up: reference, same_key_replay, search or file."""
    key_retention: timedelta
    """How long the provider remembers a nonce; after that a nonce must not be sent again."""

    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        """Create the object at the provider. Moves no money. SUCCEEDED means that it exists."""
        ...

    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        """Pay with the object. May move money. Answers like `query`, REGISTERED excepted (UNKNOWN)."""
        ...

    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Ask how the object stands.

        PENDING for REQUIRES_ACTION and PROCESSING, DECLINED for DECLINED, SUCCEEDED for every other
        status: look at `object.status`. That nothing was found is UNKNOWN, never proof of absence.
        """
        ...

    def cancel(self, *, channel: ChannelData, request: CancelRequest) -> Outcome:
        """Close the object. SUCCEEDED: it is CANCELED or EXPIRED and can no longer charge.

        DECLINED: it could not be closed; `object.status` says how it stands (CAPTURED, say).
        """
        ...

    def create_customer(self, *, channel: ChannelData, request: CustomerRequest) -> Outcome:
        """Create the buyer at the provider; `object.reference` is its id, the object's amount is 0."""
        ...

    def attach(self, *, channel: ChannelData, request: AttachRequest) -> Outcome:
        """Bind a payment method to the buyer; `object.reference` is the payment method to pay with."""
        ...

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        """Return the object that a verified webhook payload tells of; None when it is not about a payment."""
        ...


def adapter_for(provider: str) -> PspAdapter:
    """Return the adapter of a provider. Raises UnsupportedProvider."""
    # Adapters import this module, so they are imported when they are asked for.
    from payments.psp.stripe_adapter import StripeAdapter

    adapters: dict[str, type[PspAdapter]] = {StripeAdapter.provider: StripeAdapter}
    try:
        return adapters[provider]()
    except KeyError:
        raise UnsupportedProvider(f"There is no adapter for the provider {provider!r}.") from None
