"""What is said of a line of a statement that is not clear."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.money import format_minor
from reconciliation.banking.types import BankEntry, Sending
from reconciliation.breaks import BreakClass, Side
from reconciliation.matching.types import Finding, MovementKey
from reconciliation.posting.keys import line_key

__all__ = ["bank_finding", "bank_key", "shown"]

_SAYS = {
    BreakClass.MISSING_INTERNAL: "nobody knows what it is",
    BreakClass.DUPLICATE_EXTERNAL: "the bank showed it before",
    BreakClass.AMOUNT_MISMATCH: "it is another amount than ours",
    BreakClass.CURRENCY_MISMATCH: "it is in another currency than ours",
    BreakClass.STATUS_MISMATCH: "with us it was not paid",
    BreakClass.BATCH_TOTAL_MISMATCH: "it is not what is due",
    BreakClass.UNKNOWN: "it is put aside",
}


def bank_key(line_id: int, it_is: BreakClass) -> str:
    """Return the key of a break of a line of a statement."""
    return f"line:bank:{line_id}:{it_is}"


def bank_finding(
    it_is: BreakClass,
    entry: BankEntry,
    kind: str,
    steps: Sequence[Mapping[str, Any]],
    *,
    sending: Sending | None = None,
    amount_minor: int | None = None,
    extra: str = "",
    clearing_key: str = "",
) -> Finding:
    """Return what is wrong with a line. At stake is its amount, or `amount_minor`.

    `kind` is what it would be: bank_credit, bank_debit, bank_payout, bank_return, bank_deposit, or
    unknown_payout; rules ask for it.
    """
    stake = abs(entry.amount_minor) if amount_minor is None else amount_minor
    name = entry.end_to_end or entry.batch_reference or entry.bank_reference or f"line {entry.line_no}"
    says = f"{format_minor(stake, entry.currency)} {entry.currency}: {name}: {_SAYS[it_is]}{extra}"
    return Finding(
        break_class=it_is,
        key=bank_key(entry.id, it_is),
        currency=entry.currency,
        amount_minor=stake,
        summary=says[:300],
        business_date=entry.booked_on,
        steps=({"step": "line", **shown(entry)}, *steps),
        side=Side.BANK,
        line_id=entry.id,
        movement=MovementKey("sending", sending.id, 0) if sending else None,
        clearing_key=clearing_key or line_key(line_id=entry.id),
        conditions={
            "kind": kind,
            "currency": entry.currency,
            "sign": "out" if entry.amount_minor < 0 else "in",
            "quarantine": entry.quarantine,
        },
    )


def shown(entry: BankEntry) -> dict[str, str]:
    """Return what a line says, without whose account it is about."""
    said = {
        "amount_minor": str(entry.amount_minor),
        "booked_on": str(entry.booked_on),
        "bank_reference": entry.bank_reference,
        "end_to_end": entry.end_to_end,
        "batch_reference": entry.batch_reference,
        "code": entry.code,
        "return_reason": entry.return_reason,
    }
    return {name: text for name, text in said.items() if text}
