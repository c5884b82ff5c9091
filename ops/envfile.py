"""The optional `.env` file: lines of NAME=value."""

from __future__ import annotations

import re
from pathlib import Path

from ops.messages import Stop

LINE = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$")


def parse(text: str, *, name: str = ".env") -> dict[str, str]:
    """Read NAME=value lines: comments, `export`, and single or double quotes are understood.

    A name with an empty value is left out, so that a copy of `.env.example` changes nothing.
    Raises Stop with the line number when a line is none of these.
    """
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise Stop(f"{name} line {number} is not NAME=value.", cure="correct or remove the line.")
        value = _value(match[2].strip(), where=f"{name} line {number}")
        if value:
            values[match[1]] = value
    return values


def _value(text: str, *, where: str) -> str:
    if text[:1] in ("'", '"'):
        closing = text.find(text[0], 1)
        rest = text[closing + 1 :].strip()
        if closing < 0 or (rest and not rest.startswith("#")):
            raise Stop(f"{where}: the quote is not closed.", cure="close it or remove it.")
        return text[1:closing]
    return re.split(r"\s+#", text, maxsplit=1)[0] if not text.startswith("#") else ""


def load(path: Path) -> dict[str, str]:
    """The values of the file, none when there is no such file."""
    try:
        return parse(path.read_text(encoding="utf-8"), name=path.name)
    except FileNotFoundError:
        return {}
