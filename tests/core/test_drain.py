"""The drain base, on a table of its own: claims, leases, fences, failures, and threads that hang alone."""

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import connection, models

from core import clock
from core.drain import Claim, Drain
from core.ids import uuid7
from core.models import WorkRow
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


class Chore(WorkRow):
    """Work of the test."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    done = models.IntegerField(default=0)

    class Meta:
        app_label = "test_drain"  # Not installed, so that no migration is missing for it.
        managed = False
        db_table = "test_chore"


class Chores(Drain):
    """Counts what it did; `trouble` may raise or hang."""

    name: ClassVar[str] = "chores"
    model = Chore

    def __init__(self) -> None:
        self.trouble: Any = lambda key: None
        self.failures: list[UUID] = []

    def handle(self, claim: Claim) -> None:
        self.trouble(claim.id)
        Chore.objects.filter(pk=claim.id, fence=claim.fence).update(
            done=models.F("done") + 1, due_at=None, leased_until=None
        )

    def failed(self, claim: Claim, error: Exception) -> None:
        self.failures.append(claim.id)


class Abreast(Chores):
    parallel: ClassVar[int] = 4


@pytest.fixture
def table(owner_sql: Any, transactional_db: None) -> Iterator[None]:
    owner_sql(
        "CREATE TABLE test_chore (id uuid PRIMARY KEY, done int NOT NULL, due_at timestamptz,"
        " leased_until timestamptz, fence bigint NOT NULL, attempts int NOT NULL)"
    )
    yield
    connection.close()
    owner_sql("DROP TABLE test_chore")


def chores(count: int) -> list[UUID]:
    return [Chore.objects.create(due_at=clock.now()).pk for _ in range(count)]


def done() -> list[int]:
    return list(Chore.objects.order_by("id").values_list("done", flat=True))


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("drain", [Chores(), Abreast()], ids=["in turn", "abreast"])
def test_everything_due_is_done_once(drain: Chores) -> None:
    chores(120)
    assert drain.run() == 120
    assert done() == [1] * 120
    assert drain.run() == 0


@pytest.mark.usefixtures("table")
def test_what_is_due_is_claimed_oldest_first() -> None:
    keys = chores(10)
    random.Random(1).shuffle(keys)
    for key in sorted(keys):
        age = timedelta(seconds=60 - keys.index(key))
        Chore.objects.filter(pk=key).update(due_at=clock.now() - age)
    assert [claim.id for claim in Chores().claim(limit=10)] == keys


@pytest.mark.usefixtures("table")
def test_two_drains_share_and_never_repeat() -> None:
    chores(200)
    handled: list[int] = []

    def work() -> None:
        handled.append(Chores().run())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(handled), done()) == (200, [1] * 200)


@pytest.mark.usefixtures("table")
def test_what_fails_comes_back_when_its_lease_is_over_and_stops_nobody() -> None:
    poisoned, *others = chores(5)
    drain = Chores()

    def trouble(key: UUID) -> None:
        if key == poisoned:
            raise ValueError("poison")

    drain.trouble = trouble
    assert drain.run() == 5
    assert (drain.failures, sum(done())) == ([poisoned], len(others))
    assert drain.run() == 0  # Leased still.
    Chore.objects.update(leased_until=None)
    drain.trouble = lambda key: None
    assert drain.run() == 1


@pytest.mark.usefixtures("table")
def test_a_later_claim_has_a_higher_fence_and_the_zombie_writes_nothing() -> None:
    """F-B7: the fence tells the taker's write from that of a worker that woke up too late."""
    (key,) = chores(1)
    drain = Chores()
    (zombie,) = drain.claim(limit=1)
    assert drain.claim(limit=1) == []
    Chore.objects.update(leased_until=clock.now())
    eventually(lambda: (taker := drain.claim(limit=1)) and drain.handle(taker[0]) is None)
    drain.handle(zombie)
    assert done() == [1]
    assert Chore.objects.get(pk=key).fence == zombie.fence + 1


@pytest.mark.usefixtures("table")
def test_one_that_hangs_holds_only_its_own_thread() -> None:
    """F-A11: work that becomes due while another row hangs is done before that row is."""
    release, first = threading.Event(), chores(1)[0]
    drain = Abreast()
    drain.trouble = lambda key: key != first or release.wait(20)
    running = threading.Thread(target=lambda: (drain.run(), connection.close()))
    running.start()
    eventually(lambda: Chore.objects.filter(fence=1).exists())
    chores(12)
    eventually(lambda: sum(done()) == 12, what="the others are done while the first hangs")
    release.set()
    running.join()
    assert done() == [1] * 13
