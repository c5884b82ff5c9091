"""How values look in the console: the same everywhere."""

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

from core.models import User
from core.money import format_minor

__all__ = ["amount", "digits", "identifier", "name_people", "person", "sentence", "state", "text"]

_LOOK = {
    "neutral": "radio_button_unchecked",
    "progress": "sync",
    "waiting": "hourglass_top",
    "done": "check_circle",
    "failed": "error",
    "disputed": "gavel",
    "over": "block",
}
_SHOWN = 60


def state(word: str, look: str) -> str:
    """Return a state as icon and word; `look` is a key of _LOOK."""
    return sentence(word.replace("_", " ").capitalize(), look)


def sentence(words: str, look: str) -> str:
    """Return words with the icon and the colour of a state, as they are written."""
    colour = "neutral" if look == "over" else look
    return format_html(
        '<span class="state state-{}">'
        '<span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        colour,
        _LOOK[look],
        words,
    )


def amount(value_minor: int | None, currency: str) -> str:
    """Return an amount with exactly its currency's decimals, aligned to the right."""
    if value_minor is None or not currency:
        return "–"
    return format_html('<span class="amount">{} {}</span>', digits(value_minor, currency), currency)


def digits(value_minor: int, currency: str) -> str:
    """Return an amount with its currency's decimals and its thousands apart (1234567 USD -> 12,345.67)."""
    whole, point, rest = format_minor(value_minor, currency).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole != "-0" else f"-0{point}{rest}"


def identifier(value: str) -> str:
    """Return a long id short, with the whole of it in the title."""
    return format_html('<span class="mono" title="{}">{}…{}</span>', value, value[:8], value[-4:])


def text(value: str, *, limit: int = _SHOWN) -> str:
    """Return the beginning of a long text, with all of it in the title."""
    if len(value) <= limit:
        return value
    return format_html('<span title="{}">{}…</span>', value, value[: limit - 1])


def person(row: Any, actor: str) -> str:
    """Return the name behind an actor such as user:<id>; `name_people` must have seen the row."""
    if not actor:
        return "–"
    if actor == "system":
        return _("the system")
    name = getattr(row, "console_names", {}).get(actor)
    return format_html('<span title="{}">{}</span>', actor, name) if name else actor


def name_people(rows: Iterable[Any], columns: Iterable[str]) -> None:
    """Look up, in one query, the names of all people that the columns of these rows mention."""
    rows, columns = list(rows), list(columns)
    actors = {str(getattr(row, column)) for row in rows for column in columns if getattr(row, column)}
    ids = [actor.removeprefix("user:") for actor in actors if _is_user(actor)]
    names = {}
    if ids:
        people = User.objects.filter(pk__in=ids).values_list("pk", "username")
        names = {f"user:{pk}": name for pk, name in people}
    for row in rows:
        row.console_names = names


def _is_user(actor: str) -> bool:
    head, _separator, tail = actor.partition(":")
    return head == "user" and len(tail) == 36 and tail.count("-") == 4
