"""Writing statements: camt.053.001.08."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

from sandbox.banking import amounts, checks, xml
from sandbox.timestamps import iso, span

Row = dict[str, Any]

#: Family and sub-family of ISO 20022's bank transaction codes in the domain PMNT.
CODES = {
    "paid": ("ICDT", "ESCT"), "returned": ("ICDT", "RRTN"), "fee": ("ICDT", "CHRG"),
    "funding": ("RCDT", "ESCT"), "foreign": ("ICDT", "ESCT"), "settlement": ("RCDT", "ESCT"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """One day of an account; each group of entries is booked as one."""

    day: str
    account: Row
    groups: list[list[Row]]
    opening: int
    closing: int


def write(*, now: float, statements: list[Statement]) -> str:
    """A document of statements, named after the last of them."""
    last = statements[-1]
    top, root = xml.document("camt.053.001.08", "BkToCstmrStmt")
    xml.add(root, "GrpHdr/MsgId", f"STMT-{last.day}-{last.account['id'][-12:]}")
    xml.add(root[0], "CreDtTm", iso(now))
    for each in statements:
        _statement(root, each, now)
    return xml.written(top)


def _statement(root: Element, told: Statement, now: float) -> None:
    day, account = told.day, told.account
    number = date.fromisoformat(day).toordinal() - date(2020, 1, 1).toordinal()
    first, after = span(day)
    statement = xml.add(root, "Stmt")
    xml.add(statement, "Id", f"{account['id'][-22:]}-{number}")
    xml.add(statement, "ElctrncSeqNb", str(number))
    xml.add(statement, "CreDtTm", iso(now))
    xml.add(statement, "FrToDt/FrDtTm", iso(first))
    xml.add(statement[-1], "ToDtTm", iso(after - 1))
    holder = xml.add(statement, "Acct")
    xml.add(holder, "Id/IBAN" if checks.good_iban(account["id"]) else "Id/Othr/Id", account["id"])
    xml.add(holder, "Ccy", account["currency"])
    for code, balance in (("OPBD", told.opening), ("CLBD", told.closing)):
        item = xml.add(statement, "Bal")
        xml.add(item, "Tp/CdOrPrtry/Cd", code)
        _money(item, balance, account["currency"])
        xml.add(item, "Dt/Dt", day)
    for group in told.groups:
        _entry(statement, group, account["currency"], day)


def _entry(statement: Element, group: list[Row], currency: str, day: str) -> None:
    first = group[0]
    entry = xml.add(statement, "Ntry")
    xml.add(entry, "NtryRef", f"{first['seq']}{first.get('piece', '')}")
    _money(entry, sum(row["amount"] for row in group), currency)
    xml.add(entry, "Sts/Cd", "BOOK")
    xml.add(entry, "BookgDt/Dt", day)
    xml.add(entry, "ValDt/Dt", day)
    xml.add(entry, "AcctSvcrRef", _reference(first))
    code = xml.add(entry, "BkTxCd/Domn")
    family, below = CODES[first["kind"]]
    xml.add(code, "Cd", "PMNT")
    xml.add(code, "Fmly/Cd", family)
    xml.add(code[-1], "SubFmlyCd", below)
    details = xml.add(entry, "NtryDtls")
    if first["kind"] == "paid" and first["together"]:
        batch = xml.add(details, "Btch")
        xml.add(batch, "MsgId", first["batch"])
        xml.add(batch, "PmtInfId", first["part"])
        xml.add(batch, "NbOfTxs", str(len(group)))
        total = -sum(row["amount"] for row in group)
        xml.add(batch, "TtlAmt", amounts.decimal(total, currency), Ccy=currency)
        xml.add(batch, "CdtDbtInd", "DBIT")
        return
    _details(xml.add(details, "TxDtls"), first, currency)


def _reference(row: Row) -> str:
    return f"SB{row['seq']:012d}{row.get('piece', '')}"


def _details(item: Element, row: Row, currency: str) -> None:
    references = xml.add(item, "Refs")
    if row["batch"]:
        xml.add(references, "MsgId", row["batch"][:35])
    xml.add(references, "AcctSvcrRef", _reference(row))
    if row["part"]:
        xml.add(references, "PmtInfId", row["part"])
    xml.add(references, "EndToEndId", (row["ref"] or row["payout"] or "NOTPROVIDED")[:35])
    _money(item, row["amount"], currency)
    if row["name"] and row["kind"] in ("paid", "returned"):
        parties = xml.add(item, "RltdPties")
        xml.add(parties, "Cdtr/Pty/Nm", row["name"])
        place = "IBAN" if checks.good_iban(row["number"]) else "Othr/Id"
        xml.add(parties, f"CdtrAcct/Id/{place}", row["number"])
    text = row["text"] or row["remittance"]
    if text:
        xml.add(item, "RmtInf/Ustrd", text[:140])
    if row["kind"] == "returned":
        xml.add(item, "RtrInf/Rsn/Cd", row["reason"])


def _money(parent: Element, amount: int, currency: str) -> None:
    xml.add(parent, "Amt", amounts.decimal(abs(amount), currency), Ccy=currency)
    xml.add(parent, "CdtDbtInd", "DBIT" if amount < 0 else "CRDT")
