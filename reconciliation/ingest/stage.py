"""Read a stored body through its packing and its format, and stage every line of it.

Nothing that is staged is seen by anybody. A restart reads the body again, passes over what is staged already,
and goes on; when the last staged line is not what the body says, staging begins anew.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BufferedReader
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid5

from core.drain import Claim
from core.failpoints import failpoint
from core.settings_store import get_settings
from core.transactions import at_edge, forbids_transaction
from reconciliation.formats.contract import Document, Entry, Format, Item, Line, ReadOptions, Refused, Totals
from reconciliation.formats.packing import unpack
from reconciliation.formats.registry import format_named
from reconciliation.ingest.body import StoredBody
from reconciliation.ingest.days import today_of
from reconciliation.ingest.policy import MAX_BYTES, OLDEST_DAYS
from reconciliation.ingest.rows import COPY_ENTRIES, COPY_LINES, Quarantine, entry_rows, line_rows
from reconciliation.ingest.staged import LastStaged, last_staged, remove_lines
from reconciliation.ingest.writer import CHUNK_LINES, Writer, keep_claim
from reconciliation.models import LINE_BITS, SettlementFile, SettlementSource

__all__ = ["Part", "Staged", "read_file", "statement_key"]

FUTURE, OLD = "future_dated", "too_old"
_BUFFER_BYTES = 256 * 1024
_MOST = (1 << LINE_BITS) - 1


@dataclass
class Part:
    """One document of a file: all of a settlement file, one statement of a bank's."""

    document: Document
    totals: Totals | None = None


@dataclass
class Staged:
    """What reading a file found: its documents in order, and how many lines are staged."""

    parts: list[Part] = field(default_factory=list)
    lines: int = 0


@forbids_transaction
def read_file(claim: Claim, file: SettlementFile) -> Staged:
    """Read a file that is being staged to its end, and stage what is not staged yet.

    Raises Refused for what the file says wrongly, Overtaken when another worker has it, and anything else
    for a fault of ours.
    """
    try:
        return _Reader(claim, file, file.source).read()
    except _Differs:
        remove_lines(claim, file)
        return _Reader(claim, file, file.source).read()


class _Differs(Exception):
    """What is staged is not what the body says, as this reader reads it."""


