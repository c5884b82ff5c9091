"""docs/reference/formats.md says what the registry has, and why files are refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from reconciliation.formats import wechat
from reconciliation.formats.documentation import as_markdown, shipped
from reconciliation.formats.refusals import REFUSALS

PAGE = Path("docs", "reference", "formats.md")
CODES = {code for codes in REFUSALS.values() for code in codes}


def test_the_page_is_up_to_date() -> None:
    call_command("document_formats", check=True)


def test_an_old_page_fails_the_check_and_is_written_anew(tmp_path: Path, settings: Any) -> None:
    page = (Path(project.BASE_DIR) / PAGE).read_text()
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_formats", check=True)
    call_command("document_formats")
    assert (tmp_path / PAGE).read_text() == page
    (tmp_path / PAGE).write_text(page.replace("`truncated`", "`cut`"))
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_formats", check=True)


def test_every_format_is_on_it() -> None:
    page, formats = as_markdown(), shipped()
    assert len(formats) > 10 and all(
        page.count(f"\n| `{name}` | {each.title} |") == 1 for name, each in formats.items()
    )
    assert all(re.search(rf"\n### .*`{re.escape(name)}`", page) for name in formats)
    assert all(name == each.name for name, each in formats.items())


def test_a_format_says_what_it_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    form = shipped()["wechat.fund_flow"]
    assert "its balance runs from row to row, which is checked" in as_markdown({form.name: form})
    monkeypatch.setattr(wechat, "__doc__", None)
    with pytest.raises(ValueError, match="no docstring"):
        as_markdown({form.name: form})


def raised() -> Iterator[tuple[str, str]]:
    """Every code that a file may be refused with, as a pattern, and where it is written."""
    for path in sorted(Path(project.BASE_DIR, "reconciliation").rglob("*.py")):
        module = ast.parse(path.read_text())
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef):
                for call in ast.walk(function):
                    if code := _code_of(call):
                        yield from (
                            (each, f"{path.name}:{call.lineno}") for each in _values(code, function, module)
                        )  # type: ignore[attr-defined]


def _code_of(call: ast.AST) -> ast.expr | None:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if call.func.id == "FileRefused":
        return next((word.value for word in call.keywords if word.arg == "reason"), None)
    return call.args[0] if call.func.id == "Refused" else None


def _values(code: ast.expr, function: ast.FunctionDef, module: ast.Module) -> Iterator[str]:
    """What an expression can be: a text, one with places that are filled in, or one of two; or a variable."""
    match code:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.JoinedStr(values=parts):
            yield "".join(
                re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts
            )
        case ast.IfExp(body=one, orelse=other):
            yield from _values(one, function, module)
            yield from _values(other, function, module)
        case ast.Name(id=name):
            found = [
                each.value
                for each in (*ast.walk(function), *module.body)
                if isinstance(each, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == name for target in each.targets)
            ]
            assert found, f"{name} comes from elsewhere: {ast.unparse(function)[:200]}"
            for each in found:
                yield from _values(each, function, module)
        case _:
            pytest.fail(f"cannot tell which codes {ast.unparse(code)} may be")


def test_every_code_is_explained_and_every_explained_code_is_raised() -> None:
    patterns = dict(raised())
    assert len(patterns) > 30
    unexplained = {
        pattern: place
        for pattern, place in patterns.items()
        if not any(re.fullmatch(pattern, code) for code in CODES)
    }
    assert not unexplained, "say in reconciliation/formats/refusals.py what they mean"
    gone = {code for code in CODES if not any(re.fullmatch(pattern, code) for pattern in patterns)}
    assert not gone, "nothing is refused for these any more"
    assert sum(len(codes) for codes in REFUSALS.values()) == len(CODES), "in one group each"
    assert all(meaning.endswith(".") for codes in REFUSALS.values() for meaning in codes.values())
