"""The limiter: buckets against a model, in Redis, in this process, in PostgreSQL; under races and outages."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as conf
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ConnectionError as LineLost

from core.limits import counters, limiter
from core.limits.buckets import Bucket, Limit, LocalBuckets, Standing, Taken
from core.limits.shared import SharedBuckets
from core.models import AttemptBucket
from core.transactions import at_edge
from ops.valkey import find_server
from ops.venv import VirtualEnvironment
from tests.racing import race
from tests.stack import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
AWAY = "redis://127.0.0.1:1/0"


def name(tail: str = "") -> str:
    return f"limit:{{{uuid.uuid4().hex}}}:{tail}"


def bucket(calls: int, seconds: int, burst: int) -> Bucket:
    return Bucket(name(), Limit(calls, seconds, burst))


def shared(url: str = "") -> SharedBuckets:
    return SharedBuckets(url or conf.REDIS_URL, timeout=5.0)


LIMITS = st.builds(Limit, st.integers(1, 50), st.integers(1, 60), st.integers(1, 20))


@given(
    limits=st.lists(LIMITS, min_size=1, max_size=3),
    pauses=st.lists(st.integers(0, 90_000_000), min_size=1, max_size=60),
)
def test_a_bucket_is_its_model(limits: list[Limit], pauses: list[int]) -> None:
    """The model counts tokens; both say the same at every call, and all buckets are charged or none."""
    now = 0
    local = LocalBuckets(now=lambda: now)
    buckets = [Bucket(str(place), limit) for place, limit in enumerate(limits)]
    # Tokens in units of 1/interval, so that the model is exact as well.
    tokens = [limit.burst * limit.interval for limit in limits]
    for pause in pauses:
        now += pause
        tokens = [min(limit.window, have + pause) for limit, have in zip(limits, tokens, strict=True)]
        passes = all(have >= limit.interval for limit, have in zip(limits, tokens, strict=True))
        if passes:
            tokens = [have - limit.interval for limit, have in zip(limits, tokens, strict=True)]
        taken = local.take(buckets)
        assert taken.is_allowed == passes
        for standing, limit, have in zip(taken.standings, limits, tokens, strict=True):
            assert standing.remaining == have // limit.interval
            assert standing.ahead == limit.window - have
            assert standing.wait == max(0, limit.interval - have)


@given(limit=LIMITS, pauses=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=200))
def test_no_span_of_time_lets_more_pass_than_burst_and_rate_a_d6(limit: Limit, pauses: list[int]) -> None:
    """A-D6: the documented bound, for every span between two calls that passed."""
    now = 0
    local = LocalBuckets(now=lambda: now)
    passed: list[int] = []
    for pause in pauses:
        now += pause
        if local.take([Bucket("one", limit)]).is_allowed:
            passed.append(now)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            span = passed[last] - start
            assert last - first + 1 <= limit.burst + span // limit.interval


def test_what_waits_as_long_as_it_is_told_passes() -> None:
    now = 0
    local = LocalBuckets(now=lambda: now)
    one = bucket(3, 1, 2)
    assert [local.take([one]).is_allowed for _ in range(3)] == [True, True, False]
    refused = local.take([one])
    assert refused.retry_after == 1
    now += refused.standings[0].wait - 1
    assert not local.take([one]).is_allowed
    now += 1
    assert local.take([one]).is_allowed


def test_local_buckets_are_bounded() -> None:
    local = LocalBuckets(most=3)
    for number in range(10):
        local.take([Bucket(str(number), Limit(1, 60, 1))])
    assert list(local._full_at) == ["7", "8", "9"]


def test_the_share_of_a_process_adds_up_to_the_limit() -> None:
    share = Limit(100, 1, 50).share(4)
    assert (share.interval * 100, share.burst) == (4_000_000, 12)
    assert Limit(1, 60, 1).share(8).burst == 1, "everybody may send one at a time"


def test_redis_says_what_the_model_says() -> None:
    """The script against the same buckets in this process, with its time as it passes."""
    redis = shared()
    slow, wide = bucket(1, 3600, 3), bucket(1, 3600, 5)
    answers = [redis.take([slow, wide]) for _ in range(5)]
    assert None not in answers
    found = [(each.is_allowed, [one.remaining for one in each.standings]) for each in answers if each]
    assert found == [(True, [2, 4]), (True, [1, 3]), (True, [0, 2]), (False, [0, 2]), (False, [0, 2])]
    assert answers[-1] and 3000 < answers[-1].retry_after <= 3600
    client = Redis.from_url(conf.REDIS_URL)
    try:
        left = client.pttl(wide.name)
        assert 2 * 3600_000 < left <= 3 * 3600_000, "what is full again needs no key"
        client.set(slow.name, "nonsense")
        again = redis.take([slow])
        assert again and again.is_allowed, "what is no number is an empty bucket"
    finally:
        client.close()


def test_a_clock_that_was_set_back_shuts_nobody_out_for_long() -> None:
    redis, one = shared(), bucket(1, 60, 2)
    client = Redis.from_url(conf.REDIS_URL)
    try:
        client.set(one.name, 2**52)
        taken = redis.take([one])
        assert taken and not taken.is_allowed and taken.retry_after <= 60
    finally:
        client.close()


_RACER = """
import sys, time
from core.limits.buckets import Bucket, Limit
from core.limits.shared import SharedBuckets
url, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
redis, passed = SharedBuckets(url, timeout=5.0), 0
bucket = Bucket(name, Limit(50, 1, 40))
redis.take([Bucket(name + "-warm", Limit(1, 1, 1000))])
print("ready", flush=True)
sys.stdin.readline()
until = time.monotonic() + seconds
while time.monotonic() < until:
    taken = redis.take([bucket])
    assert taken is not None
    passed += taken.is_allowed
