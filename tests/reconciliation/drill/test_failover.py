"""The database that took over lacks the last minutes; the provider's report brings them back (F-E10)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from channels import breaker, rows
from config.env import database_from_url
from core import clock
from core.audits import run_audits
from core.drain import get_drain
from ledger.services import posting
from payments.models import Charge, PaymentOrder, Refund
from reconciliation.drains import RunDrain
from reconciliation.models import Discrepancy, DiscrepancyNote, ReconciliationRun, SettlementFile
from reconciliation.services import fetch_due
from tests.database import end_other_sessions, login
from tests.payments.conftest import Shop, open_shop
from tests.payments.refunding import ask
from tests.reconciliation.setup import set_up
from tests.sandbox.conftest import Sandbox
from wallet.services import accounts

pytestmark = pytest.mark.django_db(transaction=True)

# As they are before the tests of this folder's parent leave some of them out.
STEPS = RunDrain.steps
DAY = 86_400
_CLEARING = """
    SELECT account.provider, line.clearing_key, sum(line.amount_minor) FROM ledger_journalline AS line
    JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.merchant_id = %s AND account.role = 'psp_clearing'
    GROUP BY 1, 2 HAVING sum(line.amount_minor) <> 0 ORDER BY 2, 1
"""
KNOWN, FAILED, ACCEPTED, LOST, REFUNDED = 8, 6, 8, 60, 6


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A provider of its own: its clock is moved."""
    sandbox = Sandbox(tmp_path_factory.mktemp("provider"))
    sandbox.start()
    yield sandbox
    sandbox.end()


@contextmanager
def primary(name: str) -> Iterator[None]:
    """Go on with a copy of the database until it is lost; then with what there was when it was made."""
    here = connection.settings_dict["NAME"]
    end_other_sessions()
    connection.close()
    connection.close_pool()
    _maintain("CREATE DATABASE {} TEMPLATE {}", name, here)
    login({"NAME": name})
    try:
        yield
    finally:
        end_other_sessions()
        login({"NAME": here})
        restart()
        _maintain("DROP DATABASE {} WITH (FORCE)", name)


def restart() -> None:
    """Forget what a process remembers of its database: every process is started again after a failover."""
    for remembered in (posting._known, accounts._known):
        remembered.clear()
    rows.forget()
    breaker.forget()


def _maintain(statement: str, *names: str) -> None:
    owner = database_from_url(settings.DATABASE_OWNER_URL)
    with psycopg.connect(
        dbname="postgres",
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=owner["HOST"],
        port=owner["PORT"],
        autocommit=True,
    ) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def amount(number: int) -> str:
    """No two are the same."""
    return f"{20 + number}.{number % 100:02}"


def accept(shop: Shop, start: int, count: int, *, token: str = "pm_card_visa") -> list[dict[str, Any]]:
    return [
        shop.accept(shop.body(shop.order(amount(start + n)), token=token, checkout_id=f"c-{start + n}"))
        for n in range(count)
    ]


def order_of(checkout: dict[str, Any]) -> PaymentOrder:
    return PaymentOrder.objects.get(checkout__checkout_id=checkout["checkout_id"])


def taken(shop: Shop) -> dict[str, int]:
    """What the provider took, by its own journal: minor units by its name of the payment."""
    return {row["payment_intent"]: row["amount"] for row in shop.captures()}


def clearing(shop: Shop) -> list[tuple[str, str, int]]:
    """What is open at the provider: account, key and minor units."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEARING, [shop.store.merchant_id])
        return cursor.fetchall()


def reconcile(shop: Shop) -> ReconciliationRun:
    """The provider's report of the day is fetched, read, and worked on to its end."""
    ahead = shop.provider.control("POST", "clock", {"seconds": DAY})
    clock.move(seconds=round(float(ahead["now"]) - clock.now().timestamp()))
    set_up(
        shop.store.merchant_id,
        channel_id=shop.channel.id,
        fetcher="stripe",
        begins_on=clock.today() - timedelta(days=1),
    )
    tally = fetch_due()
    assert (tally.received, tally.failed) == (1, 0)
    get_drain("settlement_files").run()
    file = SettlementFile.objects.get()
    assert file.status == "PUBLISHED", file.refusal
    get_drain("reconciliation_runs").run(seconds=60)
    run = ReconciliationRun.objects.get()
    assert run.status == "DONE", run.error
    return run


