"""F-F4: kill -9 at every step of many payouts, before the sandbox's bank: its journal says who was paid.

The workers are processes that die of SIGKILL, each where the one before it did not come to. The bank is a
process too, reached over HTTP, by its API and by its file drop.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Sum
from stdnum.iban import calc_check_digits

from channels import breaker, rows
from core.audits import run_audits
from core.failpoints import arm, disarm, fired
from payouts.models import Payout, PayoutBatch
from payouts.references import payout_reference
from tests.openapi.contract import check_events
from tests.payments.psp.sandbox_process import SandboxProcess, wait_for
from tests.payouts.customer import WAYS, Customer
from tests.payouts.killed import Worker, lease_ends, worker_env
from tests.payouts.providers.conftest import sandbox
from tests.stateful.effort import IS_CHAOS

__all__ = ["sandbox"]

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.processes]
SELLERS, EACH, MOST = (100, 10, 250) if IS_CHAOS else (4, 10, 10)
FEE, LEFT = 100, 7
MIDDLE = MOST // 2
_SENDS = {"sandbox": "bank.batches.create", "sepa": "bank.files.put"}
# Workers that are killed while they send, and while they ask what became of it: in this order.
SENDING = (
    "payouts.before_collected",
    "payouts.collected",
    "payout_batches.claimed",
    f"payouts.row.{MIDDLE}",
    "payouts.before_intent",
    "payouts.after_intent.submit",
    "before the effect",
    "after the effect",
    "payouts.after_effect.submit",
    "payouts.before_commit",
    "payouts.after_commit",
)
ASKING = (
    "payouts.after_intent.ask",
    "payouts.after_effect.ask",
    f"payouts.outcome_row.{MIDDLE}",
    "payouts.before_commit",
    "payouts.after_commit",
)


class Scene:
    """Payouts that are on their way, the workers, and what they owe."""

    def __init__(self, customer: Customer, hooks: Path, *options: str) -> None:
        self.customer = customer
        self.worker = Worker(worker_env(hooks), f"--most={MOST}", *options)

    def ask(self, *, sellers: int, each: int) -> None:
        """Ask for so many payouts of each seller, no two of the same amount at one seller."""
        for number in range(sellers):
            name = f"s{number}"
            amounts = [1_000 + number * 100 + place for place in range(each)]
            self.customer.seller(name, money=sum(amounts) + each * FEE + LEFT, iban=_iban(number))
            for amount in amounts:
                self.customer.ask(amount, name)

    def die(self, place: str) -> None:
        """Let a worker work until it is killed there; whoever comes next need not wait for its leases."""
        kills = {
            "before the effect": partial(self._die_in_the_call, "not_charged_timeout"),
            "after the effect": partial(self._die_in_the_call, "charged_but_timeout"),
            "payouts.after_effect.submit": partial(self._die_at, only_one=True),
        }
        kills.get(place, self._die_at)(place)
        lease_ends()

    def finish(self) -> None:
        """Let workers do what is left."""
        for _ in range(2):
            assert self.worker.run() == 0
            lease_ends()

    def _die_at(self, place: str, *, only_one: bool = False) -> None:
        arm(place, "kill")
        if only_one:
            # What else is sent meanwhile does not arrive, so that there is something left for later.
            self._fault("not_charged_timeout", skip=1)
        assert self.worker.run() == -signal.SIGKILL, place
        assert len(fired(place)) == 1
        disarm()
        self._calm()

    def _die_in_the_call(self, kind: str, place: str) -> None:
        """The worker waits for an answer of the bank when it is killed."""
        before, is_taken = len(self.taken()), kind == "charged_but_timeout"
        first = self._fault(kind)
        if is_taken:
            self._fault("not_charged_timeout")
        pid = self.worker.start()
        wait_for(lambda: self._hits(first) and (not is_taken or len(self.taken()) > before), seconds=60)
        os.kill(pid, signal.SIGKILL)
        assert self.worker.wait() == -signal.SIGKILL, place
        self._calm()
        assert (len(self.taken()) > before) is is_taken

    def taken(self) -> list[Any]:
        """What the bank has of this customer: files or batches that were taken."""
        what = "files" if self.customer.channel.provider == "sepa" else "payments"
        answer = self.customer.far_side.control("GET", f"bank/{what}?owner={self.customer.key}")
        return list(answer["data"])

    def _fault(self, kind: str, **limits: Any) -> str:
        operation = _SENDS[self.customer.channel.provider]
        wish = {"kind": kind, "operation": operation, "account": self.customer.key, "seconds": 30}
        if kind == "not_charged_timeout":
            wish["times"] = None
        return str(self.customer.far_side.control("POST", "faults", wish | limits)["id"])

    def _hits(self, fault: str) -> bool:
        armed = self.customer.far_side.control("GET", "faults")["data"]
        return any(each["hits"] for each in armed if each["id"] == fault)

    def _calm(self) -> None:
        self.customer.far_side.control("DELETE", "faults")


def judge(customer: Customer) -> list[str]:
    """Say what is wrong, by the bank's journal: who was not paid once, and of what we think otherwise."""
    times, sums = Counter[str](), Counter[str]()
    for each in customer.journal():
        name = each["reference"].split("-")[0]
        times[name] += each["payments"]
        sums[name] += each["net"]
    wrong = []
    for payout in Payout.objects.filter(merchant_id=customer.merchant_id):
        name = payout_reference(payout.id)
        if times.pop(name, 0) != 1:
            wrong.append(f"{name} was not paid once")
        elif sums[name] != payout.amount_minor:
            wrong.append(f"{name} was paid {sums[name]}, not {payout.amount_minor}")
        if payout.status != "PAID":
            wrong.append(f"{name} is {payout.status}")
    return wrong + [f"{name} is nobody's" for name in times]


