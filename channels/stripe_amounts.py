"""Stripe's minor units. They are not ISO 4217's everywhere, and an amount that does not fit is refused.

Source: the provider's public list of zero-decimal, three-decimal and special currencies.
"""

from channels.errors import UnsupportedAmount
from core.currencies import ISO_EXPONENTS
from core.money import InvalidCurrency, exponent

__all__ = ["STRIPE_CURRENCIES", "from_stripe", "to_stripe"]

# Madagascar's ariary has hundredths in ISO 4217.
_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
# Whole in ISO 4217; on Stripe's wire in hundredths that must be zero.
_WHOLE_IN_HUNDREDTHS = frozenset(["ISK", "UGX"])


def to_stripe(amount_minor: int, currency: str) -> int:
    """Return the amount on Stripe's wire. Raises UnsupportedAmount rather than round."""
    ours, theirs = _exponents(currency)
    if theirs >= ours:
        wire = amount_minor * int(10 ** (theirs - ours))
    else:
        wire, rest = divmod(amount_minor, int(10 ** (ours - theirs)))
        if rest:
            raise UnsupportedAmount(f"Stripe has no fractions of {currency}", code="amount_not_supported")
    if currency in _THOUSANDTHS and wire % 10:
        raise UnsupportedAmount(f"Stripe wants a last digit of 0 in {currency}", code="amount_not_supported")
    return wire


def from_stripe(wire: int, currency: str) -> int:
    """Return minor units (ISO 4217) of an amount on the wire. Raises UnsupportedAmount rather than round."""
    ours, theirs = _exponents(currency)
    if ours >= theirs:
        return wire * int(10 ** (ours - theirs))
    minor, rest = divmod(wire, int(10 ** (theirs - ours)))
    if rest:
        raise UnsupportedAmount(f"{currency} has no fractions", code="amount_not_supported")
    return minor


def _exponents(currency: str) -> tuple[int, int]:
    """Return the decimals of a currency in ISO 4217 and on Stripe's wire."""
    try:
        ours = exponent(currency)
    except InvalidCurrency:
        raise UnsupportedAmount(f"{currency} is not a currency", code="currency_not_supported") from None
    if currency in _WHOLE:
        return ours, 0
    if currency in _THOUSANDTHS:
        return ours, 3
    if currency in _WHOLE_IN_HUNDREDTHS or ours == 2:
        return ours, 2
    # Anything else has other decimals than the hundredths that Stripe would read into the number.
    raise UnsupportedAmount(f"Stripe's unit of {currency} is not known", code="currency_not_supported")


def _has_known_unit(currency: str) -> bool:
    try:
        _exponents(currency)
    except UnsupportedAmount:
        return False
    return True


# Those whose amounts can be told apart on the wire; what the provider's account may take is its own affair.
STRIPE_CURRENCIES = frozenset(filter(_has_known_unit, ISO_EXPONENTS))
