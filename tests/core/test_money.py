"""Money: exact or refused, for every currency there is."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from core.currencies import EXPONENTS, ISO_EXPONENTS
from core.money import (
    MAX_MINOR_PER_ORDER,
    AmountTooLarge,
    InexactAmount,
    InvalidAmount,
    InvalidCurrency,
    check_currency,
    exponent,
    format_minor,
    from_minor,
    parse_amount,
    to_minor,
)

currencies = st.sampled_from(sorted(EXPONENTS))


@given(st.integers(1, MAX_MINOR_PER_ORDER), currencies)
def test_minor_units_survive_every_way_round(minor: int, currency: str) -> None:
    """F-F12, A-C13: no currency is scaled wrongly anywhere."""
    money = from_minor(minor, currency)
    assert to_minor(money) == minor
    text = format_minor(minor, currency)
    assert parse_amount(text, currency) == minor
    assert Decimal(text) == money.amount
    assert len(text.partition(".")[2]) == exponent(currency)
    assert format_minor(-minor, currency) == f"-{text}"


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("JPY", 0), ("USD", 2), ("KWD", 3), ("CLF", 4), ("PTS", 0), ("BTC", 8), ("ISK", 0), ("UGX", 0)],
)
def test_exponents(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


NO_AMOUNTS = [
    *("0", "0.00", "-1", "+5", "1.5.0", "1_000", "1,000", " 100 ", "１００", "١٠٠", "1e2", "NaN", "", "01"),
    *(".5", "5.", "1.005", None, True, 5, 1.5, [], {}, "1" * 16, "Infinity", "\x00"),
]


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_amounts_that_are_none(text: Any) -> None:
    """A-C1, A-C2, A-C4: nothing is guessed."""
    with pytest.raises(InvalidAmount):
        parse_amount(text, "USD")


def test_a_yen_has_no_decimals() -> None:
    with pytest.raises(InvalidAmount):
        parse_amount("100.0", "JPY")
    assert parse_amount("100", "JPY") == 100


def test_the_limit() -> None:
    """A-C3."""
    assert parse_amount("10000000000.00", "USD") == MAX_MINOR_PER_ORDER
    with pytest.raises(AmountTooLarge):
        parse_amount("10000000000.01", "USD")


@pytest.mark.parametrize(
    "money",
    [
        *(Money(text, "USD") for text in ("NaN", "sNaN", "Infinity", "-Infinity", "0.001", "1e-30")),
        *(Money("100.5", "JPY"), Money("1.2345", "KWD"), Money("0.5", "PTS"), Money("0.000000001", "BTC")),
        Money(0.1 + 0.2, "USD"),  # 0.30000000000000004: float arithmetic shows itself
        Money("1." + "0" * 40 + "1", "USD"),  # more digits than decimal arithmetic keeps
        Money("123456789012345678901234567.890", "JPY"),
    ],
)
def test_inexact_money_is_refused(money: Money) -> None:
    """A-C5: what the money library lets pass stops here."""
    with pytest.raises(InexactAmount):
        to_minor(money)


@pytest.mark.parametrize("value", [1.5, Decimal("1.50"), 150, "1.50", None])
def test_only_money_has_minor_units(value: Any) -> None:
    """A-C5: a bare number says neither its currency nor its scale."""
    with pytest.raises(InexactAmount):
        to_minor(value)


@pytest.mark.parametrize("minor", [1.0, True, Decimal(1), Decimal("NaN"), "1", None])
def test_minor_units_are_integers(minor: Any) -> None:
    with pytest.raises(InexactAmount):
        from_minor(minor, "USD")
    with pytest.raises(InexactAmount):
        format_minor(minor, "USD")


@pytest.mark.parametrize("power", [28, 400, 10**9])
def test_absurd_amounts_are_refused(power: int) -> None:
    """A-C3: neither rounded nor computed."""
    with pytest.raises(AmountTooLarge):
        to_minor(Money(Decimal(f"1e{power}"), "USD"))


def test_the_largest_amounts_stay_exact() -> None:
    """Up to 28 digits both ways; one more is refused, because it would be rounded."""
    digits = 10**28 - 1
    assert to_minor(from_minor(digits, "KWD")) == digits
    assert to_minor(Money("9" * 28, "USD")) == digits * 100
    with pytest.raises(AmountTooLarge):
        from_minor(10**28, "USD")


@pytest.mark.parametrize("currency", ["usd", "ＵＳＤ", "XXX", "DEM", "XAU", "PTS", "BTC", "", None, 840, []])
def test_currencies_that_nobody_pays_in(currency: Any) -> None:
    """A-C7."""
    with pytest.raises(InvalidCurrency):
        check_currency(currency)


def test_every_active_currency_is_known_to_the_money_library() -> None:
    for code in ISO_EXPONENTS:
        assert str(Money(1, code).currency) == code
