"""How many checkouts are accepted in a second, in what time, and the same SQL through the bare driver."""

import threading
import time
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

from core.ids import uuid7
from merchants.selectors import list_sellers
from tests.benchmarks.conftest import PREFIX, SLACK, Bench, one_order, table
from tests.benchmarks.load import percentile

pytestmark = [pytest.mark.benchmark, pytest.mark.processes]

FLOOR = 250.0
LONGEST_P95 = 60.0
# Of the same SQL through the bare driver, in the same run.
SMALLEST_RATIO = 0.4

Statement = tuple[str, list[Any], Any]


def test_accepted_payments_per_second(bench: Bench) -> None:
    """Web and PostgreSQL alone: no worker runs, so nothing else wants the two cores."""
    bench.load().at_once(count=100, threads=8, within=20)
    bench.cpu.restart()
    full = bench.load().at_once(count=1500, threads=8, within=12)
    cpu = bench.cpu.milliseconds(per=len(full.latencies))
    half = bench.load().paced(rate=full.rate / 2, threads=8, within=6)
    bench.audit()
    bare, bare_cpu = _replayed(bench)

    ours = cpu["web"] + cpu["postgres"]
    rows: dict[str, object] = {
        "accepted/s at saturation": full.rate,
        "latency at saturation, ms, p50": percentile(full.latencies, 50),
        "requests/s at half load": full.rate / 2,
        **{f"latency at half load, ms, p{part}": percentile(half.latencies, part) for part in (50, 95, 99)},
        "the same SQL through bare psycopg/s": bare,
        "ratio": full.rate / bare,
        **{f"CPU ms per checkout, {name}": value for name, value in sorted(cpu.items())},
        "CPU ms per checkout, bare SQL": bare_cpu["load generator"] + bare_cpu["postgres"],
        "ratio of CPU": (bare_cpu["load generator"] + bare_cpu["postgres"]) / ours,
    }
    table("accept: POST /v1/payments, one order, 2 processes of 4 threads", rows)
    assert full.rate / bare * SLACK >= SMALLEST_RATIO
    assert full.rate * SLACK >= FLOOR
    assert percentile(half.latencies, 95) <= LONGEST_P95 * SLACK


def _replayed(bench: Bench) -> tuple[float, dict[str, float]]:
    """Send the statements of one accepted checkout again and again, from two threads, under new ids."""
    statements = _statements_of_one(bench)
    known = {bench.store.merchant_id, bench.store.key_id, bench.channel.id, *_sellers(bench)}
    made = {value for _, params, _ in statements for value in params if isinstance(value, UUID)} - known
    names = {value for _, params, _ in statements for value in params if _is_name(value)}
    done: list[int] = []
    begun = time.monotonic()
    bench.cpu.restart()

    def work(line: psycopg.Connection[Any]) -> None:
        count = 0
        while time.monotonic() < begun + 5:
            new: dict[Any, Any] = {each: uuid7() for each in made}
            new |= {name: f"b-{uuid4()}" for name in names}
            for sql, params, kind in statements:
                prepare = True if kind is psycopg.Cursor else None
                kind(line).execute(sql, [_renewed(new, each) for each in params], prepare=prepare)
            line.commit()
            count += 1
        done.append(count)

    # Open until the CPU of their backends has been read.
    with psycopg.connect(_address()) as first, psycopg.connect(_address()) as second:
        threads = [threading.Thread(target=work, args=[line]) for line in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 2, "a replay broke off"
        rate = sum(done) / (time.monotonic() - begun)
        return rate, bench.cpu.milliseconds(per=sum(done))


def _renewed(new: dict[Any, Any], value: Any) -> Any:
    return new.get(value, value) if isinstance(value, str | UUID) else value


def _is_name(value: Any) -> bool:
    """Whether a parameter is a name that the database accepts once: a store's, a nonce, a subject."""
    return isinstance(value, str) and value.startswith((PREFIX, "op_", "pay_"))


def _statements_of_one(bench: Bench) -> list[Statement]:
    """What one POST sends to the database, taken down where the driver gets it."""
    seen: list[Statement] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        client_side = isinstance(self, psycopg.ClientCursor)
        seen.append((query, list(params or ()), psycopg.ClientCursor if client_side else psycopg.Cursor))
        return execute(self, query, params, **options)

    bench.store.post("/v1/payments", one_order(), key=f"{PREFIX}{uuid4()}")
    psycopg.Cursor.execute = noting  # type: ignore[method-assign]
    try:
        answer = bench.store.post("/v1/payments", one_order(), key=f"{PREFIX}{uuid4()}")
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    assert answer.status_code == 201, answer.content
    return seen


def _sellers(bench: Bench) -> list[UUID]:
    return [each.id for each in list_sellers(merchant_id=bench.store.merchant_id, limit=10).items]


def _address() -> str:
    login = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        dbname=login["NAME"],
        user=login["USER"],
        password=login["PASSWORD"],
        host=login["HOST"],
        port=login["PORT"],
    )
