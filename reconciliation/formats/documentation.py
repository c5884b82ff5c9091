"""docs/reference/formats.md: every format that is read, and every reason to refuse a file."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import groupby

from reconciliation.formats.contract import Format
from reconciliation.formats.refusals import REFUSALS
from reconciliation.formats.registry import FORMATS

__all__ = ["as_markdown", "shipped"]

_INTRODUCTION = """# Formats of settlement files and statements

What is read, what is checked while it is read, and why a file is refused. How a new format is made says the
guide [settlement-formats](../guides/settlement-formats.md); what becomes of a file,
[settlement-files](../guides/settlement-files.md).

This page is written by `manage.py document_formats` from the modules in `reconciliation/formats/`.
"""
_REFUSALS = """## Why a file is refused

A refused file counts in nothing. `code` is stable; the message says what was found, and in which line of the
unpacked file.

| code | meaning |
|---|---|
"""
_COLUMNS = "| format | files | of | named | encodings |\n|---|---|---|---|---|\n"
_OF = {"psp": "a provider", "bank": "a bank"}


def as_markdown(formats: Mapping[str, Format] | None = None) -> str:
    """Return the page, of all formats that this package has unless told which."""
    formats = shipped() if formats is None else formats
    return "\n".join([_INTRODUCTION, _table(formats.values()), *_modules(formats), _reasons()])


def shipped() -> dict[str, Format]:
    """Return the formats of this package: what somebody else registered, a test for one, is not its own."""
    return {
        name: each for name, each in FORMATS.items() if type(each).__module__.startswith(f"{__package__}.")
    }


def _table(formats: Iterable[Format]) -> str:
    return _COLUMNS + "".join(
        f"| `{each.name}` | {each.title} | {_OF[each.kind]} | {_listed(each.suffixes)} |"
        f" {_listed(each.encodings)} |\n"
        for each in sorted(formats, key=lambda each: each.name)
    )


def _modules(formats: Mapping[str, Format]) -> Iterator[str]:
    """Yield a section for each module that formats are in: what it says of itself and of each of them."""
    in_order = sorted(formats.values(), key=lambda each: (type(each).__module__, each.name))
    for module, found in groupby(in_order, key=lambda each: type(each).__module__):
        yield f"## `{module.replace('.', '/')}.py`\n\n{_text(module)}\n"
        for kind, same in groupby(found, key=type):
            names = ", ".join(f"`{each.name}`" for each in same)
            yield f"### {names}\n\n{_shown(inspect.cleandoc(kind.__doc__ or ''))}".rstrip() + "\n"


def _text(module: str) -> str:
    """Return what a module says of itself: a format without a word about what it checks is not listed."""
    text = inspect.getdoc(import_module(module))
    if not text:
        raise ValueError(f"{module} has no docstring")
    return _shown(text)


def _shown(text: str) -> str:
    """Return a docstring as Markdown shows it: outside of code, `<n>` would be taken for a tag."""
    pieces = text.split("`")
    pieces[::2] = [piece.replace("<", "&lt;") for piece in pieces[::2]]
    return "`".join(pieces)


def _listed(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def _reasons() -> str:
    lines = []
    for of_what, codes in REFUSALS.items():
        lines.append(f"| **{of_what}** | |")
        lines += [f"| `{code}` | {meaning} |" for code, meaning in sorted(codes.items())]
    return _REFUSALS + "\n".join(lines) + "\n"
