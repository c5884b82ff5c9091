"""Files and statements that are missing between others: a break for each gap, until it is filled."""

from collections.abc import Sequence

from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass, Side
from reconciliation.matching.opening import Place, open_breaks, resolve_breaks
from reconciliation.matching.rules import ensure_rules
from reconciliation.matching.types import Finding
from reconciliation.models import BankStatement, Discrepancy, SettlementFile, SettlementSource

__all__ = ["end_missing_file", "note_missing_file", "note_statement_gap"]


@requires_transaction
def note_statement_gap(source: SettlementSource, account: str, held: Sequence[BankStatement]) -> None:
    """Open the break of an account whose statements do not follow on each other, or end it when they do."""
    key = f"gap:{source.id}:{account[-32:]}"
    if not held:
        _end(source, key, "the statements of the account follow on each other")
        return
    first = held[0]
    waiting = sum(abs(each.total_minor) for each in held)
    amount = f"{format_minor(waiting, first.currency)} {first.currency}"
    _open(
        source,
        Finding(
            break_class=BreakClass.SEQUENCE_GAP,
            key=key,
            currency=first.currency,
            amount_minor=waiting,
            summary=f"{amount} wait: statement {first.document}: {first.held_because}"[:300],
            business_date=first.period_from,
            steps=(
                {"step": "held", "statements": [each.document for each in held], "why": first.held_because},
            ),
            side=Side.BANK,
            conditions={"kind": "statement", "currency": first.currency},
        ),
    )


@requires_transaction
def note_missing_file(file: SettlementFile, number: int) -> None:
    """Open the break of a numbered file that is missing before a published one."""
    source = file.source
    day = file.period_from or file.received_at.date()
    _open(
        source,
        Finding(
            break_class=BreakClass.SEQUENCE_GAP,
            key=_of_file(source, number),
            currency=source.currency or next(iter(sorted(file.totals.get("counted", {}))), "") or "XXX",
            amount_minor=0,
            summary=f"{source.name}: file number {number} is missing, number {file.sequence} is here"[:300],
            business_date=day,
            steps=({"step": "sequence", "missing": number, "here": file.sequence},),
            conditions={"kind": "file"},
        ),
    )


@requires_transaction
def end_missing_file(file: SettlementFile, number: int) -> None:
    """End the break of a number whose file came."""
    _end(file.source, _of_file(file.source, number), f"{file.name[:120]} came")


def _of_file(source: SettlementSource, number: int) -> str:
    return f"gap:{source.id}:{number}"


def _open(source: SettlementSource, finding: Finding) -> None:
    ensure_rules(merchant_id=source.merchant_id)
    open_breaks(Place(source), [finding])


def _end(source: SettlementSource, key: str, why: str) -> None:
    rows = Discrepancy.objects.filter(merchant_id=source.merchant_id, key=key).exclude(status="RESOLVED")
    resolve_breaks(resolutions=dict.fromkeys(rows.values_list("pk", flat=True), why))
