"""The report of a day as tables of text: the page, the CSV and the PDF are all made from these.

Everything comes from the frozen figures, so that a closed day's report is the same whenever it is made. The
report is in English whoever reads it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.money import format_minor
from ledger.chart import CHART

__all__ = ["Section", "Table", "report_sections"]

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of text below names of columns. `numbers` are the places of columns that hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int]


@dataclass(frozen=True)
class Section:
    """One part of the report; `empty` is what it says without rows, `note` what stands below its title."""

    name: str
    title: str
    table: Table
    empty: str
    note: str = ""


def report_sections(figures: Figures) -> list[Section]:
    """Return all parts of a day's report, in their order. Amounts have the decimals of their currency."""
    books, noted = figures["books"], figures["noted"]
    return [
        _sources(books),
        _files(books),
        _providers(books),
        _banks(books),
        _trial(books),
        _totals(books),
        _clearing(books),
        _late(noted),
        _moved(noted),
        _open(noted),
        _open_rows(noted),
        _adjustments(noted),
        _checks(noted),
        _notices(figures),
    ]


def _sources(books: Figures) -> Section:
    rows = [
        (
            each["name"],
            each["kind"],
            "expected" if each["is_expected"] else "not expected",
            str(len(each["files"])),
            _because(each["excuse"]),
        )
        for each in books["sources"]
    ]
    return Section(
        "sources",
        "Sources",
        _table(("Source", "Kind", "File", "Live files", "Why none is needed"), rows, 3),
        "The merchant has no source of settlement files.",
    )


def _because(excuse: Mapping[str, str] | None) -> str:
    return f"{excuse['reason']} ({excuse['by']})" if excuse else ""


def _files(books: Figures) -> Section:
    rows = []
    for source in books["sources"]:
        for each in source["files"]:
            head = (source["name"], each["name"], each["document"], str(each["version"]), each["status"])
            sums = each["totals"] or [{"currency": "", "gross": "", "fee": "", "net": ""}]
            for total in sums:
                amounts = [_amount(total[what], total["currency"]) for what in ("gross", "fee", "net")]
                rows.append(
                    (*head, str(each["lines"]), total["currency"], *amounts, f"{each['sha256'][:16]}…")
                )
    columns = (
        "Source", "File", "About", "Version", "State", "Lines", "Currency", "Gross", "Fees", "Net", "SHA-256",
    )  # fmt: skip
    return Section(
        "files", "Files of the day", _table(columns, rows, 3, 5, 7, 8, 9), "No file is about this day."
    )


def _providers(books: Figures) -> Section:
    rows = [
        (
            source["name"],
            _code(each["role"], each["provider"]),
            each["currency"],
            *_moves(each),
        )
        for source in books["sources"]
        for each in source.get("positions", ())
    ]
    return Section(
        "providers",
        "Payment providers: opening + activity = closing",
        _table(("Source", "Account", "Currency", "Opening", "Debit", "Credit", "Closing"), rows, 3, 4, 5, 6),
        "Nothing is owed by a provider.",
        "What providers owe, from the books: captured and not reported, not at the bank yet, kept back.",
    )


def _banks(books: Figures) -> Section:
    rows = []
    for source in books["sources"]:
        for each in source.get("accounts", ()):
            amounts = [
                _amount(each[f"{what}_minor"], each["currency"])
                for what in ("opening", "activity", "closing", "books_closing", "difference")
            ]
            rows.append((source["name"], each["through"], each["currency"], *amounts))
    columns = (
        "Source", "Stated to", "Currency", "Opening", "Activity", "Closing", "In the books", "Difference",
    )  # fmt: skip
    return Section(
        "banks",
        "Bank accounts: opening + activity = closing",
        _table(columns, rows, 3, 4, 5, 6, 7),
        "No bank account is read.",
        "From the statements, against asset.bank.",
    )


def _trial(books: Figures) -> Section:
    rows = [
        (_code(each["role"], each["provider"]), each["currency"], *_moves(each))
        for each in books["positions"]
    ]
    return Section(
        "trial",
        "Trial balance: opening + activity = closing",
        _table(("Account", "Currency", "Opening", "Debit", "Credit", "Closing"), rows, 2, 3, 4, 5),
        "Nothing is in the books.",
        "By role, provider and currency; debits less credits, sellers and buyers added up.",
    )


def _totals(books: Figures) -> Section:
    names = ("day_debit", "day_credit", "debit", "credit")
    rows = [
        (
            each["currency"],
            *(_amount(each[f"{name}_minor"], each["currency"]) for name in names),
            "balanced" if _is_balanced(each) else "OUT OF BALANCE",
        )
        for each in books["totals"]
    ]
    columns = ("Currency", "Debits of the day", "Credits of the day", "Debit balances", "Credit balances", "")
    return Section("totals", "Sums", _table(columns, rows, 1, 2, 3, 4), "Nothing is in the books.")


