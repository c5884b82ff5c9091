"""Who may do what in the console: the table in config/roles.toml, as values and as a page of the manual."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, RISK, SUPPORT

__all__ = ["Area", "Roles", "as_markdown", "role_table"]

_FILE = Path(__file__).resolve().parent.parent / "config" / "roles.toml"
_LETTERS = {
    "S": SUPPORT,
    "M": FINANCE_MAKER,
    "C": FINANCE_CHECKER,
    "R": RISK,
    "O": OPERATOR,
    "A": AUDITOR,
}
_MASK = "".join(_LETTERS)

Roles = frozenset[str]


@dataclass(frozen=True)
class Area:
    """One list or desk: who looks at its pages, and who may do each thing there.

    Pages, forms and sends are names of routes; buttons are what the desk at the last page may be told.
    """

    title: str
    see: Roles
    pages: tuple[str, ...]
    forms: dict[str, Roles] = field(default_factory=dict)
    sends: dict[str, Roles] = field(default_factory=dict)
    buttons: dict[str, Roles] = field(default_factory=dict)
    # app.model, empty for a desk.
    model: str = ""


@cache
def role_table() -> tuple[Area, ...]:
    """Return the table. Raises ValueError for a mask that is none."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    exports = str(content.pop("exports", ""))
    return tuple(_area(name, entry, exports) for name, entry in content.items())


def _area(name: str, entry: dict[str, object], exports: str) -> Area:
    model = name if "." in name else ""
    pages = [_route(model, each) for each in (*_own(model), *_list(entry, "pages"), *_list(entry, "reports"))]

    def masks(key: str) -> dict[str, Roles]:
        found = entry.get(key, {})
        assert isinstance(found, dict)
        return {each: _roles(mask) for each, mask in found.items()}

    see, forms = _roles(str(entry["see"])), masks("forms")
    if model and exports:
        forms["export"] = see & _roles(str(entry.get("export", exports)))
    return Area(
        title=str(entry["title"]),
        see=see,
        pages=tuple(pages),
        forms={_route(model, each): roles for each, roles in forms.items()},
        sends={_route(model, each): roles for each, roles in masks("sends").items()},
        buttons=masks("buttons"),
        model=model,
    )


def _own(model: str) -> tuple[str, ...]:
    return ("changelist", "change") if model else ()


def _list(entry: dict[str, object], key: str) -> list[str]:
    found = entry.get(key, [])
    assert isinstance(found, list)
    return found


def _route(model: str, name: str) -> str:
    return name if ":" in name else f"admin:{model.replace('.', '_')}_{name}"


def _roles(mask: str) -> Roles:
    wrong = len(mask) != len(_MASK) or any(
        each not in (letter, "-") for each, letter in zip(mask, _MASK, strict=True)
    )
    if wrong:
        raise ValueError(f"{mask!r} is no mask of roles: each place is its letter of {_MASK} or a dash")
    return frozenset(_LETTERS[each] for each in mask if each != "-")


_HEAD = """# Roles

Who may look at which page of the console, and who may do what there. A superuser may do everything that a
role may, and alone manages people; what takes two people takes two superusers. Everybody who can move money
enters with a one-time code. “Looks” means the list, its rows and the reports beside it.

This page is written by `manage.py document_roles` from `config/roles.toml`, which a test compares with every
page and button of the console, as each role.

| | support | finance maker | finance checker | risk | operator | auditor |
|---|:-:|:-:|:-:|:-:|:-:|:-:|
"""


def as_markdown() -> str:
    """Return the page of the manual."""
    lines = [_HEAD.rstrip("\n")]
    for area in role_table():
        lines.append(_line(f"**{area.title}**: looks", area.see))
        asked = {**area.forms, **area.sends, **area.buttons}
        lines += [_line(_words(area, each), roles) for each, roles in asked.items()]
    return "\n".join(lines) + "\n"


def _words(area: Area, name: str) -> str:
    prefix = f"admin:{area.model.replace('.', '_')}_" if area.model else "console:"
    return name.removeprefix(prefix).removeprefix("admin:auth_user_").replace("_", " ").replace("-", " ")


def _line(what: str, roles: Roles) -> str:
    cells = " | ".join("yes" if role in roles else "–" for role in _LETTERS.values())
    return f"| {what} | {cells} |"
