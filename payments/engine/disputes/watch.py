"""Disputes that nobody answers in time, and disputes of which nothing was heard for a while."""

from datetime import timedelta
from uuid import UUID

import structlog

from channels.selectors import get_channel
from channels.services import record_calls
from core import clock
from core.alerts import Alert, raise_alert
from core.history import Changes
from core.ids import public_id
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.engine.disputes.locks import lock_silent_disputes
from payments.engine.disputes.observe import take_dispute
from payments.engine.disputes.policy import deadline_hours
from payments.engine.disputes.verdicts import DEADLINE
from payments.models import Dispute
from payments.psp.contract import Outcome, adapter_for

__all__ = ["ALERTS", "ask_about_disputes", "watch_disputes"]

log = structlog.get_logger(__name__)

ALERTS = (
    Alert(
        DEADLINE,
        "A dispute must be answered",
        "When its time is over without an answer, the money is lost. Answer it, or let it stand.",
        timedelta(hours=24),
        page="console:disputes",
        query="",
    ),
)
_SILENCE = timedelta(hours=6)
_PORTION = 50


@requires_transaction
def watch_disputes() -> int:
    """Raise an alert for each dispute whose time to answer is nearly over; return how many are new."""
    until = clock.now() + timedelta(hours=deadline_hours())
    rows = Dispute.objects.filter(
        status__in=("INQUIRY", "OPEN"), evidence_sent_at__isnull=True, evidence_due_at__lte=until
    )
    raised = 0
    for dispute in rows.order_by("evidence_due_at")[:500]:
        due = dispute.evidence_due_at
        told = raise_alert(
            DEADLINE,
            subject=public_id("dp", dispute.id),
            summary=f"{dispute.psp_reference} ({dispute.reason}) must be answered by"
            f" {due:%Y-%m-%d %H:%M} UTC",
            detail={"dispute_id": str(dispute.id)},
            value_minor=dispute.amount_minor,
            currency=dispute.currency,
            merchant_id=dispute.merchant_id,
        )
        raised += told is not None
    return raised


@forbids_transaction
def ask_about_disputes() -> int:
    """Ask the provider about open disputes of which nothing was asked for hours; return how many.

    Webhooks tell first; this is for those that were lost.
    """
    asked = at_edge(_due)()
    for dispute_id, channel_id, reference in asked:
        channel = get_channel(channel_id=channel_id)
        outcome = adapter_for(channel.provider).query_dispute(channel=channel, reference=reference)
        try:
            at_edge(_apply)(channel_id, outcome)
        except Exception:
            # One that cannot be taken must not keep the others waiting; it is asked about again.
            log.exception("dispute_not_applied", dispute_id=str(dispute_id))
    return len(asked)


@requires_transaction
def _due() -> list[tuple[UUID, UUID, str]]:
    now = clock.now()
    found = lock_silent_disputes(asked_before=now - _SILENCE, limit=_PORTION)
    Dispute.objects.filter(id__in=[key for key, *_ in found]).update(asked_at=now)
    return found


@requires_transaction
def _apply(channel_id: UUID, outcome: Outcome) -> None:
    changes = Changes()
    record_calls(calls=outcome.calls, changes=changes)
    changes.save()
    if outcome.dispute is not None:
        take_dispute(channel_id=channel_id, seen=outcome.dispute)
