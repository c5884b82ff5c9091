"""What providers tell of disputes and reversals, and what is said to them, in words of no provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

__all__ = [
    "EVIDENCE_FILES",
    "EVIDENCE_TEXTS",
    "AcceptDisputeRequest",
    "DisputeStage",
    "EvidenceFile",
    "EvidenceRequest",
    "PspDispute",
    "PspMovement",
    "PspReversal",
]

# What an answer may say, and what it may prove it with: the names that our API and every adapter use.
EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "explanation",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
)
EVIDENCE_FILES = (
    "cancellation_policy",
    "case_file",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
)


class DisputeStage(StrEnum):
    """How far a dispute is, at the provider."""

    INQUIRY = "inquiry"
    INQUIRY_ANSWERED = "inquiry_answered"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    INQUIRY_CLOSED = "inquiry_closed"
    PREVENTED = "prevented"
    """Settled before it became a chargeback."""
    LOST = "lost"
    WON = "won"


@dataclass(frozen=True)
class PspMovement:
    """Money that changed hands for a dispute; minor units, never negative.

    Withdrawn: `amount_minor` and `fee_minor` left us; reinstated: they came back.
    """

    reference: str
    is_withdrawal: bool
    amount_minor: int
    fee_minor: int
    currency: str
    moved_at: datetime


@dataclass(frozen=True)
class PspDispute:
    """A dispute as it stood when it was read. `payment_reference` is that of the disputed payment object.

    `evidence_mark` is the name of the answer that we put into it last; empty if there is none.
    """

    reference: str
    payment_reference: str
    stage: DisputeStage
    amount_minor: int
    currency: str
    reason: str
    network_reason_code: str
    opened_at: datetime
    evidence_due_at: datetime | None
    submissions: int
    evidence_mark: str
    movements: tuple[PspMovement, ...]


@dataclass(frozen=True)
class PspReversal:
    """A captured payment that its rail took back, whole: `reference` is the movement that says so."""

    payment_reference: str
    reference: str
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True)
class EvidenceFile:
    """One file of an answer; `nonce` is what its upload is always sent under."""

    nonce: str
    part: str
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class EvidenceRequest:
    """Answer a dispute, for good. `our_reference` names this answer; texts by name."""

    nonce: str
    our_reference: str
    reference: str
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: tuple[EvidenceFile, ...] = ()


@dataclass(frozen=True)
class AcceptDisputeRequest:
    """Let a dispute stand, for good."""

    nonce: str
    reference: str