print(passed, flush=True)
"""


def test_processes_together_never_pass_the_bound_a_d6() -> None:
    """A-D6: three processes at full speed on one bucket: never more than the burst and the rate's share."""
    one = name()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, conf.REDIS_URL, one, "1.0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        for _ in range(3)
    ]
    try:
        for racer in racers:
            assert racer.stdout and racer.stdout.readline() == "ready\n"
        begun = time.monotonic()
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        passed = [int(racer.stdout.readline()) for racer in racers if racer.stdout]
        took = time.monotonic() - begun
    finally:
        for racer in racers:
            racer.communicate(timeout=20)
    assert sum(passed) <= 40 + took * 50 + 1
    assert sum(passed) >= 40, "and the burst was there to be had"


def test_threads_race_for_one_call() -> None:
    redis, one = shared(), bucket(1, 3600, 5)
    answers = race([lambda: redis.take([one]) for _ in range(20)])
    assert sum(each.is_allowed for each in answers) == 5


class Valkey:
    """A server of this test's own, which it may kill."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        server = find_server(venv=VirtualEnvironment(Path(sys.prefix)))
        self.command = [str(server), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=subprocess.DEVNULL)
        client = Redis.from_url(self.url)
        eventually(lambda: _answers(client), what="valkey answers")
        client.close()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except LineLost:
        return False


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.kill()


def test_redis_killed_and_back_f_d10(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-D1, F-D10: one call finds out, the next ones do not even try; after a while one sees it back."""
    redis, one = shared(valkey.url), bucket(1000, 1, 1000)
    asked: list[int] = []
    ask = redis._ask
    monkeypatch.setattr(redis, "_ask", lambda buckets: asked.append(1) or ask(buckets))
    assert redis.take([one])
    valkey.kill()
    begun = time.monotonic()
    assert [redis.take([one]) for _ in range(100)] == [None] * 100
    if time.monotonic() - begun < 1.0:
        assert len(asked) == 2
    valkey.start()
    taken = eventually(lambda: redis.take([one]), what="Redis is asked again")
    assert taken.is_allowed
    valkey.kill()
    valkey.start()
    assert redis.take([one]), "a server that was restarted is met by one new try on a new line"


