"""What every template stands on: an entry is whole numbers with sides, or it is refused."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import AmountTooLarge, InexactAmount, InvalidCurrency
from ledger.errors import EntryUnbalanced
from ledger.templates.entry import CHUNK, Keyed, Leg, Posting, chunks, credit, debit, entry, signed, total
from ledger.types import EntryDraft, LineDraft

POSTING = Posting(merchant_id=UUID(int=1), currency="USD", effective_date=date(2026, 3, 1))


def made(*legs: Leg, posting: Posting = POSTING, ref: object = "r") -> EntryDraft:
    return entry(posting=posting, kind="test", source="test", source_ref=ref, leg="main", legs=legs)


@pytest.mark.parametrize("side", [debit, credit, signed])
@pytest.mark.parametrize("minor", [1.0, 0.1, float("nan"), Decimal(1), Decimal("NaN"), True, "1", None])
def test_only_integers_have_a_side(side: Any, minor: Any) -> None:
    """A-C4, A-C5: no float, no NaN, nothing that has to be converted."""
    with pytest.raises(InexactAmount):
        side(1, minor)


@pytest.mark.parametrize("minor", [1.0, Decimal("NaN"), True, "1", None])
def test_only_integers_are_added(minor: Any) -> None:
    with pytest.raises(InexactAmount):
        total([Keyed("a", 1), Keyed("b", minor)])


@pytest.mark.parametrize("side", [debit, credit])
def test_a_side_is_no_sign(side: Any) -> None:
    with pytest.raises(ValueError, match="not negative"):
        side(1, -1)


def test_the_sides() -> None:
    assert (debit(1, 5).amount_minor, credit(1, 5).amount_minor) == (5, -5)
    assert (signed(1, 5).amount_minor, signed(1, -5).amount_minor) == (5, -5)


def test_what_the_database_cannot_hold_is_refused_before() -> None:
    """A-C3."""
    with pytest.raises(AmountTooLarge):
        debit(1, 2**63)
    with pytest.raises(AmountTooLarge):
        made(debit(1, 2**62), debit(1, 2**62), credit(2, 2**62), credit(3, 2**62))
    assert len(made(debit(1, 2**63 - 1), credit(2, 2**63 - 1)).lines) == 2


def test_an_entry_that_does_not_balance_is_refused() -> None:
    """F-L1, I01: also when it balances over two currencies only."""
    with pytest.raises(EntryUnbalanced):
        made(debit(1, 5), credit(2, 4))
    with pytest.raises(EntryUnbalanced):
        made(debit(1, 5), credit(2, 5, currency="EUR"))


def test_nothing_is_no_entry() -> None:
    """I03."""
    with pytest.raises(ValueError, match="nothing to post"):
        made(debit(1, 0), credit(2, 0))


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "EUX"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    """A-C7."""
    with pytest.raises(InvalidCurrency):
        made(debit(1, 5), credit(2, 5), posting=Posting(UUID(int=1), currency, date(2026, 3, 1)))


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_clearing_key_fits_its_column(key: str) -> None:
    with pytest.raises(ValueError, match="clearing key"):
        debit(1, 5, key=key)


@pytest.mark.parametrize("ref", ["", "r" * 121])
def test_a_reference_fits_its_column(ref: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        made(debit(1, 5), credit(2, 5), ref=ref)


def test_an_entry_longer_than_the_books_take_is_refused() -> None:
    legs = [credit(1, 1, key=f"k{number}") for number in range(1022)]
    assert len(made(debit(2, 1022), *legs).lines) == 1023
    with pytest.raises(ValueError, match="1024 lines"):
        made(debit(2, 1023), *legs, credit(1, 1, key="one more"))


def test_one_line_for_an_account_a_key_and_a_side() -> None:
    """Both sides stay visible; the order is that of the legs, because the fingerprint depends on it."""
    draft = made(
        debit(1, 5, key="a"), debit(1, 5, key="b"), debit(2, 1), credit(2, 4), credit(3, 7), debit(1, 0)
    )
    assert made(debit(2, 3), debit(2, 4), credit(3, 7)).lines == (
        LineDraft(2, 7, "USD"),
        LineDraft(3, -7, "USD"),
    )
    assert draft.lines == (
        LineDraft(1, 5, "USD", clearing_key="a"),
        LineDraft(1, 5, "USD", clearing_key="b"),
        LineDraft(2, 1, "USD"),
        LineDraft(2, -4, "USD"),
        LineDraft(3, -7, "USD"),
    )


@given(st.integers(1, 3 * CHUNK))
def test_chunks_are_all_there_in_order(count: int) -> None:
    parts = list(chunks(range(count)))
    assert [item for _, part in parts for item in part] == list(range(count))
    assert [number for number, _ in parts] == list(range(1, len(parts) + 1))
    assert all(len(part) == CHUNK for _, part in parts[:-1]) and 0 < len(parts[-1][1]) <= CHUNK


def test_nothing_has_no_chunks() -> None:
    with pytest.raises(ValueError, match="nothing to post"):
        list(chunks([]))
