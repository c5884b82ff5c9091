"""Migrations are one line of named, reversible steps, and the models need no further one."""

import re
from collections import defaultdict
from typing import Any

import pytest
from django.apps import apps
from django.db.migrations import CreateModel, Migration, RunPython, RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from .tree import APPS

NAME = re.compile(r"\d{4}_[a-z][a-z0-9_]*$")
# Django names a migration after the clock when it cannot name it after its content.
BY_THE_CLOCK = re.compile(r"_auto_|_\d{8}_")


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.fixture(scope="module")
def ours(loader: MigrationLoader) -> dict[str, list[Migration]]:
    """The migrations of our own apps, by app and in order of name."""
    found = defaultdict(list)
    for (label, _), migration in sorted(loader.disk_migrations.items()):
        if label in APPS:
            found[label].append(migration)
    return found


def badly_named(names: list[str]) -> list[str]:
    """Return the names that do not say what the migration does, and numbers used twice."""
    numbers = [name[:4] for name in names]
    return [
        name
        for name in names
        if not NAME.match(name) or BY_THE_CLOCK.search(name) or numbers.count(name[:4]) > 1
    ]


def forks(migrations: list[Migration]) -> list[str]:
    """Return the migrations that do not follow the one before them in their app, and merges."""
    found = []
    for before, migration in zip([None, *migrations], migrations, strict=False):
        inside = [name for label, name in migration.dependencies if label == migration.app_label]
        if inside != ([before.name] if before else []) or migration.replaces:
            found.append(f"{migration.app_label}.{migration.name}")
    return found


def irreversible(migration: Migration) -> list[str]:
    """Return the operations that cannot be undone."""
    return [
        f"{migration.app_label}.{migration.name}: {operation.describe()}"
        for operation in migration.operations
        if not operation.reversible
    ]


def test_there_are_migrations_to_judge(ours: dict[str, list[Migration]]) -> None:
    assert "core" in ours


def test_the_models_need_no_further_migration(loader: MigrationLoader) -> None:
    """What `makemigrations --check` asks, without its look into the database."""
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    wanted = {
        label: [operation.describe() for migration in found for operation in migration.operations]
        for label, found in changes.items()
        if label in APPS
    }
    assert wanted == {}, "run makemigrations --name <what it does>"


def test_a_changed_model_would_be_noticed(loader: MigrationLoader) -> None:
    state = ProjectState.from_apps(apps)
    del state.models["core", "user"].fields["last_login"]
    changes = MigrationAutodetector(loader.project_state(), state).changes(graph=loader.graph)
    assert "core" in changes


def test_each_app_has_one_line_of_migrations(
    loader: MigrationLoader, ours: dict[str, list[Migration]]
) -> None:
    assert {label: names for label, names in loader.detect_conflicts().items() if label in APPS} == {}
    assert [name for migrations in ours.values() for name in forks(migrations)] == []


def test_a_fork_and_a_merge_are_noticed() -> None:
    def migration(name: str, *dependencies: str) -> Migration:
        made = Migration(name, "ledger")
        made.dependencies = [("ledger", dependency) for dependency in dependencies]
        return made

    line = [migration("0001_initial"), migration("0002_guards", "0001_initial")]
    assert forks(line) == []
    assert forks([*line, migration("0003_seals", "0001_initial")]) == ["ledger.0003_seals"]
    assert forks([*line, migration("0003_merge", "0001_initial", "0002_guards")]) == ["ledger.0003_merge"]


def test_every_migration_says_what_it_does(ours: dict[str, list[Migration]]) -> None:
    found = {label: badly_named([migration.name for migration in line]) for label, line in ours.items()}
    assert {label: names for label, names in found.items() if names} == {}


def test_a_name_by_the_clock_or_a_number_twice_is_noticed() -> None:
    assert badly_named(["0001_initial", "0002_guards"]) == []
    assert badly_named(["0001_initial", "0002_auto_20260101_1200"]) == ["0002_auto_20260101_1200"]
    assert badly_named(["0001_a", "0001_b"]) == ["0001_a", "0001_b"]
    assert badly_named(["initial"]) == ["initial"]


def test_every_migration_can_be_undone(ours: dict[str, list[Migration]]) -> None:
    assert [step for line in ours.values() for migration in line for step in irreversible(migration)] == []


@pytest.mark.parametrize(
    ("operation", "count"),
    [
        (RunSQL("CREATE FUNCTION f()"), 1),
        (RunPython(lambda apps, editor: None), 1),
        (RunSQL("CREATE FUNCTION f()", reverse_sql="DROP FUNCTION f()"), 0),
        (CreateModel("Row", []), 0),
    ],
)
def test_a_step_without_a_way_back_is_noticed(operation: Any, count: int) -> None:
    migration = Migration("0002_step", "ledger")
    migration.operations = [operation]
    assert len(irreversible(migration)) == count
