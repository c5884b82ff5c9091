"""Two formats of the tests, simple enough to be written by hand: a provider's and a bank's.

A settlement file begins with `H|identity|from|to|sequence|complete`, its lines are
`L|reference|kind|currency|gross|fee|net|day|batch`, and its end is `T|lines|net|currency`, with `|batch|net`
of one batch if that is told. A bank's has for each statement
`S|identity|account|currency|opening|from|to|sequence|copy|kind`, entries
`E|amount|currency|day|reference|parent|reversal`, where wanted with
`|end to end|batch|code|reason|text|payer`, and `C|closing|lines`. Amounts are
minor units; every record ends with a line feed.
"""

from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

from reconciliation.formats import registry
from reconciliation.formats.contract import Control, Document, Entry, Item, Line, ReadOptions, Refused, Totals

__all__ = ["PlainBank", "PlainSettlement", "register", "settlement", "statement"]


class _Records:
    """The records of a body, strictly: whole lines in the declared encoding."""

    def __init__(self, body: BinaryIO, options: ReadOptions) -> None:
        self._body, self._encoding = body, options.encoding
        self.line_no = 0

    def __iter__(self) -> Iterator[list[str]]:
        for raw in self._body:
            self.line_no += 1
            if not raw.endswith(b"\n"):
                raise Refused("truncated", "the last line has no end", self.line_no)
            try:
                yield raw.decode(self._encoding).removesuffix("\n").split("|")
            except UnicodeDecodeError as error:
                raise Refused("encoding_invalid", str(error), self.line_no) from error

    def integer(self, text: str) -> int:
        """A whole number, or the file is refused."""
        try:
            return int(text)
        except ValueError as error:
            raise Refused("amount_invalid", f"{text!r} is no number", self.line_no) from error

    def day(self, text: str) -> date | None:
        """A date or nothing, or the file is refused."""
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise Refused("date_invalid", f"{text!r} is no date", self.line_no) from error


