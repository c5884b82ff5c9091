"""docs/reference/journals.md: every journal as T-accounts and the chart, written from the templates."""

import inspect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from core.money import format_minor
from ledger.chart import CHART, Role
from ledger.templates.entry import Posting
from ledger.templates.journal import Journal, named
from ledger.templates.registry import THEMES
from ledger.types import EntryDraft, LineDraft

__all__ = ["PaperBooks", "as_markdown"]

_WIDTH = 35
_IN_A_ROW = 3
# The ids that stand for something in the examples, so that the page shows the name and not the id.
_NAMES = {
    str(named(name)): name
    for name in (
        *("charge", "second charge", "file", "batch", "later batch", "bank line", "reserve", "order"),
        "second bank line",
        *("parcel", "remittance", "claim", "refund", "dispute", "payout", "return", "tranche", "netting"),
        *("movement", "write-off", "conversion", "deal", "grant", "hold", "adjustment", "line"),
        *("statement",),
    )
}
_INTRODUCTION = """# Journals

Every entry that the books can hold, with the account on which each line falls. Left is debit, right is
credit; each currency of an entry adds up to zero by itself. Names in brackets are clearing keys: an account
that has one returns to zero under every key. “Entry” is what an entry is known by: a leg of an event is
posted at most once.

This page is written by `manage.py document_journals` from the templates in `ledger/templates/`.
"""


class PaperBooks:
    """Books without a database: an account is a number that remembers its role and currency."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}

    def posting(self, currency: str = "USD") -> Posting:
        """Return a posting of nobody, on a day that does not matter."""
        return Posting(merchant_id=UUID(int=0), currency=currency, effective_date=date(2026, 1, 31))

    def account(self, role: str, currency: str = "USD") -> int:
        """Return the number of an account; always the same for a role and currency."""
        return self._ids.setdefault((CHART[role].name, currency), len(self._ids) + 1)

    def role(self, account_id: int) -> Role:
        """Return the role of an account that was asked for before."""
        return next(CHART[role] for (role, _), number in self._ids.items() if number == account_id)


def as_markdown() -> str:
    """Return the page."""
    parts = [_INTRODUCTION]
    for theme, journals in THEMES.items():
        parts += [f"## {theme}\n", *(_journal(each) for each in journals)]
    parts += ["## Chart of accounts\n", _chart()]
    return "\n".join(parts)


def _journal(journal: Journal) -> str:
    books = PaperBooks()
    entries = [each for each in journal.entries(books) if each.kind == journal.kind]
    text = [f"### {journal.id}: {journal.title}\n", *_note(journal)]
    for each in entries:
        text += [_known_by(each), *_facts(each), "", "```text", *_t_accounts(books, each), "```", ""]
    return "\n".join(text)


def _note(journal: Journal) -> Iterator[str]:
    """What the template says of itself; what it refuses is for those who call it."""
    for paragraph in (inspect.getdoc(journal.template) or "").split("\n\n"):
        text = " ".join(paragraph.split()).partition("Raises ")[0].strip()
        if text:
            yield f"{text}\n"


def _known_by(entry: EntryDraft) -> str:
    parts = [_NAMES.get(part, part) for part in entry.source_ref.split(":")]
    return f"Entry: kind `{entry.kind}`, source `{entry.source}` ({':'.join(parts)}), leg `{entry.leg}`."


def _facts(entry: EntryDraft) -> Iterator[str]:
    if entry.facts:
        yield f"Facts: {', '.join(f'{name} {value}' for name, value in entry.facts)}."


def _t_accounts(books: PaperBooks, entry: EntryDraft) -> Iterator[str]:
    """One T per account and currency, three in a row, as wide as the longest of the page."""
    accounts: dict[tuple[int, str, str | None], list[LineDraft]] = defaultdict(list)
    for line in entry.lines:
        accounts[line.account_id, line.currency, line.clearing_key].append(line)
    drawn = [
        _t_account(books.role(account_id).code, currency, key, lines)
        for (account_id, currency, key), lines in accounts.items()
    ]
    for start in range(0, len(drawn), _IN_A_ROW):
        if start:
            yield ""
        for row in zip(*drawn[start : start + _IN_A_ROW], strict=True):
            yield "  ".join(f"{cell:{_WIDTH}}" for cell in row).rstrip()


def _t_account(code: str, currency: str, key: str | None, lines: Sequence[LineDraft]) -> list[str]:
    half = _WIDTH // 2
    (line,) = lines
    amount = f"{format_minor(abs(line.amount_minor), currency)} {currency}"
    left, right = (amount, "") if line.amount_minor > 0 else ("", amount)
    return [
        code,
        f"[{_NAMES.get(key, key)}]" if key else "",
        "─" * half + "┬" + "─" * half,
        f"{left:>{half - 1}} │ {right}",
    ]


def _chart() -> str:
    rows = [
        "| Account | Role | Normal | Per | Zero by (default) | Wallet | Use |",
        "|---|---|---|---|---|---|---|",
    ]
    for role in CHART.values():
        clears = f"{role.clears.key}, {role.clears.says}" if role.clears else ""
        wallet = "guarded" if role.guarded else ""
        cells = (f"`{role.code}`", f"`{role.name}`", role.normal, role.per, clears, wallet, role.use)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
