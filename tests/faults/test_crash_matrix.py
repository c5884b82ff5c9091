"""Strike a process at each place of a payment's way, in each manner; the provider's journal is the judge."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from core import failpoints
from tests.faults import matrix
from tests.faults.cuts import reset
from tests.faults.matrix import CELLS, EXTRA, Cell
from tests.faults.shop import Payment, Shop, assert_audits_are_clean, open_shop
from tests.faults.wire import send_and_keep
from tests.stack import Answer, Stack, is_stopped
from tests.waiting import eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def client() -> Iterator[ThreadPoolExecutor]:
    """The store's side, so that a request may hang while the test acts."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("cell", [*CELLS, *EXTRA], ids=str)
def test_struck_and_still_paid_exactly_once(cell: Cell, stack: Stack, client: ThreadPoolExecutor) -> None:
    """F-A1 to F-A5, F-A7, F-C8, F-C9: one charge, one entry, one answer, whatever dies."""
    matrix.note(cell, "FAILED")
    started = time.monotonic()
    shop = _scene(stack, cell)
    payment = shop.payment()
    if cell.action == "cut" and cell.cut != "database":
        _cut_the_line(cell, shop, payment)
    else:
        _strike(cell, shop, payment, client)
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()
    matrix.note(cell, f"ok {time.monotonic() - started:.1f} s")


def test_no_cell_is_empty() -> None:
    """The matrix is complete: every cell was run and survived."""
    assert len(CELLS) == 4 * 4 * 3
    assert not matrix.missing(), [str(cell) for cell in matrix.missing()]


def _scene(stack: Stack, cell: Cell) -> Shop:
    if cell.site != "webhook":
        return open_shop(stack, provider_events=())
    # The provider charges, says nothing and cannot be asked: only its webhook brings the result.
    shop = open_shop(stack, provider_events=("payment_intent.succeeded",))
    shop.fault("charged_but_timeout", operation="payment_intents.confirm")
    shop.fault("http_503", operation="payment_intents.retrieve", times=None)
    return shop


def _strike(cell: Cell, shop: Shop, payment: Payment, client: ThreadPoolExecutor) -> None:
    """Let the process meet its fate at the failpoint, then do what a store and an operator would do."""
    holds = cell.place == "after PSP effect" and cell.site == "accept"
    action = {"SIGKILL": "stop" if holds else "kill", "SIGSTOP": "stop", "cut": "cut"}[cell.action]
    failpoints.arm(cell.at, action)
    first = client.submit(shop.post, payment)
    pid = eventually(lambda: failpoints.fired(cell.at), what=f"{cell.at} reached: {shop.what_is_open()}")[0]
    if action == "stop":
        eventually(lambda: is_stopped(pid), what=f"{pid} stands still")
    name = shop.stack.name_of(pid) if action != "kill" else _dead(shop.stack)
    if holds:
        eventually(lambda: shop.captures(payment), what="the worker has charged meanwhile")
        if cell.action == "SIGKILL":
            os.kill(pid, signal.SIGKILL)
    if cell.action == "SIGKILL" and name.startswith("worker"):
        shop.stack.restart(name)
    shop.post_until_accepted(payment)
    if cell.action == "SIGSTOP":
        shop.settle(payment)
        _wake(shop.stack, cell, pid, name)
    with suppress(OSError, http.client.HTTPException):
        _finished(first)


def _dead(stack: Stack) -> str:
    """Which process was killed: a worker is gone itself, of the web it is a child, replaced by its parent."""

    def gone() -> str | None:
        return next((name for name, process in stack.processes.items() if process.poll() is not None), None)

    with suppress(AssertionError):
        return eventually(gone, within=0.5)
    return "web"


def _finished(first: "Future[Answer]") -> None:
    answer = first.result(timeout=20)
    assert answer.status in (201, 429, 503), answer.body


def _wake(stack: Stack, cell: Cell, pid: int, name: str) -> None:
    """Let the stopped process go on, and wait until what it had in hand is finished."""
    log = stack.folder / "web.log"
    before = _requests_done(log, pid)
    os.kill(pid, signal.SIGCONT)
    if name == "web":
        eventually(lambda: _requests_done(log, pid) > before, what=f"{pid} finished its request")
        return
    # A solo worker starts a drain only when its last one is over.
    failpoints.arm("drain.started", "delay", times=400, milliseconds="0")
    eventually(lambda: pid in failpoints.fired("drain.started"), what=f"{name} works again after {cell}")
    assert stack.processes[name].poll() is None


def _requests_done(log: Path, pid: int) -> int:
    return log.read_text().count(f"done <{pid}>")


def _cut_the_line(cell: Cell, shop: Shop, payment: Payment) -> None:
    if cell.cut == "client":
        _hang_up(cell, shop, payment)
        return
    if cell.cut == "provider":
        effect = cell.place == "after PSP effect"
        shop.fault("connection_reset_after_body", operation="payment_intents.confirm", effect=effect)
    else:
        shop.stack.control("POST", "store/behaviours", {"kind": "reset", "times": 1})
    assert shop.post(payment).status == 201


def _hang_up(cell: Cell, shop: Shop, payment: Payment) -> None:
    """The store's connection is reset after the commit, while the worker charges already."""
    failpoints.arm(cell.at, "stop")
    line = send_and_keep(shop, payment)
    pid = eventually(lambda: failpoints.fired(cell.at), what=f"{cell.at} reached")[0]
    eventually(lambda: is_stopped(pid) and shop.captures(payment), what="charged meanwhile")
    reset(line)
    os.kill(pid, signal.SIGCONT)
    shop.post_until_accepted(payment)
