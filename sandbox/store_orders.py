"""The store's orders: what was asked of the payment system, and what it answered.

The rules of a store that never charges twice and never loses a payment:

1. Write down what you are about to ask, with its key, before you ask (``place``, ``pay_again``, ``cancel``).
2. Without an answer, ask again under the same key, for as long as it takes (``deliver``).
3. Believe only the API. A redirect, and what it says, is a reason to look (``look``), and so is a webhook:
   looking makes duplicates, delays and a wrong order of webhooks harmless.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from sandbox.database import Database
from sandbox.store_cart import Cart, Carts
from sandbox.store_catalogue import CURRENCY, HOSTED_PAGE, money
from sandbox.store_client import Answer, Call, Client, Unreachable
from sandbox.store_settings import StoreSettings

GOOD = range(200, 300)
#: Seconds until an order that is still open is looked at again, if no webhook came.
LOOKS = (1, 2, 4, 8, 15, 30, 60)


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the store knows it. ``checkout`` is what the API said last, or empty."""

    number: str
    visitor: str
    placed_at: float
    lines: list[dict[str, Any]]
    total: int
    checkout: dict[str, Any]
    requests: list[dict[str, Any]]

    @property
    def status(self) -> str:
        """The API's word for the whole; ``sending`` before its first answer, ``refused`` if it said no."""
        if self.checkout:
            return str(self.checkout["status"])
        return "sending" if self.requests[-1]["status"] is None else "refused"

    @property
    def is_final(self) -> bool:
        """Whether nothing is expected any more."""
        if any(request["status"] is None for request in self.requests):
            return False
        return bool(self.checkout.get("is_final", True))

    @property
    def next_number(self) -> int:
        """The number that the next request will have."""
        return len(self.requests) + 1

    @property
    def refusal(self) -> Answer | None:
        """The answer to the last request, if it was a no."""
        last = self.requests[-1]
        if last["status"] is None or last["status"] in GOOD:
            return None
        return Answer(last["status"], json.loads(last["answer"]))

    @property
    def is_being_cancelled(self) -> bool:
        """Whether the payment system was told to stop, and has not said yet that nothing can be charged."""
        return not self.is_final and any(
            part["cancel_requested"] for part in self.checkout.get("payment_orders", [])
        )

    @property
    def can_be_paid_again(self) -> bool:
        """Whether another try makes sense: nothing is under way, and something is unpaid."""
        return self.is_final and self.status in ("failed", "partially_succeeded", "refused")

    @property
    def can_be_cancelled(self) -> bool:
        """Whether it is worth asking."""
        return bool(self.checkout) and not self.is_final and not self.is_being_cancelled


