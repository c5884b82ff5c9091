"""Lines of a file as journal entries, in spans that are posted one transaction at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.templates.entry import CHUNK, Posting
from ledger.templates.fx import foreign_settlement_entries
from ledger.templates.settlement import settlement_chunk
from ledger.types import EntryDraft
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.posting.reading import Extent, Group, PostedLine, Span, read_span, spans_of
from reconciliation.posting.treatment import Context, Treated, treat

__all__ = ["SPAN", "FileToPost", "Portion", "books_of", "drafts_of", "entries_of", "spans"]

# Lines of one transaction: a fraction of a second, so that nobody waits for it.
SPAN = 10 * CHUNK


@dataclass(frozen=True)
class FileToPost:
    """The version of a file that is posted, whose it is, and on which day of the books."""

    id: UUID
    version: int
    merchant_id: UUID
    source_id: UUID
    provider: str
    rail: str
    document: str
    day: date
    extent: Extent


@dataclass(frozen=True)
class Portion:
    """The lines that a span has of one group, and their place: the same for the same file, always."""

    group: Group
    ref: str
    rows: Sequence[PostedLine]


def spans(file: FileToPost) -> list[Span]:
    """Return in which spans a file is posted: always the same ones in the same order."""
    return spans_of(file.extent, size=SPAN)


def entries_of(file: FileToPost, span: Span) -> list[EntryDraft]:
    """Return the entries of a span. Needs a transaction in which accounts may be opened."""
    place = f"{file.id}:{file.version}:{'-' if span.sign < 0 else ''}{span.number}"
    drafts: list[EntryDraft] = []
    for number, (group, rows) in enumerate(read_span(file.extent, span).items(), 1):
        portion = Portion(group, f"{place}.{number}", rows)
        drafts += drafts_of(file, portion, books=books_of(file, portion))
    return drafts


def books_of(file: FileToPost, portion: Portion) -> ProviderBooks:
    """Return the accounts that a portion moves."""
    return ProviderBooks(
        merchant_id=file.merchant_id, provider=file.provider, currency=portion.group.currency
    )


def drafts_of(file: FileToPost, portion: Portion, *, books: ProviderBooks) -> list[EntryDraft]:
    """Return the entries of a portion. Needs a transaction in which accounts may be opened."""
    context = Context(
        posting=Posting(file.merchant_id, portion.group.currency, file.day),
        books=books,
        source_id=file.source_id,
        batch=portion.group.batch or file.document,
        rail=file.rail,
    )
    drafts: list[EntryDraft] = []
    for number, rows in enumerate(_chunks(portion.rows), 1):
        treated = treat(context, rows)
        drafts += treated.others
        drafts += _chunk(context, portion.ref, number, treated)
    return drafts


def _chunk(context: Context, ref: str, number: int, treated: Treated) -> Iterator[EntryDraft]:
    settled = settlement_chunk(
        posting=context.posting,
        accounts=context.books.settlement,
        file_ref=ref,
        batch_id=context.batch_key,
        number=number,
        lines=treated.settled,
    )
    if settled is not None:
        yield settled
    for captured, lines in sorted(treated.foreign.items()):
        books = context.books.in_currency(captured)
        yield from foreign_settlement_entries(
            posting=Posting(context.posting.merchant_id, captured, context.posting.effective_date),
            accounts=books.foreign(context.books),
            settled_currency=context.posting.currency,
            file_ref=f"{ref}:{number}:{captured}",
            batch_id=context.batch_key,
            lines=lines,
        )


def _chunks(rows: Sequence[PostedLine]) -> Iterator[Sequence[PostedLine]]:
    """Cut rows into chunks that fit into one entry; the parts of one line stay together."""
    start = 0
    for place, row in enumerate(rows):
        if not row.is_further and place - start >= CHUNK:
            yield rows[start:place]
            start = place
    yield rows[start:]
