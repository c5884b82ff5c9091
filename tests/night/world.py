"""A running system with the demo merchant, and its days: buyers, sellers, nights."""

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.night.people import Person
from tests.stack import Answer, http
from tests.waiting import eventually

__all__ = ["DAY", "World"]

DAY = 86_400
_BUYER = "ann-reads"


class World:
    """`facts` are those that the demo data and the launcher wrote; nothing here looks into the database."""

    def __init__(self, facts: Mapping[str, Any], hooks: Path) -> None:
        self.facts, self.hooks, self.ahead = facts, hooks, 0
        self.api_url, self.key = str(facts["api_url"]), str(facts["api_key"])

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return http(method, self.api_url + path, body, headers)

    def post(self, path: str, body: Any) -> Any:
        """A call that must be accepted."""
        key = uuid.uuid4().hex
        return eventually(lambda: self._accepted(path, body, key), what=path).json

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = http(method, f"{self.facts['sandbox_url']}/_sandbox/{path}", body)
        assert answer.status < 300, (path, answer.status, answer.body)
        return answer.json if answer.body else None

    def person(self, name: str) -> Person:
        """Sign in as one of the people of the demo: admin, maker or checker."""
        said = [str(self.facts[f"{name}_{each}"]) for each in ("user", "password", "totp_secret")]
        return Person(self.api_url, *said)

    # Days

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.control("GET", "clock")["now"], UTC).date()

    def pass_days(self, days: int = 1) -> None:
        """Let days go by, one at a time, at the provider, at the bank and with us."""
        for _ in range(days):
            self.pass_seconds(DAY)

    def pass_seconds(self, seconds: int) -> None:
        """Let time go by, there and with us."""
        self.ahead += seconds
        self.control("POST", "clock", {"seconds": seconds})
        fresh = self.hooks / "clock.new"
        fresh.write_text(str(self.ahead))
        fresh.replace(self.hooks / "clock")

    def lie(self, kind: str, day: date, **options: Any) -> None:
        """Let a file of a day lie."""
        wish = {"kind": kind, "account": self.facts["psp_key"], "day": day.isoformat(), "seed": "1"}
        self.control("POST", "settlement_faults", {**wish, **options})

    def bank_entry(self, amount: str, text: str) -> None:
        """Let an entry stand on the merchant's account at the bank that nobody ordered."""
        entry = {"owner": self.facts["bank_key"], "amount": amount, "text": text}
        self.control("POST", "bank/accounts/PAYABLES-USD/entries", entry)

    # Buyers

    def buy(self, cents: int, *, card: str | None = "pm_card_visa", buyer: str = "") -> str:
        """Order something of both sellers; return the checkout's id. Without a card: hosted."""
        number = uuid.uuid4().hex[:12]
        first = cents * 9 // 10
        body: dict[str, Any] = {
            "checkout_id": f"c-{number}",
            "payment_orders": [
                {"payment_order_id": f"{number}-{seller}", "seller_account": seller,
                 "amount": f"{amount // 100}.{amount % 100:02d}", "currency": "USD"}
                for seller, amount in (("ann-books", first), ("bob-bikes", cents - first))
            ],
        }  # fmt: skip
        if card:
            body["credit_card_info"] = {"token": card}
        if buyer:
            body["buyer_info"] = {"buyer_account": buyer}
        self.post("/v1/payments", body)
        return str(body["checkout_id"])

    def pay_on_page(self, checkout: str, card: str = "pm_card_visa") -> None:
        """Press the button of the provider's page."""
        page = eventually(lambda: self._page(checkout), within=60, what=f"a page for {checkout}")
        self.control("POST", f"checkout_sessions/{page}/payment", {"token": card})

    def top_up(self, cents: int, card: str = "pm_card_visa") -> str:
        """Bring money into a buyer's wallet; return the top-up's id."""
        wallet = self.post("/v1/wallets", {"buyer_account": _BUYER, "currency": "USD"})
        body = {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "USD"}
        made = self.post(f"/v1/wallets/{wallet['id']}/top_ups", {**body, "credit_card_info": {"token": card}})
        return str(made["id"])

    def paid(self, *checkouts: str, within: float = 60.0) -> None:
        """Wait until they are paid."""
        for each in checkouts:
            eventually(
                lambda each=each: self.get(f"/v1/checkouts/{each}")["status"] == "succeeded",
                within=within,
                what=f"{each} is paid",
            )

    def available(self, seller: str) -> Decimal:
        """What a seller could be paid out now, in dollars."""
        wallets = self.get(f"/v1/sellers/{seller}/wallets")["data"]
        return sum((Decimal(each["available"]) for each in wallets if each["currency"] == "USD"), Decimal(0))

    def _accepted(self, path: str, body: Any, key: str) -> Answer | None:
        answer = self.call("POST", path, body, key=key)
        assert answer.status in (200, 201, 429, 503), (path, answer.status, answer.body)
        return answer if answer.status in (200, 201) else None

    def _page(self, checkout: str) -> str | None:
        said = self.get(f"/v1/checkouts/{checkout}")["next_action"]
        return str(said["url"]).rpartition("/")[2].partition("?")[0] if said else None
