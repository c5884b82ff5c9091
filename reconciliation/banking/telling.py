"""What a posted statement proves is told: pay-out of payouts paid and returned, pay-in of captures banked.

One payout at a time, each in a transaction of its own, because pay-out's rows are locked before ours. Telling
again changes nothing.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from core import clock
from core.drain import Claim
from core.history import move
from core.transactions import at_edge, forbids_transaction
from ledger.selectors import entry_heads, key_lines, open_keys
from payouts.selectors import MOVEMENTS, sendings_to_prove
from payouts.services import record_paid, record_return
from reconciliation.banking.run import booked_statements
from reconciliation.banking.watch import watch_source
from reconciliation.ingest.counting import ids_of
from reconciliation.locks import lock_run, lock_source
from reconciliation.matching.sql import rows
from reconciliation.models import BankStatement, ReconciliationRun, SettlementFile, SettlementSource
from reconciliation.posting.proving import prove_batch

__all__ = ["prove_banked", "tell_bank_run"]

_AT_ONCE = 1_000
# Where the amounts differ nobody is told: a person looks at the break first.
_SENDINGS = f"""
    SELECT found.id, found.subject_kind, found.subject_id, sent.end_to_end, sent.currency,
        abs(sent.amount_minor), line.booked_on, line.return_reason
    FROM reconciliation_match AS found
    JOIN reconciliation_bankline AS line ON line.id = found.line_id
    JOIN {MOVEMENTS} AS sent ON sent.subject_id = found.subject_id AND sent.subject_kind = 'sending'
    WHERE found.line_id BETWEEN %(first)s AND %(last)s AND line.statement_id = %(statement)s
        AND found.side = 'bank' AND found.live AND found.subject_kind IN ('sending', 'sending_return')
        AND found.rule <> 'reference_despite_amount' AND found.id > %(after)s
    ORDER BY found.id LIMIT %(most)s
"""  # noqa: S608 - the name of a view
_BATCHES = """
    SELECT DISTINCT found.clearing_key FROM reconciliation_match AS found
    JOIN reconciliation_bankline AS line ON line.id = found.line_id
    WHERE found.line_id BETWEEN %(first)s AND %(last)s AND line.statement_id = %(statement)s
        AND found.side = 'bank' AND found.live AND found.subject_kind = 'batch'
    ORDER BY found.clearing_key
"""
_CHARGES = """
    SELECT line.id, match.subject_id FROM reconciliation_settlementline AS line
    JOIN reconciliation_match AS match ON match.line_id = line.id AND match.side = 'psp' AND match.live
        AND match.subject_kind = 'charge'
    WHERE line.id > %(after)s AND line.id BETWEEN %(first)s AND %(last)s AND line.batch = %(batch)s
    ORDER BY line.id, match.id LIMIT %(most)s
"""


class _Told(NamedTuple):
    id: int
    kind: str
    sending_id: UUID
    reference: str
    currency: str
    amount_minor: int
    booked_on: date
    return_reason: str


@forbids_transaction
def tell_bank_run(claim: Claim) -> str:
    """Tell what the statements of a POSTED run prove, and end the run; return its state."""
    run = ReconciliationRun.objects.select_related("source", "file").get(pk=claim.id)
    if run.status != "POSTED" or run.fence != claim.fence:
        return run.status
    for statement in booked_statements(run, matched=True):
        _tell_payouts(run, statement)
        keys = [row[0] for row in rows(_BATCHES, _place(statement))]
        prove_banked(merchant_id=run.merchant_id, currency=statement.currency, keys=keys)
    at_edge(watch_source)(source_id=run.source_id)
    return at_edge(_finish)(claim)


@forbids_transaction
def prove_banked(*, merchant_id: UUID, currency: str, keys: list[str]) -> int:
    """Tell pay-in of the captures in batches that the bank has shown all of; return of how many batches."""
    role = "psp_settlement_in_transit"
    still = open_keys(merchant_id=merchant_id, role=role, currency=currency, keys=keys)
    done = sorted(set(keys) - {each.key for each in still})
    lines = key_lines(merchant_id=merchant_id, role=role, currency=currency, keys=done)
    heads = entry_heads(merchant_id=merchant_id, entry_ids={each.entry_id for each in lines})
    files: dict[str, set[UUID]] = {key: set() for key in done}
    for each in lines:
        head = heads[each.entry_id]
        if head.source == "settlement_file":
            files[each.key].add(UUID(head.source_ref.partition(":")[0]))
    told = 0
    for key in done:
        found = SettlementFile.objects.filter(pk__in=files[key], status="PUBLISHED").order_by("pk")
        for file in found:
            _prove_batch(merchant_id, file, key)
        told += 1 if files[key] else 0
    return told


def _prove_batch(merchant_id: UUID, file: SettlementFile, key: str) -> None:
    name = key.partition(":")[2]
    first, last = ids_of(file.number)
    # A batch without a name is the file's own.
    batch = "" if name == file.document else name
    after = first - 1
    while True:
        params: dict[str, Any] = {
            "after": after, "first": first, "last": last, "batch": batch, "most": _AT_ONCE,
        }  # fmt: skip
        found = rows(_CHARGES, params)
        if found:
            charges = sorted({row[1] for row in found})
            at_edge(prove_batch)(merchant_id=merchant_id, charge_ids=charges, level="banked")
            after = found[-1][0]
        if len(found) < _AT_ONCE:
            return


def _tell_payouts(run: ReconciliationRun, statement: BankStatement) -> None:
    for portion in _sendings(statement):
        paid = sendings_to_prove(sending_ids=[each.sending_id for each in portion if each.kind == "sending"])
        back = sendings_to_prove(
            sending_ids=[each.sending_id for each in portion if each.kind != "sending"], returned=True
        )
        for each in portion:
            if each.sending_id in (paid if each.kind == "sending" else back):
                at_edge(_tell)(run.source, each)


def _sendings(statement: BankStatement) -> Iterator[list[_Told]]:
    after = 0
    while True:
        found = rows(_SENDINGS, {**_place(statement), "after": after, "most": _AT_ONCE})
        if not found:
            return
        yield [_Told(*row) for row in found]
        after = found[-1][0]


def _tell(source: SettlementSource, told: _Told) -> None:
    said: dict[str, Any] = {
        "merchant_id": source.merchant_id,
        "reference": told.reference,
        "amount_minor": told.amount_minor,
        "currency": told.currency,
        "at": min(datetime.combine(told.booked_on, time(), ZoneInfo(source.time_zone)), clock.now()),
        "by": f"bank:{source.name}",
    }
    if told.kind == "sending":
        record_paid(**said)
    else:
        record_return(**said, provider_code=told.return_reason)


def _place(statement: BankStatement) -> dict[str, Any]:
    first, last = ids_of(statement.file.number)
    return {"first": first, "last": last, "statement": statement.id}


def _finish(claim: Claim) -> str:
    source_id = ReconciliationRun.objects.values_list("source_id", flat=True).get(pk=claim.id)
    lock_source(source_id=source_id)
    run = lock_run(run_id=claim.id)
    if run.fence != claim.fence or run.status != "POSTED":
        return run.status
    move(run, run.to_done, why="pay-in and pay-out were told", finished_at=clock.now())
    if booked_statements(run, matched=False):
        # One that was held has begun to count while the others were worked on.
        move(run, run.to_queued, why="more of its statements count now", due_at=clock.now())
    return run.status
