"""How the books look in the console: codes, sides, and the rows of its tables."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from core.admin_display import amount, digits
from ledger.chart import CHART
from ledger.statements import EntryLine, RoleBalance, StatementLine

__all__ = ["account_code", "entry_table", "page_url", "sided", "statement_row", "trial_table"]


def account_code(role: str, provider: str | None, currency: str) -> str:
    """Return an account's code as the chart writes it; the owner is shown beside it."""
    return ":".join(part for part in (CHART[role].code, provider, currency) if part)


def sided(balance_minor: int, currency: str) -> str:
    """Return a balance as accountants write it: without a sign, and on which side it is."""
    if not balance_minor:
        return amount(0, currency)
    side = "Dr" if balance_minor > 0 else "Cr"
    return format_html(
        '<span class="amount">{} {} <abbr title="{}">{}</abbr></span>',
        digits(abs(balance_minor), currency),
        currency,
        _("debit") if side == "Dr" else _("credit"),
        side,
    )


def _column(amount_minor: int, currency: str) -> str:
    """Return an amount for a debit or credit column: nothing where there is nothing."""
    return digits(amount_minor, currency) if amount_minor > 0 else ""


def page_url(model: str, key: object) -> str:
    """Return the address of one account or journalentry."""
    return reverse(f"admin:ledger_{model}_change", args=[key])


def trial_table(merchant_id: UUID, currency: str, rows: Sequence[RoleBalance]) -> dict[str, Any]:
    """Return one currency of a trial balance: a row per role and provider, and the sums."""
    debit, credit = sum(row.debit_minor for row in rows), sum(row.credit_minor for row in rows)
    return {
        "currency": currency,
        "debit": digits(debit, currency),
        "credit": digits(credit, currency),
        "agrees": debit == credit,
        "difference": digits(abs(debit - credit), currency),
        "rows": [
            {
                "code": account_code(row.role, row.provider, currency),
                "accounts": row.accounts,
                "url": page_url("account", row.account_id) if row.account_id else _list_url(merchant_id, row),
                "debit": _column(row.debit_minor, currency),
                "credit": _column(row.credit_minor, currency),
                "is_zero": not row.debit_minor and not row.credit_minor,
            }
            for row in sorted(rows, key=lambda each: account_code(each.role, each.provider, currency))
        ],
    }


def _list_url(merchant_id: UUID, row: RoleBalance) -> str:
    """Return the page of the accounts that one row of the trial balance adds up."""
    asked = {
        "role": row.role,
        "currency": row.currency,
        "merchant": merchant_id,
        "provider": row.provider or "",
    }
    return f"{reverse('admin:ledger_account_explain')}?{urlencode(asked)}"


def entry_table(currency: str, lines: Sequence[EntryLine], owners: Mapping[UUID, str]) -> dict[str, Any]:
    """Return one currency of an entry: its lines in debit and credit columns, and the sums."""
    debit = sum(line.amount_minor for line in lines if line.amount_minor > 0)
    credit = -sum(line.amount_minor for line in lines if line.amount_minor < 0)
    return {
        "currency": currency,
        "debit": digits(debit, currency),
        "credit": digits(credit, currency),
        "agrees": debit == credit,
        "lines": [
            {
                "number": line.line_no,
                "code": account_code(line.role, line.provider, currency),
                "owner": owners.get(line.owner, str(line.owner)) if line.owner else "",
                "url": page_url("account", line.account_id),
                "key": line.clearing_key or "",
                "debit": _column(line.amount_minor, currency),
                "credit": _column(-line.amount_minor, currency),
            }
            for line in lines
        ],
    }


def statement_row(each: StatementLine) -> dict[str, Any]:
    """Return one row of an account's statement."""
    line = each.line
    return {
        "entry": line.entry_id,
        "url": f"{page_url('journalentry', line.entry_id)}?line={line.id % 1024}",
        "date": line.effective_date,
        "at": line.recorded_at,
        "kind": line.kind,
        "source": line.source,
        "reference": line.source_ref,
        "key": line.clearing_key or "",
        "debit": _column(line.amount_minor, line.currency),
        "credit": _column(-line.amount_minor, line.currency),
        "balance": sided(each.balance_minor, line.currency),
    }
