"""A complete file is published: at one moment all of it begins to count, and what it replaces ends."""

from datetime import timedelta
from typing import Any

from django.db.models import Max, Q

from core import clock
from core.drain import Claim
from core.failpoints import failpoint
from core.history import Changes
from core.transactions import at_edge, requires_transaction
from reconciliation.formats.contract import Refused
from reconciliation.ingest.changes import LINES, Side, write_changes
from reconciliation.ingest.confirm import confirm, is_whole
from reconciliation.ingest.counting import ids_of
from reconciliation.ingest.gaps import look_for_gaps
from reconciliation.ingest.refuse import end_refusals, refuse, tell_quarantined
from reconciliation.ingest.statements import publish_statements
from reconciliation.ingest.writer import Overtaken
from reconciliation.locks import lock_file, lock_files, lock_source
from reconciliation.matching.runs import queue_run
from reconciliation.models import SettlementFile
from reconciliation.states import FILE_LIVE, FILE_OPEN

__all__ = ["publish"]

# How long a file waits for an older one of its source.
_PAUSE = timedelta(seconds=2)


@at_edge
def publish(claim: Claim) -> str:
    """Publish a complete file; return its state, which is STAGING when it waits for an older file.

    Of one document the file that was received last counts. A file in whose document a newer one counts
    already is refused (`older_version`), and so is an unfinished one where a finished one counts
    (`unfinished_version`). Raises Overtaken.
    """
    source_id = SettlementFile.objects.values_list("source_id", flat=True).get(pk=claim.id)
    lock_source(source_id=source_id)
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.status != "STAGING" or file.lines_count is None:
        raise Overtaken
    if _older_ones_are_open(file):
        file.due_at, file.leased_until = clock.now() + _PAUSE, None
        file.save(update_fields=["due_at", "leased_until"])
        return file.status
    if file.source.kind == "bank":
        publish_statements(file)
    else:
        _publish_settlement(file)
    failpoint("settlement_files.before_publish")
    return file.status


@requires_transaction
def _publish_settlement(file: SettlementFile) -> None:
    live = next(iter(lock_files(source_id=file.source_id, document=file.document, states=FILE_LIVE)), None)
    if live is not None and (live.received_at, live.id) > (file.received_at, file.id):
        why = f"a newer version of {file.document} counts already"
        refuse(file, Refused("older_version", why), is_told=False)
        return
    if live is not None and live.status == "PUBLISHED" and not is_whole(file):
        # What is final is never replaced by what the provider has not finished.
        refuse(file, Refused("unfinished_version", f"a finished version of {file.document} counts already"))
        return
    known: dict[str, Any] = {"version": _next_version(file)}
    changes = Changes()
    if live is not None:
        differing = write_changes(
            LINES,
            merchant_id=file.merchant_id,
            file_id=file.id,
            old=Side(*ids_of(live.number)),
            new=Side(*ids_of(file.number)),
        )
        if not differing:
            why = f"says what version {live.version} says"
            changes.move(file, file.to_duplicate, why=why, sweep_at=clock.now(), **known)
            changes.save()
            confirm(live, by=file)
            return
        changes.move(live, live.to_superseded, why=f"version {known['version']}: {differing} lines differ")
        known["supersedes_id"] = live.id
    if is_whole(file):
        now = clock.now()
        changes.move(file, file.to_published, why="all of it adds up", published_at=now, **known)
    else:
        changes.move(file, file.to_provisional, why=_why_not_final(file), **known)
    changes.save()
    queue_run(file)
    tell_quarantined(file)
    look_for_gaps(file)
    end_refusals(file)


def _older_ones_are_open(file: SettlementFile) -> bool:
    """Whether a file that came before is still worked on, and may be about the same document."""
    before = Q(received_at__lt=file.received_at) | Q(received_at=file.received_at, pk__lt=file.pk)
    older = SettlementFile.objects.filter(
        before, source_id=file.source_id, status__in=FILE_OPEN, due_at__isnull=False
    )
    if file.source.kind == "psp":
        older = older.filter(document__in=("", file.document))
    return older.exists()


def _why_not_final(file: SettlementFile) -> str:
    if file.totals.get("contradicted"):
        return "the provider says something else elsewhere: it is asked again"
    return "the provider may still be writing it"


def _next_version(file: SettlementFile) -> int:
    versions = SettlementFile.objects.filter(source_id=file.source_id, document=file.document)
    return (versions.aggregate(newest=Max("version"))["newest"] or 0) + 1
