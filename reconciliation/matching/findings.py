"""What is said of a break: a sentence, the key that it has for good, and the steps that were tried."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from core.money import format_minor
from reconciliation.breaks import BreakClass, Side
from reconciliation.matching.types import Finding, Movement, MovementKey, OpenLine

__all__ = ["line_finding", "line_key", "missing_finding", "movement_key"]

_SAYS = {
    BreakClass.MISSING_INTERNAL: "we know of no {kind} {name}",
    BreakClass.DUPLICATE_EXTERNAL: "{name} was reported before",
    BreakClass.REFERENCE_COLLISION: "{name} can be more than one thing, or another one than we know",
    BreakClass.CURRENCY_MISMATCH: "{name} is reported in another currency than ours",
    BreakClass.STATUS_MISMATCH: "{name} moved money, and with us it did not",
    BreakClass.AMOUNT_MISMATCH: "{name} is reported with another amount",
    BreakClass.FEE_DIFFERENCE: "{name} has another fee than the terms say",
    BreakClass.FX_DIFFERENCE: "{name} was exchanged at another rate than it should",
    BreakClass.BATCH_TOTAL_MISMATCH: "the payout {name} is not the sum of its lines",
    BreakClass.LATE: "{name} was missed since its time was over",
    BreakClass.UNKNOWN: "nothing is known about a line of this kind",
}


def line_key(line_id: int, it_is: BreakClass) -> str:
    """Return the key of a break of a settlement line."""
    return f"line:psp:{line_id}:{it_is}"


def movement_key(movement: MovementKey, it_is: BreakClass) -> str:
    """Return the key of a break of a movement without a line."""
    return f"movement:{movement.subject_kind}:{movement.subject_id}:{movement.nth}:{it_is}"


def line_finding(
    it_is: BreakClass,
    line: OpenLine,
    steps: Sequence[Mapping[str, Any]],
    movement: Movement | None,
    *,
    amount_minor: int | None = None,
    currency: str = "",
    extra: str = "",
) -> Finding:
    """Return what is wrong with a line. At stake is its amount, or `amount_minor` of `currency`."""
    stake = abs(line.minor) if amount_minor is None else amount_minor
    currency = currency or line.currency
    name = line.name or line.reference or f"in line {line.line_no}"
    says = _SAYS[it_is].format(kind=line.kind.replace("_", " "), name=name)
    summary = f"{format_minor(stake, currency)} {currency}: {says}{extra}"
    return Finding(
        break_class=it_is,
        key=line_key(line.id, it_is),
        currency=currency,
        amount_minor=stake,
        summary=summary[:300],
        business_date=line.business_date,
        steps=tuple(steps),
        side=Side.PSP,
        line_id=line.id,
        movement=movement.key if movement else None,
        clearing_key=(movement.clearing_key if movement else line.name)[:80],
        conditions={
            "kind": line.kind,
            "currency": currency,
            "sign": "out" if line.minor < 0 else "in",
            "quarantine": line.quarantine,
        },
    )


def missing_finding(movement: Movement, *, happened_on: date, clear_by: date, it_is: BreakClass) -> Finding:
    """Return what is wrong with a movement whose line did not come in time."""
    kind = movement.kind.replace("_", " ")
    amount = f"{format_minor(abs(movement.amount_minor), movement.currency)} {movement.currency}"
    name = movement.reference or movement.merchant_reference
    return Finding(
        break_class=it_is,
        key=movement_key(movement.key, it_is),
        currency=movement.currency,
        amount_minor=abs(movement.amount_minor),
        summary=f"{amount}: no file has the {kind} {name}, which was due by {clear_by}"[:300],
        business_date=happened_on,
        steps=(
            {"step": "expected", "happened_on": str(happened_on), "clear_by": str(clear_by)},
            {"step": "reference", "looked_for": name, "kind": movement.kind, "found": 0},
        ),
        movement=movement.key,
        clearing_key=movement.clearing_key,
        conditions={
            "kind": movement.kind,
            "currency": movement.currency,
            "sign": "out" if movement.amount_minor < 0 else "in",
        },
    )
