"""Names that others chose, shown so that they cannot look like other names (A-F17)."""

import unicodedata

from django.utils.html import format_html, format_html_join

__all__ = ["alphabets", "shown_name"]


def shown_name(name: str) -> str:
    """Return a name in a box of its own direction, with what nobody would see in it spelt out.

    Direction marks, joiners and control characters can neither turn what stands around the name nor make
    two names look alike: each is shown as ⟨U+202E⟩.
    """
    parts = format_html_join("", "{}", ((_visible(char),) for char in name))
    return format_html('<bdi class="whole">{}</bdi>', parts)


def alphabets(name: str) -> list[str]:
    """Return which alphabets the letters of a name are of, by their Unicode names ("Cyrillic", "Latin")."""
    found = {unicodedata.name(char, "").split(" ")[0] for char in name if char.isalpha()}
    return sorted(each.capitalize() for each in found if each)


def _visible(char: str) -> str:
    if unicodedata.category(char)[0] == "C" or (char.isspace() and char != " "):
        return format_html('<span class="mono state-failed">⟨U+{}⟩</span>', f"{ord(char):04X}")
    return char
