"""What should have been in a file and was not: expected until its day, and a break from then on."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max

from core import clock
from core.ids import first_key
from core.transactions import requires_transaction
from payments.selectors import MOVEMENTS as PAY_INS
from payouts.selectors import MOVEMENTS as PAY_OUTS
from reconciliation.breaks import BreakClass
from reconciliation.ingest.counting import ids_of
from reconciliation.ingest.days import today_of
from reconciliation.matching.calendar import expectation_of
from reconciliation.matching.findings import missing_finding
from reconciliation.matching.opening import Place, open_breaks
from reconciliation.matching.sql import MOVEMENTS_SQL, channels_for, execute, rows, scratch
from reconciliation.matching.types import Movement, MovementKey
from reconciliation.models import ReconciliationRun, SettlementLine, SettlementSource

__all__ = ["clear_expected", "expect_missing", "period_of"]

# A movement is made some days before it is final: a reserved amount is taken within a week, and an outcome
# that nobody knew is known later.
_LOOK_BACK = timedelta(days=14)
_PORTION = 500
# What follows on something old; there are few of these.
_FOLLOW = "('reversal', 'refund_failure', 'top_up_return')"

# Looked up for each by itself (OFFSET 0): to know it of all movements would be to read the history of all.
_HAPPENED = f"""
    SELECT happened_at FROM {PAY_INS} AS paid WHERE paid.subject_id = {{of}}.subject_id
        AND paid.subject_kind = {{of}}.subject_kind AND paid.nth = {{of}}.nth
    UNION ALL
    SELECT happened_at FROM {PAY_OUTS} AS sent WHERE sent.subject_id = {{of}}.subject_id
        AND sent.subject_kind = {{of}}.subject_kind AND sent.nth = {{of}}.nth
    OFFSET 0
"""  # noqa: S608 - names of views
_ABSENT = f"""
    SELECT movement.* FROM ({MOVEMENTS_SQL}) AS movement
    WHERE movement.state = 'final'
        AND (movement.subject_id >= %(first_key)s OR movement.subject_kind IN {_FOLLOW})
        AND NOT EXISTS (SELECT FROM reconciliation_match AS found
            WHERE found.subject_id = movement.subject_id AND found.subject_kind = movement.subject_kind
            AND found.nth = movement.nth AND found.live)
        AND NOT EXISTS (SELECT FROM reconciliation_discrepancy AS known
            WHERE known.subject_id = movement.subject_id AND known.subject_kind = movement.subject_kind
            AND (known.break_class = 'MISSING_EXTERNAL' OR known.status <> 'RESOLVED'))
"""  # noqa: S608 - fragments of ours
_EXPECT = f"""
    WITH dated AS (
        SELECT absent.*, (happened.happened_at AT TIME ZONE %(zone)s)::date AS happened_on
        FROM reconciliation_absent AS absent
        JOIN LATERAL ({_HAPPENED.format(of="absent")}) AS happened ON true
    )
    INSERT INTO reconciliation_match (merchant_id, source_id, run_id, side, line_id, subject_kind, subject_id,
        nth, how, rule, group_key, line_part, movement_part, clearing_key, amount_minor, difference_minor,
        clear_by, live)
    SELECT %(merchant)s, %(source)s, %(run)s, 'psp', NULL, dated.subject_kind, dated.subject_id, dated.nth,
        'expected', 'timing', '', 0, 0, dated.clearing_key, dated.amount_minor, 0, due.clear_by, true
    FROM dated JOIN unnest(%(days)s::date[], %(clear_by)s::date[]) AS due(day, clear_by)
        ON due.day = dated.happened_on
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - fragments of ours
_OVERDUE = f"""
    SELECT expected.id, expected.clear_by, (happened.happened_at AT TIME ZONE %(zone)s)::date,
        movement.subject_kind, movement.subject_id, movement.nth, movement.kind,
        coalesce(movement.reference, ''), coalesce(movement.our_key::text, movement.our_reference, ''),
        movement.clearing_key, movement.currency, movement.amount_minor, movement.state
    FROM (
        SELECT id, subject_kind, subject_id, nth, clear_by FROM reconciliation_match
        WHERE source_id = %(source)s AND how = 'expected' AND live AND clear_by < %(today)s
        ORDER BY clear_by, id LIMIT %(most)s
    ) AS expected
    JOIN ({MOVEMENTS_SQL}) AS movement ON movement.subject_id = expected.subject_id
        AND movement.subject_kind = expected.subject_kind AND movement.nth = expected.nth
    JOIN LATERAL ({_HAPPENED.format(of="expected")}) AS happened ON true
    ORDER BY expected.clear_by, expected.id
"""  # noqa: S608 - fragments of ours
_END = """
    WITH ended AS (
        UPDATE reconciliation_match SET live = false
        WHERE id = ANY(%(ids)s) AND live AND how = 'expected' RETURNING id, merchant_id
    )
    INSERT INTO reconciliation_matchend (id, merchant_id, match_id, reason, by, at)
    SELECT gen_random_uuid(), merchant_id, id, 'its time is over: a break is open', 'system', %(now)s
    FROM ended
"""


