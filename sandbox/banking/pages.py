"""A page to look at the bank: accounts, files, payments."""

from __future__ import annotations

from html import escape

from sandbox import pages
from sandbox.banking import accounts, amounts
from sandbox.database import Database
from sandbox.timestamps import iso

SHOWN = 100


def overview(database: Database) -> bytes:
    """Everything the bank knows, the newest first."""
    held = [
        accounts.shown(database, row)
        for row in database.rows("SELECT * FROM bank_account ORDER BY owner, id LIMIT ?", (SHOWN,))
    ]
    files = database.rows(
        "SELECT name, state, reason, received FROM bank_file ORDER BY id DESC LIMIT ?", (SHOWN,)
    )
    paid = database.rows("SELECT * FROM bank_payment ORDER BY id DESC LIMIT ?", (SHOWN,))
    return pages.document(
        "Bank · Sandbox",
        "<h1>The bank</h1><p>It pays the sellers of the marketplace: ordered through its payables API or by"
        " files, decided as the sandbox clock goes on.</p>"
        "<h2>Accounts that pay</h2>"
        + _table(
            ("Account", "Balance", "Available", "Fee"),
            [
                (row["account"], f"{row['balance']} {row['currency']}", row["available"], row["fee"])
                for row in held
            ],
        )
        + "<h2>Files</h2>"
        + _table(
            ("Name", "State", "Reason", "Received"),
            [(row["name"], row["state"], row["reason"] or "", iso(row["received"])) for row in files],
        )
        + "<h2>Payments</h2>"
        + _table(
            ("Reference", "Batch or message", "To", "Amount", "State"),
            [
                (
                    row["ref"], row["batch"], f"{row['name']} …{row['number'][-4:]}",
                    f"{amounts.decimal(row['amount'], row['currency'])} {row['currency']}",
                    " ".join(filter(None, (row["state"], row["reason"]))),
                )
                for row in paid
            ],
        )
        + '<p><a href="/">The sandbox</a> · <a href="/_sandbox/bank/totals">Paid per reference</a></p>',
    )  # fmt: skip


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
