"""Whatever happens to the bytes of a file, a reader reads it or refuses it; it holds one row at a time."""

import random
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats.adyen import SETTLEMENT_DETAILS
from reconciliation.formats.contract import ReadOptions, Refused
from reconciliation.formats.paypal import SETTLEMENT, TRANSACTION_DETAIL
from reconciliation.formats.registry import FORMATS
from reconciliation.formats.stripe import ACTIVITY, EXPORT, PAYOUT_RECONCILIATION, PAYOUTS
from reconciliation.formats.stripe_summary import BALANCE_SUMMARY
from tests.reconciliation.formats import test_adyen as adyen
from tests.reconciliation.formats import test_paypal as paypal
from tests.reconciliation.formats import test_stripe as stripe
from tests.reconciliation.formats.reading import NOVEMBER, read, refusal

FILES: list[tuple[Any, bytes]] = [
    (PAYOUT_RECONCILIATION, stripe.GOOD),
    (ACTIVITY, stripe.GOOD),
    (EXPORT, stripe.EXPORTED),
    (BALANCE_SUMMARY, stripe.SUMMARY),
    (SETTLEMENT_DETAILS, adyen.GOOD),
    (SETTLEMENT, paypal.GOOD),
    (TRANSACTION_DETAIL, paypal.report(paypal.row(status="S"), columns=paypal.STATUS)),
]
NOISE = [
    b"\0",
    b"\xff",
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r",
    b"\t",
    b"-",
    b".",
    b"E",
    b"9",
    b"0" * 400,
    b"'",
    b"\xef\xbb\xbf",
    "٣".encode(),
    b"9999-12-31 23:59:59",
    b"0001/01/01 00:00:00 +1400",
    b"1.2E+16",
]


@given(st.sampled_from(FILES), st.sampled_from(NOISE) | st.binary(max_size=8), st.randoms())
def test_any_damage_is_read_or_refused(file: tuple[Any, bytes], noise: bytes, chance: random.Random) -> None:
    """F-H1, F-H6, F-H9, F-H20: nothing but `Refused` comes out, and a line always adds up."""
    known, good = file
    for _ in range(10):
        at = chance.randrange(len(good))
        until = at + chance.choice((0, 0, 1, 5, 40))
        with suppress(Refused):
            read(known, good[:at] + noise + good[until:])


def test_all_of_the_formats_are_registered() -> None:
    for known in (
        PAYOUT_RECONCILIATION,
        ACTIVITY,
        PAYOUTS,
        EXPORT,
        BALANCE_SUMMARY,
        SETTLEMENT_DETAILS,
        SETTLEMENT,
        TRANSACTION_DETAIL,
    ):
        assert FORMATS[known.name] is known
        assert len(known.name) <= 32
        assert known.kind == "psp"


class Generated(RawIOBase):
    """A file that nobody holds: its pieces are made while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def stripe_file(rows: int) -> Iterator[bytes]:
    """A report of that many charges, as an iterator of its lines."""
    lines = stripe.written(stripe.CHARGE).splitlines(keepends=True)
    yield lines[0]
    for number in range(rows):
        yield lines[1].replace(b"txn_1", b"txn_%09d" % number)


def peak(rows: int) -> int:
    """How many bytes are held at most while a file of so many rows is read."""
    options = ReadOptions("report.csv", "utf-8", "UTC", asked_from=NOVEMBER[0], asked_to=NOVEMBER[1])
    body = BufferedReader(Generated(stripe_file(rows)))
    tracemalloc.start()
    try:
        items = sum(1 for _ in PAYOUT_RECONCILIATION.read(body, options))  # type: ignore[arg-type]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert items == rows + 2


def test_a_long_file_is_read_in_the_memory_of_a_short_one() -> None:
    """F-H7: the longer one has 3 MB."""
    short, long = peak(1_000), peak(12_000)
    assert long < short + 200_000


def test_what_is_broken_in_a_record_is_refused_by_every_format() -> None:
    """F-H6, F-H9, F-H10: an open quote, a long field, zero bytes, another encoding, a cut."""
    for known, good in FILES:
        for more, code in (
            (b'"open\n', "quote_unclosed"),
            (b"x" * 131_073 + b"\n", "field_too_long"),
            (b"\0\n", "encoding_invalid"),
            (b"\xff\n", "encoding_invalid"),
            (b"end", "truncated"),
        ):
            assert refusal(known, good + more) == (code, good.count(b"\n") + 1)
