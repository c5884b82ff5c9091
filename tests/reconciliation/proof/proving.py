"""A whole month taken in and held against its answers: recall, precision, and every account of the books."""

import resource
import time

import pytest

from tests.months import Month
from tests.reconciliation.proof.judge import judge
from tests.reconciliation.proof.money import check_money
from tests.reconciliation.proof.whole import Whole, open_whole

__all__ = ["proven"]


def proven(monkeypatch: pytest.MonkeyPatch, made: Month) -> Whole:
    """Take a month in, hold it against its answers, and its books against the generator's."""
    began, cpu = time.perf_counter(), time.process_time()
    whole = open_whole(monkeypatch, made)
    opened = time.perf_counter() - began
    whole.take_all(monkeypatch)
    taken = time.perf_counter() - began
    verdict = judge(whole)
    check_money(whole)
    judged, cpu = time.perf_counter() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{made.options.size:,} payments: {verdict}")
    print(
        f"opened in {opened:.1f} s, taken in {taken:.1f} s, judged in {judged:.1f} s;"
        f" CPU of this process {cpu:.1f} s; {memory} MiB"
    )
    assert (verdict.missed, verdict.wrong) == ({}, {})
    assert (verdict.recall, verdict.precision) == (1.0, 1.0)
    return whole
