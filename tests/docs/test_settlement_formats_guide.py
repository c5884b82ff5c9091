"""The format of the guide, read and tested by the guide's own lines."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

from reconciliation.formats.contract import Kind
from reconciliation.formats.documentation import as_markdown
from reconciliation.formats.refusals import REFUSALS

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/settlement-formats.md").read_text()


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```[a-z]+\n(.*?)```", GUIDE, re.DOTALL)
    assert found, f"the guide has no block {mark!r}"
    return found[1]


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """What the guide's module and test define, with its file as FILE."""
    module = ModuleType("kiosk_of_the_guide")
    sys.modules[module.__name__] = module
    module.__dict__["FILE"] = block("file").encode()
    exec(compile(block("format"), "guide/kiosk.py", "exec"), module.__dict__)
    text = module.__doc__
    exec(compile(block("test"), "guide/test_kiosk.py", "exec"), module.__dict__)
    module.__doc__ = text
    yield module.__dict__
    del sys.modules[module.__name__]


def test_the_tests_of_the_guide(names: dict[str, Any]) -> None:
    found = [each for name, each in names.items() if name.startswith("test_")]
    assert len(found) == 5
    for test in found:
        test()


def test_the_tests_of_the_guide_would_fail(names: dict[str, Any]) -> None:
    """A control: a file that says something else is found out."""
    names["FILE"] = names["FILE"].replace(b"12.50", b"12.51")
    with pytest.raises(AssertionError):
        names["test_a_day"]()


def test_the_format_of_the_guide_could_be_registered(names: dict[str, Any]) -> None:
    page = as_markdown({"kiosk.daily": names["KIOSK_DAILY"]})
    assert "| `kiosk.daily` | Kiosk daily file | a provider | `.txt` | `utf-8` |" in page
    assert "what one machine took and gave back" in page
    codes = {code for each in REFUSALS.values() for code in each}
    assert set(re.findall(r'Refused\("(\w+)"', block("format"))) <= codes


def test_all_kinds_and_modules_are_in_the_guide() -> None:
    section = GUIDE.partition("### Kinds")[2].partition("### Controls")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [kind.value for kind in Kind]
    folder = Path(settings.BASE_DIR, "reconciliation/formats")
    modules = re.findall(
        r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", GUIDE.partition("### To build on")[2], re.MULTILINE))
    )
    assert len(modules) >= 9 and all((folder / f"{name}.py").is_file() for name in modules)
