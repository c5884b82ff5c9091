"""What an adjustment rests on, in a form whose digest proves later that nothing of it was changed."""

from typing import Any

from core.canonical import digest
from reconciliation.models import BankLine, SettlementLine
from reconciliation.resolving.facts import Facts

__all__ = ["evidence_digest", "evidence_of", "line_facts", "movement_facts"]


def evidence_of(facts: Facts) -> dict[str, Any]:
    """Return what is known of a break's two sides, its file and its rule, as it is now."""
    row = facts.row
    return {
        "break": row.public_id,
        "class": row.break_class,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "clearing_key": facts.clearing_key,
        "open_minor": facts.open_minor,
        "rule": {"name": row.rule_name, "version": row.rule_version},
        "file": {
            "id": facts.file.public_id,
            "name": facts.file.name,
            "version": facts.file.version,
            "sha256": bytes(facts.file.sha256).hex(),
        }
        if facts.file
        else None,
        "line": line_facts(facts),
        "movement": movement_facts(facts),
    }


def evidence_digest(evidence: dict[str, Any]) -> bytes:
    """Return the SHA-256 of evidence."""
    return digest(evidence)


def line_facts(facts: Facts) -> dict[str, Any] | None:
    """Return what the file says in the line of a break; None where there is no line."""
    line = facts.line
    if isinstance(line, SettlementLine):
        return {
            "id": line.id,
            "line_no": line.line_no,
            "kind": line.kind,
            "raw_kind": line.raw_kind,
            "reference": line.reference,
            "related": line.related,
            "merchant_reference": line.merchant_reference,
            "batch": line.batch,
            "currency": line.currency,
            "gross_minor": line.gross_minor,
            "fee_minor": line.fee_minor,
            "net_minor": line.net_minor,
            "business_date": line.business_date.isoformat(),
        }
    if isinstance(line, BankLine):
        return {
            "id": line.id,
            "line_no": line.line_no,
            "amount_minor": line.amount_minor,
            "currency": line.currency,
            "booked_on": line.booked_on.isoformat(),
            "bank_reference": line.bank_reference,
            "end_to_end": line.end_to_end,
        }
    return None


def movement_facts(facts: Facts) -> dict[str, Any] | None:
    """Return what we know as the other side; None where we know of nothing."""
    row = facts.row
    if facts.matches:
        return {
            "matches": [
                {
                    "id": each.id,
                    "kind": each.subject_kind,
                    "subject": str(each.subject_id),
                    "nth": each.nth,
                    "how": each.how,
                    "amount_minor": each.amount_minor,
                    "difference_minor": each.difference_minor,
                }
                for each in facts.matches
            ]
        }
    if row.subject_id is not None:
        return {
            "kind": row.subject_kind,
            "subject": str(row.subject_id),
            "nth": row.explanation.get("nth", 0),
        }
    return None
