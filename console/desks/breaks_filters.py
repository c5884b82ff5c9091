"""What of the breaks is asked for: a queue, narrowed down; all of it stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.desks.breaks_words import AGES, CLASSES, class_name
from core import clock
from core.ids import parse_public_id, public_id
from merchants.selectors import list_merchants
from reconciliation.selectors import list_sources
from reconciliation.types import BreakFilters

__all__ = ["QUEUES", "Asked", "Choices", "asked_in", "choices", "queue_for"]

# Names in addresses, what people call them, and what is in them.
QUEUES: Mapping[str, tuple[Any, Any]] = {
    "finance": (
        gettext_lazy("To adjust"),
        gettext_lazy(
            "Classified, with the entry prepared where a rule names one. Finance proposes and agrees."
        ),
    ),
    "investigation": (
        gettext_lazy("To investigate"),
        gettext_lazy("No rule knows what to do with these: somebody must find out first."),
    ),
    "rule": (
        gettext_lazy("Posted by rule today"),
        gettext_lazy("What rules closed or parked by themselves today (UTC), within their caps."),
    ),
    "all": (gettext_lazy("All"), gettext_lazy("Every break, also those that are resolved.")),
}
_NAMES = ("merchant", "source", "class", "currency", "owner", "status", "age", "overdue")
_STATES = ("OPEN", "ASSIGNED", "PROPOSED", "RESOLVED")
_LONGEST = 200
_BOUNDS: Mapping[str, tuple[int, int | None]] = {
    "0-1": (0, 2),
    "2-3": (2, 4),
    "4-7": (4, 8),
    "8-30": (8, 31),
    ">30": (31, None),
}


@dataclass(frozen=True)
class Asked:
    """A queue, what narrows it down (names of parameters and their values), and where the page begins."""

    queue: str
    told: Mapping[str, str]
    after: str = ""

    def query(self, **changes: str) -> str:
        """Return the address's query with changes; an empty value takes a filter away."""
        values = {"queue": self.queue, **self.told, **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value})

    @property
    def here(self) -> str:
        """The query of this page, with its place."""
        return self.query(after=self.after)

    def without_place(self) -> "Asked":
        """The same, from its beginning."""
        return replace(self, after="")

    def filters(self, *, me: str) -> BreakFilters:
        """Return what the selector is asked for; `me` is who is at the desk."""
        told, now = self.told, clock.now()
        youngest, oldest = _BOUNDS.get(told.get("age", ""), (0, None))
        return BreakFilters(
            break_class=told.get("class", ""),
            source_id=UUID(told["source"]) if "source" in told else None,
            currency=told.get("currency", ""),
            owner=me if "owner" in told else "",
            status=told.get("status", ""),
            is_overdue=True if "overdue" in told else None,
            found_since=now - timedelta(days=oldest) if oldest else None,
            found_before=now - timedelta(days=youngest) if youngest else None,
        )

    @property
    def merchant_id(self) -> UUID | None:
        """Whose breaks, None for everybody's."""
        return parse_public_id(self.told["merchant"], "mer") if "merchant" in self.told else None

    def chips(self, offered: "Choices") -> list[dict[str, str]]:
        """Return each filter that is on, with the address of the page without it."""
        return [
            {"says": _chip(name, value, offered), "url": self.query(**{name: ""})}
            for name, value in self.told.items()
        ]


@dataclass(frozen=True)
class Choices:
    """What can be chosen in the form of filters: values and their names, by parameter."""

    by_name: Mapping[str, list[tuple[str, str]]]

    def name_of(self, name: str, value: str) -> str:
        """Return what a value is called."""
        return dict(self.by_name.get(name, [])).get(value, value)


def asked_in(request: HttpRequest, *, queue: str = "finance") -> Asked:
    """Return what an address asks for. What it says that is not offered narrows nothing; an unknown queue is
    Http404.
    """
    given = {name: request.GET.get(name, "").strip() for name in ("queue", "after", *_NAMES)}
    asked = given.pop("queue") or queue
    after = given.pop("after")
    if asked not in QUEUES or len(after) > _LONGEST:
        raise Http404
    return Asked(asked, {name: value for name, value in given.items() if _is_known(name, value)}, after)


def queue_for(category: str, status: str) -> str:
    """Return the queue that a break is in."""
    if status == "RESOLVED":
        return "all"
    return "investigation" if category == "C" else "finance"


def choices() -> Choices:
    """Return what the form of filters offers."""
    merchants = list_merchants()
    return Choices(
        {
            "merchant": [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in merchants],
            "source": [
                (str(source.id), source.name if len(merchants) == 1 else f"{source.name} · {each.name}")
                for each in merchants
                for source in list_sources(merchant_id=each.id)
            ],
            "class": [(name, class_name(name)) for name in CLASSES],
            "age": [(name, str(says)) for name, says in AGES.items()],
            "status": [
                ("OPEN", _("nobody's yet")),
                ("ASSIGNED", _("somebody's")),
                ("PROPOSED", _("waits for a second person")),
                ("RESOLVED", _("resolved")),
            ],
        }
    )


def _chip(name: str, value: str, offered: Choices) -> str:
    if name == "owner":
        return _("Mine")
    if name == "overdue":
        return _("Overdue")
    return offered.name_of(name, value)


def _is_known(name: str, value: str) -> bool:
    if not value or len(value) > _LONGEST:
        return False
    if name == "source":
        return _is_uuid(value)
    known: dict[str, Any] = {
        "merchant": lambda: parse_public_id(value, "mer") is not None,
        "class": lambda: value in CLASSES,
        "currency": lambda: len(value) == 3 and value.isascii() and value.isupper(),
        "owner": lambda: value == "me",
        "status": lambda: value in _STATES,
        "age": lambda: value in _BOUNDS,
        "overdue": lambda: value == "1",
    }
    return bool(known[name]())


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
