"""An account that settles: days pass, reports are asked for, statements are read."""

from __future__ import annotations

import csv
import io
import urllib.error
import urllib.request
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from tests.sandbox.bank_client import Customer, plain
from tests.sandbox.conftest import Account

DAY = 86_400
ACTIVITY = "balance_change_from_activity.itemized.3"
RECONCILED = "payout_reconciliation.itemized.5"
OF_PAYOUT = "payout_reconciliation.by_id.itemized.5"
ENDING = "ending_balance_reconciliation.itemized.4"
PAYOUTS = "payouts.itemized.3"
SUMMARY = "balance.summary.1"


class Night(Account):
    """An account of a sandbox whose clock belongs to the tests, and its customer at the bank."""

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        self.bank = Customer(sandbox)

    def control(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return self.sandbox.control(method, path, body, **options)

    def settles(self, **wishes: Any) -> Any:
        """Pay this account out every night, to its customer's bank."""
        wishes = {"account": self.key, "interval": "daily", "bank": self.bank.key, **wishes}
        return self.control("POST", "settlement_accounts", wishes)

    @property
    def now(self) -> float:
        return self.control("GET", "clock")["now"]

    def day(self, ahead: int = 0) -> str:
        """A day by the sandbox clock."""
        return (datetime.fromtimestamp(self.now, UTC).date() + timedelta(days=ahead)).isoformat()

    def pass_seconds(self, seconds: float) -> None:
        """Let sandbox time pass; what is due by then has happened."""
        self.control("POST", "clock", {"seconds": seconds})

    def pass_days(self, days: int = 1) -> None:
        """Days go by, one at a time."""
        for _ in range(days):
            self.pass_seconds(DAY)

    def run(self, report_type: str, **parameters: Any) -> Any:
        """A report run that was given the time it takes."""
        run = self.v1.reporting.report_runs.create({"report_type": report_type, "parameters": parameters})
        assert (run.status, run.result) == ("pending", None)
        self.pass_seconds(2)
        return self.v1.reporting.report_runs.retrieve(run.id)

    def text(self, report_type: str, **parameters: Any) -> str:
        """The file of a report run."""
        run = self.run(report_type, **parameters)
        assert run.status == "succeeded", run.error
        content = download(run.result.url, self.key)
        assert len(content) == run.result.size
        return content.decode()

    def rows(self, report_type: str, **parameters: Any) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text(report_type, **parameters))))

    def of_day(self, report_type: str = ACTIVITY, ahead: int = -1, days: int = 1, **more: Any) -> list[Any]:
        """The rows of a day's report, of yesterday when not said."""
        start = int(midnight(self.day(ahead)))
        return self.rows(report_type, interval_start=start, interval_end=start + days * DAY, **more)

    def arm_settlement(self, kind: str, **spec: Any) -> list[dict[str, Any]]:
        return self.control("POST", "settlement_faults", {"kind": kind, "account": self.key, **spec})["data"]

    def answer_key(self) -> list[dict[str, Any]]:
        """Every change that faults made for this account."""
        found = self.control("GET", f"settlement_faults?account={self.key}")["data"]
        return [change for fault in found for change in fault["changes"]]

    def truth(self, day: str, currency: str = "usd") -> dict[str, Any]:
        """The true totals of a day."""
        found = self.control("GET", f"settlement?day={day}&account={self.key}")["data"]
        return next(row for row in found if row["currency"] == currency)

    def statement(self, day: str, account: str = "PAYABLES-USD") -> list[ElementTree.Element]:
        """The statements in the document of a day; each adds up."""
        status, body = self.bank.send("GET", f"statements/{account}?date={day}")
        assert status == 200, body
        found = plain(body.decode()).findall("BkToCstmrStmt/Stmt")
        for statement in found:
            opening, closing = balances(statement)
            assert opening + sum(credits_of(statement)) == closing
        return found


def download(url: str, key: str) -> bytes:
    """The contents of a file, with the key as its owner sends it."""
    header = {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=header), timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        return answer.read()


def refused(url: str, key: str) -> int:
    """The status with which a download is refused."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def midnight(day: str) -> float:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()


def cents(text: str, places: int = 2) -> int:
    """Minor units of a decimal text, which has exactly so many decimals."""
    found = Decimal(text)
    assert found.as_tuple().exponent == -places, text
    return int(found.scaleb(places))


def total(rows: list[dict[str, str]], column: str = "net") -> int:
    return sum(cents(row[column]) for row in rows)


def signed(entry: ElementTree.Element) -> Decimal:
    """An amount with its direction."""
    amount = Decimal(entry.findtext("Amt"))
    return amount if entry.findtext("CdtDbtInd") == "CRDT" else -amount


def balances(statement: ElementTree.Element) -> tuple[Decimal, Decimal]:
    """Opening and closing balance."""
    found = {each.findtext("Tp/CdOrPrtry/Cd"): signed(each) for each in statement.findall("Bal")}
    return found["OPBD"], found["CLBD"]


def credits_of(statement: ElementTree.Element) -> list[Decimal]:
    return [signed(entry) for entry in statement.findall("Ntry")]
