"""/metrics: who may read it, what it says, and that it never hurts."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from channels.breaker import Breaker
from channels.client_transport import Attempt
from channels.metrics import note_breaker, note_call, note_refused
from core import clock
from core.drain import drains, get_drain
from core.metrics import Family, Gauges, Sample, metric_names, register_gauges, registered_gauges
from core.metrics_page import _KEPT, OF_SCRAPES, read_gauges

ROOT = Path(__file__).parent.parent.parent
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    _KEPT.forget()


def _values(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


@pytest.mark.django_db
def test_the_page_is_read_by_prometheus_and_every_source_answers() -> None:
    """In the form of the exposition format 0.0.4, as Prometheus' own parser reads it."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    values = _values(answer.content.decode())
    ok = values["quittance_metrics_source_ok"]
    assert {labels[0][1] for labels in ok} == {source.source for source in registered_gauges()}
    assert set(ok.values()) == {1.0}
    queues = {labels[0][1] for labels in values["quittance_queue_due"]}
    assert queues == set(drains()) - {"stream"}
    assert "quittance_stream_lag_seconds" in values


@pytest.mark.django_db
def test_without_a_token_only_this_machine_reads(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", REMOTE_ADDR="::1").status_code == 200
    for elsewhere in ("10.0.0.7", "", "not an address"):
        assert Client().get("/metrics", REMOTE_ADDR=elsewhere).status_code == 403
    # An empty token is no token that matches.
    empty = Client().get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION="Bearer ")
    assert empty.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA"])
def test_what_came_through_a_proxy_of_this_machine_is_not_from_here(header: str) -> None:
    assert Client().get("/metrics", **{header: "127.0.0.1"}).status_code == 403


