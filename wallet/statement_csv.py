"""A wallet's statement as CSV, for people who open it in a spreadsheet."""

import csv
import io

from core.money import format_minor
from wallet.types import Statement

__all__ = ["statement_csv"]

_HEADER = ("time", "bucket", "account", "entry", "amount", "balance", "currency", "what", "reference")


def statement_csv(statement: Statement) -> str:
    """Return the statement: per bucket an opening line, the movements in order, per bucket a closing line.

    Then one line for each thing that it was for, and opening and closing over all buckets. Amounts have
    exactly the decimals of the currency. No cell holds text that others chose, so none can be taken for a
    formula.
    """
    currency = statement.wallet.currency
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for bucket, minor in statement.opening.items():
        balance = format_minor(minor, currency)
        writer.writerow([statement.since.isoformat(), bucket, "opening", "", "", balance, currency, "", ""])
    for line in statement.lines:
        amounts = [format_minor(minor, currency) for minor in (line.delta_minor, line.balance_after_minor)]
        place = [line.recorded_at.isoformat(), line.bucket, line.role, line.entry_id]
        writer.writerow([*place, *amounts, currency, line.what, line.reference or ""])
    for bucket, minor in statement.closing.items():
        balance = format_minor(minor, currency)
        writer.writerow([statement.until.isoformat(), bucket, "closing", "", "", balance, currency, "", ""])
    until = statement.until.isoformat()
    for what, minor in statement.totals.items():
        writer.writerow([until, "all", "total", "", format_minor(minor, currency), "", currency, what, ""])
    for name, at, minor in (
        ("opening", statement.since, statement.opening_minor),
        ("closing", statement.until, statement.closing_minor),
    ):
        balance = format_minor(minor, currency)
        writer.writerow([at.isoformat(), "all", name, "", "", balance, currency, "", ""])
    return out.getvalue()
