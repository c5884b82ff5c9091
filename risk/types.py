"""What crosses the door of risk: frozen values in, frozen values out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

__all__ = [
    "APPROVE",
    "DECLINE",
    "REVIEW",
    "Assessment",
    "CardFacts",
    "DryRunReport",
    "Hit",
    "OrderFacts",
    "OutcomeFacts",
    "PaymentFacts",
    "RuleDraft",
    "Who",
]

APPROVE, REVIEW, DECLINE = "approve", "review", "decline"


@dataclass(frozen=True)
class Who:
    """What is known of the buyer and where they are; never stored as it is, only as keyed digests.

    `method` is the provider's token of what they pay with. Countries are ISO 3166-1 alpha-2, or empty.
    """

    buyer_account: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    ip: str = field(default="", repr=False)
    device_id: str = field(default="", repr=False)
    method: str = field(default="", repr=False)
    billing_country: str = ""
    shipping_country: str = ""
    ip_country: str = ""


@dataclass(frozen=True)
class OrderFacts:
    """One seller's part; `amount_minor` in minor units of `currency`."""

    seller_account: str
    seller_country: str
    seller_since: datetime
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class PaymentFacts:
    """A payment that asks to be let in. `subject_id` is what the answer is about (a checkout)."""

    merchant_id: UUID
    subject_id: UUID
    payment_method: str
    orders: tuple[OrderFacts, ...]
    who: Who


@dataclass(frozen=True)
class CardFacts:
    """What the provider tells of a card. `fingerprint` names the card and is stored as a digest only.

    `avs` and `cvc` are pass, fail, unavailable or unchecked; empty where nothing was said.
    """

    fingerprint: str = field(default="", repr=False)
    brand: str = ""
    country: str = ""
    bin: str = ""
    avs: str = ""
    cvc: str = ""


@dataclass(frozen=True)
class OutcomeFacts:
    """What became of one try to take the money: paid, or declined with our code."""

    merchant_id: UUID
    subject_id: UUID
    result: Literal["paid", "declined"]
    amount_minor: int
    currency: str
    who: Who
    card: CardFacts | None = None
    decline_code: str = ""


@dataclass(frozen=True)
class Hit:
    """One rule that said something. `decision` is empty where only the score counts.

    A shadow rule's hit is recorded and has no effect. `error` is set where the rule broke and its own
    policy stands in for it.
    """

    rule: str
    version: int
    decision: str
    score: int
    reason: str
    is_shadow: bool = False
    error: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessment:
    """What was decided about a payment, and why.

    `pending_external`: the rules let it pass, and somebody slow outside is still to be asked.
    """

    decision: str
    score: int
    reasons: tuple[str, ...]
    hits: tuple[Hit, ...]
    pending_external: bool = False


@dataclass(frozen=True)
class RuleDraft:
    """A rule as a person writes it. `decision` is empty, or what a hit means whatever the score."""

    name: str
    kind: str
    params: Mapping[str, Any]
    score: int
    decision: str
    reason: str
    on_error: str


@dataclass(frozen=True)
class DryRunReport:
    """What one version of a rule would have changed.

    `changed` counts payments by "before>after"; `value` is what changed, in minor units by currency;
    `paid` is how many of the changed ones were paid; `is_whole` says whether all of the time was examined.
    """

    examined: int
    changed: Mapping[str, int]
    value: Mapping[str, int]
    paid: int
    samples: tuple[Mapping[str, Any], ...]
    is_whole: bool
