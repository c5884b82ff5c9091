"""What every payment provider's adapter does, in words that do not depend on the provider.

An adapter talks to the provider and says what came of it; it writes nothing and decides nothing. A call
ends in exactly one of five ways, and no exception leaves an adapter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

from channels.errors import UnsupportedProvider
from channels.types import CallRecord, ChannelData
from payments.psp.disputes import AcceptDisputeRequest, EvidenceRequest, PspDispute, PspReversal
from risk.types import CardFacts

__all__ = [
    "AttachRequest",
    "CancelRequest",
    "CaptureRequest",
    "ConfirmRequest",
    "CustomerRequest",
    "Decline",
    "DetachRequest",
    "MethodFacts",
    "Outcome",
    "OutcomeKind",
    "PageRequest",
    "PspAdapter",
    "PspObject",
    "PspStatus",
    "RefundRequest",
    "RegisterRequest",
    "ToldRefunds",
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
    REFUNDED = "refunded"
    """Of a refund, not of a payment: the money is on its way back."""


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
class MethodFacts:
    """What the buyer recognises a payment method by. What the provider did not tell is empty or None."""

    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    wallet: str = ""


@dataclass(frozen=True)
class PspObject:
    """The provider's payment object as it stood when it was read. Amounts are minor units (ISO 4217).

    `our_reference` is the charge id that we put into its metadata, empty if there is none.
    `authorized_minor` is what the provider approved (still capturable plus captured), `captured_minor`
    what it took; `capture_before` is until when the rest can be taken, where the provider tells.
    `charge_reference` is the provider's id of the money movement, empty before there is one.

    Where the buyer pays on the provider's page, `session_reference` is the page's own id, and `reference`
    is empty until the provider has made the payment behind it. `card` is what the object tells of the card
    that was tried or is to pay, if it does; `method` is set where the object is a payment method.

    Of a refund, `payment_reference` is the payment that it gives back, and `is_booked` says that the
    provider has booked it: a release of what was only authorised may look like a refund, and is none.

    `our_checkout` is the store's own id of the checkout that it is for, as we put it into the metadata.
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
    session_reference: str = ""
    payment_reference: str = ""
    is_booked: bool = False
    capture_before: datetime | None = field(default=None, compare=False)
    card: CardFacts | None = field(default=None, compare=False)
    method: MethodFacts | None = field(default=None, compare=False)
    our_checkout: str = field(default="", compare=False)


@dataclass(frozen=True)
class ToldRefunds:
    """What an event tells of refunds: single ones, or how much of a payment has gone back altogether.

    `returned_minor` is None where the event does not tell it.
    """

    refunds: tuple[PspObject, ...]
    payment_reference: str
    our_reference: str = ""
    returned_minor: int | None = None


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
    # Where the call was about a dispute.
    dispute: PspDispute | None = None


@dataclass(frozen=True)
class RegisterRequest:
    """Create the payment object. `our_reference` is the charge id; amounts are minor units.

    `token` is what will pay, so that the answer can tell of its card; nothing is paid with it yet.
    """

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
class PageRequest:
    """Open a page of the provider's on which the buyer pays, until `expires_at`.

    `return_url` is where the provider sends the buyer afterwards, whether they have paid or not.
    """

    nonce: str
    our_reference: str
    amount_minor: int
    currency: str
    capture: Literal["automatic", "manual"]
    description: str
    return_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ConfirmRequest:
    """Pay: `token` is the payment method at the provider, `return_url` where a 3-D Secure step ends."""

    nonce: str
    reference: str
    token: str
    return_url: str


@dataclass(frozen=True)
class CaptureRequest:
    """Take `amount_minor` of authorised money; the rest is given back. `reference` is the payment object."""

    nonce: str
    reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class CancelRequest:
    """Close the object for good, giving back what is authorised. `reference` as in `PspAdapter.query`."""

    nonce: str
    reference: str


@dataclass(frozen=True)
class RefundRequest:
    """Give captured money back. `reference` is the payment object, `our_reference` names this refund.

    `refund_reference` is set where the provider's own id of it is known: then it is only asked about.
    """

    nonce: str
    our_reference: str
    reference: str
    amount_minor: int
    currency: str
    refund_reference: str = ""


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


@dataclass(frozen=True)
class DetachRequest:
    """Take a payment method away from its buyer, so that it can never pay again."""

    nonce: str
    token: str


