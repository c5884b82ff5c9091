"""Posting one file: portion by portion, each in a transaction of its own, resumable at any point.

Every entry has a key made of the file, its version and its place, so that posting a portion twice posts it
once; `posted_chunks` only saves the way. Two portions are posted at a time: while the database writes one,
the entries of the next are made.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction

from channels.selectors import get_channel
from core import clock
from core.failpoints import failpoint
from core.history import move
from core.transactions import at_edge, forbids_transaction
from ledger.selectors import account_of
from ledger.services import land_entries, post_entries
from payouts.selectors import rail_of
from reconciliation.locks import lock_run
from reconciliation.models import ReconciliationRun, SettlementFile
from reconciliation.models.lines import LINE_BITS
from reconciliation.posting.chunks import FileToPost, Portion, books_of, drafts_of, portions
from reconciliation.posting.reading import Extent

__all__ = ["post_file"]

# Portions that are posted at a time.
ABREAST = 2
# Portions between two notes of how far it has come.
_NOTE_EVERY = 10
_Item = TypeVar("_Item")


@forbids_transaction
def post_file(*, run_id: UUID, fence: int, abreast: int | None = None) -> None:
    """Post the file of a MATCHED run, and move the run to POSTED.

    May be called again at any time, also by another process meanwhile: nothing is posted twice. `fence` is
    that of the claim; a run that somebody else claimed since is left to them. `abreast` is how many portions
    are posted at a time, each on a connection of its own where there are several.
    """
    run = ReconciliationRun.objects.get(pk=run_id)
    file = file_to_post(run.file)
    done = run.posted_chunks
    for _ in _posted(file, _skipping(portions(file), done), abreast or ABREAST):
        done += 1
        if done % _NOTE_EVERY == 0 and not at_edge(_note)(run_id, fence, done):
            return
    failpoint("reconciliation.posted")
    at_edge(_finish)(run_id, fence, done)


def _posted(file: FileToPost, items: Iterable[Portion], abreast: int) -> Iterator[None]:
    """Post portions, so many at a time; yield after each of them, in their order."""
    if abreast == 1:
        for portion in items:
            at_edge(_post)(file, portion)
            yield
        return
    with ThreadPoolExecutor(abreast, thread_name_prefix="posting") as pool:
        waiting: deque[Future[None]] = deque()
        for portion in items:
            if not waiting and not _has_accounts(file, portion):
                # Alone: another one would wait for the accounts that it opens until all of it is written.
                at_edge(_post)(file, portion)
                yield
                continue
            waiting.append(pool.submit(_post_threaded, file, portion))
            if len(waiting) > abreast:
                waiting.popleft().result()
                yield
        for each in waiting:
            each.result()
            yield


def _has_accounts(file: FileToPost, portion: Portion) -> bool:
    found = account_of(
        merchant_id=file.merchant_id,
        role="psp_settlement_in_transit",
        currency=portion.group.currency,
        provider=file.provider,
    )
    return found is not None


def file_to_post(row: SettlementFile) -> FileToPost:
    """Return what posting needs to know of a published file."""
    assert row.version is not None and row.period_to is not None and row.lines_count is not None
    source = row.source
    first = row.number << LINE_BITS
    provider = get_channel(channel_id=source.channel_id).provider if source.channel_id else source.provider
    return FileToPost(
        id=row.id,
        version=row.version,
        merchant_id=row.merchant_id,
        source_id=source.id,
        provider=source.in_books,
        rail=rail_of(provider=provider) or source.provider,
        document=row.document,
        day=row.period_to,
        extent=Extent(row.id, first, first + (1 << LINE_BITS) - 1, row.supersedes_id is not None),
    )


def _skipping(items: Iterable[_Item], count: int) -> Iterator[_Item]:
    for number, item in enumerate(items):
        if number >= count:
            yield item


def _post_threaded(file: FileToPost, portion: Portion) -> None:
    try:
        at_edge(_post)(file, portion)
    finally:
        connection.close()  # Returns the thread's connection to the pool.


def _post(file: FileToPost, portion: Portion) -> None:
    drafts = drafts_of(file, portion, books=books_of(file, portion))
    if drafts:
        post_entries(drafts=land_entries(drafts=drafts))
    transaction.on_commit(lambda: failpoint("reconciliation.portion_posted"))


def _note(run_id: UUID, fence: int, done: int) -> bool:
    run = lock_run(run_id=run_id)
    if run.fence != fence or run.status != "MATCHED":
        return False
    run.posted_chunks = done
    run.save(update_fields=["posted_chunks"])
    return True


def _finish(run_id: UUID, fence: int, done: int) -> None:
    run = lock_run(run_id=run_id)
    if run.fence != fence or run.status != "MATCHED":
        return
    run.posted_chunks = done
    run.save(update_fields=["posted_chunks"])
    now = clock.now()
    move(run, run.to_posted, why=f"posted, {done} portions", posted_at=now, due_at=now)
