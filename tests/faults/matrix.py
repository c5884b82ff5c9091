"""The cells of the crash matrix: where a process is struck, and how; and the table of what was survived."""

from dataclasses import dataclass

__all__ = ["ACTIONS", "CELLS", "EXTRA", "PLACES", "SITES", "Cell", "missing", "note", "table"]

SITES = ("accept", "execute", "webhook", "relay")
PLACES = ("before intent", "after intent", "after PSP effect", "after our commit")
ACTIONS = ("SIGKILL", "SIGSTOP", "cut")


@dataclass(frozen=True)
class Cell:
    """One way to be struck. `at` is the failpoint; `cut` names the connection that is cut there."""

    site: str
    place: str
    action: str
    at: str
    cut: str = "database"

    def __str__(self) -> str:
        how = f"cut-{self.cut}" if self.action == "cut" else self.action
        return f"{self.site}-{self.place}-{how}".replace(" ", "_")


# For the relay the other side's effect is that the store has the event.
_AT = {
    "accept": ("idem.before_record", "idem.before_commit", "idem.after_commit", "idem.after_commit"),
    "execute": (
        "execute.before_intent.confirm",
        "execute.after_intent.confirm",
        "execute.after_effect.confirm",
        "execute.after_commit.confirm",
    ),
    "webhook": ("inbox.receiving", "inbox.stored", "inbox.applied", "inbox.done"),
    "relay": ("relay.before", "relay.stamped", "deliveries.sent", "deliveries.recorded"),
}
# Where no connection to the database is held, the line that is in use at that place is cut.
_CUT = {
    ("accept", "after PSP effect"): "client",
    ("execute", "after intent"): "provider",
    ("execute", "after PSP effect"): "provider",
    ("relay", "after PSP effect"): "store",
}

CELLS = [
    Cell(site, place, action, at, _CUT.get((site, place), "database"))
    for site in SITES
    for place, at in zip(PLACES, _AT[site], strict=True)
    for action in ACTIONS
]
# The outcome is known and about to be committed with the books.
EXTRA = [Cell("execute", "before our commit", action, "execute.before_commit.confirm") for action in ACTIONS]

_survived: dict[Cell, str] = {}


def note(cell: Cell, verdict: str) -> None:
    """Remember the verdict on a cell."""
    _survived[cell] = verdict


def missing() -> list[Cell]:
    """The cells without a good verdict."""
    return [cell for cell in CELLS if not _survived.get(cell, "").startswith("ok")]


def table() -> list[str]:
    """The matrix as text; nothing when no cell was run."""
    if not _survived:
        return []
    lines = ["", f"crash matrix{'':26}" + "".join(f"{action:>24}" for action in ACTIONS)]
    rows = dict.fromkeys((cell.site, cell.place) for cell in [*CELLS, *EXTRA])
    for site, place in rows:
        verdicts = []
        for action in ACTIONS:
            cell = next(
                each
                for each in [*CELLS, *EXTRA]
                if (each.site, each.place, each.action) == (site, place, action)
            )
            told = _survived.get(cell, "-")
            verdicts.append(f"{told} ({cell.cut})" if action == "cut" and told != "-" else told)
        lines.append(f"{site:<10}{place:<28}" + "".join(f"{verdict:>24}" for verdict in verdicts))
    return lines
