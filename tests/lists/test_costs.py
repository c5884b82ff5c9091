"""What a list costs does not grow with what lies behind it, nor its queries with what it shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.admin_site import site
from core.audit_trail import user_actor
from tests.admin.people import console, person
from tests.lists.filling import fill
from tests.lists.pages import list_url, listed, ways
from tests.lists.shapes import GROUPS, open_cast

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 10_000
# A page has 25 rows; of the smallest merchant is every thirtieth, of what is rare one in a hundred.
MOST_READ = 3_500
# Session, person, device, rights; rows; names of merchants, owners and people; what filters offer.
MOST_QUERIES = 17


@pytest.fixture
def client(db: None) -> Client:
    """Somebody who sees every list."""
    return console(person("ada", "auditor"))


def filled(group: str) -> list[type[models.Model]]:
    """Fill the tables of a group, those that grow with the payments to `ROWS`; return those with a list."""
    fill(GROUPS[group], ROWS, words=open_cast(user_actor(person("eve", "operator"))).words, least=ROWS)
    return listed(group)


@pytest.mark.parametrize("group", GROUPS)
def test_a_list_reads_what_it_shows(client: Client, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """First page, last page, every filter, every search: what is read is what an index leads to."""
    models_of_group = filled(group)
    tables, wrong = [shape.table for shape in GROUPS[group]], []
    for model in models_of_group:
        for name, url in ways(client, model):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200, url
            for sql in dict.fromkeys(each["sql"] for each in queries):
                if any(each in sql for each in tables) and (read := rows_read(sql)) > MOST_READ:
                    wrong.append(f"{model._meta.label}, {name}: {read:,} rows by {sql}")
        ask_as_often_for_many_as_for_few(client, model, monkeypatch)
    assert not wrong, "\n".join(wrong)


def ask_as_often_for_many_as_for_few(
    client: Client, model: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the rows on a page are no more queries, and nobody counts or skips rows."""
    asked = []
    for shown in (10, 100):
        monkeypatch.setattr(site._registry[model], "list_per_page", shown)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(list_url(model))
        assert len(page.context["cl"].result_list) == min(shown, model._default_manager.count())
        asked.append([each["sql"] for each in queries])
    few, many = asked
    assert len(many) <= len(few), (model, set(many) - set(few))
    assert len(many) <= MOST_QUERIES, (model, len(many), many)
    assert not re.search(r"COUNT\(|OFFSET", "".join(many)), model


def test_the_count_of_rows_read_sees_a_scan(client: Client) -> None:
    """The measure itself: a table read for one row is told from one row found by its key."""
    [model, *_] = filled("decisions")
    table = model._meta.db_table
    assert rows_read(f"SELECT * FROM {table} WHERE reasons = '{{never}}' ORDER BY id DESC LIMIT 26") == ROWS
    assert rows_read(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 26") <= 26
    assert rows_read(f"SELECT * FROM {table} ORDER BY score LIMIT 26") == ROWS


def rows_read(sql: str) -> int:
    """Run a query without scans of whole tables where there is any other way; say how many rows it read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    [plan] = json.loads(found) if isinstance(found, str) else found
    return sum(_rows(node) for node in _nodes(plan["Plan"]) if "Scan" in node["Node Type"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> int:
    """Rows that a scan gave or threw away, in all its loops."""
    thrown = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    each = node["Actual Rows"] + sum(node.get(name, 0) for name in thrown)
    return round(each * node["Actual Loops"])
