"""ISO 20022 camt.052, camt.053 and camt.054: account report, statement, notification.

Three formats, because camt.052 and camt.054 tell what camt.053 tells again: a source takes one of them as
what it books by, and refuses the others. Read by local names, so that versions 001.01 to 001.13 are one
reader; the namespace has to be one of those, or none. An envelope with an AppHdr around it is accepted.

XML says itself in which encoding it is written (UTF-8 where it says nothing): that counts.
"""

from collections.abc import Iterator
from re import compile as pattern
from typing import BinaryIO
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from reconciliation.formats.camt_entries import (
    Account,
    booking_of,
    detail_of,
    detailed,
    entry_of,
    with_batch,
    with_note,
)
from reconciliation.formats.camt_statement import Head, Sums, controls, head_of
from reconciliation.formats.contract import Entry, Item, ReadOptions, Refused, Totals
from reconciliation.formats.xml_stream import Parts, Step, steps, text_at

__all__ = ["CAMT_052", "CAMT_053", "CAMT_054", "Camt"]

_VERSIONS = range(1, 14)
_namespace = pattern(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234])\.001\.(\d\d)").fullmatch
# Nothing of these is used: addresses, banks, charges, cards.
_SKIPPED = frozenset(
    {
        "Avlbty", "CardTx", "Chrgs", "FinInstrmId", "Intrst", "Ownr", "PstlAdr", "RltdAcct", "RltdAgts",
        "RltdDts", "RltdPric", "RltdQties", "SplmtryData", "Svcr", "Tax",
    }
)  # fmt: skip
# Of so many details the collective booking waits, so that the note behind them still comes with it.
_HELD_DETAILS = 200
# What the standard has before the entries. Behind them it would be known too late.
_HEAD_ONLY = ("Acct", "Bal", "CpyDplctInd", "ElctrncSeqNb", "FrToDt", "LglSeqNb", "TxsSummry")


