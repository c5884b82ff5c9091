"""What runs in production is free of GPL and AGPL; django-fsm stays at its last MIT version."""

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement

from .licences import CHOICES, closure, is_copyleft, requirements, stated
from .tree import ROOT


@pytest.fixture(scope="module")
def installed() -> dict[str, Distribution]:
    return closure(requirements(ROOT / "requirements.txt"))


def test_no_gpl_at_run_time(installed: dict[str, Distribution]) -> None:
    found = {name: stated(package) for name, package in installed.items() if is_copyleft(stated(package))}
    assert found == {}


def test_a_choice_is_noted_only_where_a_package_lists_one(installed: dict[str, Distribution]) -> None:
    for name in CHOICES:
        listed = installed[name].metadata.get_all("Classifier") or []
        assert sum(line.startswith("License ::") for line in listed) > 1


def test_every_package_states_a_licence(installed: dict[str, Distribution]) -> None:
    assert [name for name, package in installed.items() if not stated(package)] == []


def test_the_closure_reaches_what_is_needed_by_what_we_need(installed: dict[str, Distribution]) -> None:
    """sqlparse comes with Django, kombu with Celery, and psycopg-pool by an extra: none is named by us."""
    assert {"django", "sqlparse", "kombu", "psycopg-pool"} <= set(installed)


def test_every_requirement_is_pinned_exactly() -> None:
    loose = [
        str(requirement)
        for name in ("requirements.txt", "requirements-dev.txt")
        for requirement in requirements(ROOT / name)
        if [item.operator for item in requirement.specifier] != ["=="]
    ]
    assert loose == []


def test_django_fsm_is_the_version_that_was_chosen() -> None:
    """4.0 changed the licence; django-fsm-2 is another package with the same import name."""
    assert distribution("django-fsm").version == "3.0.1"
    pins = [
        str(item.specifier) for item in requirements(ROOT / "requirements.txt") if item.name == "django-fsm"
    ]
    assert pins == ["==3.0.1"]
    with pytest.raises(PackageNotFoundError):
        distribution("django-fsm-2")


@pytest.mark.parametrize(
    ("statements", "copyleft"),
    [
        (["MIT"], False),
        (["GPL-3.0-only"], True),
        (["AGPLv3"], True),
        (["License :: OSI Approved :: GNU Affero General Public License v3"], True),
        (["License :: OSI Approved :: GNU General Public License v2 (GPLv2)"], True),
        (["GPL-2.0-or-later"], True),
        (["GNU GPL v3 or later"], True),
        (["LGPL-3.0-only"], False),
        (["GNU Lesser General Public License v3 (LGPLv3)"], False),
        (["License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)"], False),
        (["Apache-2.0 OR GPL-2.0"], False),
        (["MIT AND GPL-2.0"], True),
        (["BSD", "GPL-3.0"], True),
    ],
)
def test_copyleft_is_told_from_the_rest(statements: list[str], copyleft: bool) -> None:
    assert is_copyleft(statements) is copyleft


def test_a_missing_package_is_an_error_and_not_a_pass() -> None:
    def wanted() -> Iterator[Requirement]:
        yield Requirement("a-package-that-nobody-installed==1.0")

    with pytest.raises(AssertionError, match="not installed"):
        closure(wanted())
