"""MT940 (SWIFT): the same statements as messages of SWIFT; collective orders without their details."""

from collections.abc import Iterator
from io import TextIOWrapper
from textwrap import wrap
from typing import BinaryIO

from tests.months.bank import OWN_ACCOUNT, Booking, Statement
from tests.months.options import major

__all__ = ["name", "write"]

_LINE, _LINES = 65, 6


def name(statement: Statement) -> str:
    """Return the name of the file of a statement."""
    return f"mt940-{statement.day}.sta"


def write(out: BinaryIO, statement: Statement, currency: str) -> None:
    """Write a statement as one message."""
    text = TextIOWrapper(out, encoding="ascii", newline="\r\n")
    text.writelines(f"{line}\n" for line in _lines(statement, currency))
    text.flush()
    text.detach()


def _lines(statement: Statement, currency: str) -> Iterator[str]:
    day = f"{statement.day:%y%m%d}"
    yield f":20:ST{day}"
    yield f":25:{OWN_ACCOUNT}"
    yield f":28C:{statement.number:05d}/001"
    yield f":60F:{_balance(statement.opening_minor, day, currency)}"
    for booking in statement.bookings():
        yield _statement_line(booking, day, currency)
        information = "".join(
            f"/{tag}/{value}"
            for tag, value in (
                ("EREF", booking.end_to_end), ("PREF", booking.batch), ("RTRN", booking.return_reason),
                ("NAME", booking.counterparty), ("IBAN", booking.account), ("REMI", booking.text),
            )
            if value
        )  # fmt: skip
        first, *rest = wrap(information, _LINE - 4, break_on_hyphens=False)[:_LINES]
        yield f":86:{first}"
        yield from rest
    yield f":62F:{_balance(statement.closing_minor, day, currency)}"
    yield "-"


def _amount(minor: int, currency: str) -> str:
    """Return a positive amount with the decimal comma that SWIFT always wants."""
    text = major(abs(minor), currency).replace(".", ",")
    return text if "," in text else f"{text},"


def _balance(minor: int, day: str, currency: str) -> str:
    return f"{'D' if minor < 0 else 'C'}{day}{currency}{_amount(minor, currency)}"


def _statement_line(booking: Booking, day: str, currency: str) -> str:
    side = "D" if booking.amount_minor < 0 else "C"
    kind = {"CHRG": "NCHG", "RRTN": "NRTI"}.get(booking.code[2], "NTRF")
    customer = (booking.end_to_end or booking.batch or "NONREF")[:16]
    amount = _amount(booking.amount_minor, currency)
    return f":61:{day}{day[2:]}{side}{amount}{kind}{customer}//{booking.reference[:16]}"
