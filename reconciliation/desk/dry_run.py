"""Reading a file without keeping anything of it: what it says, and whether it agrees with itself."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from reconciliation.formats.contract import Document, Entry, Item, Line, ReadOptions, Refused, Totals
from reconciliation.formats.packing import unpack
from reconciliation.formats.registry import format_named
from reconciliation.ingest.counting import Counted, check
from reconciliation.sources.types import SourceData

__all__ = ["DryRun", "Part", "read_dry"]


@dataclass
class Part:
    """One document of a file: a settlement file has one, a bank file one for each statement.

    `figures` are minor units, or numbers of lines, by currency and by the names that a Control has.
    """

    document: Document
    rows: int = 0
    first: date | None = None
    last: date | None = None
    unknown: int = 0
    totals: Totals | None = None
    figures: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    batches: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class DryRun:
    """What was read, and why it would be refused, if it would."""

    parts: list[Part]
    refused: Refused | None


def read_dry(
    *,
    source: SourceData,
    name: str,
    body: BinaryIO,
    asked_from: date | None = None,
    asked_to: date | None = None,
) -> DryRun:
    """Read a body as a file of the source would be read; nothing is stored and nothing is kept in memory.

    What other files say (versions, the statement before it, dates that are too old) is not looked at.
    """
    settings, parts = source.settings, list[Part]()
    format_ = format_named(settings.format)
    options = ReadOptions(
        name=name,
        encoding=settings.encoding,
        time_zone=settings.time_zone,
        account=settings.account,
        currency=settings.currency,
        asked_from=asked_from,
        asked_to=asked_to,
    )

    def belongs(member: str) -> bool:
        return member.lower().endswith(format_.suffixes)

    try:
        with unpack(body, member=belongs) as (stream, _packing):
            _count(format_.read(stream, options), parts)
        for part in parts:
            _compare(part)
    except Refused as refused:
        return DryRun(parts, refused)
    return DryRun(parts, None)


def _count(items: Iterable[Item], parts: list[Part]) -> None:
    for item in items:
        if isinstance(item, Document):
            parts.append(Part(item))
        elif isinstance(item, Line):
            _add_line(parts[-1], item)
        elif isinstance(item, Entry):
            _add_entry(parts[-1], item)
        else:
            parts[-1].totals = item


def _add_line(part: Part, line: Line) -> None:
    figures = part.figures[line.currency]
    _seen(part, line.business_date)
    part.unknown += line.kind == "unknown"
    part.batches[line.batch, line.currency] += line.net_minor
    figures["lines"] += 1
    figures["gross"] += line.gross_minor
    figures["gross_credits"] += max(line.gross_minor, 0)
    figures["gross_debits"] += max(-line.gross_minor, 0)
    figures["fee"] += line.fee_minor
    # Of fees, a debit is what the merchant pays.
    figures["fee_debits"] += max(line.fee_minor, 0)
    figures["fee_credits"] += max(-line.fee_minor, 0)
    _add_net(figures, line.net_minor)


def _add_entry(part: Part, entry: Entry) -> None:
    _seen(part, entry.booked_on)
    if entry.parent is None:
        figures = part.figures[entry.currency]
        figures["lines"] += 1
        _add_net(figures, entry.amount_minor)


def _add_net(figures: dict[str, int], net_minor: int) -> None:
    figures["net"] += net_minor
    figures["credits"] += max(net_minor, 0)
    figures["debits"] += max(-net_minor, 0)
    figures["credit_count"] += net_minor > 0
    figures["debit_count"] += net_minor < 0


def _seen(part: Part, day: date) -> None:
    part.rows += 1
    part.first = day if part.first is None else min(part.first, day)
    part.last = day if part.last is None else max(part.last, day)


def _compare(part: Part) -> None:
    """Raise Refused unless the part says so much of itself as its lines give."""
    if part.totals is None:
        raise Refused("truncated", "the file has no end")
    days = part.first or date.min, part.last or date.min
    counted = {currency: Counted(part.rows, 0, *days, figures) for currency, figures in part.figures.items()}
    check(part.totals.controls, counted, part.batches)
    opening, closing = part.document.opening_minor, part.totals.closing_minor
    if opening is None or closing is None:
        return
    net = sum(figures["net"] for figures in part.figures.values())
    if opening + net != closing:
        raise Refused(
            "statement_does_not_add_up",
            f"it opens with {opening} and has lines of {net}, but closes with {closing} (minor units)",
        )