class Orders:
    """Places orders and follows their payments."""

    def __init__(
        self, database: Database, settings: StoreSettings, *, base_url: str, stopping: threading.Event
    ) -> None:
        self._database, self._settings = database, settings
        self._base_url, self._stopping = base_url, stopping
        self._carts = Carts(database)
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def place(self, visitor: str, number: str, method: str) -> bool:
        """Make an order of the visitor's cart; False when the cart is no longer the one with this number.

        The second click finds the order of the first one.
        """
        with self._database.transaction():
            if self._row(number) is not None:
                return True
            cart = self._carts.get(visitor)
            if cart.number != number or not cart.lines:
                return False
            self._database.execute(
                "INSERT INTO store_order (number, visitor, placed_at, lines, total, look_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (number, visitor, time.time(), json.dumps(_lines(cart)), cart.total, time.time()),
            )
            self._ask(number, 1, "/v1/payments", self._payment(number, cart, visitor, method))
            self._carts.empty(visitor)
        return True

    def pay_again(self, order: Order, request_number: int, method: str) -> None:
        """Try once more, in the same or another way. Two clicks have the same request number: one try."""
        if order.checkout:
            path = f"/v1/checkouts/{order.number}/attempts"
            body = self._way_to_pay(order.number, method)
        else:  # The payment system never took the order, so this is the first try still.
            path = "/v1/payments"
            first = json.loads(order.requests[0]["body"])
            kept = ("checkout_id", "buyer_info", "payment_orders", "metadata")
            body = {name: first[name] for name in kept} | self._way_to_pay(order.number, method)
        if order.can_be_paid_again and request_number == order.next_number:
            self._ask(order.number, request_number, path, body)

    def cancel(self, order: Order, request_number: int) -> None:
        """Ask that nothing be charged any more."""
        if order.can_be_cancelled and request_number == order.next_number:
            self._ask(order.number, request_number, f"/v1/checkouts/{order.number}/cancellations", {})

    def _ask(self, number: str, request_number: int, path: str, body: dict[str, Any]) -> None:
        """Write down what will be asked, under a key that names the order and the try and nothing else."""
        self._database.execute(
            "INSERT OR IGNORE INTO store_request (number, n, path, key, body) VALUES (?, ?, ?, ?, ?)",
            (number, request_number, path, f"{number}/{request_number}", json.dumps(body)),
        )
        self._look_soon(number)

    def _payment(self, number: str, cart: Cart, visitor: str, method: str) -> dict[str, Any]:
        return {
            "checkout_id": number,
            "buyer_info": {"buyer_account": f"visitor-{visitor[:12]}"},
            "payment_orders": [
                {
                    "payment_order_id": f"{number}-{seller}",
                    "seller_account": seller,
                    "amount": money(sum(line.total for line in lines)),
                    "currency": CURRENCY,
                }
                for seller, lines in cart.by_seller().items()
            ],
            "metadata": {"store": "sandbox"},
        } | self._way_to_pay(number, method)

    def _way_to_pay(self, number: str, method: str) -> dict[str, Any]:
        back = {"return_url": f"{self._base_url}/store/orders/{number}"}
        if method == HOSTED_PAGE:
            return back | {"payment_method": HOSTED_PAGE}
        return back | {"credit_card_info": {"token": method}}

    def deliver(self, number: str, *, patience: float) -> None:
        """Send what was not answered yet, then look. Only one thread at a time works on an order."""
        with self._guard:
            if number in self._busy:
                return
            self._busy.add(number)
        try:
            order = self.get(number)
            if order is not None:
                for request in order.requests:
                    if request["status"] is None:
                        self._send(order, request, patience)
                self._look(number)
        except Unreachable:
            self._later(number)
        finally:
            with self._guard:
                self._busy.discard(number)

    def _send(self, order: Order, request: dict[str, Any], patience: float) -> None:
        answer = self._client().post(
            request["path"],
            request["body"],
            key=request["key"],
            patience=patience,
            record=lambda call: self._record(order.number, call),
        )
        self._database.execute(
            "UPDATE store_request SET status = ?, answer = ? WHERE number = ? AND n = ?",
            (answer.status, json.dumps(answer.body), order.number, request["n"]),
        )

    def _look(self, number: str) -> None:
        answer = self._client().get(
            f"/v1/checkouts/{number}", patience=4.0, record=lambda call: self._record(number, call)
        )
        if answer.is_good:
            self._database.execute(
                "UPDATE store_order SET checkout = ? WHERE number = ?", (json.dumps(answer.body), number)
            )
        self._later(number)

    def _later(self, number: str) -> None:
        """Decide when to look again, should no webhook come; never again when everything is final."""
        order = self.get(number)
        if order is None:
            return
        row = self._database.one("SELECT looks FROM store_order WHERE number = ?", (number,))
        looks = int(row["looks"]) if row else 0
        due = None if order.is_final else time.time() + LOOKS[min(looks, len(LOOKS) - 1)]
        self._database.execute(
            "UPDATE store_order SET look_at = ?, looks = looks + 1 WHERE number = ?", (due, number)
        )

    def told(self, number: str, *, what: str, webhook_id: str, body: str) -> None:
        """A genuine webhook speaks of this order: look soon, however final it seemed."""
        if self._row(number) is None:
            return
        self._keep(number, Call("WEBHOOK", what, webhook_id, body, 204, "", 0))
        self._look_soon(number)

    def _look_soon(self, number: str) -> None:
        self._database.execute(
            "UPDATE store_order SET look_at = ?, looks = 0 WHERE number = ?", (time.time(), number)
        )

    def due(self) -> list[str]:
        """The orders to be looked at now."""
        rows = self._database.rows(
            "SELECT number FROM store_order WHERE look_at <= ? ORDER BY look_at LIMIT 20", (time.time(),)
        )
        return [row["number"] for row in rows]

    def get(self, number: str) -> Order | None:
        """One order, or None."""
        row = self._row(number)
        if row is None:
            return None
        requests = self._database.rows("SELECT * FROM store_request WHERE number = ? ORDER BY n", (number,))
        return Order(
            number,
            row["visitor"],
            row["placed_at"],
            json.loads(row["lines"]),
            row["total"],
            json.loads(row["checkout"] or "{}"),
            requests,
        )

    def of_visitor(self, visitor: str) -> list[Order]:
        """The visitor's orders, newest first."""
        rows = self._database.rows(
            "SELECT number FROM store_order WHERE visitor = ? ORDER BY placed_at DESC LIMIT 50", (visitor,)
        )
        return [order for row in rows if (order := self.get(row["number"]))]

    def calls(self, number: str) -> list[dict[str, Any]]:
        """Every call about an order, oldest first."""
        return self._database.rows("SELECT * FROM store_call WHERE number = ? ORDER BY seq", (number,))

    def _row(self, number: str) -> dict[str, Any] | None:
        return self._database.one("SELECT * FROM store_order WHERE number = ?", (number,))

    def _client(self) -> Client:
        if not self._settings.is_connected:
            raise Unreachable
        return Client(self._settings.api_url, self._settings.api_key, stopping=self._stopping)

    def _record(self, number: str, call: Call) -> None:
        """Keep a call for the developer view; a look that saw nothing new only counts."""
        last = self._database.one(
            "SELECT seq, method, path, status, response FROM store_call WHERE number = ?"
            " ORDER BY seq DESC LIMIT 1",
            (number,),
        )
        same = (call.method, call.path, call.status, call.response)
        if last and call.method == "GET" and same == tuple(last.values())[1:]:
            self._database.execute("UPDATE store_call SET times = times + 1 WHERE seq = ?", (last["seq"],))
        else:
            self._keep(number, call)

    def _keep(self, number: str, call: Call) -> None:
        self._database.execute(
            "INSERT INTO store_call (number, at, method, path, key, request, status, response, milliseconds)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number, time.time(), call.method, call.path, call.key, call.request, call.status,
                call.response, call.milliseconds,
            ),
        )  # fmt: skip


def _lines(cart: Cart) -> list[dict[str, Any]]:
    """The cart as it was bought; prices may change later."""
    return [
        {
            "name": line.product.name,
            "seller": line.product.seller,
            "quantity": line.quantity,
            "total": line.total,
        }
        for line in cart.lines
    ]
