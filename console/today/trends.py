"""How a figure compares with what it was: the same time yesterday, and seven days ago."""

from collections.abc import Callable
from datetime import timedelta

from django.utils.translation import gettext as _

from core.figures import Data, Reading

__all__ = ["AGES", "DAY", "WEEK", "change", "share", "trend_words"]

DAY, WEEK = timedelta(days=1), timedelta(days=7)
AGES = (DAY, WEEK)


def trend_words(
    name: str, past: dict[tuple[str, timedelta], Reading], say: Callable[[Data], str | None]
) -> str:
    """Return what a measure was at both ages, in words; `say` returns None where nothing was known then."""
    found = []
    for age, words in ((DAY, _("yesterday at this time: %s")), (WEEK, _("7 days ago: %s"))):
        reading = past.get((name, age))
        said = say(reading.data) if reading else None
        if said is not None:
            found.append(words % said)
    return " · ".join(found) or _("nothing to compare with yet")


def change(now_minor: int, then_minor: int) -> str:
    """Return by how much a figure differs from what it was: "+12 %"; empty where there is no base."""
    if not then_minor:
        return ""
    percent = (now_minor - then_minor) * 100 // abs(then_minor)
    return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{abs(percent)} %"


def share(part: int, whole: int) -> str:
    """Return a share as a percentage with one decimal ("93.4 %"); a dash of nothing."""
    if not whole:
        return "–"
    mille = part * 1000 // whole
    return f"{mille // 10}.{mille % 10} %"
