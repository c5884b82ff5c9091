"""A customer of the sandbox's bank."""

from __future__ import annotations

import itertools
import json
import os
import urllib.error
import urllib.request
from typing import Any
from xml.etree import ElementTree

_serial = itertools.count(1)

IBAN = "DE89370400440532013000"
#: Accounts whose last digits tell the bank what to do.
CLOSED, WRONG, DEFERRED, RETURNED, UNPAYABLE = (
    "DE52370400440532019001", "DE25370400440532019002", "DE95370400440532019003", "DE68370400440532019004",
    "DE14370400440532019006",
)  # fmt: skip
DEBTOR = "DE02120300000000202051"


class Customer:
    """One customer: a key, hence an account of its own."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.key = f"bk_test_{os.getpid()}_{next(_serial)}"

    def send(
        self, method: str, path: str, body: Any = None, *, timeout: float = 5, **headers: str
    ) -> tuple[int, Any]:
        """Status and answer (JSON where it is) of one request; bytes are sent as they are."""
        kind = "application/xml" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(
            f"{self.sandbox.url}/bank/{path}",
            body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": kind, **headers},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, got, kind = answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            with error:
                status, got, kind = error.code, error.read(), error.headers["Content-Type"]
        return status, json.loads(got) if kind == "application/json" else got

    def payee(self, ref: str = "ann", iban: str = IBAN, *, name: str = "Ann Lee", **more: Any) -> Any:
        """Register a payee with an IBAN; the answer."""
        account = {"type": "iban", "iban": iban}
        values = {"name": name, "account": account, "currency": "EUR", "country": "DE", **more}
        return self.send("PUT", f"v1/payees/{ref}", values)[1]

    def batch(self, ref: str, *items: dict[str, Any], **options: Any) -> tuple[int, Any]:
        """Send a batch."""
        return self.send("POST", "v1/batches", {"batch_ref": ref, "payments": list(items)}, **options)

    def look(self, ref: str) -> Any:
        """The payment of a reference."""
        return self.send("GET", f"v1/payments/{ref}")[1]

    def state(self, ref: str) -> str:
        return self.look(ref)["state"]

    def control(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """A control request about the bank."""
        return self.sandbox.control(method, f"bank/{path}".rstrip("/"), body, **options)

    def totals(self) -> dict[str, tuple[int, int, int]]:
        """Of each reference: times paid, times returned, minor units that stayed paid."""
        return {
            row.get("ref_code") or row["end_to_end_id"]: (row["payments"], row["returns"], row["net"])
            for row in self.control("GET", f"totals?owner={self.key}")["data"]
        }

    def file(self, name: str, content: bytes) -> tuple[int, Any]:
        return self.send("PUT", f"files/{name}", content)

    def reports(self, after: int = 0) -> list[ElementTree.Element]:
        """The reports after a number, without namespaces."""
        return [plain(row["content"]) for row in self.send("GET", f"reports?after={after}")[1]["data"]]

    def outcomes(self) -> dict[str, list[str]]:
        """Of each end-to-end reference: what the reports said, in order."""
        said: dict[str, list[str]] = {}
        for report in self.reports():
            for item in report.iter("TxInfAndSts"):
                code = item.findtext("StsRsnInf/Rsn/Cd")
                words = item.findtext("TxSts") + (f" {code}" if code else "")
                said.setdefault(item.findtext("OrgnlEndToEndId"), []).append(words)
        return said

    def statement(self, account: str = DEBTOR, date: str = "") -> ElementTree.Element:
        return plain(self.send("GET", f"statements/{account}?date={date}")[1].decode())


def payment(ref: str, amount: str = "10.00", payee: str = "ann", currency: str = "EUR") -> dict[str, Any]:
    """One payment of a batch."""
    return {"ref_code": ref, "payee_ref": payee, "amount": amount, "currency": currency, "remittance": "July"}


def plain(text: str) -> ElementTree.Element:
    """A document without its namespace."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
    return root


def order(
    msg_id: str, *lines: tuple[str, str, str], version: str = "09", together: bool = False,
    count: int | None = None, total: str | None = None, currency: str = "EUR", debtor: str = DEBTOR,
) -> bytes:  # fmt: skip
    """A file of payment orders; a line is a reference, an IBAN and an amount."""
    from decimal import Decimal

    day = "<Dt>2026-11-30</Dt>" if version == "09" else "2026-11-30"
    total = total or str(sum(Decimal(amount) for _, _, amount in lines))
    items = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{ref}</EndToEndId></PmtId><Amt><InstdAmt Ccy='{currency}'>{amount}"
        f"</InstdAmt></Amt><Cdtr><Nm>Ann Lee</Nm></Cdtr><CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct>"
        "<RmtInf><Ustrd>July</Ustrd></RmtInf></CdtTrfTxInf>"
        for ref, iban, amount in lines
    )
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}'><CstmrCdtTrfInitn>"
        f"<GrpHdr><MsgId>{msg_id}</MsgId><CreDtTm>2026-11-30T10:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(lines) if count is None else count}</NbOfTxs><CtrlSum>{total}</CtrlSum>"
        "<InitgPty><Nm>Shop</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>part-1</PmtInfId><PmtMtd>TRF</PmtMtd>"
        f"<BtchBookg>{str(together).lower()}</BtchBookg><ReqdExctnDt>{day}</ReqdExctnDt>"
        f"<Dbtr><Nm>Shop</Nm></Dbtr><DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId/></DbtrAgt>{items}</PmtInf></CstmrCdtTrfInitn></Document>"
    ).encode()