class Camt:
    """One of the three messages, with any number of statements, reports or notifications in it.

    Only booked entries count; the others (PDNG, INFO, FUTR) are counted as ignored. An entry with several
    transactions in it is a collective booking with details. A reversal has its own direction already. What
    the summary (TxsSummry) declares is compared with what was read.

    A statement has one opening balance (OPBD, or else the previous closing balance, PRCD) and one closing
    balance (CLBD), both and all entries in one currency, or the file is refused. It is known by account,
    currency, year and ElctrncSeqNb (or LglSeqNb), or without a number by its period and closing balance. The
    other two have no balances, and are known by their Id.

    Days are as the bank writes them; a booking time with an offset is brought to the zone of the source.
    """

    kind = "bank"
    encodings: tuple[str, ...] = ("utf-8",)
    suffixes: tuple[str, ...] = (".xml", ".camt", ".c52", ".c53", ".c54")

    def __init__(self, name: str, title: str, *, message: str, record: str, document_kind: str) -> None:
        self.name, self.title = name, title
        self.message, self.record, self.document_kind = message, record, document_kind

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield a Document, its Entries and its Totals for every statement of the message.

        Raises Refused: `format_mismatch` for another message or an unknown namespace, what `xml_stream` and
        `camt_statement` raise, and `currency_mixed`, `amount_invalid`, `date_missing` and the like.
        """
        return _Reading(self, options).items(body)


class _Pending:
    """An entry that is open: its head, and the details that are held back until all of it is known."""

    def __init__(self, step: Step) -> None:
        self.head, self.line = step.element, step.line
        self.batch: Element = Element("NtryDtls")
        self.held: list[tuple[Element, Element, int]] = []
        self.is_counted = self.is_out = False
        self.entry: Entry | None = None


class _Reading:
    """One file being read: where in it we are."""

    def __init__(self, camt: Camt, options: ReadOptions) -> None:
        self._camt, self._options = camt, options
        self._zone = ZoneInfo(options.time_zone)
        self._line_no = self._records = 0

    def items(self, body: BinaryIO) -> Iterator[Item]:
        entries: Parts = {"Ntry": {"NtryDtls": {"TxDtls": {}}, "TxDtls": {}}}
        for step in steps(body, {"Document": {"*": {self._camt.record: entries}}}, skipped=_SKIPPED):
            match step.name, step.is_end:
                case "Document", False:
                    self._check_namespace(step)
                case "Ntry", False:
                    self._pending = _Pending(step)
                case "Ntry", True:
                    yield from self._entry(step)
                case "NtryDtls", False:
                    self._pending.batch = step.element
                case "TxDtls", True:
                    yield from self._detail(step)
                case self._camt.record, False:
                    self._begin(step)
                case self._camt.record, True:
                    yield from self._finish(step)
                case ("NtryDtls", _) | ("TxDtls", _) | ("Document", _):
                    pass
                case name, _:
                    self._check_message(name, step.line)
        if not self._records:
            raise Refused(
                "format_mismatch", f"there is no {self._camt.record} of {self._camt.name} in the file"
            )

    def _check_namespace(self, step: Step) -> None:
        namespace = step.element.tag.rpartition("}")[0]
        found = _namespace(namespace)
        if namespace and not (found and found[1] == self._camt.name and int(found[2]) in _VERSIONS):
            raise Refused("format_mismatch", f"{namespace[:80]!r} is not {self._camt.name}", step.line)

    def _check_message(self, name: str, line: int) -> None:
        if name.removesuffix("V01") != self._camt.message:
            raise Refused("format_mismatch", f"{name[:40]} is not {self._camt.message}", line)

    def _begin(self, step: Step) -> None:
        self._records += 1
        self._record, self._record_line = step.element, step.line
        self._known: Head | None = None
        self._sums = Sums()

    def _head(self, currency: str) -> Head:
        if self._known is None:
            self._known = head_of(
                self._record,
                kind=self._camt.document_kind,
                currency=currency,
                options=self._options,
                line=self._record_line,
            )
        return self._known

    def _finish(self, step: Step) -> Iterator[Item]:
        if step.element is not self._record and any(
            step.element.find(name) is not None for name in _HEAD_ONLY
        ):
            raise Refused(
                "order_invalid", "something of the statement's head stands behind its entries", step.line
            )
        if self._known is None:
            yield self._head("").document
        head = self._head("")
        declared = controls(head.summary, self._sums, head.document.currency, self._record_line)
        yield Totals(controls=declared, closing_minor=head.closing_minor, ignored=self._sums.ignored)

    def _counted(self, pending: _Pending) -> Iterator[Item]:
        """Count the entry, once, the Document before the first; `pending.entry` is set if it is booked."""
        if pending.is_counted:
            return
        pending.is_counted = True
        booking = booking_of(pending.head, pending.line)
        if self._known is None:
            yield self._head(booking.currency).document
        document = self._head("").document
        if booking.currency != document.currency:
            raise Refused(
                "currency_mixed",
                f"an entry in {booking.currency} on an account in {document.currency}",
                pending.line,
            )
        self._sums.add(booking)
        if booking.counts:
            self._account = Account(document.account, document.currency, self._zone)
            self._line_no += 1
            pending.entry = entry_of(pending.head, booking, self._account, self._line_no, pending.line)

    def _detail(self, step: Step) -> Iterator[Item]:
        pending = self._pending
        yield from self._counted(pending)
        if pending.entry is None:
            return
        pending.held.append((pending.batch, step.element, step.line))
        if pending.is_out or len(pending.held) > _HELD_DETAILS:
            yield from self._collective(pending, pending.entry)

    def _entry(self, step: Step) -> Iterator[Item]:
        pending = self._pending
        yield from self._counted(pending)
        entry = pending.entry
        if entry is None or pending.is_out:
            return
        if step.element is not pending.head:
            entry = with_note(entry, text_at(step.element, "AddtlNtryInf"))
        if not pending.held:
            yield with_batch(entry, pending.batch)
        elif len(pending.held) == 1:
            batch, details, _ = pending.held[0]
            yield detailed(entry, batch, details, self._account)
        else:
            yield from self._collective(pending, entry)

    def _collective(self, pending: _Pending, entry: Entry) -> Iterator[Item]:
        """The booking, once, and those of its details that are there."""
        if not pending.is_out:
            pending.is_out = True
            yield with_batch(entry, pending.held[0][0])
        for batch, details, line in pending.held:
            self._line_no += 1
            yield detail_of(entry, batch, details, self._account, line_no=self._line_no, line=line)
        pending.held.clear()


CAMT_052 = Camt(
    "camt.052",
    "ISO 20022 camt.052, account report",
    message="BkToCstmrAcctRpt",
    record="Rpt",
    document_kind="report",
)
CAMT_053 = Camt(
    "camt.053",
    "ISO 20022 camt.053, account statement",
    message="BkToCstmrStmt",
    record="Stmt",
    document_kind="statement",
)
CAMT_054 = Camt(
    "camt.054",
    "ISO 20022 camt.054, debit and credit notification",
    message="BkToCstmrDbtCdtNtfctn",
    record="Ntfctn",
    document_kind="notification",
)
