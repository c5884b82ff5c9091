"""Who bears a lost dispute and its fee, and from what amount two people decide."""

from typing import Any
from uuid import UUID

from core.ids import public_id
from core.settings_store import Declared, get_setting

__all__ = [
    "SETTINGS",
    "deadline_hours",
    "fee_bearer",
    "loss_bearer",
    "needs_two_people",
]

_OTHERS = "*"


def _bearer(value: str) -> None:
    if value not in ("seller", "platform"):
        raise ValueError("it is either seller or platform")


def _bounds(value: dict[str, Any]) -> None:
    for currency, minor in value.items():
        if type(minor) is not int or minor < 0:
            raise ValueError(f"{currency}: whole minor units, zero or more")
    if _OTHERS not in value:
        raise ValueError(f"{_OTHERS} says what holds for every other currency")


def _hours(value: int) -> None:
    if not 1 <= value <= 720:
        raise ValueError("between one hour and 30 days")


LOSS = Declared(
    name="payments.dispute_loss",
    says="Who bears a lost dispute: the seller, who gets the commission back, or the platform. It holds for"
    " disputes that are lost from then on. The scope is a mer_…",
    kind=str,
    default="seller",
    check=_bearer,
)
FEE = Declared(
    name="payments.dispute_fee",
    says="Who bears the provider's fee of a lost dispute: the seller, to whom it is recharged, or the"
    " platform. The scope is a mer_…",
    kind=str,
    default="seller",
    check=_bearer,
)
TWO_PEOPLE = Declared(
    name="payments.dispute_two_people_from",
    says="From which amount on two people accept a dispute or assign it to other orders: minor units by"
    " currency, * for every other one. The scope is a mer_…",
    kind=dict,
    default={_OTHERS: 10_000},
    check=_bounds,
)
DEADLINE = Declared(
    name="payments.dispute_deadline_hours",
    says="So long before the time to answer is over, a dispute without an answer becomes an alert.",
    kind=int,
    default=72,
    check=_hours,
)
SETTINGS = (LOSS, FEE, TWO_PEOPLE, DEADLINE)


def loss_bearer(*, merchant_id: UUID) -> str:
    """Return who bears a loss now: seller or platform."""
    return str(get_setting(name=LOSS.name, scope=public_id("mer", merchant_id)))


def fee_bearer(*, merchant_id: UUID) -> str:
    """Return who bears the fee of a loss now: seller or platform."""
    return str(get_setting(name=FEE.name, scope=public_id("mer", merchant_id)))


def needs_two_people(*, merchant_id: UUID, amount_minor: int, currency: str) -> bool:
    """Say whether a decision about so much needs a second person."""
    bounds = get_setting(name=TWO_PEOPLE.name, scope=public_id("mer", merchant_id))
    return bool(amount_minor >= bounds.get(currency, bounds[_OTHERS]))


def deadline_hours() -> int:
    """Return how long before the end an unanswered dispute is an alert."""
    return int(get_setting(name=DEADLINE.name))
