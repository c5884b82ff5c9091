"""Amounts by a declared grammar (F-H20)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import format_minor
from reconciliation.formats.amounts import Grammar, minor_units
from reconciliation.formats.contract import Refused

GERMAN = Grammar(decimal=",", thousands=".")
SIGNED = Grammar(plus=True)
CURRENCY = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])


@given(st.integers(-(10**14) + 1, 10**14 - 1), CURRENCY, st.integers(0, 6))
def test_what_is_written_is_read_back(minor: int, currency: str, zeros: int) -> None:
    """With as many decimals as the currency has, with more zeros, and with marks between thousands."""
    text = format_minor(minor, currency)
    assert minor_units(text, currency) == minor
    whole, _, fraction = text.partition(".")
    assert minor_units(f"{whole}.{fraction}{'0' * zeros}", currency) == minor
    assert minor_units(f"{whole}.{fraction.rstrip('0')}", currency) == minor
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    assert GERMAN.read(f"{sign}{int(digits):,}".replace(",", ".") + f",{fraction}", currency) == minor


@pytest.mark.parametrize(
    "text",
    ["1.00,00", "1.0000,00", ".100,00", "1000.00", "1..000", "+1", "1.000.000.000.000.000", "1,0.0", "1 000"],
)
def test_thousands_are_marked_everywhere_or_nowhere(text: str) -> None:
    assert GERMAN.read("1.000", "EUR") == GERMAN.read("1000", "EUR") == 100_000
    with pytest.raises(Refused) as caught:
        GERMAN.read(text, "EUR", 3)
    assert (caught.value.code, caught.value.line_no) == ("amount_invalid", 3)


def test_a_plus_is_read_only_where_it_is_written() -> None:
    assert SIGNED.read("+1.50", "EUR") == 150
    with pytest.raises(Refused):
        minor_units("+1.50", "EUR")


def test_no_amount_is_more_than_the_books_hold() -> None:
    assert minor_units("9" * 14, "CLF") * 5 < 2**63
    with pytest.raises(Refused):
        minor_units("9" * 15, "JPY")


@pytest.mark.parametrize("text", ["25.001", "٢٥.00", "1,000.00", "2.5e1", "'25", "", ".", "-", " 1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        minor_units(text, "EUR", 7)
    assert (caught.value.code, caught.value.line_no) == ("amount_invalid", 7)