class _Reader:
    def __init__(self, claim: Claim, file: SettlementFile, source: SettlementSource) -> None:
        self._claim, self._file, self._source = claim, file, source
        self._format = format_named(source.format)
        self._staged = Staged()
        self._skip = file.staged_lines
        self._quarantine = _quarantine(source)
        self._known: LastStaged | None = None

    def read(self) -> Staged:
        """Stage the lines; return what the documents of the file are. Raises _Differs."""
        if self._skip:
            self._known = last_staged(self._file.number, of_bank=self._source.kind == "bank")
            if self._known is None or self._known.count != self._skip:
                raise _Differs
        copy = COPY_ENTRIES if self._source.kind == "bank" else COPY_LINES
        with (
            Writer(claim=self._claim, copy=copy, staged=self._skip) as writer,
            self._items() as items,
        ):
            if self._source.kind == "bank":
                self._bank(items, writer)
            else:
                self._settlement(items, writer)
            self._staged.lines = writer.finish()
        failpoint("settlement_files.staged")
        return self._staged

    def _settlement(self, items: Iterator[Item], writer: Writer) -> None:
        row = line_rows(
            number=self._file.number,
            merchant_id=self._file.merchant_id,
            file_id=self._file.id,
            quarantine=self._quarantine,
        )
        document = next(items, None)
        if not isinstance(document, Document):
            raise TypeError(f"{self._format.name} begins with {document!r}")
        self._staged.parts.append(Part(self._checked(document)))
        currency, skip, put, seen = self._source.currency or document.currency, self._skip, writer.put, 0
        ended = -1
        for item in items:
            if type(item) is not Line:
                self._end(item)
                ended = seen
                continue
            if currency and item.currency != currency:
                raise Refused(
                    "currency_unexpected", f"a line in {item.currency}, not {currency}", item.line_no
                )
            if item.gross_minor - item.fee_minor != item.net_minor:
                raise Refused("line_does_not_add_up", "gross less fee is not net", item.line_no)
            seen += 1
            if seen > skip:
                if item.line_no > _MOST:
                    raise Refused("too_many_lines", f"more than {_MOST} lines", item.line_no)
                put(row(item))
            else:
                self._pass_over(item, seen)
        self._whole()
        if ended != seen:
            raise TypeError(f"{self._format.name} has lines after its totals")
        if seen < skip:
            raise _Differs

    def _bank(self, items: Iterator[Item], writer: Writer) -> None:
        row = entry_rows(
            number=self._file.number,
            merchant_id=self._file.merchant_id,
            file_id=self._file.id,
            quarantine=self._quarantine,
        )
        statement_id, currency, skip, seen = self._file.id, "", self._skip, 0
        for item in items:
            if isinstance(item, Document):
                self._whole()
                statement_id = statement_key(self._file.id, len(self._staged.parts))
                self._staged.parts.append(Part(self._checked(item)))
                currency = item.currency
            elif isinstance(item, Entry):
                if item.currency != currency:
                    raise Refused(
                        "currency_unexpected", f"an entry in {item.currency}, not {currency}", item.line_no
                    )
                seen += 1
                if seen > skip:
                    if item.line_no > _MOST:
                        raise Refused("too_many_lines", f"more than {_MOST} lines", item.line_no)
                    writer.put(row(item, statement_id))
                else:
                    self._pass_over(item, seen)
            else:
                self._end(item)
        self._whole()
        if seen < skip:
            raise _Differs
        if not self._staged.parts:
            raise Refused("truncated", "there is no statement in the file")

    def _checked(self, document: Document) -> Document:
        """A document about another account, or in another currency, is not of this source."""
        wanted, found = (_plain(text) for text in (self._source.account, document.account))
        if wanted and found and wanted != found:
            raise Refused("account_unexpected", "the file is about another account than its source")
        if self._source.currency and document.currency not in ("", self._source.currency):
            raise Refused(
                "currency_unexpected", f"the file is in {document.currency}, not {self._source.currency}"
            )
        return document

    def _end(self, item: Item) -> None:
        parts = self._staged.parts
        if not isinstance(item, Totals) or not parts or parts[-1].totals is not None:
            raise TypeError(f"{self._format.name} has {item!r} out of its order")
        parts[-1].totals = item

    def _whole(self) -> None:
        if self._staged.parts and self._staged.parts[-1].totals is None:
            raise TypeError(f"{self._format.name} ends without totals")

    def _pass_over(self, item: Line | Entry, seen: int) -> None:
        """Say nothing of a line that is staged, but look at the last of them, and keep the claim."""
        if seen == self._skip and not (self._known and self._known.is_same(item)):
            raise _Differs
        if seen % CHUNK_LINES == 0:
            at_edge(keep_claim)(self._claim, before=self._skip, after=self._skip)

    @contextmanager
    def _items(self) -> Iterator[Iterator[Item]]:
        file, source = self._file, self._source
        options = ReadOptions(
            name=file.name,
            encoding=source.encoding,
            time_zone=source.time_zone,
            account=source.account,
            currency=source.currency,
            asked_from=file.asked_from,
            asked_to=file.asked_to,
        )
        body = cast(BinaryIO, BufferedReader(StoredBody(file_id=file.id, size=file.size), _BUFFER_BYTES))
        limit: int = get_settings(names=[MAX_BYTES.name])[MAX_BYTES.name] * 2
        with unpack(body, limit=limit, member=_member(self._format)) as (stream, _packing):
            yield self._format.read(stream, options)


def statement_key(file_id: UUID, position: int) -> UUID:
    """Return the key of a statement: the same however often its file is staged, since its lines carry it."""
    return uuid5(file_id, str(position))


def _quarantine(source: SettlementSource) -> Quarantine:
    days: int = get_settings(names=[OLDEST_DAYS.name])[OLDEST_DAYS.name]
    latest, earliest = today_of(source) + timedelta(days=1), today_of(source) - timedelta(days=days)

    def judge(day: date) -> str:
        return FUTURE if day > latest else OLD if day < earliest else ""

    return judge


def _member(format_: Format) -> Callable[[str], bool] | None:
    """Some formats say which of the files in a zip is meant."""
    member: Any = getattr(format_, "member", None)
    return cast("Callable[[str], bool] | None", member)


def _plain(account: str) -> str:
    return account.replace(" ", "").upper()
