"""Whatever the amounts are: what a bank writes is what is read, to the minor unit, in every currency."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from core.money import exponent
from reconciliation.formats.camt import CAMT_053
from reconciliation.formats.mt940 import MT940
from tests.reconciliation.formats import test_camt as camt
from tests.reconciliation.formats import test_mt940 as mt940
from tests.reconciliation.formats.bank_reading import Statement, read

# No decimals, two, three; and four, which is a unit of account.
CURRENCIES = ("JPY", "EUR", "KWD", "CLF")


class Move(NamedTuple):
    """An entry: what it moves, and whether it says that it takes one back."""

    minor: int
    is_reversal: bool
    short: bool  # written without zeros that mean nothing


moves = st.builds(Move, st.integers(-(10**13), 10**13), st.booleans(), st.booleans())


def written(minor: int, currency: str, point: str, *, short: bool = False) -> str:
    """An amount without a sign, made of its digits."""
    places = exponent(currency)
    digits = str(abs(minor)).rjust(places + 1, "0")
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    if short:
        fraction = fraction.rstrip("0")
    return f"{whole}{point}{fraction}" if fraction or point == "," else whole


def way(minor: int, credit: str, debit: str) -> str:
    """The mark of a direction; nothing has none of its own."""
    return credit if minor >= 0 else debit


@given(st.lists(moves, max_size=6), st.integers(-(10**13), 10**13), st.sampled_from(CURRENCIES))
def test_camt_053_and_mt940_tell_the_same_money(found: list[Move], opening: int, currency: str) -> None:
    """F-H18, F-H20: both ways, reversals both ways, short amounts and long ones."""
    closing = opening + sum(move.minor for move in found)
    for statement in (_camt(found, opening, closing, currency), _mt940(found, opening, closing, currency)):
        assert statement.document.opening_minor == opening
        assert statement.totals.closing_minor == closing
        assert statement.adds_up
        assert [(line.amount_minor, line.is_reversal) for line in statement.booked] == [
            (move.minor, move.is_reversal) for move in found
        ]
        assert {line.currency for line in statement.entries} <= {currency}


def _camt(found: list[Move], opening: int, closing: int, currency: str) -> Statement:
    balances = [
        camt.balance(code, written(minor, currency, "."), way=way(minor, "CRDT", "DBIT"), currency=currency)
        for code, minor in (("OPBD", opening), ("CLBD", closing))
    ]
    entries = [
        camt.entry(
            written(move.minor, currency, ".", short=move.short),
            way=way(move.minor, "CRDT", "DBIT"),
            more="<RvslInd>true</RvslInd>" if move.is_reversal else "",
            currency=currency,
        )
        for move in found
    ]
    (statement,) = read(CAMT_053, camt.message(*balances, *entries))
    return statement


def _mt940(found: list[Move], opening: int, closing: int, currency: str) -> Statement:
    first, last = (
        f":{tag}F:{way(minor, 'C', 'D')}261130{currency}{written(minor, currency, ',')}"
        for tag, minor in (("60", opening), ("62", closing))
    )
    entries = [
        mt940.entry(
            # RD takes a debit back, which is a credit.
            way(move.minor, "RD", "RC") if move.is_reversal else way(move.minor, "C", "D"),
            written(move.minor, currency, ",", short=move.short),
        )
        for move in found
    ]
    (statement,) = read(MT940, mt940.message(*entries, opening=first, closing=last))
    return statement
