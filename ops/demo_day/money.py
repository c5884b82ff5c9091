"""Amounts as the API takes and gives them: whole minor units here, decimal texts there."""

from __future__ import annotations

EXPONENTS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
# Of one dollar, about as much in each; three-decimal amounts end in 0 at the provider.
WORTH = {"USD": (1, 1), "EUR": (9, 10), "JPY": (3, 2), "KWD": (3, 1)}


def text_of(minor: int, currency: str) -> str:
    """Return `1234` minor units as the API wants them: `12.34` dollars, `1234` yen."""
    sign, digits = ("-", -minor) if minor < 0 else ("", minor)
    places = EXPONENTS[currency]
    if not places:
        return f"{sign}{digits}"
    whole, rest = divmod(digits, 10**places)
    return f"{sign}{whole}.{rest:0{places}d}"


def minor_of(text: str, currency: str) -> int:
    """Return an amount of the API in minor units."""
    places = EXPONENTS[currency]
    sign = -1 if text.startswith("-") else 1
    whole, _, rest = text.removeprefix("-").partition(".")
    return sign * int(whole + rest.ljust(places, "0")[:places])


def in_currency(cents: int, currency: str) -> int:
    """Return about as much money in another currency, as a price that the provider takes."""
    times, by = WORTH[currency]
    minor = cents * times // by
    return minor // 10 * 10 if EXPONENTS[currency] == 3 else minor
