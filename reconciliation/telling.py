"""Outcomes that nobody knew, and that a file tells: pay-in ends them before the file is posted.

Otherwise the file would clear keys of psp_clearing under which the books have nothing yet. Each line is told
in a transaction of its own; one that cannot be recorded becomes a break, and the others go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from core.drain import Claim
from core.failpoints import failpoint
from core.ids import public_id
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.selectors import MOVEMENTS as PAY_INS
from payments.services import settle_from_file
from payments.types import FileLine, Settled
from reconciliation.breaks import BreakClass, Side
from reconciliation.ingest.counting import ids_of
from reconciliation.leases import keep_run
from reconciliation.locks import lock_file
from reconciliation.matching.findings import line_finding
from reconciliation.matching.healing import heal_lines
from reconciliation.matching.kinds import KEY_SQL
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.opening import Place, open_breaks
from reconciliation.matching.sql import channels_for, long_statements, rows
from reconciliation.matching.types import MovementKey
from reconciliation.models import Discrepancy, ReconciliationRun

__all__ = ["Told", "file_line", "tell_run"]

log = structlog.get_logger(__name__)

_PORTION = 500
_TOLD = f"""
    line.id, line.line_no, line.kind, {KEY_SQL}, line.related, line.merchant_reference
"""
# From the matches of a file, to the few movements of them that have no outcome.
_MATCHED = f"""
    SELECT {_TOLD}, movement.currency, found.amount_minor + found.difference_minor, found.subject_kind,
        found.subject_id, found.nth, NULL::uuid
    FROM reconciliation_match AS found
    JOIN reconciliation_settlementline AS line ON line.id = found.line_id
    JOIN {PAY_INS} AS movement ON movement.subject_id = found.subject_id
        AND movement.subject_kind = found.subject_kind AND movement.nth = found.nth
    WHERE found.line_id > %(after)s AND found.line_id <= %(last)s AND found.side = 'psp' AND found.live
        AND found.movement_part = 0 AND line.quarantine = '' AND movement.state = 'unknown'
        AND movement.kind IN ('charge', 'refund')
    ORDER BY found.line_id, found.id LIMIT %(limit)s
"""  # noqa: S608 - fragments of ours
# Lines of what ended without money, with us: it is late.
_DENIED = f"""
    SELECT {_TOLD}, line.currency, line.gross_minor, broken.subject_kind, broken.subject_id, 0::smallint,
        broken.id
    FROM reconciliation_discrepancy AS broken
    JOIN reconciliation_settlementline AS line ON line.id = broken.line_id
    WHERE broken.run_id = %(run)s AND broken.break_class = 'STATUS_MISMATCH' AND broken.side = 'psp'
        AND broken.status <> 'RESOLVED' AND broken.subject_kind = 'charge' AND line.quarantine = ''
        AND line.kind = 'charge' AND line.id > %(after)s AND line.id <= %(last)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS found
            WHERE found.line_id = line.id AND found.side = 'psp' AND found.live)
    ORDER BY line.id LIMIT %(limit)s
"""  # noqa: S608 - fragments of ours


class Told(NamedTuple):
    """A line that tells of a movement without an outcome; `break_id` where it has its break already.

    `minor` is what it says in the movement's `currency`, signed as the provider signs it.
    """

    line_id: int
    line_no: int
    kind: str
    name: str
    related: str
    merchant_reference: str
    currency: str
    minor: int
    subject_kind: str
    subject_id: UUID | None
    nth: int
    break_id: UUID | None


def file_line(run: ReconciliationRun, told: Told) -> FileLine:
    """Return what pay-in is told of a line."""
    return FileLine(
        merchant_id=run.merchant_id,
        channel_ids=tuple(channels_for(run.source)),
        kind=told.kind,
        subject_kind=told.subject_kind,
        subject_id=told.subject_id,
        reference=told.name,
        payment_reference=told.related,
        our_reference=told.merchant_reference,
        amount_minor=told.minor,
        currency=told.currency,
        file=public_id("stl", run.file_id),
        line_no=told.line_no,
    )


@forbids_transaction
def tell_run(claim: Claim) -> str:
    """Tell pay-in of each line of a MATCHED run whose movement has no outcome; return the run's state.

    A restart begins anew: what was told has its outcome, or its break. Nothing is told of a file that does
    not count any more.
    """
    run = ReconciliationRun.objects.select_related("file", "source").get(pk=claim.id)
    if run.fence != claim.fence or run.status != "MATCHED":
        return run.status
    for sql in (_MATCHED, _DENIED):
        for told in _found(claim, run, sql):
            _tell(run, told)
            failpoint("reconciliation.told")
    return run.status


def _found(claim: Claim, run: ReconciliationRun, sql: str) -> Iterator[Told]:
    first, last = ids_of(run.file.number)
    after = first - 1
    while found := at_edge(_read)(sql, {"run": run.id, "after": after, "last": last, "limit": _PORTION}):
        yield from found
        after = found[-1].line_id
        if not keep_run(claim):
            return


@requires_transaction
def _read(sql: str, params: dict[str, Any]) -> Sequence[Told]:
    long_statements()
    return [Told(*row) for row in rows(sql, params)]


def _tell(run: ReconciliationRun, told: Told) -> None:
    try:
        settled = at_edge(_settle)(run, told)
    except (OperationalError, InterfaceError):
        raise  # The database is away, or waited too long: the run is tried again.
    except Exception as error:  # A person sees it, and the other lines do not wait for it.
        log.exception("line_not_settled", line_id=told.line_id, run_id=str(run.id))
        settled = Settled("unsettled", f"{type(error).__name__}: {error}")
    if settled.result not in ("settled", "known"):
        at_edge(_break)(run, told, settled)
    elif told.break_id is not None:
        at_edge(heal_lines)(run_id=run.id, breaks={told.line_id: told.break_id})


@requires_transaction
def _settle(run: ReconciliationRun, told: Told) -> Settled:
    file = lock_file(file_id=run.file_id)
    if file.status != "PUBLISHED":
        return Settled("known")  # A newer version has its own run.
    return settle_from_file(told=file_line(run, told))


@requires_transaction
def _break(run: ReconciliationRun, told: Told, settled: Settled) -> None:
    """Open the break of a line that could not be recorded, unless its amount has one that says so."""
    if told.break_id is not None or _has_break(told):
        return
    [line] = lines_by_id([told.line_id]).values()
    step = {"step": "settle", "result": settled.result, "says": settled.says[:300]}
    finding = line_finding(
        BreakClass.STATUS_MISMATCH, line, [step], None, extra=f", and it could not be ended: {settled.says}"
    )
    assert told.subject_id is not None
    key = MovementKey(told.subject_kind, told.subject_id, told.nth)
    open_breaks(Place(run.source, run.id, run.file_id), [replace(finding, movement=key)])


def _has_break(told: Told) -> bool:
    known = Discrepancy.objects.filter(line_id=told.line_id, side=Side.PSP).exclude(status="RESOLVED")
    return known.filter(break_class__in=["AMOUNT_MISMATCH", "STATUS_MISMATCH"]).exists()
