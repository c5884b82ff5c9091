"""Lines as rows of COPY's text format: built by hand, because a file may have ten million of them.

See https://www.postgresql.org/docs/current/sql-copy.html: columns are parted by tabs, rows by line feeds, and
a backslash stands before what would be mistaken for either.
"""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from reconciliation.formats.contract import Entry, Line
from reconciliation.models import LINE_BITS

__all__ = ["COPY_ENTRIES", "COPY_LINES", "Quarantine", "entry_rows", "first_id", "line_rows"]

Quarantine = Callable[[date], str]
_LINE_COLUMNS = (
    "id, line_no, merchant_id, file_id, gross_minor, fee_minor, net_minor, business_date, quarantine,"
    " original_minor, rate, occurred_at, raw, kind, currency, batch, raw_kind, reference, related,"
    " merchant_reference, original_currency, local_time"
)
_ENTRY_COLUMNS = (
    "id, line_no, merchant_id, file_id, statement_id, parent, amount_minor, booked_on, value_on, is_reversal,"
    " quarantine, currency, bank_reference, end_to_end, batch_reference, code, return_reason, counterparty,"
    " counterparty_account, text"
)
COPY_LINES = f"COPY reconciliation_settlementline ({_LINE_COLUMNS}) FROM STDIN"
COPY_ENTRIES = f"COPY reconciliation_bankline ({_ENTRY_COLUMNS}) FROM STDIN"
_NULL = "\\N"
# What is for people to read may be cut: the body has all of it. A reference never is.
_NAME, _TEXT = 140, 1000


def first_id(number: int) -> int:
    """Return what the ids of a file's lines are above, given the file's number."""
    return number << LINE_BITS


def line_rows(
    *, number: int, merchant_id: UUID, file_id: UUID, quarantine: Quarantine
) -> Callable[[Line], str]:
    """Return what makes the row of a settlement line."""
    first, owner = first_id(number), f"{merchant_id}\t{file_id}"
    days: dict[date, str] = {}

    def row(line: Line) -> str:
        (
            line_no, kind, raw_kind, reference, currency, gross, fee, net, day, batch, related,
            merchant_reference, original_currency, original, rate, occurred_at, local_time, raw,
        ) = line  # fmt: skip
        texts = (
            f"{kind}\t{currency}\t{batch}\t{raw_kind}\t{reference}\t{related}\t{merchant_reference}\t"
            f"{original_currency}\t{local_time}\n"
        )
        # Texts without these, which nearly all are, need no escaping.
        if "\\" in texts or "\r" in texts or texts.count("\t") != 8 or texts.count("\n") != 1:
            texts = (
                f"{kind}\t{_escaped(currency)}\t{_escaped(batch)}\t{_escaped(raw_kind)}\t"
                f"{_escaped(reference)}\t{_escaped(related)}\t{_escaped(merchant_reference)}\t"
                f"{_escaped(original_currency)}\t{_escaped(local_time)}\n"
            )
        dated = days.get(day)
        if dated is None:
            dated = days[day] = f"{day}\t{quarantine(day)}"
        return (
            f"{first | line_no}\t{line_no}\t{owner}\t{gross}\t{fee}\t{net}\t{dated}\t"
            f"{_NULL if original is None else original}\t{_NULL if rate is None else f'{rate:f}'}\t"
            f"{_NULL if occurred_at is None else occurred_at.isoformat(' ')}\t"
            f"{_NULL if raw is None else _escaped(raw)}\t{texts}"
        )

    return row


def entry_rows(
    *, number: int, merchant_id: UUID, file_id: UUID, quarantine: Quarantine
) -> Callable[[Entry, UUID], str]:
    """Return what makes the row of a bank entry, given the key of its statement."""
    first, owner = first_id(number), f"{merchant_id}\t{file_id}"

    def row(entry: Entry, statement_id: UUID) -> str:
        texts = (
            entry.currency, entry.bank_reference, entry.end_to_end, entry.batch_reference, entry.code,
            entry.return_reason, entry.counterparty[:_NAME], entry.counterparty_account, entry.text[:_TEXT],
        )  # fmt: skip
        return (
            f"{first | entry.line_no}\t{entry.line_no}\t{owner}\t{statement_id}\t"
            f"{_NULL if entry.parent is None else entry.parent}\t{entry.amount_minor}\t{entry.booked_on}\t"
            f"{_NULL if entry.value_on is None else entry.value_on}\t{'t' if entry.is_reversal else 'f'}\t"
            f"{quarantine(entry.booked_on)}\t" + "\t".join(map(_escaped, texts)) + "\n"
        )

    return row


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
