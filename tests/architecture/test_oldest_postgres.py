"""Every app whose guards are written in SQL has tests that run on the oldest PostgreSQL as well."""

import ast

from .syntax import dotted, nodes
from .tree import APPS, ROOT, text_files, top

MARK = "pytest.mark.database"


def is_marked(tree: ast.Module) -> bool:
    """Say whether a test module, or a test in it, is marked `database`."""
    return any(dotted(node) == MARK for node in nodes(tree, ast.Attribute))


def unproved(with_sql: set[str], marked: set[str]) -> list[str]:
    """Return the apps that only the newest PostgreSQL has tried."""
    return sorted(with_sql - marked)


def test_the_sql_of_every_app_is_tried_on_the_oldest_postgresql() -> None:
    with_sql = {app for app in APPS if any((ROOT / app / "sql").glob("*.sql"))}
    marked = {
        file.path.parts[1]
        for file in text_files()
        if top(file.path) == "tests" and len(file.path.parts) > 2 and is_marked(file.tree)
    }
    assert {"core", "ledger", "payments"} <= with_sql, "no SQL was found: this test looks at nothing"
    assert unproved(with_sql, marked) == [], f"mark the tests of its guards with {MARK}"


def test_a_missing_mark_is_noticed() -> None:
    marked = ast.parse("import pytest\npytestmark = [pytest.mark.database, pytest.mark.django_db]\n")
    bare = ast.parse("import pytest\n# pytest.mark.database\npytestmark = [pytest.mark.django_db]\n")
    assert (is_marked(marked), is_marked(bare)) == (True, False)
    assert unproved({"ledger", "events"}, {"ledger"}) == ["events"]