def period_of(run: ReconciliationRun) -> date | None:
    """Return the last day that the run's file is about: as it says, or as its lines do."""
    days = run.file.days
    if days is not None:
        return days[1]
    first, last = ids_of(run.file.number)
    found = SettlementLine.objects.filter(pk__range=(first, last), quarantine="")
    newest: date | None = found.aggregate(newest=Max("business_date"))["newest"]
    return newest


@requires_transaction
def expect_missing(run: ReconciliationRun) -> tuple[int, date | None]:
    """Note the movements that files to this one should have had: each is expected until its day.

    Returns how many, and through which day movements are covered now.
    """
    source, period_to = run.source, period_of(run)
    earlier = ReconciliationRun.objects.filter(source_id=source.id, covered_to__isnull=False)
    covered: date | None = earlier.aggregate(newest=Max("covered_to"))["newest"]
    if period_to is None:
        return 0, covered
    begin = max(source.begins_on, covered - _LOOK_BACK) if covered else source.begins_on
    expectation = expectation_of(source)
    days = list(expectation.covered(begin, period_to))
    if not days:
        return 0, covered
    params = {
        "merchant": run.merchant_id,
        "channels": channels_for(source),
        "source": source.id,
        "run": run.id,
        "zone": source.time_zone,
        "first_key": first_key(datetime.combine(begin, time.min, ZoneInfo(source.time_zone)) - _LOOK_BACK),
        "days": days,
        "clear_by": [expectation.clear_by(day) for day in days],
    }
    scratch("reconciliation_absent", _ABSENT, params)
    # Few are absent, and each is looked up by its key.
    noted = execute(_EXPECT, params, whole=False)
    return noted, max(days[-1], covered) if covered else days[-1]


@requires_transaction
def clear_expected(source: SettlementSource) -> list[UUID]:
    """Open a break for movements of a locked source whose line did not come in time; return the new ones.

    At most some hundreds at a time: call it until it returns none.
    """
    params: dict[str, Any] = {
        "merchant": source.merchant_id,
        "channels": channels_for(source),
        "source": source.id,
        "zone": source.time_zone,
        "today": today_of(source),
        "most": _PORTION,
    }
    overdue = rows(_OVERDUE, params)
    if not overdue:
        return []
    opened = open_breaks(Place(source), [_missing(row) for row in overdue])
    execute(_END, {"ids": [row[0] for row in overdue], "now": clock.now()})
    return opened


def _missing(row: Sequence[Any]) -> Any:
    movement = Movement(MovementKey(*row[3:6]), *row[6:])
    return missing_finding(movement, happened_on=row[2], clear_by=row[1], it_is=BreakClass.MISSING_EXTERNAL)
