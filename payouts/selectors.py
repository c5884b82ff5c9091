"""How others read what is paid out, where to, and what stops it."""

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

__all__ = [
    "account_details",
    "closed_because",
    "get_destination",
    "is_usable",
    "list_blocks",
    "list_destinations",
    "name_evidence",
    "standing_block",
    "twins_of",
    "usable_destination",
]
