"""The documentation names commands that there are, points at pages that there are, and hides none."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from ops import cli
from tests.docs.documents import ROOT, anchors, blocks, links, pages, runnable

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
# What ends a command: prose goes on, or the shell does.
_REST = r"([^`\n|;#&)]*)"
_MANAGE = re.compile(r"manage\.py ([a-z_]+)" + _REST)
_OPS = re.compile(r"python3? -m ops ([a-z-]+)" + _REST)
_MAKE = re.compile(r"(?:^|[`\s])make ([a-z-]+)\b" + _REST)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_PIECES = re.compile(r"`([^`\n]+)`")


def commands(page: Path) -> Iterator[str]:
    """Every line that is typed: of blocks for a shell, and what prose puts between backticks."""
    for block in blocks(page):
        if block.language in ("", "sh"):
            yield from block.text.replace("\\\n", " ").splitlines()
    yield from _PIECES.findall(page.read_text())


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings}


def ops_commands() -> dict[str, argparse.ArgumentParser]:
    [choices] = [each for each in cli.parser()._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(choices.choices)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist_with_their_options(page: Path) -> None:
    for line in commands(page):
        for name, rest in _MANAGE.findall(line):
            assert name in get_commands(), (line, name)
            command = get_commands()[name]
            made = load_command_class(command, name) if isinstance(command, str) else command
            assert set(_OPTION.findall(rest)) <= options_of(made.create_parser("manage.py", name)), line
        for name, rest in _OPS.findall(line):
            assert name in ops_commands(), (line, name)
            ours, _, _ = rest.partition(" -- ")
            assert set(_OPTION.findall(ours)) <= options_of(ops_commands()[name]), line
        for name, _rest in _MAKE.findall(line):
            assert name in targets(), (line, name)


def test_the_check_finds_what_is_wrong(tmp_path: Path) -> None:
    """The control: a command and an option that there are not, wherever they stand."""
    page = tmp_path / "page.md"
    for wrong in ("manage.py audits", "manage.py audit --fully", "make coffee", "python3 -m ops test --slow"):
        for text in (f"```sh\n{wrong}\n```\n", f"Type `{wrong}` now.\n"):
            page.write_text(text)
            with pytest.raises(AssertionError):
                test_commands_exist_with_their_options(page)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target = (page.parent / link.path).resolve() if link.path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if link.anchor and target.suffix == ".md":
            assert link.anchor in anchors(target), link


def test_every_page_is_reached_from_the_first_one() -> None:
    first = ROOT / "docs" / "README.md"
    seen, ahead = {first}, [first]
    while ahead:
        page = ahead.pop()
        for link in links(page):
            target = (page.parent / link.path).resolve()
            if target.suffix == ".md" and target not in seen:
                seen.add(target)
                ahead.append(target)
    assert {page for page in pages() if page.is_relative_to(ROOT / "docs")} <= seen
    assert first in {(ROOT / link.path).resolve() for link in links(ROOT / "README.md")}


def test_pictures_are_small_and_shown() -> None:
    shown = {(page.parent / link.path).resolve() for page in pages() for link in links(page)}
    pictures = sorted((ROOT / "docs" / "images").glob("*"))
    assert pictures
    for picture in pictures:
        assert picture.suffix == ".png" and picture.stat().st_size < 150_000, picture
        assert picture in shown, picture


def test_something_is_runnable() -> None:
    """They are typed by test_readme.py, after the quickstart."""
    assert len(runnable()) >= 2
    assert all(block.language == "sh" for block in runnable())
