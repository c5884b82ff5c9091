"""Money at the edges, integer minor units inside, and one exact conversion between them.

Nothing here rounds: an amount that does not fit the currency's minor unit raises.
"""

import re
from decimal import Decimal, localcontext
from functools import cache

import moneyed
from moneyed import Money

from core.currencies import EXPONENTS, ISO_EXPONENTS
from core.errors import DomainError

__all__ = [
    "MAX_MINOR_PER_CHECKOUT",
    "MAX_MINOR_PER_ORDER",
    "AmountTooLarge",
    "InexactAmount",
    "InvalidAmount",
    "InvalidCurrency",
    "Money",
    "check_currency",
    "exponent",
    "format_minor",
    "from_minor",
    "parse_amount",
    "to_minor",
]

MAX_MINOR_PER_ORDER = 10**12
MAX_MINOR_PER_CHECKOUT = 10**14

# Far above what a bigint holds: beyond it an amount is a mistake, and decimal arithmetic would round it.
_MAX_DIGITS = 28

# Our private units, and currencies younger than the money library's list.
for _code, _exponent in EXPONENTS.items():
    if _code not in moneyed.CURRENCIES:
        moneyed.add_currency(_code, None, 10**_exponent, _code)


class InvalidCurrency(DomainError):
    code = "invalid_currency"
    status = 422
    message = "The currency is not an active ISO 4217 code."


class InvalidAmount(DomainError):
    code = "invalid_amount"
    status = 422
    message = "The amount must be a positive decimal string that fits the currency."


class AmountTooLarge(DomainError):
    code = "amount_too_large"
    status = 422
    message = "The amount is above the limit."


class InexactAmount(ValueError):
    """An amount has more decimals than its currency, or is not a finite number."""


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency (JPY 0, USD 2, KWD 3).

    Raises InvalidCurrency for codes that are not active ISO 4217 or declared private units.
    """
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise InvalidCurrency() from None


def check_currency(currency: object) -> str:
    """Return the code if buyers can pay in it (active ISO 4217, upper case); else raise InvalidCurrency."""
    if isinstance(currency, str) and currency in ISO_EXPONENTS:
        return currency
    raise InvalidCurrency()


def to_minor(money: Money) -> int:
    """Return exact minor units (KWD 1.234 -> 1234).

    Raises InexactAmount rather than round, and for anything but Money; AmountTooLarge for absurd amounts.
    """
    if not isinstance(money, Money):
        raise InexactAmount(f"not Money: {type(money).__name__}")
    amount = money.amount
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise InexactAmount(f"not a finite amount: {amount!r}")
    if amount.adjusted() >= _MAX_DIGITS:
        raise AmountTooLarge()
    # The default context rounds to 28 digits, so that a thirtieth decimal would vanish without a word.
    with localcontext(prec=len(amount.as_tuple().digits) + _MAX_DIGITS):
        scaled = amount.scaleb(exponent(money.currency.code))
        if scaled != scaled.to_integral_value():
            raise InexactAmount(f"{money.currency.code} has fewer decimals than {amount}")
        return int(scaled)


def from_minor(amount_minor: int, currency: str) -> Money:
    """Return the Money worth that many minor units.

    Raises InexactAmount for anything but an integer, AmountTooLarge for absurd amounts.
    """
    _check_integer(amount_minor)
    if abs(amount_minor) >= 10**_MAX_DIGITS:
        raise AmountTooLarge()
    return Money(Decimal(amount_minor).scaleb(-exponent(currency)), currency)


def format_minor(amount_minor: int, currency: str) -> str:
    """Return the decimal string with exactly the currency's decimals (1234 KWD -> "1.234").

    Raises InexactAmount for anything but an integer.
    """
    _check_integer(amount_minor)
    digits = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def _check_integer(amount_minor: int) -> None:
    if type(amount_minor) is not int:
        raise InexactAmount(f"minor units must be an integer, not {type(amount_minor).__name__}")


@cache
def _amount_pattern(digits: int) -> re.Pattern[str]:
    fraction = rf"(?:\.([0-9]{{1,{digits}}}))?" if digits else "()"
    return re.compile(rf"(0|[1-9][0-9]{{0,14}}){fraction}")


def parse_amount(text: object, currency: str, *, maximum_minor: int = MAX_MINOR_PER_ORDER) -> int:
    """Read an amount that came in as a JSON string; return minor units.

    Accepts digits with at most the currency's decimals; no sign, exponent, blank or grouping.
    Raises InvalidAmount (also for zero), AmountTooLarge above `maximum_minor`, InvalidCurrency.
    """
    digits = exponent(currency)
    match = _amount_pattern(digits).fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidAmount()
    minor = int(match[1]) * int(10**digits) + int((match[2] or "").ljust(digits, "0") or "0")
    if minor == 0:
        raise InvalidAmount()
    if minor > maximum_minor:
        raise AmountTooLarge()
    return minor
