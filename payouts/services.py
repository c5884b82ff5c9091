"""The only way to change what is paid out, where to, and what stops it."""

from payouts.destinations.adding import add_destination
from payouts.destinations.blocks import lift_block, place_block
from payouts.destinations.deciding import (
    make_default,
    reject_destination,
    remove_destination,
    verify_destination,
)

__all__ = [
    "add_destination",
    "lift_block",
    "make_default",
    "place_block",
    "reject_destination",
    "remove_destination",
    "verify_destination",
]
