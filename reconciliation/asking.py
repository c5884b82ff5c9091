"""Lines that are nothing we know: the provider is asked what they are, before the file is posted.

What is ours of it, and was forgotten, is made again by pay-in and matched. The rest keeps its break, with
what the provider said as a note. A provider that does not answer is asked again for a while; then the file
is posted all the same, and the lines wait where their rule puts them.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from core import clock
from core.drain import Claim
from core.failpoints import failpoint
from core.settings_store import get_setting
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.services import adopt_from_provider
from payments.types import Settled
from reconciliation.locks import lock_discrepancies, lock_run
from reconciliation.matching.healing import heal_lines
from reconciliation.matching.kinds import KEY_SQL
from reconciliation.matching.policy import ASKS_FOR
from reconciliation.matching.sql import rows
from reconciliation.models import DiscrepancyNote, ReconciliationRun
from reconciliation.telling import Told, file_line

__all__ = ["BY", "WAITS", "ask_run"]

log = structlog.get_logger(__name__)

WAITS = "waits"
"""What `ask_run` answers while the run is to be taken up again later."""
BY = "system:provider"
"""Who writes down what the provider said."""

_PAUSE = timedelta(seconds=20)
# A claim does no more than fits into its lease.
_AT_ONCE_SECONDS = 60.0
_PORTION = 200
# Charges first: a refund can only be made again when its charge is there.
_OPEN = f"""
    SELECT line.id, line.line_no, line.kind, {KEY_SQL}, line.related, line.merchant_reference,
        coalesce(nullif(line.original_currency, ''), line.currency),
        CASE WHEN line.original_currency = '' THEN line.gross_minor ELSE line.original_minor END,
        '', NULL::uuid, 0::smallint, broken.id
    FROM reconciliation_discrepancy AS broken
    JOIN reconciliation_settlementline AS line ON line.id = broken.line_id
    WHERE broken.run_id = %(run)s AND broken.break_class = 'MISSING_INTERNAL' AND broken.side = 'psp'
        AND broken.status <> 'RESOLVED' AND line.kind IN ('charge', 'refund') AND line.quarantine = ''
        AND line.reference <> '' AND NOT (broken.id = ANY (%(silent)s::uuid[]))
        AND NOT EXISTS (SELECT FROM reconciliation_discrepancynote AS note
            WHERE note.discrepancy_id = broken.id AND note.by = %(by)s)
    ORDER BY line.kind, line.id LIMIT {_PORTION}
"""  # noqa: S608 - fragments of ours


@forbids_transaction
def ask_run(claim: Claim) -> str:
    """Ask the provider about the unknown charges and refunds of a MATCHED run; return its state, or WAITS.

    Each break is asked about once; a restart goes on with the next one.
    """
    run = ReconciliationRun.objects.select_related("file", "source").get(pk=claim.id)
    minutes = get_setting(name=ASKS_FOR)
    if run.fence != claim.fence or run.status != "MATCHED" or run.file.status != "PUBLISHED" or not minutes:
        return run.status
    ends, silent = time.monotonic() + _AT_ONCE_SECONDS, list[UUID]()
    while found := _open_lines(run, silent):
        for told in found:
            if not _ask(run, told):
                assert told.break_id is not None
                silent.append(told.break_id)
                if len(silent) >= 3:
                    break  # It is down; the others would only wait for their time-outs.
            failpoint("reconciliation.asked")
            if time.monotonic() > ends:
                at_edge(_postpone)(claim, timedelta())
                return WAITS
        if len(silent) >= 3:
            break
    if silent and run.matched_at and clock.now() < run.matched_at + timedelta(minutes=minutes):
        at_edge(_postpone)(claim, _PAUSE)
        return WAITS
    return run.status


def _open_lines(run: ReconciliationRun, silent: Sequence[UUID]) -> list[Told]:
    return [Told(*row) for row in rows(_OPEN, {"run": run.id, "silent": list(silent), "by": BY})]


def _ask(run: ReconciliationRun, told: Told) -> bool:
    """Ask about one line; False when the provider did not answer."""
    try:
        settled = adopt_from_provider(told=file_line(run, told))
    except (OperationalError, InterfaceError):
        raise  # The database is away, or waited too long: the run is tried again.
    except Exception as error:  # A person sees it, and the other lines do not wait for it.
        log.exception("line_not_adopted", line_id=told.line_id, run_id=str(run.id))
        settled = Settled("unsettled", f"{type(error).__name__}: {error}")
    if settled.result == "silent":
        return False
    at_edge(_keep)(run, told, settled)
    return True


@requires_transaction
def _keep(run: ReconciliationRun, told: Told, settled: Settled) -> None:
    """Match the line if its movement is known now, and write down what the provider said in any case."""
    assert told.break_id is not None
    if settled.result in ("settled", "known"):
        heal_lines(run_id=run.id, breaks={told.line_id: told.break_id})
    lock_discrepancies(ids=[told.break_id])
    DiscrepancyNote.objects.create(
        merchant_id=run.merchant_id,
        discrepancy_id=told.break_id,
        by=BY,
        text=f"{settled.result}: {settled.says}"[:2000],
        at=clock.now(),
    )


@requires_transaction
def _postpone(claim: Claim, pause: timedelta) -> None:
    run: Any = lock_run(run_id=claim.id)
    if run.fence == claim.fence and run.status == "MATCHED":
        run.due_at, run.leased_until = clock.now() + pause, None
        run.save(update_fields=["due_at", "leased_until"])
