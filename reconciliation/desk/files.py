"""What the page of a file says: its figures, its course, its versions, and its lines."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import amount, name_people, person, state
from core.models import StatusChange
from reconciliation.desk.bodies import record_at
from reconciliation.desk.lines import Page, bank_lines, changes_of, lines_by_id, settlement_lines
from reconciliation.looks import FILE_LOOKS, STATEMENT_LOOKS
from reconciliation.models import BankLine, BankStatement, SettlementFile, SettlementLine
from reconciliation.states import FILE_OPEN

__all__ = ["file_page", "shown_bank_line", "shown_line"]

_MOST = 100
# Of these, lines were taken away or are not all there.
_WITHOUT_LINES = (*FILE_OPEN, "REFUSED", "DUPLICATE")
_COUNTS = ("lines", "credit_count", "debit_count")
_FIGURES = (
    "lines", "gross", "fee", "net", "credits", "debits", "gross_credits", "gross_debits", "fee_credits",
    "fee_debits", "credit_count", "debit_count",
)  # fmt: skip


def file_page(file: SettlementFile, *, after: str, term: str) -> dict[str, Any]:
    """Return what the template shows of a file, with its lines after a place or of a reference."""
    is_bank = file.source.kind == "bank"
    shown: dict[str, Any] = {
        "is_bank": is_bank,
        "refusal": _refusal(file),
        "totals": _totals(file.totals),
        "ignored": file.totals.get("ignored", 0),
        "is_complete": file.totals.get("is_complete", True),
        "covers": list(file.covers.order_by("-day")[:_MOST]),
        "is_contradicted": bool(file.totals.get("contradicted")),
        "history": _history(file),
        "versions": _versions(file),
        "statements": _statements(file) if is_bank else [],
        "has_lines": file.status not in _WITHOUT_LINES,
        "term": term,
    }
    if shown["has_lines"]:
        page = (bank_lines if is_bank else settlement_lines)(file, after=after, term=term)
        make = shown_bank_line if is_bank else shown_line
        shown |= {"lines": [make(each) for each in page.rows], "pages": _pages(page, term)}
    if file.supersedes_id:
        shown["changes"] = _changes(changes_of(file))
    return shown


def shown_line(line: SettlementLine) -> dict[str, Any]:
    """Return a settlement line as it is shown."""
    return {
        "it": line,
        "gross": amount(line.gross_minor, line.currency),
        "fee": amount(line.fee_minor, line.currency),
        "net": amount(line.net_minor, line.currency),
        "original": amount(line.original_minor, line.original_currency) if line.original_currency else "",
    }


def shown_bank_line(line: BankLine) -> dict[str, Any]:
    """Return a line of a statement as it is shown."""
    return {"it": line, "amount": amount(line.amount_minor, line.currency)}


def _pages(page: Page, term: str) -> dict[str, str]:
    asked = {"q": term} if term else {}
    return {
        "first": "" if page.is_first else f"?{urlencode(asked)}",
        "next": f"?{urlencode({**asked, 'after': page.after})}" if page.after else "",
    }


def _refusal(file: SettlementFile) -> dict[str, Any] | None:
    if file.refusal is None or file.status != "REFUSED":
        return None
    line_no = file.refusal.get("line")
    return {**file.refusal, "record": record_at(file, line_no) if isinstance(line_no, int) else ""}


def _totals(totals: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each figure that was counted, beside what the file declares of it."""
    counted: Mapping[str, Mapping[str, int]] = totals.get("counted") or {}
    declared: dict[tuple[str, str], int] = {}
    for each in totals.get("declared") or []:
        currency = each.get("currency") or (next(iter(counted)) if len(counted) == 1 else "")
        if not each.get("scope"):
            declared[each["what"], currency] = each["value"]
    rows = []
    for currency, figures in counted.items():
        for what in _FIGURES:
            value = declared.pop((what, currency), None)
            if what in figures and (value is not None or what in _FIGURES[:4]):
                rows.append(_total(currency, what, figures[what], value))
    rows += [_total(currency, what, None, value) for (what, currency), value in declared.items()]
    return rows


def _total(currency: str, what: str, counted: int | None, declared: int | None) -> dict[str, Any]:
    return {
        "currency": currency or "–",
        "what": what.replace("_", " "),
        "counted": _figure(what, counted, currency),
        "declared": _figure(what, declared, currency),
        "is_proven": counted is not None and counted == declared,
    }


def _figure(what: str, value: int | None, currency: str) -> str:
    if value is None:
        return "–"
    return str(value) if what in _COUNTS or not currency else amount(value, currency)


def _history(file: SettlementFile) -> list[dict[str, Any]]:
    rows = list(
        StatusChange.objects.filter(
            subject_type="reconciliation.settlementfile", subject_id=file.pk
        ).order_by("pk")[:_MOST]
    )
    name_people(rows, ("actor",))
    return [
        {"it": row, "state": state(row.to_state, FILE_LOOKS[row.to_state]), "by": person(row, row.actor)}
        for row in rows
    ]


def _versions(file: SettlementFile) -> list[dict[str, Any]]:
    """All versions of the document, newest first; none where there is one alone."""
    if not file.document:
        return []
    rows = SettlementFile.objects.filter(
        merchant_id=file.merchant_id, source_id=file.source_id, document=file.document, version__isnull=False
    ).order_by("-version")[:_MOST]
    found = [
        {
            "it": row,
            "is_this": row.pk == file.pk,
            "state": state(row.status, FILE_LOOKS[row.status]),
            "url": reverse("admin:reconciliation_settlementfile_change", args=[row.pk]),
        }
        for row in rows
    ]
    return found if len(found) > 1 else []


def _changes(page: Page) -> dict[str, Any]:
    ids = [each for row in page.rows for each in (row.before, row.after) if each is not None]
    lines = lines_by_id(ids)
    return {
        "rows": [
            {
                "kind": _KINDS[row.kind](),
                "look": row.kind,
                "what": ", ".join(_named(str(each)) for each in row.what),
                "before": _said(lines.get(row.before)),
                "after": _said(lines.get(row.after)),
            }
            for row in page.rows
        ],
        "is_cut": bool(page.after),
    }


_KINDS = {
    "added": lambda: _("New"),
    "removed": lambda: _("Gone"),
    "changed": lambda: _("Other"),
}


def _named(column: str) -> str:
    return column.removesuffix("_minor").replace("_", " ")


def _said(line: Any) -> dict[str, Any] | None:
    """What tells a line from another one, in few words."""
    if line is None:
        return None
    if isinstance(line, BankLine):
        reference = line.end_to_end or line.bank_reference
        return {"line_no": line.line_no, "reference": reference, "kind": line.code,
                "value": amount(line.amount_minor, line.currency)}  # fmt: skip
    return {"line_no": line.line_no, "reference": line.reference, "kind": line.kind,
            "value": amount(line.net_minor, line.currency)}  # fmt: skip


def _statements(file: SettlementFile) -> Sequence[dict[str, Any]]:
    rows = BankStatement.objects.filter(file=file).order_by("position")[:_MOST]
    return [
        {
            "it": row,
            "state": state(row.status, STATEMENT_LOOKS[row.status]),
            "opening": amount(row.opening_minor, row.currency),
            "closing": amount(row.closing_minor, row.currency),
            "url": reverse("admin:reconciliation_bankstatement_change", args=[row.pk]),
        }
        for row in rows
    ]