@pytest.mark.django_db
def test_a_token_opens_it_from_elsewhere(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    asked = {"REMOTE_ADDR": "10.0.0.7"}
    assert Client().get("/metrics", **asked, HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer ü", f"Basic {TOKEN}", TOKEN):
        assert Client().get("/metrics", **asked, HTTP_AUTHORIZATION=wrong).status_code == 403


@pytest.mark.django_db
def test_a_wrong_token_is_refused_even_from_here(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer wrong").status_code == 403


@pytest.fixture
def one_source(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the page have these sources alone."""
    import core.metrics as module

    monkeypatch.setattr(module, "_GAUGES", {})
    return register_gauges


def _source(name: str, read: Any) -> Gauges:
    return Gauges(name, (Family(f"quittance_{name}", "For a test."),), read)


@pytest.mark.django_db
def test_a_source_that_takes_too_long_or_fails_leaves_the_others(
    one_source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database itself ends what is slow; its time-out is gone afterwards."""
    monkeypatch.setattr("core.metrics_page._SOURCE_MS", 30)

    def sleeping() -> list[Sample]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    def broken() -> list[Sample]:
        raise ValueError("no")

    one_source(
        _source("asleep", sleeping),
        _source("broken", broken),
        _source("fine", lambda: [Sample("quittance_fine", 7)]),
    )
    values = _values(Client().get("/metrics").content.decode())
    assert values["quittance_metrics_source_ok"] == {
        (("source", "asleep"),): 0.0,
        (("source", "broken"),): 0.0,
        (("source", "fine"),): 1.0,
    }
    assert values["quittance_fine"] == {(): 7.0}
    assert "quittance_asleep" not in values
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() != ("30ms",)


@pytest.mark.django_db
def test_the_page_has_a_time_for_all_of_it(one_source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    one_source(_source("a", lambda: read.append("a") or []), _source("b", lambda: read.append("b") or []))
    monkeypatch.setattr("core.metrics_page._BUDGET_SECONDS", 0.0)
    told = [sample for _, samples in read_gauges() for sample in samples]
    assert told and {each.value for each in told if each.name == "quittance_metrics_source_ok"} == {0}
    assert read == []


@pytest.mark.django_db
def test_what_was_read_is_kept_for_a_while(one_source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    one_source(_source("a", lambda: [Sample("quittance_a", len(read)), *(read.append(1) or [])]))
    for _ in range(3):
        Client().get("/metrics")
    assert len(read) == 1
    monkeypatch.setattr("core.metrics_page._KEPT_SECONDS", 0.0)
    Client().get("/metrics")
    assert len(read) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(drains()))
def test_what_is_due_is_found_by_an_index(name: str) -> None:
    """No scrape reads a whole table: with sequential scans made dear, none is left in any plan."""
    sql = get_drain(name).due_sql()
    if not sql:
        assert name == "stream"
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT count(*) FROM ({sql} LIMIT 1000) AS due", {"now": clock.now()})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan, plan


def test_two_metrics_of_one_name_are_refused(one_source: Any) -> None:
    one_source(_source("a", list))
    with pytest.raises(ValueError, match="two sources"):
        one_source(_source("a", tuple))
    with pytest.raises(ValueError, match="same name"):
        one_source(Gauges("b", (Family("quittance_a", "Again."),), list))


def test_names_are_those_of_prometheus() -> None:
    """Counters end with _total, and nothing has a unit that is not a base unit or whole minor units."""
    names = [*metric_names(), *(family.name for family in OF_SCRAPES)]
    assert [name for name in names if not re.fullmatch(r"quittance_[a-z0-9_]+", name)] == []
    assert [name for name in names if name.endswith(("_ms", "_milliseconds", "_minutes"))] == []


@pytest.mark.django_db
def test_requests_are_counted_by_class_of_call() -> None:
    Client().get("/v1/payments")
    Client().post("/v1/payments", {}, content_type="application/json")
    Client().generic("BREW", "/healthz")
    values = _values(Client().get("/metrics").content.decode())["quittance_requests_total"]

    def number(call: str, method: str, code: str) -> float:
        return values[(("call", call), ("code", code), ("method", method))]

    assert number("list", "GET", "401") >= 1
    assert number("money", "POST", "401") >= 1
    assert any(dict(labels)["method"] == "other" for labels in values)


@pytest.mark.django_db
def test_calls_to_providers_are_counted_by_how_they_ended() -> None:
    def attempt(**values: Any) -> list[Attempt]:
        return [Attempt(at=clock.now(), started=0.0, digest=b"", seconds=0.2, **values)]

    for outcome in ({"bytes_sent": True, "http_code": 200}, {"bytes_sent": True, "http_code": 503}):
        note_call(channel="counted", kind="confirm", attempts=attempt(**outcome))
    note_call(channel="counted", kind="confirm", attempts=attempt(bytes_sent=None))
    note_call(channel="counted", kind="confirm", attempts=attempt(bytes_sent=True, http_code=429))
    note_call(channel="counted", kind="confirm", attempts=attempt())
    note_refused(channel="counted", kind="confirm")
    values = _values(Client().get("/metrics").content.decode())
    outcomes = {
        dict(labels)["outcome"]: value
        for labels, value in values["quittance_provider_calls_total"].items()
        if dict(labels)["channel"] == "counted"
    }
    assert outcomes == {
        "2xx": 1,
        "5xx": 1,
        "no_answer": 1,
        "429": 1,
        "not_sent": 1,
        "refused": 1,
    }
    assert values["quittance_provider_call_seconds_count"][(("channel", "counted"), ("kind", "confirm"))] == 5


@pytest.mark.django_db
def test_an_open_breaker_is_seen_until_it_rests_no_more() -> None:
    breaker = Breaker(failures=1, window=30, rest=15)
    breaker.record(False)
    note_breaker(breaker, channel="resting")
    values = _values(Client().get("/metrics").content.decode())
    until = values["quittance_breaker_open_until_seconds"][(("channel", "resting"),)]
    assert 0 < until - clock.now().timestamp() <= 15


_PROCESS = """
import django; django.setup()
from channels.metrics import note_refused
from core.metrics import counted
from prometheus_client import generate_latest
note_refused(channel="shared", kind="confirm")
print(generate_latest(counted()).decode())
"""


def test_any_process_tells_of_all_of_the_machine(tmp_path: Path) -> None:
    """Of those that have ended as well, so that counters never fall."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counted")}
    said = ""
    for _ in range(2):
        said = subprocess.run(
            [sys.executable, "-c", _PROCESS],
            cwd=ROOT,
            env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    values = _values(said)["quittance_provider_calls_total"]
    assert values[(("channel", "shared"), ("kind", "confirm"), ("outcome", "refused"))] == 2.0


@pytest.mark.django_db
def test_ids_of_recent_charges_begin_with_their_time() -> None:
    from core.ids import uuid7
    from payments.metrics import _first_id

    before = clock.now().timestamp()
    assert _first_id(before - 1) < uuid7() < _first_id(before + 60)
