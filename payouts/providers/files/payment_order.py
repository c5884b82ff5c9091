"""Reading a payment order (pain.001) back: what it says, and that its control values agree with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from payouts.providers.files.xml import BadFile, stream, text_at

__all__ = ["PaymentOrder", "Transfer", "read_payment_order"]

_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,5})?")
_ROOT = "CstmrCdtTrfInitn"


@dataclass(frozen=True)
class Transfer:
    """One transaction of an order; the amount as it is written, in whole units of the currency."""

    end_to_end_id: str
    name: str
    iban: str
    bic: str
    amount: Decimal
    currency: str
    remittance: str
    debtor_iban: str
    execute_on: date


@dataclass(frozen=True)
class PaymentOrder:
    """A payment order as it was read: its control values are those of its transactions."""

    message_id: str
    created_at: str
    transfers: tuple[Transfer, ...]


def read_payment_order(content: bytes) -> PaymentOrder:
    """Read a payment order of any version.

    Raises BadFile, also when NbOfTxs or CtrlSum, of the file or of one of its parts, is not what is in it.
    """
    header: Element | None = None
    transfers: list[Transfer] = []
    for element in stream(content, root=_ROOT, wanted=("GrpHdr", "PmtInf")):
        if element.tag == "GrpHdr":
            header = _copy(element)
        else:
            part = [_transfer(element, item) for item in element.findall("CdtTrfTxInf")]
            _agree(element, part, what="a part")
            transfers += part
    if header is None:
        raise BadFile("the file has no group header")
    if not text_at(header, "NbOfTxs"):
        raise BadFile("the file does not say how many transactions it has")
    _agree(header, transfers, what="the file")
    return PaymentOrder(text_at(header, "MsgId"), text_at(header, "CreDtTm"), tuple(transfers))


def _copy(element: Element) -> Element:
    kept = Element(element.tag)
    kept.extend(list(element))
    return kept


def _transfer(part: Element, item: Element) -> Transfer:
    amount = item.find("Amt/InstdAmt")
    written = text_at(item, "Amt/InstdAmt")
    if amount is None or _DECIMAL.fullmatch(written) is None:
        raise BadFile("a transaction has no amount")
    return Transfer(
        end_to_end_id=text_at(item, "PmtId/EndToEndId"),
        name=text_at(item, "Cdtr/Nm"),
        iban=text_at(item, "CdtrAcct/Id/IBAN"),
        bic=text_at(item, "CdtrAgt/FinInstnId/BIC") or text_at(item, "CdtrAgt/FinInstnId/BICFI"),
        amount=Decimal(written),
        currency=amount.get("Ccy", ""),
        remittance=text_at(item, "RmtInf/Ustrd"),
        debtor_iban=text_at(part, "DbtrAcct/Id/IBAN"),
        execute_on=_day(text_at(part, "ReqdExctnDt/Dt") or text_at(part, "ReqdExctnDt")),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise BadFile("a part has no execution date") from error


def _agree(holder: Element, transfers: Sequence[Transfer], *, what: str) -> None:
    count, total = text_at(holder, "NbOfTxs"), text_at(holder, "CtrlSum")
    if count and count != str(len(transfers)):
        raise BadFile(f"{what} declares {count[:20]} transactions and has {len(transfers)}")
    actual = sum((transfer.amount for transfer in transfers), Decimal(0))
    if total and (_DECIMAL.fullmatch(total) is None or Decimal(total) != actual):
        raise BadFile(f"{what} declares a sum of {total[:20]} and has {actual}")