class PspAdapter(Protocol):
    """One provider. Every function that talks to the network refuses to run inside a transaction."""

    provider: str
    resolves_by: str
    """How an unknown outcome is cleared up: reference, same_key_replay, search or file."""
    key_retention: timedelta
    """How long the provider remembers a nonce; after that a nonce must not be sent again."""
    payment_methods: tuple[str, ...]
    """What a channel can take unless its capabilities say otherwise."""
    wallets: tuple[str, ...]
    """Whose tokens are taken like a card's."""
    currencies: frozenset[str]
    """In which it can be paid at all."""
    authorization_lifetime: timedelta
    """How long authorised money can be taken where the provider does not tell."""
    page_lifetime: tuple[timedelta, timedelta]
    """The shortest and the longest life of a page, from the moment at which it is opened."""

    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        """Create the object at the provider. Moves no money. SUCCEEDED means that it exists.

        `object.card` tells of the card that is to pay, as far as the provider does.
        """
        ...

    def open_page(self, *, channel: ChannelData, request: PageRequest) -> Outcome:
        """Open a page for the buyer. Moves no money by itself.

        PENDING with REQUIRES_ACTION: it is open, `object.session_reference` is what to ask about, and
        `object.redirect_url` where the buyer pays.
        """
        ...

    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        """Pay with the object. May move money. Answers like `query`, REGISTERED excepted (UNKNOWN)."""
        ...

    def capture(self, *, channel: ChannelData, request: CaptureRequest) -> Outcome:
        """Take authorised money; what is not taken is given back. Only once.

        SUCCEEDED: it is CAPTURED. PENDING: the provider will tell. DECLINED: nothing was taken and nothing
        will be by this request; `object.status`, where there is an object, says how the payment stands
        (AUTHORIZED: another try is possible).
        """
        ...

    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Ask how the object stands; `reference` is its own, or that of its page where it has one.

        PENDING for REQUIRES_ACTION and PROCESSING, DECLINED for DECLINED, SUCCEEDED for every other
        status: look at `object.status`. That nothing was found is UNKNOWN, never proof of absence.
        A page on which the buyer can still pay is REQUIRES_ACTION, whatever was refused there before.
        """
        ...

    def cancel(self, *, channel: ChannelData, request: CancelRequest) -> Outcome:
        """Close the object. SUCCEEDED: it is CANCELED or EXPIRED and can no longer charge.

        DECLINED: it could not be closed; `object.status` says how it stands (CAPTURED, say).
        """
        ...

    def refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """Give captured money back; `object` is the refund.

        SUCCEEDED: it is REFUNDED. PENDING: the provider will tell. DECLINED: the money stays.
        """
        ...

    def find_refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """Look for the refund that an earlier `refund` may have made; answers like `refund`.

        That nothing was found is UNKNOWN, never proof of absence.
        """
        ...

    def create_customer(self, *, channel: ChannelData, request: CustomerRequest) -> Outcome:
        """Create the buyer at the provider; `object.reference` is its id, the object's amount is 0."""
        ...

    def attach(self, *, channel: ChannelData, request: AttachRequest) -> Outcome:
        """Bind a payment method to the buyer; `object.reference` is the payment method to pay with."""
        ...

    def detach(self, *, channel: ChannelData, request: DetachRequest) -> Outcome:
        """Take a payment method away from its buyer. SUCCEEDED: it is CANCELED and can pay nothing more."""
        ...

    def find_method(self, *, channel: ChannelData, request: DetachRequest) -> Outcome:
        """Look whether a payment method was taken away from its buyer; answers like `detach`.

        One that is still its buyer's is UNKNOWN with an object that is REGISTERED. That nothing was found is
        UNKNOWN without an object, never proof.
        """
        ...

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        """Return the object that a verified webhook payload tells of; None when it is not about a payment.

        What is told of a page (`session_reference` is set) may leave out facts that `query` returns.
        """
        ...

    def query_dispute(self, *, channel: ChannelData, reference: str) -> Outcome:
        """Ask how a dispute stands: SUCCEEDED with `dispute`, or UNKNOWN."""
        ...

    def submit_evidence(self, *, channel: ChannelData, request: EvidenceRequest) -> Outcome:
        """Answer a dispute, with files. SUCCEEDED: `dispute` carries our answer. DECLINED: it takes none."""
        ...

    def find_evidence(self, *, channel: ChannelData, request: EvidenceRequest) -> Outcome:
        """Look for an answer that may have arrived; one that is not there is UNKNOWN with `dispute`."""
        ...

    def accept_dispute(self, *, channel: ChannelData, request: AcceptDisputeRequest) -> Outcome:
        """Let a dispute stand. SUCCEEDED: `dispute` is lost. DECLINED: it can't be accepted any more."""
        ...

    def find_acceptance(self, *, channel: ChannelData, request: AcceptDisputeRequest) -> Outcome:
        """Look whether a dispute is lost; one that is not is UNKNOWN with `dispute`."""
        ...

    def read_dispute_event(self, *, payload: Mapping[str, Any]) -> PspDispute | None:
        """Return the dispute that a verified webhook payload tells of; None when it is about none."""
        ...

    def read_reversal_event(self, *, payload: Mapping[str, Any]) -> PspReversal | None:
        """Return what a rail took back, if a verified webhook payload tells of that."""
        ...

    def read_refund_event(self, *, payload: Mapping[str, Any]) -> ToldRefunds | None:
        """Return what a verified webhook payload tells of refunds; None when it tells of none.

        A release of what was only authorised is none.
        """
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
