"""Every list of the console on tables of millions of rows: its pages, its filters, its searches.

`BENCH_ROWS` rows stand in the biggest tables and a tenth or a hundredth in those that grow more slowly:
200,000 by default, 10,000,000 for the figures in the documents. Groups of tables are filled one after the
other, so that the disk has to hold only one of them (about 10 GB for ten million rows).
"""

import os
import time
from statistics import quantiles

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.audit_trail import user_actor
from tests.admin.people import console, person
from tests.benchmarks.conftest import SLACK, table
from tests.lists.filling import fill
from tests.lists.pages import listed, ways
from tests.lists.shapes import GROUPS, open_cast

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

ROWS = int(os.environ.get("BENCH_ROWS", "200000"))
FLOOR_MS = 500
TIMES = 10


@pytest.mark.parametrize("group", GROUPS)
def test_lists_of_millions_of_rows(group: str) -> None:
    client = console(person("ada", "auditor"))
    cast = open_cast(user_actor(person("eve", "operator")))
    started = time.perf_counter()
    fill(GROUPS[group], ROWS, words=cast.words, said=lambda text: print(f"\r{text}", end="", flush=True))
    print(f"\n{group}: filled in {time.perf_counter() - started:.0f} s")
    slow = {}
    for model in listed(group):
        found, counted = measured(client, model), model._default_manager.count()
        table(f"ms per page, p95 (of it in SQL), {model._meta.label}, {counted:,} rows", found)
        slow |= {f"{model._meta.label} {name}": p95 for name, (p95, _sql) in found.items() if p95 > FLOOR_MS * SLACK}
    assert not slow


def measured(client: Client, model: type[models.Model]) -> dict[str, object]:
    """Every way into a list: the time that 95 of 100 looks take, and the part of one that is SQL."""
    found: dict[str, object] = {}
    for name, url in ways(client, model):
        spent = []
        for _ in range(TIMES):
            started = time.perf_counter()
            assert client.get(url).status_code == 200, url
            spent.append((time.perf_counter() - started) * 1000)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        found[name] = round(quantiles(spent, n=20)[-1]), round(sum(float(each["time"]) for each in queries) * 1000)
    return found
