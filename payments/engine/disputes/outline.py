"""What the desk of disputes shows of one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from core.money import format_minor
from payments.models import Dispute, DisputeEvidence, DisputeLine, DisputeMovement, PspOperation
from payments.states import OPERATION_OPEN

__all__ = ["DisputeCase", "DisputeMove", "DisputePart", "DisputePiece", "dispute_case", "disputes_to_answer"]


@dataclass(frozen=True)
class DisputePart:
    """How much is of one order, and who bears it; `plain` is the amount as it is typed."""

    order_id: UUID
    payment_order_id: str
    seller_account: str
    amount_minor: int
    seller_minor: int
    commission_minor: int
    tax_minor: int
    plain: str


@dataclass(frozen=True)
class DisputePiece:
    """One piece of an answer; `text` is empty for a file."""

    field: str
    text: str
    file_name: str
    size: int
    is_sent: bool
    created_at: datetime


@dataclass(frozen=True)
class DisputeMove:
    """Money that changed hands, in minor units."""

    psp_reference: str
    kind: str
    amount_minor: int
    fee_minor: int
    moved_at: datetime


@dataclass(frozen=True)
class DisputeCase:
    """A dispute, of a checkout or of a top-up; amounts in minor units. `is_busy`: an answer is on its way."""

    id: UUID
    merchant_id: UUID
    checkout_id: UUID | None
    top_up_id: UUID | None
    psp_reference: str
    status: str
    reason: str
    network_reason_code: str
    amount_minor: int
    currency: str
    fee_minor: int
    taken_minor: int
    borne_by: str
    evidence_due_at: datetime | None
    evidence_sent_at: datetime | None
    opened_at: datetime
    is_busy: bool = False
    lines: tuple[DisputePart, ...] = ()
    pieces: tuple[DisputePiece, ...] = ()
    movements: tuple[DisputeMove, ...] = ()


def disputes_to_answer(*, limit: int) -> list[DisputeCase]:
    """Return disputes that are not decided, those that must be answered first at the top, then the newest
    decided ones."""
    rows = Dispute.objects.select_related("charge")
    waiting = rows.filter(status__in=("INQUIRY", "OPEN"), evidence_sent_at__isnull=True)
    found = list(waiting.order_by(F("evidence_due_at").asc(nulls_last=True), "id")[:limit])
    rest = rows.exclude(pk__in=[each.pk for each in found]).order_by("-pk")
    found += rest[: limit - len(found)]
    return [_case(each) for each in found]


def dispute_case(*, dispute_id: UUID) -> DisputeCase | None:
    """Return one dispute with all that belongs to it; None when there is no such dispute."""
    dispute = Dispute.objects.select_related("charge").filter(pk=dispute_id).first()
    if dispute is None:
        return None
    lines = DisputeLine.objects.filter(dispute=dispute).select_related("order").order_by("order__position")
    pieces = DisputeEvidence.objects.filter(dispute=dispute, replaced_at__isnull=True).order_by("field")
    busy = PspOperation.objects.filter(dispute=dispute, status__in=OPERATION_OPEN)
    return _case(
        dispute,
        is_busy=busy.exists(),
        lines=tuple(
            DisputePart(
                line.order_id,
                line.order.payment_order_id,
                line.order.seller_account,
                line.amount_minor,
                line.seller_minor,
                line.commission_minor,
                line.tax_minor,
                format_minor(line.amount_minor, dispute.currency),
            )
            for line in lines
        ),
        pieces=tuple(
            DisputePiece(
                each.field.replace("_", " "),
                each.text,
                each.file_name,
                each.size,
                each.operation_id is not None,
                each.created_at,
            )
            for each in pieces
        ),
        movements=tuple(
            DisputeMove(each.psp_reference, each.kind, each.amount_minor, each.fee_minor, each.moved_at)
            for each in DisputeMovement.objects.filter(dispute=dispute).order_by("number")
        ),
    )


def _case(dispute: Dispute, **more: object) -> DisputeCase:
    return DisputeCase(
        id=dispute.id,
        merchant_id=dispute.merchant_id,
        checkout_id=dispute.charge.checkout_id,
        top_up_id=dispute.charge.top_up_id,
        psp_reference=dispute.psp_reference,
        status=dispute.status,
        reason=dispute.reason,
        network_reason_code=dispute.network_reason_code,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        fee_minor=dispute.fee_minor,
        taken_minor=dispute.taken_minor,
        borne_by=dispute.borne_by,
        evidence_due_at=dispute.evidence_due_at,
        evidence_sent_at=dispute.evidence_sent_at,
        opened_at=dispute.opened_at,
        **more,  # type: ignore[arg-type]
    )
