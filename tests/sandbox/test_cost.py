"""What the sandbox costs: it shares its machine with the system under test."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

THREADS, PAIRS = 4, 150


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.benchmark
def test_create_and_confirm_through_the_sdk(own_sandbox, capsys):
    """Guards against gross losses only; read the printed figures for the rest."""
    box = own_sandbox()

    def pay(number: int) -> None:
        v1 = box.client(f"sk_test_cost_{number}").v1
        for turn in range(PAIRS):
            params = {
                "amount": 1000 + turn,
                "currency": "usd",
                "payment_method_types": ["card"],
                "payment_method": "pm_card_visa",
                "metadata": {"order": f"{number}-{turn}"},
            }
            intent = v1.payment_intents.create(params, {"idempotency_key": f"{number}-{turn}-create"})
            v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": f"{number}-{turn}-confirm"})

    server, client, started = cpu_seconds(box.process.pid), time.process_time(), time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(pay, range(THREADS)))
    wall = time.monotonic() - started
    calls = 2 * THREADS * PAIRS
    server, client = cpu_seconds(box.process.pid) - server, time.process_time() - client
    with capsys.disabled():
        print(
            f"\nsandbox: {calls / wall:.0f} requests/s with {THREADS} SDK threads in one process;"
            f" CPU per request: sandbox {1000 * server / calls:.2f} ms, SDK {1000 * client / calls:.2f} ms"
            f" (stripe {stripe.VERSION})"
        )
    assert len(box.get("journal")) == THREADS * PAIRS
    assert calls / wall > 60
    assert server / calls < 0.005
