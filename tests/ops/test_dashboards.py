"""Grafana's files show metrics that exist, and each of the six pictures is there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.metrics import metric_names
from core.metrics_page import OF_SCRAPES
from core.prometheus_rules import names_in

FOLDER = Path(__file__).parent.parent.parent / "ops" / "grafana"
FILES = sorted(FOLDER.glob("*.json"))
UNITS = {"short", "s", "percentunit", "reqps", "bool", "dateTimeFromNow"}


def _panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from board["panels"]


def test_there_is_one_for_each_part() -> None:
    assert [file.stem for file in FILES] == [
        "ledger-and-audit",
        "payments",
        "payouts",
        "provider",
        "reconciliation",
        "workers",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_query_names_metrics_that_exist(file: Path) -> None:
    board = json.loads(file.read_text())
    known = {*metric_names(), *(family.name for family in OF_SCRAPES)}
    queries = [target["expr"] for panel in _panels(board) for target in panel["targets"]]
    assert queries
    for query in queries:
        assert names_in(query), query
        assert names_in(query) <= known, query
        for open_, close in ("()", "{}", "[]"):
            assert query.count(open_) == query.count(close), query


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafana_can_import_it(file: Path) -> None:
    """Ids are unique, panels do not lie over each other, and the data source is chosen at import."""
    board = json.loads(file.read_text())
    assert board["uid"] == f"quittance-{file.stem}" and board["title"].startswith("Quittance")
    ids = [panel["id"] for panel in _panels(board)]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in _panels(board):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells


def test_every_metric_of_the_database_is_on_a_dashboard() -> None:
    """What is measured and never shown is not looked at when it matters."""
    shown = set().union(*(names_in(file.read_text()) for file in FILES))
    histograms = {name for name in metric_names() if name.endswith(("_sum", "_count"))}
    assert set(metric_names()) - shown - histograms == set()
