"""The lines that are not clear at first sight: which movement each is, or what is wrong with it.

Pure rules, no database: the same lines and movements give the same answer in whatever order they come. Ties
are broken by what lines and movements say, and last by their numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from reconciliation.breaks import BreakClass, How
from reconciliation.matching.findings import line_finding
from reconciliation.matching.types import Finding, Movement, MovementKey, OpenLine, Pairing

__all__ = ["Known", "Resolved", "resolve"]

# One minor unit a line is rounding, whatever the currency.
ROUNDING = 1


@dataclass(frozen=True)
class Known:
    """What is known of the movements that lines may be.

    `by_name` has those of each name that the provider uses, whatever their kind; `by_ours` those of what the
    provider was told as ours. `taken` says which line a movement is matched to already, with that line's
    amount.
    """

    by_name: Mapping[str, Sequence[Movement]]
    by_ours: Mapping[str, Sequence[Movement]]
    taken: Mapping[MovementKey, tuple[int, int]]


@dataclass
class Resolved:
    """What became of the lines: matches, and findings about what is wrong. A line may have both."""

    pairings: list[Pairing] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def resolve(lines: Iterable[OpenLine], known: Known) -> Resolved:
    """Match lines with movements, and say what is wrong with all others. No line is left out."""
    out = Resolved()
    taken = dict(known.taken)
    leftover: list[tuple[OpenLine, list[dict[str, Any]]]] = []
    for (kind, name), group in _groups(lines):
        movements = known.by_name.get(name, ()) if name else ()
        leftover += _Group(kind, name, group, movements, taken, out).run()
    _by_our_reference(leftover, known, taken, out)
    return out


def _groups(lines: Iterable[OpenLine]) -> Iterator[tuple[tuple[str, str], list[OpenLine]]]:
    groups: dict[tuple[str, str], list[OpenLine]] = defaultdict(list)
    for line in sorted(lines, key=_order):
        # Lines without a name have nothing in common.
        groups[line.kind, line.name or f"\0{line.id}"].append(line)
    for (kind, name), group in sorted(groups.items()):
        yield (kind, "" if name.startswith("\0") else name), group


def _order(line: OpenLine) -> tuple[Any, ...]:
    at = line.occurred_at.astimezone(UTC).isoformat() if line.occurred_at else ""
    return (
        line.business_date,
        at,
        line.batch,
        line.currency,
        line.minor,
        line.fee_minor,
        line.reference,
        line.id,
    )


def _movement_order(movement: Movement) -> tuple[Any, ...]:
    return (movement.key.subject_id.int, movement.key.subject_kind, movement.key.nth)


class _Group:
    """Lines of one kind and one name, and the movements of that name."""

    def __init__(
        self,
        kind: str,
        name: str,
        lines: list[OpenLine],
        movements: Sequence[Movement],
        taken: dict[MovementKey, tuple[int, int]],
        out: Resolved,
    ) -> None:
        self._kind, self._name, self._lines = kind, name, lines
        self._all = sorted(movements, key=_movement_order)
        self._same = [each for each in self._all if each.kind == kind]
        self._taken, self._out = taken, out
        self._steps: list[dict[str, Any]] = [
            {"step": "reference", "looked_for": name, "kind": kind, "found": len(self._same)}
        ]

    def run(self) -> list[tuple[OpenLine, list[dict[str, Any]]]]:
        """Do every step; return the lines that no movement of this name can be, with what was tried."""
        self._exact()
        self._sums()
        self._differing()
        return [(line, self._steps) for line in self._lines if not self._explain(line)]

    @property
    def _free(self) -> list[Movement]:
        return [each for each in self._same if each.state != "none" and each.key not in self._taken]

    def _exact(self) -> None:
        """Lines and movements of the same amount, in their order; the second capture has its own movement."""
        for line in list(self._lines):
            fitting = [each for each in self._free if line.minor_in(each.currency) == each.amount_minor]
            alike = [other for other in self._lines if other.minor == line.minor]
            if not fitting:
                continue
            if len({each.clearing_key for each in fitting}) > 1 and len(fitting) > len(alike):
                continue  # The name is shared by payments: nothing says which of them it is.
            self._pair(line, fitting[0], How.EXACT, "reference")

    def _sums(self) -> None:
        """Several lines that are one movement together, or one line that is several movements."""
        free = self._free
        if len(free) == 1 and len(self._lines) > 1:
            [movement] = free
            parts = [line.minor_in(movement.currency) for line in self._lines]
            if None not in parts and sum(part for part in parts if part is not None) == movement.amount_minor:
                for number, line in enumerate(list(self._lines)):
                    self._pair(line, movement, How.GROUP, "parts_of_one", movement_part=number)
        elif len(free) > 1 and len(self._lines) == 1:
            [line] = self._lines
            amounts = [each.amount_minor for each in free if line.minor_in(each.currency) is not None]
            if len(amounts) == len(free) and sum(amounts) == line.minor_in(free[0].currency):
                for number, movement in enumerate(free):
                    self._pair(line, movement, How.GROUP, "one_of_many", line_part=number)

    def _differing(self) -> None:
        """One of each is left, and they differ: the same all the same, since the provider's name says so."""
        free = self._free
        if len(free) != 1 or len(self._lines) != 1:
            return
        [line], [movement] = self._lines, free
        said = line.minor_in(movement.currency)
        if said is None or said * movement.amount_minor < 0:
            return
        difference = said - movement.amount_minor
        if difference == 0:
            return
        if line.original_currency not in ("", movement.currency):
            # What the buyer paid is in another currency than ours: not a difference of amounts.
            self._steps.append(_figures("currency", line.original_minor or 0, movement))
            self._find(line, BreakClass.CURRENCY_MISMATCH, movement)
            self._lines.remove(line)
            return
        is_rounding = abs(difference) <= ROUNDING
        self._steps.append(_figures("amount", said, movement))
        self._pair(
            line,
            movement,
            How.TOLERANCE if is_rounding else How.EXACT,
            "rounding" if is_rounding else "reference_despite_amount",
            difference_minor=difference,
        )
        self._find(line, BreakClass.AMOUNT_MISMATCH, movement, abs(difference), currency=movement.currency)

    def _explain(self, line: OpenLine) -> bool:
        """Say what contradicts a line; False when no movement of its name and kind does."""
        for movement in self._same:
            if movement.key in self._taken:
                return self._repeated(line, movement)
        for movement in self._free:
            if line.minor_in(movement.currency) is None:
                self._steps.append(_figures("currency", line.minor, movement))
                self._find(line, BreakClass.CURRENCY_MISMATCH, movement)
                return True
        if self._free:
            self._steps.append({"step": "amounts", "movements": [_shown(each) for each in self._free]})
            self._find(line, BreakClass.REFERENCE_COLLISION, None)
            return True
        if self._same:
            self._steps.append(_figures("state", line.minor, self._same[0]))
            self._find(line, BreakClass.STATUS_MISMATCH, self._same[0])
            return True
        if self._all:
            self._steps.append({"step": "other_kinds", "movements": [_shown(each) for each in self._all]})
            self._find(line, BreakClass.REFERENCE_COLLISION, None)
            return True
        return False

    def _repeated(self, line: OpenLine, movement: Movement) -> bool:
        """A movement of the name is matched already: the line says the same again, or something else."""
        of_amount = [
            each
            for each in self._same
            if each.key in self._taken and line.minor_in(each.currency) == self._taken[each.key][1]
        ]
        movement = of_amount[0] if of_amount else movement
        first, minor = self._taken[movement.key]
        self._steps.append({"step": "matched_already", "line_id": str(first), "line_minor": str(minor)})
        it_is = BreakClass.DUPLICATE_EXTERNAL if of_amount else BreakClass.REFERENCE_COLLISION
        self._find(line, it_is, movement if of_amount else None)
        return True

    def _pair(self, line: OpenLine, movement: Movement, how: How, rule: str, **parts: int) -> None:
        group = f"{movement.kind}:{self._name}"[:80] if how is How.GROUP else ""
        self._out.pairings.append(Pairing(line.id, movement, how, rule, group_key=group, **parts))
        self._taken[movement.key] = (line.id, line.minor_in(movement.currency) or 0)
        if line in self._lines:
            self._lines.remove(line)

    def _find(
        self,
        line: OpenLine,
        it_is: BreakClass,
        movement: Movement | None,
        amount_minor: int | None = None,
        currency: str = "",
    ) -> None:
        self._out.findings.append(
            line_finding(it_is, line, self._steps, movement, amount_minor=amount_minor, currency=currency)
        )


