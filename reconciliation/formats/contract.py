"""What a format is: a reader that turns the bytes of a file into items, in a stream, strictly.

A reader never guesses. What it cannot read for certain refuses the whole file with the line (`Refused`); a
kind of line that it does not know becomes a line of kind UNKNOWN with its raw record, for a person. It does
not check totals: it says what the file declares (`Totals`), and the importer counts.

A settlement file is one Document, its Lines, one Totals. A bank file is, for each statement in it: Document,
Entries, Totals.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol

__all__ = [
    "Control",
    "Document",
    "Entry",
    "Format",
    "Item",
    "Kind",
    "Line",
    "ReadOptions",
    "Refused",
    "Totals",
]


class Refused(Exception):
    """The file contradicts itself, or is not what it should be. `code` is stable, `line_no` counts from 1."""

    def __init__(self, code: str, message: str, line_no: int | None = None) -> None:
        self.code, self.message, self.line_no = code, message, line_no
        super().__init__(f"{code}: {message}" + (f" (line {line_no})" if line_no else ""))


class Kind(StrEnum):
    """What a settlement line tells of, whatever the provider calls it."""

    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    CHARGE_FAILURE = "charge_failure"  # an asynchronous payment that failed after it had been credited
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    FEE = "fee"  # a row of its own: of one payment (`related`), or of none
    TRANSFER = "transfer"
    TRANSFER_REVERSAL = "transfer_reversal"
    PAYOUT = "payout"  # what the provider pays to the merchant's bank: ends a batch
    PAYOUT_REVERSAL = "payout_reversal"
    TOP_UP = "top_up"  # the merchant sent money to the provider
    RESERVE_HOLD = "reserve_hold"
    RESERVE_RELEASE = "reserve_release"
    CONVERSION = "conversion"  # one leg of an exchange between balances
    CARRIED = "carried"  # to or from the next batch
    ADJUSTMENT = "adjustment"
    UNKNOWN = "unknown"


class Line(NamedTuple):
    """One line of a settlement file; amounts in minor units, positive comes in, gross - fee = net.

    `reference` is the provider's reference of this movement, `related` that of what it belongs to (the
    payment of a refund or dispute), `merchant_reference` ours. `batch` is the payout that pays it, if known.
    `original_…` is what the buyer saw where it differs; `rate` is original to `currency` as the file has it.
    `occurred_at` is UTC; `local_time` the same as the file writes it, with the zone; `business_date` the day
    of the provider. `raw` only where a person has to read it.
    """

    line_no: int
    kind: str
    raw_kind: str
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    business_date: date
    batch: str = ""
    related: str = ""
    merchant_reference: str = ""
    original_currency: str = ""
    original_minor: int | None = None
    rate: Decimal | None = None
    occurred_at: datetime | None = None
    local_time: str = ""
    raw: str | None = None


class Entry(NamedTuple):
    """One booked line of a bank statement; `amount_minor` is positive for money that comes in.

    `parent` is the `line_no` of the collective booking that a detail is in; details do not count in sums.
    `line_no` is unique in the file. `code` is the bank's code for what it is (ISO 20022 domain/family/
    sub-family, or SWIFT's four letters). `is_reversal` says that it takes an earlier entry back; its amount
    has the direction of the reversal already.
    """

    line_no: int
    amount_minor: int
    currency: str
    booked_on: date
    value_on: date | None = None
    parent: int | None = None
    bank_reference: str = ""
    end_to_end: str = ""
    batch_reference: str = ""
    code: str = ""
    is_reversal: bool = False
    return_reason: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    text: str = ""


@dataclass(frozen=True)
class Document:
    """What follows is about this: `identity` is what the provider calls it, and the same for every version.

    `sequence` is a number without gaps, where there is one. `is_copy` is set where the file says that it is
    a copy of one sent before. A statement has its account, its currency and, unless `kind` is "report" or
    "notification", its opening balance; `period_…` may be unknown for a settlement file, whose lines have
    days.
    """

    identity: str
    kind: str = "settlement"  # settlement | statement | report | notification
    period_from: date | None = None
    period_to: date | None = None
    sequence: int | None = None
    account: str = ""
    currency: str = ""
    opening_minor: int | None = None
    is_copy: bool = False


class Control(NamedTuple):
    """A figure that the file declares about itself, to be compared with what was counted.

    `what` is one of: lines; gross, fee, net; gross_credits, gross_debits, fee_credits, fee_debits, credits,
    debits (of net); credit_count, debit_count; batch_net (of the lines whose batch is `scope`). Of what a
    provider declares elsewhere (`ingest.declared`), batch_may_be is the batch_net of a payout that need not
    be there, because it failed. Debits, and
    fees either way, are positive numbers. `value` is a number of lines, or minor units of `currency`.

    Of anything but batch_net, a `scope` says that lines of other files count as well, or instead: "report"
    (all parts of a report that was split), "activity" or "payouts" (the other reports about the same days).
    Such a figure is kept, and compared by whoever has all of them.
    """

    what: str
    value: int
    currency: str = ""
    scope: str = ""
    line_no: int | None = None


@dataclass(frozen=True)
class Totals:
    """The end of a document: what it declares, and a statement's closing balance.

    `is_complete` is False where a mark of the end is missing because the provider is still writing; a file
    that must have such a mark and has none is Refused with code `truncated`.
    """

    controls: tuple[Control, ...] = ()
    closing_minor: int | None = None
    ignored: int = 0  # records that do not count: pending entries, information only
    is_complete: bool = True


Item = Document | Line | Entry | Totals


@dataclass(frozen=True)
class ReadOptions:
    """What a reader is told about a file: by its source, and by whoever fetched it."""

    name: str
    encoding: str
    time_zone: str
    account: str = ""
    currency: str = ""
    asked_from: date | None = None
    asked_to: date | None = None
    extra: dict[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One kind of file. Registered by its name, which sources refer to."""

    name: str
    title: str
    kind: str  # psp | bank
    encodings: tuple[str, ...]  # what a source may declare; the first is the usual one
    suffixes: tuple[str, ...]  # of file names, lower case, without packing: (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the items of an unpacked body, in order. Raises Refused; anything else is our own fault."""