@pytest.fixture(params=list(WAYS))
def customer(
    request: pytest.FixtureRequest, sandbox: SandboxProcess, transactional_db: None
) -> Iterator[Customer]:
    """A customer of the bank; whatever was killed, every audit is clean afterwards."""
    rows.forget()
    breaker.forget()
    yield Customer(sandbox, request.param)
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


@pytest.fixture
def open_scene(customer: Customer, hooks: Path) -> Iterator[Callable[..., Scene]]:
    """Open the scene, with options for the workers."""
    opened: list[Scene] = []

    def open_it(*options: str) -> Scene:
        opened.append(Scene(customer, hooks, *options))
        return opened[-1]

    yield open_it
    disarm()
    for each in opened:
        each.worker.end()


def test_killed_at_every_step_each_is_paid_once(customer: Customer, open_scene: Callable[..., Scene]) -> None:
    """F-F4, F-F5, I27, I28: each worker dies at the next step; all are paid once, and so say the books."""
    scene = open_scene()
    scene.ask(sellers=SELLERS, each=EACH)
    for place in SENDING:
        scene.die(place)
    scene.finish()
    assert _states() == {"SENT"}
    customer.decide()
    for place in ASKING:
        scene.die(place)
    scene.finish()
    assert judge(customer) == []
    payouts = Payout.objects.filter(merchant_id=customer.merchant_id)
    total = payouts.aggregate(total=Sum("amount_minor"))["total"]
    assert payouts.count() == SELLERS * EACH == sum(customer.effects().values())
    assert _in_transit() == {payout.id: payout.amount_minor for payout in payouts}
    assert sum(_in_transit().values()) == total
    for name in customer.sellers:
        wallet = customer.wallet(name)
        assert (wallet.available_minor, wallet.held_minor) == (LEFT, 0)
    assert set(PayoutBatch.objects.values_list("status", flat=True)) == {"CLOSED"}


def test_the_control_that_takes_a_new_reference_for_each_try(
    customer: Customer, open_scene: Callable[..., Scene]
) -> None:
    """The same death with references that are made anew: some are paid twice, and the judge says whom."""
    scene = open_scene(f"--careless={customer.channel.provider}")
    scene.ask(sellers=2, each=MOST // 2)
    scene.die("payouts.after_effect.submit")
    scene.finish()
    customer.decide()
    assert len([each for each in judge(customer) if each.endswith("was not paid once")]) == MOST


def _states() -> set[str]:
    return set(Payout.objects.values_list("status", flat=True))


def _in_transit() -> dict[Any, int]:
    """What the books have in transit, by payout."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line.clearing_key, -sum(line.amount_minor) FROM ledger_journalline AS line"
            " JOIN ledger_account AS account ON account.id = line.account_id"
            " WHERE account.role = 'payouts_in_transit' GROUP BY line.clearing_key"
        )
        return {UUID(str(key)): int(amount) for key, amount in cursor.fetchall()}


def _iban(number: int) -> str:
    """An account of its own for each seller, with whose last digits the bank does nothing."""
    account = f"37040044{number:06}0000"
    return f"DE{calc_check_digits('DE00' + account)}{account}"