def test_what_a_failover_forgot_is_found_again(
    provider: Sandbox, hooks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-E10, F-H12: every payment and refund after the last copy is found; what has its order here is made
    again, and what has none keeps its break with its amount, for a person to give back (A1, A3)."""
    monkeypatch.setattr(RunDrain, "steps", STEPS)
    shop = open_shop(provider, provider.url)
    known, failed = accept(shop, 0, KNOWN), accept(shop, 100, FAILED, token="pm_card_chargeDeclined")
    shop.work()
    accepted = accept(shop, 200, ACCEPTED)
    before = taken(shop)
    with primary(f"lost_{uuid4().hex[:8]}"):
        lost = accept(shop, 300, LOST)
        for each in failed:
            body = {"credit_card_info": {"token": "pm_card_visa"}}
            answer = shop.store.post(f"/v1/checkouts/{each['checkout_id']}/attempts", body, key=uuid4().hex)
            assert answer.status_code == 201, answer.content
        for each in known[:REFUNDED]:
            assert ask(shop, {"payment_order_id": order_of(each).payment_order_id}, "5.00").status_code == 201
        shop.work()
        forgotten: dict[str, tuple[UUID, int]] = {
            charge.psp_reference: (charge.id, charge.captured_minor)
            for charge in Charge.objects.filter(status="CAPTURED")
            if charge.psp_reference not in before
        }
        refunds = dict(Refund.objects.filter(status="SUCCESS").values_list("psp_reference", "amount_minor"))
    assert len(forgotten) == LOST + FAILED + ACCEPTED and len(refunds) == REFUNDED
    assert taken(shop).keys() == {*before, *forgotten}
    assert Charge.objects.filter(status="CAPTURED").count() == KNOWN and not Refund.objects.exists()

    reconcile(shop)

    breaks = Discrepancy.objects.filter(break_class="MISSING_INTERNAL")
    assert sorted(breaks.values_list("amount_minor", flat=True)) == sorted(
        [minor for _, minor in forgotten.values()] + list(refunds.values())
    )
    assert Discrepancy.objects.exclude(break_class="MISSING_INTERNAL").count() == 0
    # Made again: under the same ids, of orders that are here.
    again = {*map(order_of, failed), *map(order_of, accepted)}
    assert {order.status for order in again} == {"SUCCESS"}
    charges = Charge.objects.filter(status="CAPTURED", psp_reference__in=forgotten)
    assert {charge.psp_reference: (charge.id, charge.captured_minor) for charge in charges} == {
        reference: forgotten[reference] for reference in charges.values_list("psp_reference", flat=True)
    }
    assert charges.count() == FAILED + ACCEPTED
    assert dict(Refund.objects.values_list("psp_reference", "amount_minor")) == refunds
    assert {order_of(each).refunded_minor for each in known[:REFUNDED]} == {500}
    # The others: nobody has the order any more, and the money is nobody's until somebody says whose.
    left = breaks.exclude(status="RESOLVED")
    assert left.count() == LOST
    asked = DiscrepancyNote.objects.filter(discrepancy__in=left).values_list("text", flat=True)
    assert {f"of the checkout {each['checkout_id']}," in text for each in lost for text in asked} >= {True}
    assert len(asked) == LOST and all("which we do not have" in text for text in asked)
    assert {each.explanation["rule"]["action"] for each in left} == {"A1"}
    # What is known again was settled under its own key; nothing of it is left in clearing.
    keys = [str(charge.id) for charge in Charge.objects.filter(status="CAPTURED")]
    assert [row for row in clearing(shop) if row[1] in keys] == []
    # Afterwards the worker goes on, and nobody pays twice.
    shop.work()
    assert taken(shop).keys() == {*before, *forgotten}
    assert len(shop.captures()) == len(before) + len(forgotten)
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
