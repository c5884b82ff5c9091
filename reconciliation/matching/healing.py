"""Breaks that explain themselves later: a payment that was not known when its line came, and is now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from core.transactions import at_edge, requires_transaction
from reconciliation.locks import lock_run, lock_source
from reconciliation.matching.expected import clear_expected
from reconciliation.matching.open_lines import known_of, lines_by_id
from reconciliation.matching.opening import resolve_breaks
from reconciliation.matching.resolving import resolve
from reconciliation.matching.sql import long_statements
from reconciliation.matching.writing import write_pairings
from reconciliation.models import Discrepancy, ReconciliationRun, SettlementSource
from reconciliation.resolving.known_later import lead_over

__all__ = ["heal_lines", "look_again", "sources_to_watch"]

_PORTION = 500


def sources_to_watch() -> list[UUID]:
    """Return the sources of providers' files, oldest first."""
    return list(SettlementSource.objects.filter(kind="psp").order_by("pk").values_list("pk", flat=True))


@at_edge
def look_again(*, source_id: UUID) -> tuple[int, int]:
    """Open breaks for what a source's files never had in time, and end those whose payment is known now.

    Returns how many were opened and ended; it is called again until both are zero.
    """
    source = lock_source(source_id=source_id)
    long_statements()
    return len(clear_expected(source)), _heal(source)


@requires_transaction
def _heal(source: SettlementSource) -> int:
    """Match lines of open MISSING_INTERNAL breaks with movements that came to be known since.

    Where people have posted something for a break, they take that back first. Files that are still being
    posted are left to the next time: what they post must be known to be led over.
    """
    broken = (
        Discrepancy.objects.filter(
            merchant_id=source.merchant_id,
            source_id=source.id,
            break_class="MISSING_INTERNAL",
            side="psp",
            line_id__isnull=False,
            run_id__isnull=False,
        )
        .filter(run_id__in=ReconciliationRun.objects.filter(status__in=("POSTED", "DONE")).values("pk"))
        .filter(status__in=("OPEN", "ASSIGNED"))
        .order_by("-pk")[:_PORTION]
    )
    by_run: dict[UUID, dict[int, UUID]] = defaultdict(dict)
    for row in broken:
        assert row.run_id is not None and row.line_id is not None
        by_run[row.run_id][row.line_id] = row.id
    return sum(_heal_run(run_id, breaks) for run_id, breaks in sorted(by_run.items()))


@requires_transaction
def heal_lines(*, run_id: UUID, breaks: Mapping[int, UUID]) -> int:
    """Match lines of a run that is not posted yet, whose movements are known now; return how many.

    `breaks` says, by line, which break ends with it.
    """
    source_id = ReconciliationRun.objects.values_list("source_id", flat=True).get(pk=run_id)
    lock_source(source_id=source_id)
    return _heal_run(run_id, breaks)


def _heal_run(run_id: UUID, breaks: Mapping[int, UUID]) -> int:
    run = lock_run(run_id=run_id)
    lines = list(lines_by_id(_ordered(breaks)).values())
    resolved = resolve(lines, known_of(run, lines))
    # Only what fits without a doubt: everything else is a person's already.
    certain = [each for each in resolved.pairings if each.difference_minor == 0 and not each.group_key]
    if run.posted_at is not None:
        final = [each for each in certain if each.movement.state == "final"]
        led = lead_over({breaks[each.line_id]: each.movement for each in final})
        certain = [each for each in certain if breaks[each.line_id] in led]
    write_pairings(run, certain)
    return resolve_breaks(
        resolutions={
            breaks[each.line_id]: f"it is known now: {each.movement.kind} {each.movement.clearing_key}"
            for each in certain
        }
    )


def _ordered(breaks: Iterable[int]) -> list[int]:
    return sorted(breaks)
