"""Posting one file: span by span, each in a transaction of its own, resumable at any point.

Every entry has a key made of the file, its version and its place, so that posting a span twice posts it
once; `posted_chunks` only saves the way. Two spans are posted at a time: while the database writes one, the
entries of the next are made.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.db import connection, transaction

from channels.selectors import get_channel
from core import clock
from core.failpoints import failpoint
from core.history import move
from core.transactions import at_edge, forbids_transaction
from ledger.services import land_entries, post_entries
from payouts.selectors import rail_of
from reconciliation.ingest.counting import ids_of
from reconciliation.leases import renew_lease
from reconciliation.locks import lock_run
from reconciliation.models import ReconciliationRun, SettlementFile
from reconciliation.posting.chunks import FileToPost, entries_of, spans
from reconciliation.posting.reading import Extent, Span

__all__ = ["post_file"]

# Spans that are posted at a time.
ABREAST = 2
# Spans between two notes of how far it has come, which also renew the lease.
_NOTE_EVERY = 10


@forbids_transaction
def post_file(*, run_id: UUID, fence: int, abreast: int | None = None) -> None:
    """Post the file of a MATCHED run, and move the run to POSTED.

    May be called again at any time, also by another process meanwhile: nothing is posted twice. `fence` is
    that of the claim; a run that somebody else claimed since is left to them. `abreast` is how many spans
    are posted at a time, each on a connection of its own where there are several.
    """
    run = ReconciliationRun.objects.get(pk=run_id)
    file = file_to_post(run.file)
    done = run.posted_chunks
    for _ in _posted(file, spans(file)[done:], abreast or ABREAST):
        done += 1
        if done % _NOTE_EVERY == 0 and not at_edge(_note)(run_id, fence, done):
            return
    failpoint("reconciliation.posted")
    at_edge(_finish)(run_id, fence, done)


def _posted(file: FileToPost, items: Sequence[Span], abreast: int) -> Iterator[None]:
    """Post spans, so many at a time; yield after each of them, in their order.

    The first one alone: it opens the accounts, which the others would wait for.
    """
    alone = items if abreast == 1 else items[:1]
    for span in alone:
        at_edge(_post)(file, span)
        yield
    if len(alone) == len(items):
        return
    with ThreadPoolExecutor(abreast, thread_name_prefix="posting") as pool:
        waiting: deque[Future[None]] = deque()
        for span in items[len(alone) :]:
            waiting.append(pool.submit(_post_threaded, file, span))
            if len(waiting) > abreast:
                waiting.popleft().result()
                yield
        for each in waiting:
            each.result()
            yield


def file_to_post(row: SettlementFile) -> FileToPost:
    """Return what posting needs to know of a published file."""
    assert row.version is not None and row.period_to is not None and row.lines_count is not None
    source = row.source
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
        extent=Extent(row.id, *ids_of(row.number), ids_of(row.supersedes.number) if row.supersedes else None),
    )


def _post_threaded(file: FileToPost, span: Span) -> None:
    try:
        at_edge(_post)(file, span)
    finally:
        connection.close()  # Returns the thread's connection to the pool.


def _post(file: FileToPost, span: Span) -> None:
    drafts = entries_of(file, span)
    if drafts:
        post_entries(drafts=land_entries(drafts=drafts))
    transaction.on_commit(lambda: failpoint("reconciliation.portion_posted"))


def _note(run_id: UUID, fence: int, done: int) -> bool:
    run = lock_run(run_id=run_id)
    if run.fence != fence or run.status != "MATCHED":
        return False
    run.posted_chunks = done
    run.save(update_fields=["posted_chunks"])
    renew_lease(run_id=run_id, fence=fence)
    return True


def _finish(run_id: UUID, fence: int, done: int) -> None:
    run = lock_run(run_id=run_id)
    if run.fence != fence or run.status != "MATCHED":
        return
    run.posted_chunks = done
    run.save(update_fields=["posted_chunks"])
    now = clock.now()
    move(run, run.to_posted, why=f"posted, {done} spans", posted_at=now, due_at=now)
