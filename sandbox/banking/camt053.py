"""Writing statements: camt.053.001.08."""

from __future__ import annotations

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


def write(
    *, now: float, day: str, account: Row, groups: list[list[Row]], opening: int, closing: int
) -> str:  # fmt: skip
    """One statement of one day; each group of entries is booked as one."""
    number = date.fromisoformat(day).toordinal() - date(2020, 1, 1).toordinal()
    first, after = span(day)
    top, root = xml.document("camt.053.001.08", "BkToCstmrStmt")
    xml.add(root, "GrpHdr/MsgId", f"STMT-{day}-{account['id'][-12:]}")
    xml.add(root[0], "CreDtTm", iso(now))
    statement = xml.add(root, "Stmt")
    xml.add(statement, "Id", f"{account['id'][-22:]}-{number}")
    xml.add(statement, "ElctrncSeqNb", str(number))
    xml.add(statement, "CreDtTm", iso(now))
    xml.add(statement, "FrToDt/FrDtTm", iso(first))
    xml.add(statement[-1], "ToDtTm", iso(after - 1))
    holder = xml.add(statement, "Acct")
    xml.add(holder, "Id/IBAN" if checks.good_iban(account["id"]) else "Id/Othr/Id", account["id"])
    xml.add(holder, "Ccy", account["currency"])
    for code, balance in (("OPBD", opening), ("CLBD", closing)):
        item = xml.add(statement, "Bal")
        xml.add(item, "Tp/CdOrPrtry/Cd", code)
        _money(item, balance, account["currency"])
        xml.add(item, "Dt/Dt", day)
    for group in groups:
        _entry(statement, group, account["currency"], day)
    return xml.written(top)


def _entry(statement: Element, group: list[Row], currency: str, day: str) -> None:
    first = group[0]
    entry = xml.add(statement, "Ntry")
    xml.add(entry, "NtryRef", str(first["seq"]))
    _money(entry, sum(row["amount"] for row in group), currency)
    xml.add(entry, "Sts/Cd", "BOOK")
    xml.add(entry, "BookgDt/Dt", day)
    xml.add(entry, "ValDt/Dt", day)
    xml.add(entry, "AcctSvcrRef", f"SB{first['seq']:012d}")
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


def _details(item: Element, row: Row, currency: str) -> None:
    references = xml.add(item, "Refs")
    if row["batch"]:
        xml.add(references, "MsgId", row["batch"][:35])
    xml.add(references, "AcctSvcrRef", f"SB{row['seq']:012d}")
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
