"""How others read what is paid out, where to, and what stops it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from core.canonical import digest
from core.errors import NotFound
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
from payouts.models import Payout
from payouts.paid_totals import paid_to_sellers
from payouts.payout_lists import get_payout, list_payouts
from payouts.remittance import remittance_of
from payouts.schedules.working_days import schedule_of
from payouts.snapshots import payout_object
from payouts.types import Gate, InstructionData
from payouts.usual import usual_of

__all__ = [
    "account_details",
    "closed_because",
    "get_destination",
    "get_payout",
    "instruction_of",
    "is_usable",
    "list_blocks",
    "list_destinations",
    "list_payouts",
    "name_evidence",
    "paid_to_sellers",
    "payout_gates",
    "remittance_of",
    "schedule_of",
    "shown",
    "standing_block",
    "twins_of",
    "usable_destination",
    "usual_of",
]


def instruction_of(*, payout_id: UUID) -> InstructionData:
    """Return a payout exactly as it would leave now, and the digest of that (hex). Raises NotFound."""
    payout = _find(payout_id)
    leaves = instruction.instruction_of(payout)
    return InstructionData(payout.id, leaves, digest(leaves).hex())


def payout_gates(*, payout_id: UUID) -> Sequence[Gate]:
    """Return everything that must be so before a payout leaves, and whether it is so now. Raises NotFound."""
    return gates.gates_of(_find(payout_id))


def shown(*, payout: Payout) -> dict[str, Any]:
    """Return the payout object of a payout that a service returned."""
    return payout_object(payout)


def _find(payout_id: UUID) -> Payout:
    payout = Payout.objects.filter(pk=payout_id).select_related("destination", "seller").first()
    if payout is None:
        raise NotFound()
    return payout
