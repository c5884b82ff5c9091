"""Adjustments as rows: begun as proposals, posted in the same breath or after a second person's yes."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.history import Changes
from core.transactions import requires_transaction
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.evidence import evidence_digest
from reconciliation.resolving.templates import Made
from reconciliation.snapshots import discrepancy_fact

__all__ = ["Terms", "begin_adjustment", "instruction_of", "reopen"]


@dataclass(frozen=True)
class Terms:
    """All that an adjustment is made from, beside its break: what a second person agrees to."""

    adjustment_id: UUID
    template: str
    parameters: dict[str, Any]
    reason: str
    day: date
    evidence: dict[str, Any]


def instruction_of(row: Discrepancy, terms: Terms, made: Made) -> dict[str, Any]:
    """Return what exactly is to be posted; should any of it change, a yes to it is void."""
    return {
        "adjustment": str(terms.adjustment_id),
        "break": row.public_id,
        "template": terms.template,
        "parameters": terms.parameters,
        "amount_minor": made.amount_minor,
        "currency": row.currency,
        "effective_date": terms.day.isoformat(),
        "lines": made.lines,
        "reason": terms.reason,
        "evidence_sha256": evidence_digest(terms.evidence).hex(),
        **({"also": list(made.also)} if made.also else {}),
    }


@requires_transaction
def begin_adjustment(
    row: Discrepancy,
    terms: Terms,
    made: Made,
    changes: Changes,
    *,
    maker: str,
    automatic: bool = False,
    rule: tuple[str, int | None] = ("", None),
    reverses: Adjustment | None = None,
) -> Adjustment:
    """Note a proposal for a locked break; it is written with the changes."""
    now = clock.now()
    adjustment = Adjustment(
        id=terms.adjustment_id,
        merchant_id=row.merchant_id,
        discrepancy=row,
        template=terms.template,
        instruction=instruction_of(row, terms, made),
        currency=row.currency,
        amount_minor=made.amount_minor,
        business_date=row.business_date,
        evidence=terms.evidence,
        evidence_digest=evidence_digest(terms.evidence),
        rule_name=rule[0],
        rule_version=rule[1],
        automatic=automatic,
        maker=maker,
        reverses=reverses,
        created_at=now,
        updated_at=now,
    )
    changes.begin(adjustment, why=terms.reason, by=maker)
    changes.insert([adjustment])
    return adjustment


def reopen(row: Discrepancy, changes: Changes, *, why: str, by: str) -> None:
    """Put a locked break that was resolved back into the queue of those that people deal with."""
    changes.move(row, row.to_open, why=why, by=by, fact=discrepancy_fact(row, "opened"), category="B")