def _by_our_reference(
    leftover: list[tuple[OpenLine, list[dict[str, Any]]]],
    known: Known,
    taken: dict[MovementKey, tuple[int, int]],
    out: Resolved,
) -> None:
    """Lines whose name we do not know: by what the provider was told as ours, where nothing is in doubt."""
    wanted: dict[tuple[str, str], list[OpenLine]] = defaultdict(list)
    for line, _ in leftover:
        wanted[line.kind, line.merchant_reference].append(line)
    seen: dict[tuple[str, str], OpenLine] = {}
    for line, tried in leftover:
        steps = list(tried)
        ours = line.merchant_reference
        fitting = [
            each
            for each in known.by_ours.get(ours, ())
            if each.kind == line.kind and each.state != "none" and each.key not in taken
        ]
        if ours:
            steps.append({"step": "our_reference", "looked_for": ours, "found": len(fitting)})
        if (
            len(fitting) == 1
            and len(wanted[line.kind, ours]) == 1
            and line.minor_in(fitting[0].currency) == fitting[0].amount_minor
        ):
            taken[fitting[0].key] = (line.id, fitting[0].amount_minor)
            out.pairings.append(Pairing(line.id, fitting[0], How.EXACT, "our_reference"))
            continue
        first = seen.setdefault((line.kind, line.name), line) if line.name else line
        it_is = BreakClass.MISSING_INTERNAL
        if first is not line:
            # We do not know the first one either, but the same thing cannot happen twice.
            steps.append({"step": "said_before", "line_id": str(first.id), "line_minor": str(first.minor)})
            is_same = (first.minor, first.currency) == (line.minor, line.currency)
            it_is = BreakClass.DUPLICATE_EXTERNAL if is_same else BreakClass.REFERENCE_COLLISION
        out.findings.append(line_finding(it_is, line, steps, None))


def _figures(step: str, said: int, movement: Movement) -> dict[str, Any]:
    return {"step": step, "line_minor": str(said), "movement": _shown(movement)}


def _shown(movement: Movement) -> dict[str, str]:
    return {
        "kind": movement.key.subject_kind,
        "id": str(movement.key.subject_id),
        "amount_minor": str(movement.amount_minor),
        "currency": movement.currency,
        "state": movement.state,
    }
