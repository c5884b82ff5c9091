"""Reading a bank's status reports: ISO 20022 pain.002, any version, by local names.

A report speaks on three levels: the whole file, one part of it, one transaction. What is said on a lower
level counts; what is said above speaks for the transactions only where the report names none of them,
because banks answer RJCT for a file when they list the refused transactions alone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element

from payouts.providers.files.xml import BadFile, stream, text_at

__all__ = ["PartStatus", "StatusReport", "TransactionStatus", "is_status_report", "read_status_report"]

_ROOT = "CstmrPmtStsRpt"
_WANTED = ("GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts")
_CODE = re.compile(r"[A-Z0-9]{1,4}")
_CENTS = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,5}))?")
_MOST_REASONS = 10


@dataclass(frozen=True)
class TransactionStatus:
    """What the bank says of one transaction; the amount in cents of euro, None where it does not say one."""

    end_to_end_id: str
    status: str
    reasons: tuple[str, ...]
    bank_reference: str | None
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True)
class PartStatus:
    """What the bank says of a part of the file, or of the file, and names no transaction of."""

    status: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class StatusReport:
    """One report. `whole` speaks for every transaction of the order; None where single ones are named."""

    message_id: str
    created_at: datetime | None
    original_message_id: str
    original_count: int | None
    original_sum: Decimal | None
    whole: PartStatus | None
    transactions: tuple[TransactionStatus, ...]


def is_status_report(content: bytes) -> bool:
    """Say whether this is a status report at all, and not, for example, a statement."""
    try:
        next(stream(content, root=_ROOT, wanted=("GrpHdr",)), None)
    except BadFile:
        return False
    return True


def read_status_report(content: bytes) -> StatusReport:
    """Read one report. Raises BadFile: no report, broken, or it does not say about which order it is."""
    message_id, created_at, group = "", None, None
    parts: list[PartStatus] = []
    found: list[TransactionStatus] = []
    for element in stream(content, root=_ROOT, wanted=_WANTED):
        if element.tag == "GrpHdr":
            message_id, created_at = text_at(element, "MsgId"), _moment(text_at(element, "CreDtTm"))
        elif element.tag == "OrgnlGrpInfAndSts":
            group = _Group(element)
        elif element.tag == "TxInfAndSts":
            found.append(_transaction(element))
        elif element.find("TxInfAndSts") is None and text_at(element, "PmtInfSts"):
            parts.append(PartStatus(_code(element, "PmtInfSts"), _reasons(element)))
    if group is None or not group.original_message_id:
        raise BadFile("the report does not say about which order it is")
    return StatusReport(
        message_id=message_id,
        created_at=created_at,
        original_message_id=group.original_message_id,
        original_count=group.count,
        original_sum=group.total,
        whole=None if found else _whole(group, parts),
        transactions=tuple(found),
    )


class _Group:
    def __init__(self, element: Element) -> None:
        self.original_message_id = text_at(element, "OrgnlMsgId")
        count, total = text_at(element, "OrgnlNbOfTxs"), text_at(element, "OrgnlCtrlSum")
        if count and not re.fullmatch(r"[0-9]{1,15}", count):
            raise BadFile("OrgnlNbOfTxs is no number")
        if total and _CENTS.fullmatch(total) is None:
            raise BadFile("OrgnlCtrlSum is no amount")
        self.count = int(count) if count else None
        self.total = Decimal(total) if total else None
        self.status = PartStatus(_code(element, "GrpSts"), _reasons(element))


def _whole(group: _Group, parts: list[PartStatus]) -> PartStatus | None:
    # Our orders have one part, so that what is said of it is said of the whole.
    if len(parts) == 1:
        return parts[0]
    return group.status if group.status.status else None


def _transaction(element: Element) -> TransactionStatus:
    amount = element.find("OrgnlTxRef/Amt/InstdAmt")
    return TransactionStatus(
        end_to_end_id=text_at(element, "OrgnlEndToEndId"),
        status=_code(element, "TxSts"),
        reasons=_reasons(element),
        bank_reference=text_at(element, "AcctSvcrRef")[:255] or None,
        amount_minor=None if amount is None else _cents(amount),
        currency=None if amount is None else amount.get("Ccy", ""),
    )


def _cents(amount: Element) -> int:
    written = _CENTS.fullmatch((amount.text or "").strip())
    if written is None or len((written[2] or "").rstrip("0")) > 2:
        raise BadFile("an amount is no amount of euro")
    return int(written[1]) * 100 + int((written[2] or "")[:2].ljust(2, "0"))


def _reasons(element: Element) -> tuple[str, ...]:
    codes = (text_at(item, "Rsn/Cd") or text_at(item, "Rsn/Prtry") for item in element.findall("StsRsnInf"))
    return tuple(code for code in codes if _CODE.fullmatch(code))[:_MOST_REASONS]


def _code(element: Element, name: str) -> str:
    code = text_at(element, name)
    if code and _CODE.fullmatch(code) is None:
        raise BadFile(f"{name} is no status")
    return code


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A bank that names no zone is read as UTC: it decides the order of reports, and of nothing else.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
