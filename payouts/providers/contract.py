"""What every payout provider's adapter does, in words that do not depend on the provider.

An adapter talks to the provider and says what came of it; it writes nothing and decides nothing. Payouts are
sent in batches, because files and payables APIs take them so; a provider that takes one at a time has a
`max_batch` of 1. No exception leaves an adapter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from channels.errors import UnsupportedProvider
from channels.types import CallRecord, ChannelData

__all__ = [
    "BatchKind",
    "BatchOrder",
    "BatchOutcome",
    "Instruction",
    "Message",
    "News",
    "NewsKind",
    "PayoutFailure",
    "PayoutProvider",
    "provider_for",
    "register_provider",
]


class BatchKind(StrEnum):
    """How sending a batch ended. A time-out is not a failure."""

    TAKEN = "taken"
    """The provider has the batch; what it said of each payout is in the news."""
    REFUSED = "refused"
    """Refused whole and for good: nothing of it will be paid."""
    NOT_SENT = "not_sent"
    """Provably never arrived: the same batch may be sent again."""
    UNKNOWN = "unknown"
    """Sent, and there is no trustworthy answer. Ask; never send under another reference."""
    ABSENT = "absent"
    """Asked about, and the provider proves that it never had it. Only where `proves_absence` says so."""


class NewsKind(StrEnum):
    """What a provider says of one payout. Later ones are never undone by earlier ones that come late."""

    ACCEPTED = "accepted"
    PAID = "paid"
    REFUSED = "refused"
    RETURNED = "returned"
    UNKNOWN = "unknown"
    """The provider does not say, or says that it does not know."""


@dataclass(frozen=True)
class PayoutFailure:
    """Why a payout was refused or returned.

    `code` is our public code (docs/reference), `message` is fit for a seller's eyes, `provider_code` is the
    provider's own word (an ISO 20022 reason such as AC04, where it has one). `is_of_destination` says that
    the account itself is bad, so that nothing more should be sent to it.
    """

    code: str
    message: str
    provider_code: str = ""
    is_of_destination: bool = False


@dataclass(frozen=True)
class Instruction:
    """One payout as it leaves: everything the provider is told, and nothing else.

    `reference` is unique for ever and the provider's idempotency key. Amounts are minor units (ISO 4217).
    `details` is the decrypted account by the destination's kind: `iban` {holder_name, iban, bic?},
    `us_account` {holder_name, routing_number, account_number, account_type}, `stripe_account` {account}.
    `payee_reference` names the destination at the provider; `remittance` is what the seller reads, at most
    140 characters.
    """

    reference: str
    payout_id: str
    payee_reference: str
    kind: Literal["iban", "us_account", "stripe_account"]
    country: str
    details: Mapping[str, str]
    amount_minor: int
    currency: str
    remittance: str


@dataclass(frozen=True)
class BatchOrder:
    """A batch as it leaves. The same order gives the same bytes whenever it is built again.

    `created_at` is when it was first sent, not now; `file_name` is set where the provider takes files.
    `last_sent_at` is no part of the bytes: what is still under way may be as young as that.
    """

    reference: str
    currency: str
    execute_on: date
    created_at: datetime
    instructions: Sequence[Instruction]
    file_name: str | None = None
    sha256: bytes | None = None
    last_sent_at: datetime | None = None


@dataclass(frozen=True)
class News:
    """What the provider says of one payout; `reference` is ours, as in its Instruction.

    `amount_minor` and `currency` are what the provider says that it pays, None where it does not say: the
    caller compares. `occurred_at` is the provider's own time of it.
    """

    reference: str
    kind: NewsKind
    provider_reference: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    failure: PayoutFailure | None = None
    arrival_date: date | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class BatchOutcome:
    """How a call about a batch ended, what it told of the payouts in it, and the evidence."""

    kind: BatchKind
    news: tuple[News, ...] = ()
    error: str = ""
    failure: PayoutFailure | None = None
    provider_reference: str | None = None
    calls: tuple[CallRecord, ...] = field(default=())


@dataclass(frozen=True)
class Message:
    """A batch as bytes, where it leaves as a file: to look at, to hash, to send."""

    file_name: str
    content: bytes


class PayoutProvider(Protocol):
    """One provider: `name` is its channels', `rail` names the account of what is in transit."""

    @property
    def name(self) -> str: ...

    @property
    def rail(self) -> str: ...

    @property
    def max_batch(self) -> int:
        """How many payouts it takes at once."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of destination it can pay."""

    @property
    def currencies(self) -> frozenset[str] | None:
        """The currencies it pays; None: those that the channel's capabilities name."""

    @property
    def proves_absence(self) -> bool:
        """Whether asking can prove that a batch never arrived (ABSENT), so that it may be sent again."""

    def message(self, channel: ChannelData, order: BatchOrder) -> Message | None:
        """Return the file that the batch leaves as; None where it is sent call by call. No network."""

    def submit(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Send the batch under its references. Sending the same one again pays nobody twice."""

    def ask(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Ask what became of the batch and of each payout in it; changes nothing at the provider."""

    def read(self, channel: ChannelData, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """Return what a verified callback of the provider says; empty for what is none of our business."""


_PROVIDERS: dict[str, PayoutProvider] = {}


def register_provider(provider: PayoutProvider) -> None:
    """Make a provider known; the app calls it in `ready()`."""
    _PROVIDERS[provider.name] = provider


def provider_for(name: str) -> PayoutProvider:
    """Return the adapter of a channel's provider. Raises UnsupportedProvider."""
    try:
        return _PROVIDERS[name]
    except KeyError:
        raise UnsupportedProvider from None
