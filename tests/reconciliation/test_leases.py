"""The lease of a run: whole when a step begins, renewed on the way, and lost for good when it is lost."""

from datetime import timedelta

import pytest
from django.db import connection

from core import clock
from core.drain import Claim, get_drain
from reconciliation.drains import RunDrain
from reconciliation.leases import LEASE_SECONDS, keep_run
from reconciliation.matching.runs import DRAIN, match_run
from reconciliation.models import ReconciliationRun
from reconciliation.posting import chunks, run
from reconciliation.posting.run import post_file
from tests.months import month
from tests.reconciliation.posting.test_run import first_files
from tests.reconciliation.seeded import play

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_run(monkeypatch: pytest.MonkeyPatch) -> ReconciliationRun:
    """A run that is matched and held by whoever matched it."""
    monkeypatch.setattr(RunDrain, "steps", (match_run,))
    played = play(month(seed=31, size=200, month="2026-10"))
    first_files(played, monkeypatch, 1)
    return ReconciliationRun.objects.get(merchant_id=played.merchant_id)


def spend(claim: Claim, *, seconds: int = LEASE_SECONDS - 1) -> None:
    """Let so much of a lease be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_reconciliationrun SET leased_until = clock_timestamp()"
            " + %s * interval '1 second' WHERE id = %s",
            [LEASE_SECONDS - seconds, claim.id],
        )


def left(run_id: object) -> float:
    """How many seconds of a run's lease are left, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM leased_until - clock_timestamp())"
            " FROM reconciliation_reconciliationrun WHERE id = %s",
            [run_id],
        )
        return float(cursor.fetchone()[0])


def release(waiting: ReconciliationRun) -> None:
    ReconciliationRun.objects.filter(pk=waiting.pk).update(leased_until=None)


def test_each_step_begins_with_a_whole_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = waiting_run(monkeypatch)
    release(waiting)
    seen: list[float] = []

    def slow(claim: Claim) -> str:
        seen.append(left(claim.id))
        spend(claim)
        return "MATCHED"

    monkeypatch.setattr(RunDrain, "steps", (slow, slow, slow))
    assert RunDrain().run() == 1
    assert len(seen) == 3
    assert min(seen) > LEASE_SECONDS - 60


def test_who_lost_a_run_does_not_take_it_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else claimed it while a step took too long: what is left is theirs, and so is the lease."""
    waiting = waiting_run(monkeypatch)
    release(waiting)
    taken: list[Claim] = []

    def overtaken(claim: Claim) -> str:
        spend(claim, seconds=LEASE_SECONDS + 1)
        taken.extend(get_drain(DRAIN).claim(limit=1))
        spend(taken[0], seconds=100)
        return "MATCHED"

    def never(claim: Claim) -> str:
        raise AssertionError("it is not ours any more")

    monkeypatch.setattr(RunDrain, "steps", (overtaken, never))
    drain = RunDrain()
    [claim] = drain.claim(limit=1)
    drain.handle(claim)
    assert [each.fence for each in taken] == [claim.fence + 1]
    assert left(claim.id) < LEASE_SECONDS - 90


def test_posting_renews_the_lease_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every span takes nearly all of a lease: it is never over."""
    waiting = waiting_run(monkeypatch)
    release(waiting)
    [claim] = RunDrain().claim(limit=1)
    monkeypatch.setattr(chunks, "SPAN", 2)
    monkeypatch.setattr(run, "_NOTE_EVERY", 1)
    really, seen = run._post, list[float]()

    def slow(*args: object) -> None:
        seen.append(left(claim.id))
        really(*args)  # type: ignore[arg-type]
        spend(claim)

    monkeypatch.setattr(run, "_post", slow)
    post_file(run_id=claim.id, fence=claim.fence, abreast=1)
    assert len(seen) > 2
    assert min(seen) > LEASE_SECONDS - 60


def test_a_run_that_was_put_off_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its moment, not for a lease that nobody needs."""
    waiting = waiting_run(monkeypatch)
    release(waiting)
    [claim] = RunDrain().claim(limit=1)
    later = clock.now() + timedelta(seconds=2)
    ReconciliationRun.objects.filter(pk=claim.id).update(due_at=later, leased_until=None)
    assert not keep_run(claim)
    assert ReconciliationRun.objects.get(pk=claim.id).leased_until is None
