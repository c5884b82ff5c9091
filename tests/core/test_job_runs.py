"""A job is done once per scope and business date (F-D11), and missed dates are caught up in order (F-D12)."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core import job_runs
from core.job_runs import Outcome, Ran, RunLost, catch_up, keep, missed_dates, renew, run_job
from core.models import JobRun
from tests.racing import race

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DAY = date(2026, 3, 2)
JOB = {"job": "payouts.daily", "scope": "mer_1"}


def end_lease() -> None:
    JobRun.objects.update(leased_until=datetime(2000, 1, 1, tzinfo=UTC))


def test_done_once() -> None:
    calls: list[date] = []

    def work(run: Ran) -> dict[str, Any]:
        calls.append(run.business_date)
        return {"payouts": 3}

    assert run_job(**JOB, business_date=DAY, work=work) is Outcome.DONE
    assert run_job(**JOB, business_date=DAY, work=work) is Outcome.ALREADY_DONE
    end_lease()
    assert run_job(**JOB, business_date=DAY, work=work) is Outcome.ALREADY_DONE
    assert (calls, JobRun.objects.get().summary) == ([DAY], {"payouts": 3})
    assert run_job(job="payouts.daily", scope="mer_2", business_date=DAY, work=work) is Outcome.DONE


@pytest.mark.parametrize("atomically", [True, False])
def test_two_schedulers_one_run(atomically: bool) -> None:
    """F-D11: eight start it at once, each waits in its work until the others were turned away."""
    others_are_done = threading.Semaphore(0)
    calls: list[Ran] = []

    def work(run: Ran) -> None:
        calls.append(run)
        for _ in range(7):
            assert others_are_done.acquire(timeout=20)

    def start() -> Outcome:
        outcome = run_job(**JOB, business_date=DAY, work=work, atomically=atomically)
        others_are_done.release()
        return outcome

    results = race([start] * 8)
    assert len(calls) == 1
    assert sorted(results) == [Outcome.DONE] + [Outcome.RUNNING_ELSEWHERE] * 7


def test_control_without_the_claim_all_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run_job(**JOB, business_date=DAY, work=lambda run: None)
    calls: list[Ran] = []
    monkeypatch.setattr(job_runs, "_claim", lambda *_: Ran(JobRun.objects.get()))
    for _ in range(2):
        with pytest.raises(job_runs.RunLost):  # The mark "done" is refused, but the work was done again.
            run_job(**JOB, business_date=DAY, work=calls.append)
    assert len(calls) == 2


def test_a_crashed_run_is_taken_over_and_the_dead_cannot_finish() -> None:
    def overtaken(run: Ran) -> None:
        end_lease()
        assert run_job(**JOB, business_date=DAY, work=lambda _: {"by": "second"}) is Outcome.DONE

    with pytest.raises(job_runs.RunLost):
        run_job(**JOB, business_date=DAY, work=overtaken)
    row = JobRun.objects.get()
    assert (row.summary, row.attempts) == ({"by": "second"}, 2)


def test_atomic_work_of_an_overtaken_run_is_rolled_back() -> None:
    """The claim is lost between claiming and beginning: not even the work starts."""
    calls: list[Ran] = []
    original = job_runs._claim

    def slow_claim(*args: Any) -> Any:
        claimed = original(*args)
        end_lease()
        assert isinstance(original(*args), Ran)  # Somebody else claims it.
        return claimed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(job_runs.RunLost):
        patch.setattr(job_runs, "_claim", slow_claim)
        run_job(**JOB, business_date=DAY, work=calls.append, atomically=True)
    assert calls == []


def test_a_renewed_lease_is_kept() -> None:
    def long_work(run: Ran) -> None:
        end_lease()
        renew(run)
        assert run_job(**JOB, business_date=DAY, work=lambda _: None) is Outcome.RUNNING_ELSEWHERE

    assert run_job(**JOB, business_date=DAY, work=long_work) is Outcome.DONE


def test_failed_work_may_be_tried_again_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        run_job(**JOB, business_date=DAY, work=lambda run: 1 / 0)
    assert JobRun.objects.get().finished_at is None
    assert run_job(**JOB, business_date=DAY, work=lambda run: None) is Outcome.DONE


def test_three_missed_days_are_caught_up_in_order() -> None:
    """F-D12: a hole in the middle is found, too."""
    days = [DAY + timedelta(days=n) for n in range(4)]
    calls: list[date] = []

    def work(run: Ran) -> None:
        calls.append(run.business_date)

    run_job(**JOB, business_date=days[1], work=work)
    calls.clear()
    assert missed_dates(**JOB, first=days[0], through=days[3]) == [days[0], days[2], days[3]]
    assert catch_up(**JOB, first=days[0], through=days[3], work=work) == calls
    assert calls == [days[0], days[2], days[3]]
    assert catch_up(**JOB, first=days[0], through=days[3], work=work) == []
    assert job_runs.last_done(**JOB) == days[3]


def test_catching_up_stops_at_a_failure() -> None:
    calls: list[date] = []

    def work(run: Ran) -> None:
        if len(calls) == 1:
            raise ZeroDivisionError
        calls.append(run.business_date)

    with pytest.raises(ZeroDivisionError):
        catch_up(**JOB, first=DAY, through=DAY + timedelta(days=2), work=work)
    assert calls == [DAY]


def test_what_a_run_keeps_is_there_at_its_next_start() -> None:
    """A key that is kept before a call outlives whoever dies in the call; the last word replaces it."""
    seen: list[dict[str, Any]] = []

    def dies(run: Ran) -> None:
        seen.append(run.kept)
        keep(run, {"key": f"k{run.attempt}"})
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            run_job(**JOB, business_date=DAY, work=dies)
    run_job(**JOB, business_date=DAY, work=lambda run: seen.append(run.kept) or {"files": 1})  # type: ignore[func-returns-value]
    assert (seen, JobRun.objects.get().summary) == ([{}, {"key": "k1"}, {"key": "k2"}], {"files": 1})


def test_who_lost_a_run_keeps_nothing() -> None:
    def loses(run: Ran) -> None:
        end_lease()
        with pytest.raises(ZeroDivisionError):
            run_job(**JOB, business_date=DAY, work=takes)
        keep(run, {"key": "old"})

    def takes(run: Ran) -> None:
        keep(run, {"key": "new"})
        raise ZeroDivisionError

    with pytest.raises(RunLost):
        run_job(**JOB, business_date=DAY, work=loses)
    assert JobRun.objects.get().summary == {"key": "new"}
