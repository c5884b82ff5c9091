"""`.env.example` lists the variables that the settings read, no more and no fewer."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from .environment import direct_reads, unnamed_reads, variables_listed, variables_read
from .tree import ROOT, text_files, top

EXAMPLE = ROOT / ".env.example"


def _product_reads() -> set[str]:
    config = [file for file in text_files() if top(file.path) == "config" and file.path.name != "env.py"]
    return set().union(*(variables_read(file.tree) for file in config))


def _launcher_text() -> str:
    outside = [
        file.text
        for file in text_files()
        if file.path.suffix == ".py" and top(file.path) in ("ops", "sandbox")
    ]
    outside += [file.text for file in text_files() if file.path.as_posix() in ("manage.py", "Makefile")]
    return "\n".join(outside)


def test_every_variable_that_is_read_is_listed() -> None:
    assert sorted(_product_reads() - set(variables_listed(EXAMPLE.read_text()))) == []


def test_every_variable_that_is_listed_is_read() -> None:
    """Those of the launcher and the sandbox (PORT, …) stand in the code of these."""
    read, launcher = _product_reads(), _launcher_text()
    listed = variables_listed(EXAMPLE.read_text())
    assert [
        name for name in listed if name not in read and not re.search(rf"[\"']{name}[\"']", launcher)
    ] == []


def test_no_variable_is_listed_twice() -> None:
    listed = variables_listed(EXAMPLE.read_text())
    assert len(listed) == len(set(listed))


def test_only_config_env_reads_the_environment() -> None:
    found = [(str(file.path), *read) for file in text_files() for read in direct_reads(file.path, file.tree)]
    assert found == []


def test_the_settings_name_what_they_read() -> None:
    config = [file for file in text_files() if top(file.path) == "config" and file.path.name != "env.py"]
    assert [(str(file.path), *read) for file in config for read in unnamed_reads(file.tree)] == []


def test_the_readers_are_seen() -> None:
    tree = ast.parse(
        "A = env_str('ONE')\nB = env.env_bool('TWO', False)\nC = other('THREE')\nD = env_int(name)\n"
    )
    assert variables_read(tree) == {"ONE", "TWO"}
    assert [line for line, _ in unnamed_reads(tree)] == [4]
    assert variables_listed("# Why.\nONE=1\n#TWO=2\n# THREE=3\ntext FOUR=4\n") == [
        "ONE",
        "TWO",
        "THREE",
    ]


@pytest.mark.parametrize(
    ("path", "snippet", "lines"),
    [
        ("core/hooks.py", "import os\nx = os.environ['A']\n", [2]),
        ("core/hooks.py", "import os\nx = os.getenv('A')\n", [2]),
        ("core/hooks.py", "from os import environ\n", [1]),
        ("config/celery.py", "import os\nos.environ.setdefault('SECRET_KEY', 'x')\n", [2]),
        ("config/celery.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')\n", []),
        ("config/env.py", "import os\nx = os.environ['A']\n", []),
        ("ops/launch.py", "import os\nx = os.environ['A']\n", []),
    ],
)
def test_a_direct_read_is_seen(path: str, snippet: str, lines: list[int]) -> None:
    assert [line for line, _ in direct_reads(PurePosixPath(path), ast.parse(snippet))] == lines