def _is_balanced(each: Mapping[str, str]) -> bool:
    return each["debit_minor"] == each["credit_minor"] and each["day_debit_minor"] == each["day_credit_minor"]


def _clearing(books: Figures) -> Section:
    rows = [
        (
            _code(each["role"], each["provider"]),
            each["currency"],
            str(each["keys"]),
            _amount(each["balance_minor"], each["currency"]),
            each["oldest_on"],
            str(each["late_keys"]),
            _amount(each["late_minor"], each["currency"]),
        )
        for each in books["clearing"]
    ]
    columns = ("Account", "Currency", "Open keys", "Balance", "Oldest", "Over their time", "Of these")
    return Section(
        "clearing",
        "Clearing accounts",
        _table(columns, rows, 2, 3, 5, 6),
        "Every clearing account is at zero.",
    )


def _late(noted: Figures) -> Section:
    rows = [
        (
            _code(each["role"], each["provider"]),
            each["key"],
            each["currency"],
            _amount(each["balance_minor"], each["currency"]),
            each["opened_on"],
            each["break"] or "cleared since",
        )
        for each in noted["late"]
    ]
    columns = ("Account", "Key", "Currency", "Balance", "Open since", "Break")
    return Section("late", "Keys over their time", _table(columns, rows, 3), "No key is over its time.")


def _moved(noted: Figures) -> Section:
    rows = [
        (
            what,
            each["category"],
            each["currency"],
            str(each["count"]),
            _amount(each["amount_minor"], each["currency"]),
        )
        for what in ("opened", "resolved")
        for each in noted[what]
    ]
    return Section(
        "moved",
        "Breaks opened and resolved on the day",
        _table(("", "Category", "Currency", "Count", "Value"), rows, 3, 4),
        "No break was opened or resolved.",
        "A: by rule, B: by hand, C: to be found out.",
    )


def _open(noted: Figures) -> Section:
    rows = [
        (
            each["category"],
            each["days"],
            each["currency"],
            str(each["count"]),
            _amount(each["amount_minor"], each["currency"]),
        )
        for each in noted["open"]
    ]
    return Section(
        "open",
        "Breaks still open, by age",
        _table(("Category", "Days", "Currency", "Count", "Value"), rows, 3, 4),
        "No break is open.",
    )


def _open_rows(noted: Figures) -> Section:
    rows = [
        (
            each["id"],
            each["class"],
            each["category"],
            each["status"],
            each["owner"],
            str(each["age_days"]),
            each["currency"],
            _amount(each["amount_minor"], each["currency"]),
            each["summary"],
        )
        for each in noted["open_rows"]
    ]
    columns = ("Break", "Class", "Category", "State", "Owner", "Days", "Currency", "Value", "What it is")
    count = noted["open_count"]
    note = f"The dearest {len(rows)} of {count}." if count > len(rows) else ""
    return Section(
        "open_rows", "Open breaks one by one", _table(columns, rows, 5, 7), "No break is open.", note
    )


def _adjustments(noted: Figures) -> Section:
    rows = [
        (
            each["break"],
            each["template"],
            each["currency"],
            each["amount"],
            each["rule"] or f"{each['maker']}, {each['checker']}",
            each["entry"],
            each["status"],
        )
        for each in noted["adjustments"]
    ]
    columns = ("Break", "Template", "Currency", "Amount", "By rule, or by whom", "Entry", "State")
    return Section("adjustments", "Adjustments", _table(columns, rows, 3), "Nothing was adjusted.")


def _checks(noted: Figures) -> Section:
    rows = [
        (
            each["name"],
            each["verdict"].replace("_", " "),
            str(each["audits"]),
            each["asked_at"] or "not all were ever asked",
            ", ".join(f"{bad['name']}: {bad['violations']}" for bad in each["bad"]),
        )
        for each in noted["checks"]
    ]
    columns = ("What is compared", "Verdict", "Audits", "Asked since", "Violated")
    return Section("checks", "Audits", _table(columns, rows, 2), "No audit is known.")


def _notices(figures: Figures) -> Section:
    rows = [(each["says"],) for each in figures.get("notices", ())]
    return Section("notices", "To know", _table(("",), rows), "Nothing else.")


def _table(columns: Sequence[str], rows: Iterable[tuple[str, ...]], *numbers: int) -> Table:
    return Table(tuple(columns), tuple(rows), frozenset(numbers))


def _moves(each: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        _amount(each[f"{what}_minor"], each["currency"]) for what in ("opening", "debit", "credit", "closing")
    )


def _code(role: str, provider: str) -> str:
    code = CHART[role].code
    return f"{code}:{provider}" if provider else code


def _amount(minor: str, currency: str) -> str:
    return format_minor(int(minor), currency) if minor and currency else ""
