"""The system as `make run` starts it, with one shop, its channel and its webhook endpoint."""

import os
import random
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from channels.services import create_channel
from core.audits import run_audits
from events.services import create_endpoint
from merchants.services import create_seller
from ops.demo import EVENTS
from ops.layout import Layout
from ops.run import answers, process_specs
from ops.venv import VirtualEnvironment
from tests.benchmarks.cpu import CpuMeter
from tests.benchmarks.load import Load
from tests.stack import ROOT, Stack
from tests.store import Store, open_store
from tests.waiting import eventually

__all__ = ["PREFIX", "SLACK", "Bench", "table"]

# Names of a store begin with this.
PREFIX = "bench-"
# How many times slower than its floor a busy machine may be; 1 holds the floors themselves.
SLACK = float(os.environ.get("BENCH_SLACK", "4"))


class ProductionStack(Stack):
    """The stack with the processes and settings of an installation instead of those of a crash test."""

    def command(self, name: str) -> list[str]:
        """What `make run` starts, word for word; sandbox and broker as in every test."""
        specs = process_specs(
            layout=Layout(root=ROOT, var=self.folder),
            venv=VirtualEnvironment(Path(sys.prefix)),
            env={},
            port=self.web_port,
            sandbox_port=self.sandbox_port,
        )
        installed = {spec.name: [str(part) for part in spec.argv] for spec in specs}
        return installed[name] if name in ("web", "worker", "beat") else super().command(name)


@dataclass
class Bench:
    """The running system and a shop in it."""

    stack: Stack
    store: Store
    channel: Any
    cpu: CpuMeter

    def audit(self) -> None:
        """What was measured must also be right."""
        report = run_audits()
        assert report.is_clean, [(each.name, each.sample) for each in report.violated]

    def load(self) -> Load:
        """A load generator of one-order checkouts."""
        return Load(self.stack.web_url, self.store.secret, one_order)


def one_order() -> dict[str, Any]:
    """A checkout with one order, that the bank approves."""
    return {
        "checkout_id": _name(),
        "credit_card_info": {"token": "pm_card_visa"},
        "payment_orders": [
            {
                "seller_account": "ann",
                "amount": "100.00",
                "currency": "USD",
                "payment_order_id": _name(),
            }
        ],
    }


def _name() -> str:
    # Letters: one in a thousand random numbers would be refused because it could be a card's.
    return PREFIX + "".join(random.choices(string.ascii_lowercase, k=16))


@pytest.fixture
def bench(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Bench]:
    """Web, broker and sandbox run; a test starts worker and beat if it wants them."""
    login = connection.settings_dict
    url = f"postgresql://{login['USER']}:{login['PASSWORD']}@{login['HOST']}:{login['PORT']}/{login['NAME']}"
    stack = ProductionStack(
        tmp_path,
        database_url=url,
        TEST_HOOKS="False",
        DEBUG="False",
        OPERATION_LEASE_SECONDS="30",
        PSP_READ_TIMEOUT="20",
    )
    # The endpoint is made here, in the process of the tests.
    settings.WEBHOOK_ALLOWED_NETWORKS = [stack.env["WEBHOOK_ALLOWED_NETWORKS"]]
    try:
        stack.start("broker", "sandbox", "web")
        # The port is open before the processes behind it have loaded.
        eventually(lambda: answers(stack.web_port, "/readyz"), within=90, what="web is ready")
        store, channel = _shop(stack)
        yield Bench(stack, store, channel, CpuMeter(stack))
    finally:
        stack.stop()


def _shop(stack: Stack) -> tuple[Store, Any]:
    store = open_store()
    with transaction.atomic():
        channel = create_channel(
            merchant_id=store.merchant_id,
            name="bench",
            provider="stripe",
            secret_key="sk_test_bench",
            webhook_secret="whsec_bench",
            base_url=stack.sandbox_url,
            max_in_flight=8,
        )
        create_seller(
            merchant_id=store.merchant_id,
            seller_account="ann",
            name="Ann",
            country="US",
            commission_bps=1000,
            tax_bps=2000,
            by="user:bench",
        )
        endpoint = create_endpoint(merchant_id=store.merchant_id, url=f"{stack.sandbox_url}/store/webhooks")
    stack.control("POST", "/store/secrets", {"secret": endpoint.secret})
    webhooks = f"{stack.web_url}/psp/bench/webhooks"
    stack.control(
        "POST",
        "/webhook_endpoints",
        {"url": webhooks, "secret": "whsec_bench", "account": "sk_test_bench", "events": list(EVENTS)},
    )
    return store, channel


def table(title: str, rows: dict[str, object]) -> None:
    """Print what was measured."""
    print(f"\n{title}")
    for name, value in rows.items():
        print(f"    {name:<44} {f'{value:.2f}' if isinstance(value, float) else value}")
