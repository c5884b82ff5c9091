"""A provisional file that was fetched again and says the same: now that its period is over, it is final."""

from uuid import UUID

from core import clock
from core.history import move
from core.transactions import requires_transaction
from reconciliation.ingest.days import today_of
from reconciliation.locks import lock_file, lock_source
from reconciliation.matching.runs import queue_run
from reconciliation.models import SettlementFile

__all__ = ["confirm", "confirm_again", "is_whole"]


def is_whole(file: SettlementFile, *, is_said_again: bool = False) -> bool:
    """Say whether a provider has nothing to add to a file when it is received now.

    Its period is over where its source is, it has the mark of its end, if its format has one, and nothing
    that the provider says elsewhere contradicts it; or it contradicts that and says the same a second time.
    """
    is_over = file.period_to is None or file.period_to < today_of(file.source)
    is_agreed = is_said_again or not file.totals.get("contradicted")
    return is_over and is_agreed and bool(file.totals["is_complete"])


@requires_transaction
def confirm(live: SettlementFile, *, by: SettlementFile) -> None:
    """Make a locked provisional file final, if a later file that says the same is whole."""
    if live.status == "PROVISIONAL" and is_whole(by, is_said_again=True):
        move(live, live.to_published, why=f"{by.name[:80]} says the same", published_at=clock.now())
        queue_run(live)


@requires_transaction
def confirm_again(*, file_id: UUID, by: str) -> SettlementFile:
    """Make a provisional file final whose very body was received again, if it is whole now; return it."""
    source_id = SettlementFile.objects.values_list("source_id", flat=True).get(pk=file_id)
    lock_source(source_id=source_id)
    file = lock_file(file_id=file_id)
    if file.status == "PROVISIONAL" and is_whole(file, is_said_again=True):
        move(file, file.to_published, why="received again as it was", by=by, published_at=clock.now())
        queue_run(file)
    return file
