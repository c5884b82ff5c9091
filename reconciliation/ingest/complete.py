"""What is staged is whole: count it, compare it with what the file declares, and write down what it is about.

A file that is complete is still seen by nobody. From here on a restart needs no second look at the body.
"""

from datetime import date
from hashlib import sha256
from typing import Any

from core import clock
from core.drain import Claim
from core.history import Changes
from core.transactions import at_edge
from reconciliation.formats.contract import Refused
from reconciliation.ingest.counting import Counted, batch_nets, check, count_entries, count_lines
from reconciliation.ingest.declared import as_declared, contradictions
from reconciliation.ingest.stage import Part, Staged, statement_key
from reconciliation.ingest.writer import Overtaken
from reconciliation.locks import lock_file
from reconciliation.models import BankStatement, SettlementFile

__all__ = ["complete"]

_DOCUMENT, _STATEMENT = 80, 120
_NONE = ("report", "notification")


@at_edge
def complete(claim: Claim, staged: Staged) -> None:
    """Check a staged file and write down what it is. Raises Refused, Overtaken."""
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.status != "STAGING" or file.staged_lines != staged.lines:
        raise Overtaken
    if file.source.kind == "bank":
        _complete_bank(file, staged)
    else:
        _complete_settlement(file, staged)
    file.updated_at = clock.now()
    file.save(
        update_fields=[
            *("document", "sequence", "period_from", "period_to", "lines_count", "quarantined_count"),
            *("totals", "updated_at"),
        ]
    )


def _complete_settlement(file: SettlementFile, staged: Staged) -> None:
    part = staged.parts[0]
    document, totals = part.document, part.totals
    assert totals is not None
    counted = count_lines(file.number)
    _all_are_there(counted.values(), staged)
    scoped = any(each.what == "batch_net" for each in totals.controls)
    check(totals.controls, counted, batch_nets(file.number) if scoped else None)
    contradicted = contradictions(file.number, file.declared, counted)
    days = [day for each in counted.values() for day in (each.first, each.last)]
    file.period_from = document.period_from or file.asked_from or min(days, default=None)
    file.period_to = document.period_to or file.asked_to or max(days, default=None)
    name = document.identity or _span(file.period_from, file.period_to) or _body(file)
    file.document = _short(name, _DOCUMENT)
    file.sequence = document.sequence
    file.lines_count = staged.lines
    file.quarantined_count = sum(each.quarantined for each in counted.values())
    file.totals = {
        "declared": as_declared(totals.controls),
        "contradicted": contradicted,
        "counted": {currency: each.as_json() for currency, each in sorted(counted.items())},
        "ignored": totals.ignored,
        "is_complete": totals.is_complete,
    }


def _complete_bank(file: SettlementFile, staged: Staged) -> None:
    counted = count_entries(file.number)
    _all_are_there(counted.values(), staged)
    statements = [
        _statement(file, position, part, counted.get(statement_key(file.id, position)))
        for position, part in enumerate(staged.parts)
    ]
    changes = Changes()
    # A restart that came here before has written them already.
    known = set(file.statements.values_list("pk", flat=True))
    for each in statements:
        if each.pk not in known:
            changes.begin(each, why=f"stands in {file.name[:80]}")
            changes.insert([each])
    changes.save()
    # The bank's documents are its statements; a file is no more than what they came in.
    file.document = _body(file)
    file.period_from = min(each.period_from for each in statements)
    file.period_to = max(each.period_to for each in statements)
    file.lines_count = staged.lines
    file.quarantined_count = sum(each.quarantined for each in counted.values())
    file.totals = {
        "declared": [],
        "counted": {},
        "ignored": sum(part.totals.ignored for part in staged.parts if part.totals),
        "is_complete": all(part.totals.is_complete for part in staged.parts if part.totals),
        "statements": len(statements),
        "copies": [n for n, part in enumerate(staged.parts) if part.document.is_copy],
    }


def _statement(file: SettlementFile, position: int, part: Part, counted: Counted | None) -> BankStatement:
    document, totals = part.document, part.totals
    assert totals is not None
    check(totals.controls, {document.currency: counted} if counted else {})
    opening, closing = document.opening_minor, totals.closing_minor
    total = counted.figures["net"] if counted else 0
    name = document.identity or f"statement {position + 1}"
    if document.kind in _NONE:
        opening = closing = None
    elif opening is None or closing is None:
        raise Refused("balance_missing", f"{name} has no opening or no closing balance")
    elif opening + total != closing:
        raise Refused(
            "statement_does_not_add_up",
            f"{name} opens with {opening} and has lines of {total}, but closes with {closing}"
            f" ({document.currency}, minor units)",
        )
    first = document.period_from or (counted.first if counted else file.asked_from)
    last = document.period_to or (counted.last if counted else file.asked_to)
    if first is None or last is None:
        raise Refused("period_unknown", f"{name} does not say which days it is about")
    now = clock.now()
    return BankStatement(
        id=statement_key(file.id, position),
        merchant_id=file.merchant_id,
        source_id=file.source_id,
        file=file,
        position=position,
        kind=document.kind,
        account=document.account or file.source.account,
        currency=document.currency,
        document=_short(document.identity or f"{document.account}:{first}:{last}:{closing}", _STATEMENT),
        sequence=document.sequence,
        period_from=first,
        period_to=last,
        opening_minor=opening,
        closing_minor=closing,
        lines_count=counted.rows if counted else 0,
        total_minor=total,
        created_at=now,
        updated_at=now,
    )


def _all_are_there(counted: Any, staged: Staged) -> None:
    there = sum(each.rows for each in counted)
    if there != staged.lines:
        raise RuntimeError(f"{staged.lines} lines were staged, and {there} are there")


def _span(first: date | None, last: date | None) -> str:
    return f"{first}..{last}" if first and last else ""


def _short(identity: str, most: int) -> str:
    """A name that is too long is told from others by its digest."""
    if len(identity) <= most:
        return identity
    return f"{identity[: most - 33]}~{sha256(identity.encode()).hexdigest()[:32]}"


def _body(file: SettlementFile) -> str:
    return f"body:{bytes(file.sha256).hex()}"
