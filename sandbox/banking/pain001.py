"""Reading payment orders: pain.001.001.03 and pain.001.001.09, on the standard library, without DTDs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element

SPACES = {
    f"urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}": f"pain.001.001.{version}"
    for version in ("03", "09")
}
IDENTIFIER = re.compile(r"[A-Za-z0-9+?/:().,' -]{1,35}")
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,5})?")


class Refusal(Exception):
    """The file is refused as a whole: a reason of ISO 20022, what is wrong, whose order it is if known."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.msg_id: str | None = None
        self.version: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction of an order."""

    part: str
    together: bool
    debtor: str
    debtor_currency: str | None
    end_to_end: str
    amount: str
    currency: str
    name: str
    account: str
    remittance: str


@dataclass(frozen=True, slots=True)
class Order:
    """One file as it was understood."""

    version: str
    msg_id: str
    lines: list[Line]


class _WithoutDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise Refusal("FF01", "A document type declaration is not allowed.")


def read(content: bytes) -> Order:
    """Read one file and check its counts and sums; raises Refusal. Accounts and amounts are not checked."""
    root = _root(content)
    order = _one(root, "CstmrCdtTrfInitn")
    header = _one(order, "GrpHdr")
    msg_id = _identifier(header, "MsgId")
    try:
        return Order(root.get("version", ""), msg_id, _lines(order, header))
    except Refusal as error:
        error.msg_id, error.version = msg_id, root.get("version")
        raise


def _lines(order: Element, header: Element) -> list[Line]:
    """Every transaction, when counts and sums are right and no reference comes twice."""
    lines: list[Line] = []
    for part in order.findall("PmtInf"):
        found = list(_part(part))
        _totals(part, found, needed=False)
        lines += found
    if not lines:
        raise Refusal("FF01", "There are no transactions.")
    _totals(header, lines, needed=True)
    seen: set[str] = set()
    for line in lines:
        if line.end_to_end in seen:
            raise Refusal("DU04", f"EndToEndId {line.end_to_end} comes twice.")
        seen.add(line.end_to_end)
    return lines


def _root(content: bytes) -> Element:
    """The document with its namespace taken off and remembered as ``version``."""
    try:
        parser = ElementTree.XMLParser(target=_WithoutDoctype())  # noqa: S314 - DTDs are refused
        root = ElementTree.fromstring(content, parser)  # noqa: S314 - DTDs are refused
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Refusal("FF01", f"This is no XML: {error}.") from error
    space, _, name = root.tag[1:].partition("}")
    if name != "Document" or space not in SPACES:
        raise Refusal("FF01", "Only pain.001.001.03 and pain.001.001.09 are read.")
    for element in root.iter():
        element.tag = str(element.tag).removeprefix(f"{{{space}}}")
    root.set("version", SPACES[space])
    return root


def _part(part: Element) -> Iterator[Line]:
    if _text(part, "PmtMtd") != "TRF":
        raise Refusal("FF01", "PmtMtd must be TRF.")
    identifier = _identifier(part, "PmtInfId")
    together = _text(part, "BtchBookg", default="false") in ("true", "1")
    if part.find("ReqdExctnDt") is None:
        raise Refusal("FF01", "ReqdExctnDt is missing.")
    debtor = _account(part, "DbtrAcct")
    for item in part.findall("CdtTrfTxInf"):
        amount = item.find("Amt/InstdAmt")
        if amount is None:
            raise Refusal("FF01", "Amt/InstdAmt is missing.")
        if NUMBER.fullmatch((amount.text or "").strip()) is None:
            raise Refusal("FF01", f"{amount.text} is no amount.")
        yield Line(
            part=identifier, together=together, debtor=debtor,
            debtor_currency=_text(part, "DbtrAcct/Ccy", default="") or None,
            end_to_end=_identifier(item, "PmtId/EndToEndId"), amount=(amount.text or "").strip(),
            currency=amount.get("Ccy", ""), name=_text(item, "Cdtr/Nm"), account=_account(item, "CdtrAcct"),
            remittance=_text(item, "RmtInf/Ustrd", default=""),
        )  # fmt: skip


def _account(parent: Element, name: str) -> str:
    iban = _text(parent, f"{name}/Id/IBAN", default="")
    return iban or _text(parent, f"{name}/Id/Othr/Id")


def _totals(holder: Element, lines: list[Line], *, needed: bool) -> None:
    """NbOfTxs and CtrlSum are control values: what they say must be what is there."""
    count = _text(holder, "NbOfTxs", default=None if needed else "")
    if count and (not count.isdigit() or int(count) != len(lines)):
        raise Refusal("AM18", f"NbOfTxs says {count}, there are {len(lines)} transactions.")
    total = _text(holder, "CtrlSum", default="")
    if not total:
        return
    actual = sum((Decimal(line.amount) for line in lines), Decimal(0))
    if NUMBER.fullmatch(total) is None or Decimal(total) != actual:
        raise Refusal("AM10", f"CtrlSum says {total}, the amounts make {actual}.")


def _one(parent: Element, name: str) -> Element:
    found = parent.find(name)
    if found is None:
        raise Refusal("FF01", f"{name} is missing.")
    return found


def _text(parent: Element, path: str, *, default: str | None = None) -> str:
    found = parent.find(path)
    text = "" if found is None else (found.text or "").strip()
    if text:
        return text
    if default is None:
        raise Refusal("FF01", f"{path} is missing.")
    return default


def _identifier(parent: Element, path: str) -> str:
    text = _text(parent, path)
    if IDENTIFIER.fullmatch(text) is None:
        raise Refusal("FF01", f"{path} has 1 to 35 characters of SEPA.")
    return text
