"""What a payout costs, how small and how large it may be, and when a second person must say yes.

Rules without a database, and the settings that people change them by. Amounts are minor units (ISO 4217).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.currencies import ISO_EXPONENTS
from core.ids import public_id
from core.settings_store import Declared, get_settings
from ledger.templates.rounding import half_up

__all__ = ["SETTINGS", "PayoutPolicy", "Price", "policies_of", "policy_of"]

# A bigint's room: nothing that is set or computed here may leave it.
_MOST = 10**15
_BPS = 10_000
_OTHERS = "*"


def _currencies(value: dict[str, Any], *, others: bool) -> None:
    for code in value:
        if code not in ISO_EXPONENTS and not (others and code == _OTHERS):
            raise ValueError(f"{code} is no currency")


def _minor(name: str, minor: object) -> None:
    if type(minor) is not int or not 0 <= minor <= _MOST:
        raise ValueError(f"{name}: whole minor units, zero or more")


def _check_amounts(value: dict[str, Any]) -> None:
    _currencies(value, others=True)
    for code, minor in value.items():
        _minor(code, minor)


def _check_bounds(value: dict[str, Any]) -> None:
    _check_amounts(value)
    if _OTHERS not in value:
        raise ValueError(f"{_OTHERS} says what holds for every other currency")


def _check_parts(value: dict[str, Any], *names: str, others: bool) -> None:
    _currencies(value, others=others)
    for code, parts in value.items():
        if not isinstance(parts, dict) or not parts or set(parts) - set(names):
            raise ValueError(f"{code}: an object with {' and '.join(names)}, or one of them")
        for name, number in parts.items():
            _minor(f"{code}.{name}", number)


def _check_fees(value: dict[str, Any]) -> None:
    _check_parts(value, "fixed_minor", "bps", others=True)
    for code, parts in value.items():
        if parts.get("bps", 0) > _BPS:
            raise ValueError(f"{code}.bps: at most {_BPS}")
    if value.get(_OTHERS, {}).get("fixed_minor"):
        raise ValueError("a fixed fee needs its currency: * has basis points only")


def _check_limits(value: dict[str, Any]) -> None:
    _check_parts(value, "per_payout_minor", "per_day_minor", others=False)


REVIEW_ABOVE = Declared(
    name="payouts.review_above",
    says="Above which amount a payout needs the yes of a second person: minor units by currency, * for every"
    " other one. At zero every payout needs one. The scope is a mer_…",
    kind=dict,
    default={_OTHERS: 0},
    check=_check_bounds,
)
FEE = Declared(
    name="payouts.fee",
    says="What a seller pays for a payout, beside it: fixed_minor and bps of its amount by currency; * (bps"
    " only) for every other one. Never more than the amount. The scope is a mer_…",
    kind=dict,
    default={},
    check=_check_fees,
)
MINIMUM = Declared(
    name="payouts.minimum",
    says="The smallest payout: minor units by currency, * for every other one. The scope is a mer_…",
    kind=dict,
    default={},
    check=_check_amounts,
)
LIMITS = Declared(
    name="payouts.limits",
    says="The most that leaves for one seller: per_payout_minor at once and per_day_minor in a day (UTC), by"
    " currency. The scope is a mer_…",
    kind=dict,
    default={},
    check=_check_limits,
)
RETURN_FEE = Declared(
    name="payouts.return_fee",
    says="What is kept of a payout that the bank sends back: minor units by currency, * for every other one."
    " Never more than came back. The scope is a mer_…",
    kind=dict,
    default={},
    check=_check_amounts,
)
SETTINGS = (REVIEW_ABOVE, FEE, MINIMUM, LIMITS, RETURN_FEE)


@dataclass(frozen=True)
class Price:
    """What a payout costs its seller: a fixed part and basis points of the amount."""

    fixed_minor: int = 0
    bps: int = 0

    def of(self, amount_minor: int) -> int:
        """Return the fee of a payout: half up to the minor unit, and never more than its amount."""
        return min(amount_minor, half_up(amount_minor * self.bps, _BPS) + self.fixed_minor)

    def most_for(self, available_minor: int) -> int:
        """Return the largest amount that can be paid, with its fee, out of so much; zero for none."""
        # A larger amount never has a smaller fee, so that amount and fee grow together: halve and look.
        fits, too_much = 0, available_minor + 1
        while too_much - fits > 1:
            middle = (fits + too_much) // 2
            if middle + self.of(middle) <= available_minor:
                fits = middle
            else:
                too_much = middle
        return fits


@dataclass(frozen=True)
class PayoutPolicy:
    """What holds for payouts of one merchant in one currency. None: no limit."""

    price: Price = Price()
    review_above_minor: int = 0
    minimum_minor: int = 1
    per_payout_minor: int | None = None
    per_day_minor: int | None = None
    return_price_minor: int = 0

    def fee_of(self, amount_minor: int) -> int:
        """Return what the seller pays for a payout of so much, beside it."""
        return self.price.of(amount_minor)

    def needs_review(self, amount_minor: int) -> bool:
        """Say whether a second person must say yes."""
        return amount_minor > self.review_above_minor

    def is_below_minimum(self, amount_minor: int) -> bool:
        """Say whether it is too little to be sent."""
        return amount_minor < self.minimum_minor

    def limit_broken(self, amount_minor: int, *, today_minor: int) -> str | None:
        """Return which limit a payout would break, `per_payout` or `per_day`; None when it is within both.

        `today_minor` is what was asked for before for the seller on the same day and was not taken back.
        """
        if self.per_payout_minor is not None and amount_minor > self.per_payout_minor:
            return "per_payout"
        if self.per_day_minor is not None and today_minor + amount_minor > self.per_day_minor:
            return "per_day"
        return None

    def return_fee_of(self, returned_minor: int) -> int:
        """Return what is kept of a payout that came back."""
        return min(returned_minor, self.return_price_minor)


def policy_of(*, merchant_id: UUID, currency: str, at: datetime | None = None) -> PayoutPolicy:
    """Return what holds for a merchant's payouts in a currency, now unless a moment is given."""
    values = get_settings(names=[each.name for each in SETTINGS], scope=public_id("mer", merchant_id), at=at)
    return _policy(values, currency)


def policies_of(
    *, merchant_id: UUID, currencies: list[str], at: datetime | None = None
) -> dict[str, PayoutPolicy]:
    """Return the policies of several currencies, with one look at the settings."""
    values = get_settings(names=[each.name for each in SETTINGS], scope=public_id("mer", merchant_id), at=at)
    return {currency: _policy(values, currency) for currency in currencies}


def _policy(values: Mapping[str, Any], currency: str) -> PayoutPolicy:
    def held(setting: Declared, default: Any) -> Any:
        value = values[setting.name]
        return value.get(currency, value.get(_OTHERS, default))

    limits = held(LIMITS, {})
    return PayoutPolicy(
        price=Price(**held(FEE, {})),
        review_above_minor=held(REVIEW_ABOVE, 0),
        minimum_minor=max(1, held(MINIMUM, 1)),
        per_payout_minor=limits.get("per_payout_minor"),
        per_day_minor=limits.get("per_day_minor"),
        return_price_minor=held(RETURN_FEE, 0),
    )
