"""A store, the product and the sandbox provider, for random histories of pay-in: hands and eyes."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, LiteralString, cast

import psycopg
from django.db import connection
from django.http import HttpResponse

from channels import breaker
from core import clock, failpoints
from core.audits import registered, run_audits
from core.drain import get_drain
from core.models import Case, DeadLetter
from core.transactions import at_edge
from events.models import InboxWork
from ledger.selectors import trial_balance
from payments.models import PspOperation
from payments.services import probe_silent_channels, watch_stuck
from tests.database import truncate_everything
from tests.payments.conftest import Shop, open_shop
from tests.payments.deliveries import deliver
from tests.sandbox.conftest import Sandbox
from tests.stateful.still import begin_at_noon, forget_time, tick

__all__ = ["Died", "Sent", "World", "answer_code"]

_TOO_MUCH = 60
_OVER = ("SUCCEEDED", "DECLINED", "CANCELED")


class Died(BaseException):
    """The process was killed here: nobody catches it, and nothing is written down about it."""


def die(_: dict[str, str]) -> None:
    """The action of a failpoint that kills, for a process that must live on."""
    raise Died


@dataclass
class Sent:
    """A request that was accepted, to be sent again."""

    path: str
    body: Any
    key: str
    answer: bytes


def answer_code(answer: HttpResponse) -> str:
    """201, or the code of the refusal."""
    code: str = "201" if answer.status_code == 201 else answer.json()["error"]["code"]
    return code


@dataclass
class World:
    """One merchant with an account at the provider, in a database that has no others."""

    provider: Sandbox
    shop: Shop
    sent: list[Sent] = field(default_factory=list)

    @classmethod
    def begin(cls, provider: Sandbox) -> "World":
        """A new merchant; now and then everything is new, so that audits need not read much."""
        failpoints.disarm()
        provider.control("DELETE", "faults")
        breaker.forget()
        is_open = PspOperation.objects.filter(due_at__isnull=False).exists()
        is_late = clock.now() > datetime.now(UTC) + timedelta(days=365)
        if is_open or is_late or PspOperation.objects.count() > _TOO_MUCH:
            cls.forget(provider)
        begin_at_noon(provider)
        return cls(provider, open_shop(provider, provider.url))

    @staticmethod
    def forget(provider: Sandbox) -> None:
        """Empty the database and the provider, and put both clocks right."""
        truncate_everything()
        clock.reset()
        forget_time()
        provider.control("POST", "reset", {})

    # The store.

    def post(self, path: str, body: Any, *, crash: str = "") -> HttpResponse:
        """POST under a new key; where the process breaks at `crash`, once more under the same key."""
        tick()
        key, store = uuid.uuid4().hex, self.shop.store
        if crash:
            failpoints.arm(crash, "raise")
            store.raise_errors = store.is_described = False
        answer = store.post(path, body, key=key)
        store.raise_errors = store.is_described = True
        if answer.status_code == 500:
            assert failpoints.fired(crash), "nothing else breaks"
            answer = store.post(path, body, key=key)
        failpoints.disarm()
        if answer.status_code == 201:
            self.sent.append(Sent(path, body, key, answer.content))
        return answer

    def repeat(self, sent: Sent) -> None:
        """The same request has the same answer, and another one under its key is refused."""
        answer = self.shop.store.post(sent.path, sent.body, key=sent.key)
        assert (answer.status_code, answer.content) == (201, sent.answer)
        assert answer.headers["Idempotent-Replayed"] == "true"
        other = self.shop.store.post("/v1/checkouts/c-2/cancellations", None, key=sent.key)
        assert answer_code(other) == "idempotency_key_reused"

    def checkout(self, reference: str) -> dict[str, Any]:
        """The checkout as the API shows it."""
        return self.shop.checkout(reference)

    def refunds(self) -> list[dict[str, Any]]:
        """All refunds."""
        found: list[dict[str, Any]] = self.shop.store.get("/v1/refunds", limit="100").json()["data"]
        return found

    def is_taking(self, order: str) -> bool:
        """Whether a capture of the order is on its way, by the timeline that the store can read."""
        seen = self.shop.store.get(f"/v1/payments/{order}").json()["timeline"]
        steps = [each["to"] for each in seen if each["what"] == "operation.capture"]
        return bool(steps) and steps[-1] not in _OVER

    def wallet(self, seller: str) -> dict[str, dict[str, str]]:
        """The buckets of a seller by currency."""
        found = self.shop.store.get(f"/v1/sellers/{seller}/wallets").json()["data"]
        return {each["currency"]: each for each in found}

    # The worker.

    def work(self, *names: str) -> None:
        """Let the worker do what is due; it may be killed at an armed place, and others go on later."""
        for name in names or ("operations", "inbox"):
            tick()
            try:
                get_drain(name).run()
            except Died:
                self._leases_end()

    @contextmanager
    def trouble(self, fault: dict[str, Any] | None, crash: tuple[str, str] | None) -> Iterator[None]:
        """Meanwhile a call goes wrong, or the worker does."""
        if fault:
            self.shop.arm(**fault)
        if crash:
            failpoints.arm(*crash)
        yield
        failpoints.disarm()
        if fault:
            self.shop.cure()

    def _leases_end(self) -> None:
        for model in (PspOperation, InboxWork):
            model.objects.filter(leased_until__isnull=False).update(leased_until=None)

    def later(self, seconds: int) -> None:
        """Time goes by here as at the provider; what beat starts now and then is done."""
        clock.move(seconds=seconds)
        self.provider.control("POST", "clock", {"seconds": seconds})
        if seconds > 30:
            self._leases_end()  # They are kept by the database's own clock, which nobody moves.
        at_edge(probe_silent_channels)()
        self.work("expiry", "releases", "operations", "inbox")
        at_edge(watch_stuck)()

    def due(self) -> list[Any]:
        """What is still to be done, now or later."""
        operations = PspOperation.objects.filter(due_at__isnull=False).values_list("kind", "status", "error")
        inbox = InboxWork.objects.filter(due_at__isnull=False).values_list("status", "reason")
        return [*operations, *inbox]

    def has_case(self) -> bool:
        """Whether somebody was told that an outcome is missing."""
        cases = Case.objects.filter(kind="payment_stuck", merchant_id=self.shop.store.merchant_id)
        return cases.exclude(status="CLOSED").exists()

    # The provider.

    def told(self) -> list[dict[str, Any]]:
        """Every event that the provider has, oldest first."""
        events = self.provider.get(f"events?account={self.shop.account}")
        return [{name: value for name, value in each.items() if name != "account"} for each in events]

    def tell(self, events: list[dict[str, Any]], *, seed: int, again: bool) -> None:
        """Deliver events in some order; `again`: each once more, and once more under another id."""
        copies = [dict(each) for each in events for _ in range(2 if again else 1)]
        copies += [{**each, "id": f"evt_{uuid.uuid4().hex}"} for each in events if again]
        random.Random(seed).shuffle(copies)
        for each in copies:
            assert deliver(self.shop, each) == 200

    def journal(self) -> list[dict[str, Any]]:
        """What really moved."""
        return self.provider.get(f"journal?account={self.shop.account}")

    def intents(self, status: str) -> list[str]:
        """The payments that are in a state at the provider, oldest first."""
        seen = [each["data"]["object"] for each in self.told() if each["type"].startswith("payment_intent.")]
        newest = {each["id"]: each["status"] for each in seen}
        return [name for name, found in newest.items() if found == status]

    def refunds_there(self) -> dict[str, str]:
        """The state of each refund at the provider."""
        seen = [each["data"]["object"] for each in self.told() if each["type"].startswith("refund.")]
        return {each["id"]: each["status"] for each in seen}

    def control(self, path: str, **body: Any) -> bool:
        """What the bank or the buyer does; False if it comes too late."""
        try:
            self.provider.control("POST", path, body)
        except AssertionError:
            return False
        return True

    # The books.

    def standing(self, role: str) -> Counter[str]:
        """The balance of all accounts of a role, by currency, in minor units."""
        found: Counter[str] = Counter()
        for row in trial_balance(merchant_id=self.shop.store.merchant_id):
            if role in ("", row.role):
                found[row.currency] += row.balance_minor
        return found

    def assert_clean(self) -> None:
        """Every audit is clean, and nothing of ours broke for good."""
        assert not DeadLetter.objects.exists(), list(DeadLetter.objects.values_list("subject", "error"))
        if violated():
            report = run_audits(store=False)
            assert report.is_clean, [(each.name, each.sample) for each in report.violated]
            raise AssertionError(violated())


def violated() -> list[str]:
    """The audits that find something, asked in one statement."""
    connection.ensure_connection()
    with psycopg.Cursor(cast(Any, connection.connection)) as cursor:
        cursor.execute(_all_audits())
        return [name for (name,) in cursor.fetchall()]


@cache
def _all_audits() -> LiteralString:
    parts = [f"SELECT '{each.name}' WHERE EXISTS ({each.sql})" for each in registered()]
    return cast(LiteralString, " UNION ALL ".join(parts))