class PlainSettlement:
    """The provider's format."""

    name, title, kind = "plain.settlement", "Plain", "psp"
    encodings, suffixes = ("utf-8", "iso-8859-1"), (".txt",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the document, its lines, its totals."""
        records, ended = _Records(body, options), False
        for record in records:
            if ended:
                raise Refused("trailing_content", "something comes after the end", records.line_no)
            try:
                if (record[0] == "H") is not (records.line_no == 1):
                    raise Refused("format_mismatch", "the head is not where it must be", records.line_no)
                item = self._item(record, records)
            except (IndexError, ValueError) as error:
                raise Refused("format_mismatch", f"no record: {error}", records.line_no) from error
            ended = isinstance(item, Totals)
            yield item
        if not ended:
            raise Refused("truncated", "there is no end", records.line_no)

    def _item(self, record: list[str], records: _Records) -> Item:
        tag, *values = record
        if tag == "H":
            identity, first, last, sequence, complete = values
            self._complete = complete != "no"
            return Document(
                identity,
                period_from=records.day(first),
                period_to=records.day(last),
                sequence=records.integer(sequence) if sequence else None,
            )
        if tag == "T":
            lines, net, currency, *batch = values
            controls = [
                Control("lines", records.integer(lines), line_no=records.line_no),
                Control("net", records.integer(net), currency, line_no=records.line_no),
            ]
            if batch:
                name, paid = batch
                controls.append(Control("batch_net", records.integer(paid), currency, name, records.line_no))
            return Totals(tuple(controls), is_complete=self._complete)
        if tag != "L":
            raise Refused("format_mismatch", f"{tag[:10]!r} is no record", records.line_no)
        reference, kind, currency, gross, fee, net, day, batch = values
        dated = records.day(day)
        if dated is None:
            raise Refused("date_invalid", "a line without a day", records.line_no)
        return Line(
            records.line_no, kind, kind, reference, currency, records.integer(gross), records.integer(fee),
            records.integer(net), dated, batch,
        )  # fmt: skip


class PlainBank:
    """The bank's format."""

    name, title, kind = "plain.bank", "Plain statement", "bank"
    encodings, suffixes = ("utf-8",), (".txt",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield each statement: the document, its entries, its totals."""
        records, ended, currency = _Records(body, options), True, ""
        for record in records:
            tag, *values = record
            if (tag == "S") is not ended:
                raise Refused(
                    "format_mismatch", "a statement begins or ends in the wrong place", records.line_no
                )
            try:
                if tag == "S":
                    document = self._document(values, records)
                    currency, ended = document.currency, False
                    yield document
                elif tag == "C":
                    closing, lines = values
                    ended = True
                    controls = (Control("lines", records.integer(lines), line_no=records.line_no),)
                    yield Totals(controls, closing_minor=records.integer(closing) if closing else None)
                else:
                    yield self._entry(values, records, currency)
            except ValueError as error:
                raise Refused("format_mismatch", f"no record: {error}", records.line_no) from error
        if not ended or not records.line_no:
            raise Refused("truncated", "there is no end", records.line_no)

    def _document(self, values: list[str], records: _Records) -> Document:
        identity, account, currency, opening, first, last, sequence, copy, kind = values
        return Document(
            identity, kind or "statement", records.day(first), records.day(last),
            records.integer(sequence) if sequence else None, account, currency,
            records.integer(opening) if opening else None, copy == "copy",
        )  # fmt: skip

    def _entry(self, values: list[str], records: _Records, _: str) -> Entry:
        values = [*values, *[""] * (12 - len(values))]
        amount, currency, day, reference, parent, reversal, end, batch, code, reason, text, payer = values
        booked = records.day(day)
        if booked is None:
            raise Refused("date_invalid", "an entry without a day", records.line_no)
        return Entry(
            records.line_no, records.integer(amount), currency, booked, booked,
            records.integer(parent) if parent else None, reference, end, batch, code, reversal == "yes",
            reason, payer, text=text,
        )  # fmt: skip


def register() -> None:
    """Let the formats be known in this process, for good."""
    for each in (PlainSettlement(), PlainBank()):
        registry.FORMATS[each.name] = each


def settlement(
    *lines: tuple[str, int],
    identity: str = "2026-01-05",
    day: str = "2026-01-05",
    sequence: str = "",
    complete: str = "yes",
    currency: str = "EUR",
    batch: str = "b1",
    declared: tuple[int, int] | None = None,
    paid: int | None = None,
) -> bytes:
    """A settlement file of charges and refunds, each a reference and a gross; the fee is one in a hundred.

    `paid` is what it says that its batch comes to.
    """
    records = [f"H|{identity}|{day}|{day}|{sequence}|{complete}"]
    nets = []
    for reference, gross in lines:
        fee = abs(gross) // 100
        nets.append(gross - fee)
        kind = "charge" if gross >= 0 else "refund"
        records.append(f"L|{reference}|{kind}|{currency}|{gross}|{fee}|{gross - fee}|{day}|{batch}")
    count, net = declared or (len(nets), sum(nets))
    end = f"T|{count}|{net}|{currency}" + ("" if paid is None else f"|{batch}|{paid}")
    return "".join(f"{each}\n" for each in [*records, end]).encode()


def statement(
    identity: str,
    opening: int | None,
    *amounts: int,
    day: str = "2026-01-05",
    sequence: str = "",
    account: str = "DE02120300000000202051",
    currency: str = "EUR",
    closing: int | None = None,
    copy: str = "",
    kind: str = "",
    references: str = "r",
) -> bytes:
    """One statement of a bank file; `closing` is what follows from its entries unless it is given."""
    end = "" if opening is None else opening + sum(amounts) if closing is None else closing
    begin = "" if opening is None else opening
    records = [f"S|{identity}|{account}|{currency}|{begin}|{day}|{day}|{sequence}|{copy}|{kind}"]
    records += [f"E|{each}|{currency}|{day}|{references}{n}||" for n, each in enumerate(amounts)]
    return "".join(f"{each}\n" for each in [*records, f"C|{end}|{len(amounts)}"]).encode()
