"""How every template writes its entry: legs with a side, checked and put together into a draft."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

from core.money import AmountTooLarge, InexactAmount, exponent
from ledger.errors import EntryUnbalanced
from ledger.types import EntryDraft, LineDraft

__all__ = [
    "CHUNK",
    "Key",
    "Keyed",
    "Leg",
    "Posting",
    "check_minor",
    "chunks",
    "credit",
    "debit",
    "entry",
    "signed",
    "sum_minor",
    "total",
]

# At most this many items of a file or statement in one entry; an entry holds 1023 lines, and an item may
# need two of its own.
CHUNK = 500

_MAX_LINES = 1023
_MAX_BIGINT = 2**63 - 1
_MAX_KEY = 64
_MAX_REF = 120

Key = UUID | str
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Posting:
    """Whose books, in which currency and on which day: what every template is told first."""

    merchant_id: UUID
    currency: str
    effective_date: date


@dataclass(frozen=True)
class Keyed:
    """An amount in minor units under one clearing key."""

    key: Key
    amount_minor: int


class Leg(NamedTuple):
    """A line in the making: a debit when positive; without a `currency`, in that of the posting."""

    account_id: int
    amount_minor: int
    key: str | None = None
    currency: str | None = None


def check_minor(amount_minor: int) -> int:
    """Return minor units that are an integer of zero or more.

    Raises InexactAmount for anything but an integer, ValueError below zero, AmountTooLarge above what the
    books can hold.
    """
    if type(amount_minor) is not int:
        raise _inexact(amount_minor)
    if amount_minor < 0:
        raise ValueError(f"an amount with a side is not negative: {amount_minor}")
    if amount_minor > _MAX_BIGINT:
        raise AmountTooLarge()
    return amount_minor


def sum_minor(amounts: Iterable[int]) -> int:
    """Return the sum of minor units of any sign. Raises InexactAmount for anything but integers.

    A plain sum would take a float or a Decimal that is not a number, and pass it on.
    """
    added = 0
    for minor in amounts:
        if type(minor) is not int:
            raise _inexact(minor)
        added += minor
    return added


def debit(account_id: int, amount_minor: int, *, key: Key | None = None, currency: str | None = None) -> Leg:
    """Return the leg that debits an account; zero is allowed and makes no line. Raises as `check_minor`."""
    return Leg(account_id, check_minor(amount_minor), _key(key), currency)


def credit(account_id: int, amount_minor: int, *, key: Key | None = None, currency: str | None = None) -> Leg:
    """Return the leg that credits an account; zero is allowed and makes no line. Raises as `check_minor`."""
    return Leg(account_id, -check_minor(amount_minor), _key(key), currency)


def signed(account_id: int, amount_minor: int, *, key: Key | None = None, currency: str | None = None) -> Leg:
    """Return a leg whose side follows from the sign: a debit when positive. Raises as `check_minor`."""
    if type(amount_minor) is int and amount_minor < 0:
        return credit(account_id, -amount_minor, key=key, currency=currency)
    return debit(account_id, amount_minor, key=key, currency=currency)


def total(items: Iterable[Keyed]) -> int:
    """Return the sum of keyed amounts. Raises as `sum_minor`."""
    return sum_minor(item.amount_minor for item in items)


def chunks(items: Sequence[_Item]) -> Iterator[tuple[int, Sequence[_Item]]]:
    """Yield items in portions of at most CHUNK, each with its number from 1. Raises ValueError for none.

    The numbers are part of the keys of the entries, so that the same file makes the same entries again.
    """
    if not items:
        raise ValueError("there is nothing to post")
    for start in range(0, len(items), CHUNK):
        yield start // CHUNK + 1, items[start : start + CHUNK]


def entry(
    *,
    posting: Posting,
    kind: str,
    source: str,
    source_ref: object,
    leg: str,
    legs: Iterable[Leg],
    facts: tuple[tuple[str, str], ...] = (),
) -> EntryDraft:
    """Return the draft made of legs: one line per account, key and side, none of them zero.

    `facts` are short texts that no line holds.

    Raises EntryUnbalanced unless each currency adds up to zero, ValueError when nothing is left to post or
    the entry is longer than the books take, InvalidCurrency for an unknown currency.
    """
    ref = str(source_ref)
    if not 0 < len(ref) <= _MAX_REF:
        raise ValueError(f"the reference of an entry has 1 to {_MAX_REF} characters: {ref!r}")
    lines = _lines(legs, posting.currency)
    if len(lines) < 2:
        raise ValueError(f"{kind} {ref}: there is nothing to post")
    if len(lines) > _MAX_LINES:
        raise ValueError(f"{kind} {ref}: {len(lines)} lines, more than {_MAX_LINES}")
    _check_balance(lines)
    return EntryDraft(
        merchant_id=posting.merchant_id,
        kind=kind,
        source=source,
        source_ref=ref,
        leg=leg,
        effective_date=posting.effective_date,
        lines=lines,
        facts=facts,
    )


def _inexact(amount_minor: object) -> InexactAmount:
    return InexactAmount(f"minor units must be an integer, not {type(amount_minor).__name__}")


def _key(key: Key | None) -> str | None:
    if key is None:
        return None
    text = str(key)
    if not 0 < len(text) <= _MAX_KEY:
        raise ValueError(f"a clearing key has 1 to {_MAX_KEY} characters: {text!r}")
    return text


def _lines(legs: Iterable[Leg], currency: str) -> tuple[LineDraft, ...]:
    """Add up what falls on the same account, key and side. In the order of the legs, so that the same
    event makes the same entry again, byte for byte."""
    sums: dict[tuple[int, str, str | None, bool], int] = {}
    for leg in legs:
        if leg.amount_minor:
            place = (leg.account_id, leg.currency or currency, leg.key, leg.amount_minor > 0)
            sums[place] = sums.get(place, 0) + leg.amount_minor
    if sums and max(map(abs, sums.values())) > _MAX_BIGINT:
        raise AmountTooLarge()
    return tuple(
        LineDraft(account_id, minor, unit, clearing_key=key)
        for (account_id, unit, key, _), minor in sums.items()
    )


def _check_balance(lines: Sequence[LineDraft]) -> None:
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.amount_minor
    for currency, minor in sums.items():
        exponent(currency)
        if minor:
            raise EntryUnbalanced(f"the lines in {currency} add up to {minor}")
