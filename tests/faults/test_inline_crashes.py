"""Strike the web process while it opens the provider's page inline: no page twice, no checkout lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from core import failpoints
from payments.models import PspOperation
from tests.faults.shop import Payment, Shop, assert_audits_are_clean
from tests.stack import Answer, Stack, free_port, http, is_stopped
from tests.waiting import eventually

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("before_intent", "after_intent", "after_effect", "before_commit", "after_commit")


@pytest.fixture
def client() -> Iterator[ThreadPoolExecutor]:
    """The store's side, so that a request may hang while the test acts."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def _end(shop: Shop, payment: Payment) -> None:
    """Whatever happened: the buyer can pay, once, and every repeat was told the same in the end."""
    shop.post_until_accepted(payment)
    shop.buy(payment)
    shop.settle(payment)
    payment.answers = payment.answers[-1:]  # A repeat in the middle was told what was stored then.
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


@pytest.mark.parametrize("place", PLACES)
def test_killed_while_it_registers(shop: Shop, client: ThreadPoolExecutor, place: str) -> None:
    """F-A2, F-A3, F-A4: killed before the call, after its effect, before and after the commit."""
    payment = shop.hosted_payment()
    failpoints.arm(f"execute.{place}.register", "kill")
    first = client.submit(shop.post, payment)
    eventually(lambda: failpoints.fired(f"execute.{place}.register"), what=f"{place}: {shop.what_is_open()}")
    with suppress(OSError, HTTPException):
        assert first.result(timeout=20).status != 201, "the process that would have answered is dead"
    _end(shop, payment)


@pytest.mark.parametrize("place", ["after_intent", "after_effect"])
def test_frozen_while_it_registers_and_woken_late(shop: Shop, client: ThreadPoolExecutor, place: str) -> None:
    """F-B7: the lease runs out, a worker opens the page; what wakes up answers with what is stored."""
    payment = shop.hosted_payment()
    failpoints.arm(f"execute.{place}.register", "stop")
    first = client.submit(shop.post, payment)
    pid = eventually(lambda: failpoints.fired(f"execute.{place}.register"), what=place)[0]
    eventually(lambda: is_stopped(pid), what=f"{pid} stands still")
    try:
        shop.post_until_accepted(payment)
        shop.buy(payment)
        shop.settle(payment)
    finally:
        os.kill(pid, signal.SIGCONT)
    woken = first.result(timeout=20)
    assert woken.status == 201 and woken.json["next_action"] is None
    assert len(set(payment.answers)) == 1
    _end_settled(shop, payment)


def _end_settled(shop: Shop, payment: Payment) -> None:
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


@pytest.mark.parametrize(
    "kind", ["charged_but_timeout", "not_charged_timeout", "connection_reset_after_body"]
)
def test_the_provider_does_not_answer_the_web_process(shop: Shop, kind: str) -> None:
    """F-A5, F-A7: the store has its answer within the deadline, and the worker finds out."""
    payment = shop.hosted_payment()
    shop.fault(kind, operation="checkout.sessions.create")
    answer = shop.post(payment)
    assert (answer.status, answer.json["next_action"]) == (201, None)
    _end(shop, payment)


def test_the_answer_carries_the_page_when_all_is_well(shop: Shop) -> None:
    """The control: without a fault the first answer tells where to send the buyer, and repeats it."""
    payment = shop.hosted_payment()
    answer = shop.post(payment)
    assert answer.json["next_action"]["url"] == f"{shop.stack.sandbox_url}/c/pay/{shop.page(payment)}"
    assert answer.json["payment_orders"][0]["payment_order_status"] == "REQUIRES_ACTION"
    assert shop.post(payment).body == answer.body
    _end(shop, payment)


@pytest.fixture
def impatient(stack: Stack) -> Iterator[str]:
    """A web server that kills its workers after a second, although they may register for four."""
    port = free_port()
    env = stack.env | {"INLINE_REGISTRATION_DEADLINE": "4", "PSP_READ_TIMEOUT": "20", "PSP_DEADLINE": "20"}
    command = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "sync", "--workers", "1", "--timeout", "1", "--no-control-socket"),
    ]
    with (stack.folder / "impatient.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _is_up(url), what="the impatient server")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_up(url: str) -> bool:
    with suppress(OSError):
        return http("GET", f"{url}/healthz").status == 200
    return False


@pytest.mark.parametrize("kind", ["charged_but_timeout", "slow"])
def test_killed_by_the_servers_own_timeout_f_a19(shop: Shop, impatient: str, kind: str) -> None:
    """F-A19: identical to a kill after the call: nothing half-written, one page, one payment."""
    payment = shop.hosted_payment()
    shop.fault(kind, operation="checkout.sessions.create", seconds=6)
    headers = {"Authorization": f"Bearer {shop.secret}", "Idempotency-Key": payment.key}

    def send() -> Answer:
        return http("POST", f"{impatient}/v1/payments", payment.body, headers)

    with suppress(OSError, HTTPException):
        assert send().status == 500, "the server itself answers for the process that it ends"
    operation = PspOperation.objects.get(merchant_id=shop.merchant_id)
    assert (operation.kind, operation.status) == ("register", "SENT")
    _end(shop, payment)
