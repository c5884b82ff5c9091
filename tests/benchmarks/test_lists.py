"""Every list of the console on tables of millions of rows: its pages, its filters, its searches.

`BENCH_ROWS` rows stand in the biggest tables and a tenth or a hundredth in those that grow more slowly:
200,000 by default, 10,000,000 for the figures in the documents. Groups of tables are filled one after the
other, so that the disk has to hold only one of them (about 10 GB for ten million rows).
"""

import os
import resource
import time
from itertools import islice
from statistics import quantiles

import pytest
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from core.admin_site import site
from core.audit_trail import user_actor
from core.export_stream import PORTION, Export
from tests.admin.people import console, person
from tests.benchmarks.conftest import SLACK, table
from tests.lists.filling import fill
from tests.lists.pages import listed, ways
from tests.lists.shapes import GROUPS, open_cast

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

ROWS = int(os.environ.get("BENCH_ROWS", "200000"))
FLOOR_MS = 500
TIMES = 10
FILE_ROWS = 100_000


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
        table(
            f"ms per page: p95, of one look in SQL, in Python; {model._meta.label}, {counted:,} rows",
            {name: "{:6} {:6} {:6}".format(*each) for name, each in found.items()},
        )
        late = {name: each for name, each in found.items() if each[0] > FLOOR_MS * SLACK}
        slow |= {f"{model._meta.label} {name}": each for name, each in late.items()}
    table("files of these lists", {model._meta.label: taken(model) for model in listed(group)})
    assert not slow


def measured(client: Client, model: type[models.Model]) -> dict[str, tuple[int, int, int]]:
    """Every way into a list, in ms: what 95 of 100 looks take, and what one spends in SQL and in Python."""
    found = {}
    for name, url in ways(client, model):
        spent = []
        for _ in range(TIMES):
            started = time.perf_counter()
            assert client.get(url).status_code == 200, url
            spent.append((time.perf_counter() - started) * 1000)
        began = time.process_time()
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        python = (time.process_time() - began) * 1000
        sql = sum(float(each["time"]) for each in queries) * 1000
        found[name] = round(quantiles(spent, n=20)[-1]), round(sql), round(python)
    return found


def taken(model: type[models.Model]) -> str:
    """Take the newest rows of a list out as a file: how soon it begins, and how fast it goes on."""
    admin = site._registry[model]
    export = Export(
        admin.get_queryset(RequestFactory().get("/")).order_by("-pk").defer(*admin.not_listed),
        admin.export_columns,
        prepare=admin.prepare_rows,
        begin=lambda: 0,
        end=lambda number, rows, is_whole: None,
    )
    started = time.perf_counter()
    next(export)
    first = time.perf_counter() - started
    portions = sum(1 for _ in islice(export, FILE_ROWS // PORTION))
    speed = portions * PORTION / (time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    export.close()
    return f"first byte {first * 1000:.1f} ms, {speed:,.0f} rows/s, process at most {peak} MB"
