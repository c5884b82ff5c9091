"""Two workers at once: together they stay within a cap. Without its lock they do not (the control)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, transaction

from ledger.services import open_account
from reconciliation.resolving import automatic
from reconciliation.resolving.automatic import adjust_by_rule
from reconciliation.resolving.caps import Purse, posted_by_rule
from tests.reconciliation.resolving.conftest import Shop, open_shop

pytestmark = pytest.mark.django_db(transaction=True)


def race(shop: Shop, monkeypatch: pytest.MonkeyPatch, *, waits: bool) -> int:
    """Two workers, each with one break of six under a cap of ten; return what they posted."""
    shop.seed(small_difference={"cap_day_minor": 10})
    for n in (1, 2):
        shop.charge(f"pi_{n}", 10_000)
    with transaction.atomic():
        # Or the second one waited for the first one to open it.
        open_account(merchant_id=shop.merchant_id, role="recon_difference", currency="EUR")
    file = shop.take("pi_1|charge|9994|0", "pi_2|charge|9994|0")
    shop.work_on(file, adjust=False)
    together = threading.Barrier(2)

    def posted(purse: Purse) -> int:
        found = posted_by_rule(purse)
        if waits:
            # Both have seen what was posted before either has posted.
            together.wait(timeout=20)
        return found

    monkeypatch.setattr(automatic, "posted_by_rule", posted)

    def work(key: UUID) -> None:
        try:
            adjust_by_rule([key])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [row.id for row in shop.rows()]))
    return shop.at("recon_difference")


def test_a_cap_holds_for_all_workers(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """R7: the one that comes second finds what the first one posted."""
    shop = open_shop(monkeypatch)
    assert race(shop, monkeypatch, waits=False) == 6
    assert sorted(each[1:3] for each in shop.breaks()) == [("A", "RESOLVED"), ("B", "OPEN")]


def test_without_its_lock_it_does_not(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the race is real."""
    shop = open_shop(monkeypatch)
    monkeypatch.setattr(automatic, "lock_purses", lambda purses: None)
    assert race(shop, monkeypatch, waits=True) == 12
