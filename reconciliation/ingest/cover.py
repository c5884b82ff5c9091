"""Quiet days: the same empty body again, for another day, says of that day that nothing happened."""

from datetime import date, timedelta

from core import clock
from core.transactions import requires_transaction
from reconciliation.formats.periods import days_in_name
from reconciliation.models import SettlementCover, SettlementFile

__all__ = ["cover_days"]

# Nobody asks for more days at once; a name that says more is no period.
_MOST = 31


@requires_transaction
def cover_days(known: SettlementFile, *, by: SettlementFile) -> None:
    """Note the days for which a known body was sent again as `by`, which is not stored.

    Not for a file with lines, which are about their own days; nor where the provider says elsewhere that
    something did happen. One that is not read yet covers them when it turns out to be empty.
    """
    if known.lines_count or known.source.kind != "psp" or by.declared:
        return
    now = clock.now()
    SettlementCover.objects.bulk_create(
        [
            SettlementCover(file=known, day=day, name=by.name, covered_by=by.received_by, covered_at=now)
            for day in _days_of(by)
            if known.days is None or not known.days[0] <= day <= known.days[1]
        ],
        ignore_conflicts=True,
    )


def _days_of(file: SettlementFile) -> list[date]:
    if file.days is not None:
        first, last = file.days
    else:
        named = days_in_name(file.name)
        if len(named) not in (1, 2):
            return []
        first, last = named[0], named[-1]
    count = (last - first).days + 1
    return [first + timedelta(days=n) for n in range(count)] if 0 < count <= _MOST else []
