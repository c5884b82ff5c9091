"""Reads what a month writes as a stranger would: csv, ElementTree, Decimal, nothing of the writers."""

import csv
import gzip
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from typing import NamedTuple
from xml.etree import ElementTree

from tests.months import File, Month

__all__ = ["Entry", "Read", "Statement", "bank_statements", "body", "net", "rows", "settled"]

Row = dict[str, str]
SPACE = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


class Read(NamedTuple):
    """One movement of a payment in a settlement file, whichever the provider; amounts as in the file."""

    file: str
    kind: str
    reference: str
    transaction: str
    order: str
    facing: Decimal
    facing_currency: str
    gross: Decimal
    fee: Decimal


class Entry(NamedTuple):
    amount: Decimal
    reference: str
    end_to_end: str
    text: str
    code: str
    reason: str
    details: tuple[tuple[Decimal, str], ...]
    total: Decimal | None


class Statement(NamedTuple):
    name: str
    number: int
    opening: Decimal
    closing: Decimal
    entries: list[Entry]


def body(file: File) -> bytes:
    """Return the bytes of a file."""
    out = BytesIO()
    file.write(out)
    return out.getvalue()


def rows(file: File) -> list[Row]:
    """Return the rows of a settlement file by the names of their columns."""
    raw = body(file)
    if file.name.endswith(".gz"):
        raw = gzip.decompress(raw)
    return list(csv.DictReader(StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))


def _amount(row: Row, name: str) -> Decimal:
    """Return credit less debit, as Adyen writes them."""
    return Decimal(row[f"{name.replace('?', 'Credit')}"] or 0) - Decimal(
        row[f"{name.replace('?', 'Debit')}"] or 0
    )


def net(row: Row) -> Decimal:
    """Return the net of a row of either provider."""
    return Decimal(row["net"]) if "net" in row else _amount(row, "Net ? (NC)")


_STRIPE = {"refund_failure", "dispute_reversal", "charge", "refund", "dispute"}
_ADYEN = {
    "Settled": "charge", "Refunded": "refund", "RefundedReversed": "refund_failure", "Chargeback": "dispute",
    "SecondChargeback": "dispute", "ChargebackReversed": "dispute_reversal",
}  # fmt: skip
_PARTS = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")


def _of_stripe(name: str, row: Row) -> Read:
    return Read(
        name, row["reporting_category"], row["source_id"], row["balance_transaction_id"],
        row["payment_metadata[order_id]"], Decimal(row["customer_facing_amount"]),
        row["customer_facing_currency"].upper(), Decimal(row["gross"]), Decimal(row["fee"]),
    )  # fmt: skip


def _of_adyen(name: str, row: Row) -> Read:
    kind = _ADYEN[row["Type"]]
    reference = row["Psp Reference"] if kind == "charge" else row["Modification Reference"]
    fee = sum((Decimal(row[part] or 0) for part in _PARTS), Decimal(0))
    return Read(
        name, kind, reference, row["Modification Reference"], row["Merchant Reference"],
        _amount(row, "Gross ? (GC)"), row["Gross Currency"], net(row) + fee, fee,
    )  # fmt: skip


def settled(month: Month) -> Iterator[Read]:
    """Yield all movements of payments in the settlement files of a month."""
    for file in month.psp_files():
        for row in rows(file):
            if row.get("reporting_category") in _STRIPE:
                yield _of_stripe(file.name, row)
            elif row.get("Type") in _ADYEN:
                yield _of_adyen(file.name, row)


def bank_statements(month: Month) -> Iterator[Statement]:
    """Yield the camt.053 statements of a month."""
    for file in month.bank_files():
        top = ElementTree.fromstring(body(file)).find(f".//{SPACE}Stmt")
        assert top is not None
        balances = {_text(each, "Tp/CdOrPrtry/Cd"): _signed(each) for each in top.iterfind(f"{SPACE}Bal")}
        entries = [_entry(each) for each in top.iterfind(f"{SPACE}Ntry")]
        number = int(_text(top, "ElctrncSeqNb"))
        yield Statement(file.name, number, balances["OPBD"], balances["CLBD"], entries)


def _text(element: ElementTree.Element, path: str) -> str:
    return element.findtext("/".join(f"{SPACE}{name}" for name in path.split("/"))) or ""


def _signed(element: ElementTree.Element) -> Decimal:
    amount = Decimal(_text(element, "Amt"))
    return -amount if _text(element, "CdtDbtInd") == "DBIT" else amount


def _entry(element: ElementTree.Element) -> Entry:
    details = list(element.iterfind(f"{SPACE}NtryDtls/{SPACE}TxDtls"))
    total = _text(element, "NtryDtls/Btch/TtlAmt")
    if total:
        assert len(details) == int(_text(element, "NtryDtls/Btch/NbOfTxs"))
    return Entry(
        _signed(element), _text(element, "AcctSvcrRef"), _text(details[0], "Refs/EndToEndId"),
        _text(details[0], "RmtInf/Ustrd"), _text(element, "BkTxCd/Domn/Fmly/SubFmlyCd"),
        _text(details[0], "RtrInf/Rsn/Cd"),
        tuple((_signed(each), _text(each, "Refs/EndToEndId")) for each in details),
        Decimal(total) if total else None,
    )  # fmt: skip
