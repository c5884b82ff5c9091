"""What a merchant decides about its sellers' destinations."""

from datetime import timedelta
from uuid import UUID

from core.ids import public_id
from core.settings_store import Declared, get_settings

__all__ = ["SETTINGS", "policy_of"]

_HOURS = 336
_MOST = 100


def _hours(value: int) -> None:
    if not 0 <= value <= _HOURS:
        raise ValueError(f"from 0 to {_HOURS} hours, which is two weeks.")


def _count(value: int) -> None:
    if not 1 <= value <= _MOST:
        raise ValueError(f"from 1 to {_MOST}.")


_COOL_DOWN = Declared(
    "payouts.destination_cool_down_hours",
    "How long nothing is sent to a destination that was added, the first one included: time for the seller to"
    " hear of it and object. It holds for destinations that are added from then on. The scope is a mer_…",
    int,
    48,
    _hours,
)
_LIMIT = Declared(
    "payouts.destinations_per_seller",
    "How many destinations a seller may have at once. The scope is a mer_…",
    int,
    10,
    _count,
)
SETTINGS = (_COOL_DOWN, _LIMIT)


def policy_of(merchant_id: UUID) -> tuple[timedelta, int]:
    """Return how long a new destination cools down, and how many a seller may have."""
    names = [each.name for each in SETTINGS]
    values = get_settings(names=names, scope=public_id("mer", merchant_id))
    return timedelta(hours=values[_COOL_DOWN.name]), values[_LIMIT.name]
