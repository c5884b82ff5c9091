"""Writing status reports: pain.002.001.03 for orders of version 03, pain.002.001.10 for version 09."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from sandbox.banking import amounts, xml
from sandbox.banking.errors import REASONS
from sandbox.banking.payments import Row
from sandbox.timestamps import iso

MESSAGES = {"pain.001.001.03": "pain.002.001.03", "pain.001.001.09": "pain.002.001.10"}

#: States of payments as the report calls them. A payment that came back was settled in an earlier report.
STATUSES = {"submitted": "ACTC", "deferred": "PDNG", "paid": "ACSC", "rejected": "RJCT", "returned": "RJCT"}


def on_file(
    *, number: int, now: float, file: Row, count: int | None, total: str | None, code: str | None, text: str
) -> str:
    """The technical answer to a whole file: ACTC, or RJCT with a reason."""
    top, group = _start(number, now, file, count=count, total=total)
    xml.add(group, "GrpSts", "RJCT" if code else "ACTC")
    if code:
        _reason(group, code, text)
    return xml.written(top)


def on_payments(*, number: int, now: float, file: Row, rows: list[Row]) -> str:
    """What became of transactions of one file."""
    top, group = _start(number, now, file, count=None, total=None)
    statuses = {STATUSES[row["state"]] for row in rows}
    xml.add(group, "GrpSts", statuses.pop() if len(statuses) == 1 else "PART")
    part, holder = None, group
    for row in rows:
        if part != row["part"]:
            part = row["part"]
            holder = xml.add(top[0], "OrgnlPmtInfAndSts")
            xml.add(holder, "OrgnlPmtInfId", part)
        _transaction(holder, row)
    return xml.written(top)


def _transaction(holder: Element, row: Row) -> None:
    item = xml.add(holder, "TxInfAndSts")
    xml.add(item, "StsId", f"T{row['seq']}")
    xml.add(item, "OrgnlEndToEndId", row["ref"])
    xml.add(item, "TxSts", STATUSES[row["state"]])
    if row["reason"]:
        returned = row["state"] == "returned"
        text = f"RETURNED {iso(row['returned'])[:10]}" if returned else REASONS.get(row["reason"], "")
        _reason(item, row["reason"], text)
    xml.add(
        item, "OrgnlTxRef/Amt/InstdAmt", amounts.decimal(row["amount"], row["currency"]), Ccy=row["currency"]
    )


def _start(
    number: int, now: float, file: Row, *, count: int | None, total: str | None
) -> tuple[Element, Element]:
    version = file["version"] or "pain.001.001.09"
    top, report = xml.document(MESSAGES[version], "CstmrPmtStsRpt")
    xml.add(report, "GrpHdr/MsgId", f"SANDBOX-{number}")
    xml.add(report[0], "CreDtTm", iso(now))
    group = xml.add(report, "OrgnlGrpInfAndSts")
    xml.add(group, "OrgnlMsgId", file["msg_id"] or "NOTPROVIDED")
    xml.add(group, "OrgnlMsgNmId", version)
    if count is not None:
        xml.add(group, "OrgnlNbOfTxs", str(count))
    if total is not None:
        xml.add(group, "OrgnlCtrlSum", total)
    return top, group


def _reason(parent: Element, code: str, text: str) -> None:
    holder = xml.add(parent, "StsRsnInf")
    xml.add(holder, "Rsn/Cd", code)
    if text:
        xml.add(holder, "AddtlInf", text[:105])
