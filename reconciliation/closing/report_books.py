"""The parts of a day's report about what the books and the files say."""

from collections.abc import Mapping

from reconciliation.closing.report_tables import Figures, Section, amount, code, moves, table

__all__ = ["books_sections"]


def books_sections(books: Figures) -> list[Section]:
    """Return sources, files, providers, bank accounts, trial balance and clearing accounts."""
    return [
        _sources(books),
        _files(books),
        _providers(books),
        _banks(books),
        _trial(books),
        _totals(books),
        _clearing(books),
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
        table(("Source", "Kind", "File", "Live files", "Why none is needed"), rows, 3),
        "The merchant has no source of settlement files.",
    )


def _because(excuse: Mapping[str, str] | None) -> str:
    return f"{excuse['reason']} ({excuse['by']})" if excuse else ""


def _files(books: Figures) -> Section:
    rows = []
    for source in books["sources"]:
        for each in source["files"]:
            about = _short(each["document"])
            head = (source["name"], each["name"], about, str(each["version"]), each["status"])
            sums = each["totals"] or [{"currency": "", "gross": "", "fee": "", "net": ""}]
            for total in sums:
                amounts = [amount(total[what], total["currency"]) for what in ("gross", "fee", "net")]
                rows.append(
                    (*head, str(each["lines"]), total["currency"], *amounts, f"{each['sha256'][:16]}…")
                )
    columns = (
        "Source", "File", "About", "Version", "State", "Lines", "Currency", "Gross", "Fees", "Net", "SHA-256",
    )  # fmt: skip
    return Section(
        "files", "Files of the day", table(columns, rows, 3, 5, 7, 8, 9), "No file is about this day."
    )


def _short(document: str) -> str:
    """Where the file does not say what it is about, its digest stands for that; the beginning will do."""
    return f"{document[:17]}…" if document.startswith("body:") else document


def _providers(books: Figures) -> Section:
    rows = [
        (
            source["name"],
            code(each["role"], each["provider"]),
            each["currency"],
            *moves(each),
        )
        for source in books["sources"]
        for each in source.get("positions", ())
    ]
    return Section(
        "providers",
        "Payment providers: opening + activity = closing",
        table(("Source", "Account", "Currency", "Opening", "Debit", "Credit", "Closing"), rows, 3, 4, 5, 6),
        "Nothing is owed by a provider.",
        "What providers owe, from the books: captured and not reported, not at the bank yet, kept back.",
    )


def _banks(books: Figures) -> Section:
    rows = []
    for source in books["sources"]:
        for each in source.get("accounts", ()):
            amounts = [
                amount(each[f"{what}_minor"], each["currency"])
                for what in ("opening", "activity", "closing", "books_closing", "difference")
            ]
            rows.append((source["name"], each["through"], each["currency"], *amounts))
    columns = (
        "Source", "Stated to", "Currency", "Opening", "Activity", "Closing", "In the books", "Difference",
    )  # fmt: skip
    return Section(
        "banks",
        "Bank accounts: opening + activity = closing",
        table(columns, rows, 3, 4, 5, 6, 7),
        "No bank account is read.",
        "From the statements, against asset.bank.",
    )


def _trial(books: Figures) -> Section:
    rows = [
        (code(each["role"], each["provider"]), each["currency"], *moves(each)) for each in books["positions"]
    ]
    return Section(
        "trial",
        "Trial balance: opening + activity = closing",
        table(("Account", "Currency", "Opening", "Debit", "Credit", "Closing"), rows, 2, 3, 4, 5),
        "Nothing is in the books.",
        "By role, provider and currency; debits less credits, sellers and buyers added up.",
    )


def _totals(books: Figures) -> Section:
    names = ("day_debit", "day_credit", "debit", "credit")
    rows = [
        (
            each["currency"],
            *(amount(each[f"{name}_minor"], each["currency"]) for name in names),
            "balanced" if _is_balanced(each) else "OUT OF BALANCE",
        )
        for each in books["totals"]
    ]
    columns = ("Currency", "Debits of the day", "Credits of the day", "Debit balances", "Credit balances", "")
    return Section("totals", "Sums", table(columns, rows, 1, 2, 3, 4), "Nothing is in the books.")


def _is_balanced(each: Mapping[str, str]) -> bool:
    return each["debit_minor"] == each["credit_minor"] and each["day_debit_minor"] == each["day_credit_minor"]


def _clearing(books: Figures) -> Section:
    rows = [
        (
            code(each["role"], each["provider"]),
            each["currency"],
            str(each["keys"]),
            amount(each["balance_minor"], each["currency"]),
            each["oldest_on"],
            str(each["late_keys"]),
            amount(each["late_minor"], each["currency"]),
        )
        for each in books["clearing"]
    ]
    columns = ("Account", "Currency", "Open keys", "Balance", "Oldest", "Over their time", "Of these")
    return Section(
        "clearing",
        "Clearing accounts",
        table(columns, rows, 2, 3, 5, 6),
        "Every clearing account is at zero.",
    )
