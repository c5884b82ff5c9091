"""How others read what is paid out, where to, and what stops it."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from channels.errors import UnsupportedProvider
from core.canonical import digest
from core.errors import NotFound
from payouts.by_hand.outcomes import OUTCOME_ACTIONS, BatchEnd
from payouts.by_hand.returns import RETURN_ACTION
from payouts.calendar import CALENDARS, is_business_day, next_business_day, previous_business_day
from payouts.desk.places import blocks_at_desk, destinations_at_desk, find_block, find_destination, payouts_to
from payouts.desk.reading import (
    batches_in_doubt,
    find_batch,
    find_payout,
    habits_of,
    payouts_at_desk,
    sendings_in,
    sendings_of,
)
from payouts.desk.story import batch_story, destination_story, payout_story
from payouts.desk.types import BatchAtDesk, Habits, PayoutAtDesk, SendingAtDesk
from payouts.destinations.blocks import list_blocks, standing_block
from payouts.destinations.reading import (
    account_details,
    closed_because,
    get_destination,
    is_usable,
    list_destinations,
    name_evidence,
    twins_of,
    usable_destination,
)
from payouts.engine import gates, instruction
from payouts.engine.approving import ACTION as APPROVE_ACTION
from payouts.engine.approving import subject_of as approval_subject
from payouts.finding import find_payouts, payouts_since
from payouts.looks import BATCH_LOOKS, DESTINATION_LOOKS, PAYOUT_LOOKS, SENDING_LOOKS
from payouts.models import Payout, PayoutAttempt
from payouts.open_values import values_in_state
from payouts.paid_totals import paid_to_sellers
from payouts.payout_lists import get_payout, list_payouts
from payouts.providers.contract import provider_for
from payouts.references import references_in
from payouts.remittance import remittance_of
from payouts.schedules.working_days import schedule_of
from payouts.snapshots import payout_object
from payouts.states import PAYOUT_CANCELABLE
from payouts.types import Gate, InstructionData
from payouts.usual import usual_of

__all__ = [
    "APPROVE_ACTION",
    "BATCH_LOOKS",
    "CALENDARS",
    "DESTINATION_LOOKS",
    "MOVEMENTS",
    "OUTCOME_ACTIONS",
    "PAYOUT_CANCELABLE",
    "PAYOUT_LOOKS",
    "RETURN_ACTION",
    "SENDING_LOOKS",
    "BatchAtDesk",
    "BatchEnd",
    "Habits",
    "PayoutAtDesk",
    "SendingAtDesk",
    "account_details",
    "approval_subject",
    "batch_story",
    "batches_in_doubt",
    "blocks_at_desk",
    "closed_because",
    "destination_story",
    "destinations_at_desk",
    "find_batch",
    "find_block",
    "find_destination",
    "find_payout",
    "find_payouts",
    "get_destination",
    "get_payout",
    "habits_of",
    "instruction_of",
    "is_business_day",
    "is_usable",
    "list_blocks",
    "list_destinations",
    "list_payouts",
    "name_evidence",
    "next_business_day",
    "paid_to_sellers",
    "payout_gates",
    "payout_story",
    "payouts_at_desk",
    "payouts_since",
    "payouts_to",
    "previous_business_day",
    "rail_of",
    "references_in",
    "remittance_of",
    "schedule_of",
    "sendings_in",
    "sendings_of",
    "sendings_to_prove",
    "shown",
    "standing_block",
    "twins_of",
    "usable_destination",
    "usual_of",
    "values_in_state",
]

# The view of what statements must show of pay-out, for set-based work: payouts/sql/movements.sql says
# what its columns are.
MOVEMENTS = "payouts_movement"


def instruction_of(*, payout_id: UUID) -> InstructionData:
    """Return a payout exactly as it would leave now, and the digest of that (hex). Raises NotFound."""
    payout = _find(payout_id)
    leaves = instruction.instruction_of(payout)
    return InstructionData(payout.id, leaves, digest(leaves).hex())


def payout_gates(*, payout_id: UUID) -> Sequence[Gate]:
    """Return everything that must be so before a payout leaves, and whether it is so now. Raises NotFound."""
    return gates.gates_of(_find(payout_id))


def rail_of(*, provider: str) -> str | None:
    """Return what names the accounts of payouts over a provider; None for one that pays nobody out."""
    try:
        return provider_for(provider).rail
    except UnsupportedProvider:
        return None


def sendings_to_prove(*, sending_ids: Collection[UUID], returned: bool = False) -> set[UUID]:
    """Return those of these sendings of which it would be news that they were paid, or came `returned`."""
    states = ("SENT", "UNKNOWN", "ACCEPTED", *(["PAID"] if returned else []))
    found = PayoutAttempt.objects.filter(pk__in=sending_ids, status__in=states)
    return set(found.values_list("pk", flat=True))


def shown(*, payout: Payout) -> dict[str, Any]:
    """Return the payout object of a payout that a service returned."""
    return payout_object(payout)


def _find(payout_id: UUID) -> Payout:
    payout = Payout.objects.filter(pk=payout_id).select_related("destination", "seller").first()
    if payout is None:
        raise NotFound()
    return payout
