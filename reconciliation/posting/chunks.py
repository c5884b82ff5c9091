"""Lines of a group as journal entries, in portions that are posted one transaction at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.templates.entry import CHUNK, Posting
from ledger.templates.fx import foreign_settlement_entries
from ledger.templates.settlement import settlement_chunk
from ledger.types import EntryDraft
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.posting.reading import Extent, Group, PostedLine, groups_of, portions_of
from reconciliation.posting.treatment import Context, Treated, treat

__all__ = ["PORTION", "FileToPost", "Portion", "books_of", "drafts_of", "portions"]

# Lines of one transaction: a fraction of a second, so that nobody waits for it.
PORTION = 10 * CHUNK


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
    """Some lines of one group, and their place: the same for the same file, whenever it is read."""

    group: Group
    ref: str
    rows: Sequence[PostedLine]


def portions(file: FileToPost) -> Iterator[Portion]:
    """Yield a file's lines in portions, always the same ones in the same order."""
    for place, group in enumerate(groups_of(file.extent), 1):
        for number, rows in enumerate(portions_of(file.extent, group, size=PORTION), 1):
            yield Portion(group, f"{file.id}:{file.version}:{place}.{number}", rows)


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