def test_redis_that_does_not_answer_costs_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """F-D10: a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis = SharedBuckets(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout=0.05)
        asked: list[int] = []
        ask = redis._ask
        monkeypatch.setattr(redis, "_ask", lambda buckets: asked.append(1) or ask(buckets))
        monkeypatch.setattr("core.limits.shared._FIRST_PAUSE", 60.0)
        monkeypatch.setattr("core.limits.shared._LONGEST_PAUSE", 60.0)
        assert [redis.take([bucket(1, 1, 1)]) for _ in range(50)] == [None] * 50
        assert len(asked) == 1


def test_a_line_closes_with_its_thread_and_waits_for_no_collector(settings: Any) -> None:
    """A line is a circle of objects, of which the collector may take the socket first, and complain."""
    redis = SharedBuckets(settings.REDIS_URL, timeout=10.0)
    sockets: list[Any] = []

    def once() -> None:
        assert redis.take([bucket(1, 1, 1)])
        sockets.append(redis._line()._sock)

    gc.disable()
    try:
        thread = threading.Thread(target=once)
        thread.start()
        thread.join()
        assert sockets[0].fileno() == -1
    finally:
        gc.enable()


def test_without_redis_each_process_has_its_share(settings: Any) -> None:
    settings.REDIS_URL, settings.WEB_PROCESSES = AWAY, 4
    one = bucket(1, 3600, 20)
    answers = [limiter.take(buckets=[one]) for _ in range(7)]
    assert [each.is_allowed for each in answers] == [True] * 5 + [False] * 2
    assert answers[-1].retry_after > 3600, "a fourth of the rate"


def test_without_any_limit_everything_passes() -> None:
    assert limiter.take(buckets=[]) == Taken(True, ())


def test_what_is_used_up_is_not_asked_about(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is refused by the process itself until the moment at which a call passes."""
    settings.LIMITS_REDIS_TIMEOUT = 10.0
    one = bucket(1, 3600, 1)
    assert limiter.take(buckets=[one]).is_allowed
    first = limiter.take(buckets=[one])

    def away(*_: Any) -> Taken:
        raise AssertionError("Redis was asked")

    monkeypatch.setattr(SharedBuckets, "take", away)
    again = limiter.take(buckets=[one])
    assert not first.is_allowed and not again.is_allowed
    assert 3500 < again.retry_after <= first.retry_after
    other = Bucket(name(), one.limit)
    assert limiter.used_up([other]) is None


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_attempts_are_counted_in_postgres_while_redis_is_away(settings: Any) -> None:
    """A-H1: no process gets a share of its own, however many there are; a race lets nothing through."""
    settings.REDIS_URL, settings.WEB_PROCESSES = AWAY, 1
    card, address = bucket(1, 3600, 5), bucket(1, 3600, 100)

    def attempt() -> Taken:
        return limiter.take(buckets=[bucket(1000, 1, 1000)], strict=[card, address])

    answers = race([attempt for _ in range(12)])
    assert sum(each.is_allowed for each in answers) == 5
    rows = dict(AttemptBucket.objects.values_list("name", "full_at"))
    assert set(rows) == {card.name, address.name}
    # What is refused by one is charged to none: five attempts of the address, not twelve.
    counted = counters.take([address])
    assert counted.standings[0].remaining == 94
    refused = counters.take([card])
    assert not refused.is_allowed and 3000 < refused.retry_after <= 3600

    spent = bucket(1000, 1, 1)
    assert counters.take([spent]).is_allowed
    eventually(lambda: at_edge(counters.prune)(limit=100) == 1, what="the one that is full again is pruned")
    assert set(AttemptBucket.objects.values_list("name", flat=True)) == {card.name, address.name}


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_bucket_in_postgres_comes_back(settings: Any) -> None:
    one = bucket(20, 1, 2)
    assert [counters.take([one]).is_allowed for _ in range(2)] == [True, True]
    eventually(lambda: counters.take([one]).is_allowed, what="a call comes back")


def test_the_tightest_bucket_is_the_one_with_the_smallest_part_left() -> None:
    half, most = bucket(1, 1, 10), bucket(1, 1, 100)
    taken = Taken(True, (Standing(most, 10_000_000), Standing(half, 5_000_000)))
    assert taken.tightest and taken.tightest.bucket is half
