"""The parts of a day's report about how things stood when it was prepared."""

from reconciliation.closing.report_tables import Figures, Section, amount, code, table

__all__ = ["noted_sections"]


def noted_sections(noted: Figures) -> list[Section]:
    """Return late keys, breaks, adjustments and audits."""
    return [
        _late(noted),
        _moved(noted),
        _open(noted),
        _open_rows(noted),
        _adjustments(noted),
        _checks(noted),
    ]


def _late(noted: Figures) -> Section:
    rows = [
        (
            code(each["role"], each["provider"]),
            each["key"],
            each["currency"],
            amount(each["balance_minor"], each["currency"]),
            each["opened_on"],
            each["break"] or ("none" if each["is_open"] else "cleared since"),
        )
        for each in noted["late"]
    ]
    columns = ("Account", "Key", "Currency", "Balance", "Open since", "Break")
    return Section("late", "Keys over their time", table(columns, rows, 3), "No key is over its time.")


def _moved(noted: Figures) -> Section:
    rows = [
        (
            what,
            each["category"],
            each["currency"],
            str(each["count"]),
            amount(each["amount_minor"], each["currency"]),
        )
        for what in ("opened", "resolved")
        for each in noted[what]
    ]
    return Section(
        "moved",
        "Breaks opened and resolved on the day",
        table(("", "Category", "Currency", "Count", "Value"), rows, 3, 4),
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
            amount(each["amount_minor"], each["currency"]),
        )
        for each in noted["open"]
    ]
    return Section(
        "open",
        "Breaks still open, by age",
        table(("Category", "Days", "Currency", "Count", "Value"), rows, 3, 4),
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
            amount(each["amount_minor"], each["currency"]),
            each["summary"],
        )
        for each in noted["open_rows"]
    ]
    columns = ("Break", "Class", "Category", "State", "Owner", "Days", "Currency", "Value", "What it is")
    count = noted["open_count"]
    note = f"The dearest {len(rows)} of {count}." if count > len(rows) else ""
    return Section(
        "open_rows", "Open breaks one by one", table(columns, rows, 5, 7), "No break is open.", note
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
    return Section("adjustments", "Adjustments", table(columns, rows, 3), "Nothing was adjusted.")


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
    return Section("checks", "Audits", table(columns, rows, 2), "No audit is known.")
