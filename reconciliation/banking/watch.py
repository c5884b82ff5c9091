"""What the bank should have shown by now: batches and payouts in transit, and the balance of the account.

Time is the bank's: it goes as far as the last statement that counts, so that nothing is missed because
statements are late.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from core.ids import first_key
from core.money import format_minor
from core.transactions import requires_transaction
from ledger.selectors import open_keys
from payouts.selectors import MOVEMENTS, next_business_day
from reconciliation.banking.policy import banked_within, parts_within
from reconciliation.banking.position import positions
from reconciliation.banking.reading import open_batches, providers_of
from reconciliation.banking.types import Batch, batch_subject
from reconciliation.breaks import BreakClass, Side
from reconciliation.locks import lock_source
from reconciliation.matching.findings import movement_key
from reconciliation.matching.opening import Place, open_breaks, resolve_breaks
from reconciliation.matching.rules import ensure_rules
from reconciliation.matching.sql import rows
from reconciliation.matching.types import Finding, MovementKey
from reconciliation.models import BankStatement, Discrepancy, SettlementSource

__all__ = ["bank_sources", "watch_source"]

# What was sent before this is old news: it had its break then.
_LOOK_BACK = timedelta(days=60)
_MOST = 1_000
_LAST_PAID = """
    SELECT found.subject_id, max(line.booked_on) FROM reconciliation_match AS found
    JOIN reconciliation_bankline AS line ON line.id = found.line_id
    WHERE found.subject_id = ANY(%(subjects)s) AND found.subject_kind = 'batch' AND found.live
        AND found.side = 'bank' GROUP BY found.subject_id
"""
_NOT_SHOWN = f"""
    SELECT sent.subject_id, sent.payout_id, sent.end_to_end, -sent.amount_minor,
        (sent.happened_at AT TIME ZONE %(zone)s)::date
    FROM {MOVEMENTS} AS sent
    WHERE sent.merchant_id = %(merchant)s AND sent.rail = 'bank' AND sent.kind = 'transfer'
        AND sent.subject_kind = 'sending' AND sent.state = 'final' AND sent.currency = %(currency)s
        AND sent.subject_id >= %(first_key)s
        AND (sent.happened_at AT TIME ZONE %(zone)s)::date BETWEEN %(begin)s AND %(through)s
        AND NOT EXISTS (SELECT FROM reconciliation_match AS found WHERE found.subject_id = sent.subject_id
            AND found.subject_kind IN ('sending', 'sending_return') AND found.live)
        AND NOT EXISTS (SELECT FROM reconciliation_discrepancy AS known
            WHERE known.subject_id = sent.subject_id AND known.side = 'bank')
    ORDER BY sent.subject_id LIMIT %(most)s
"""  # noqa: S608 - the name of a view
_SHOWN = """
    SELECT DISTINCT missed.id FROM reconciliation_discrepancy AS missed
    JOIN reconciliation_match AS found ON found.subject_id = missed.subject_id AND found.live
        AND found.subject_kind IN ('sending', 'sending_return') AND found.side = 'bank'
    WHERE missed.merchant_id = %(merchant)s AND missed.subject_kind = 'sending' AND missed.side = 'bank'
        AND missed.break_class = 'MISSING_EXTERNAL' AND missed.status <> 'RESOLVED'
"""


class _Seen(NamedTuple):
    """How far the bank's statements of a currency go."""

    currency: str
    first: date
    last: date


def bank_sources() -> list[UUID]:
    """Return the sources of bank statements, oldest first."""
    return list(SettlementSource.objects.filter(kind="bank").order_by("pk").values_list("pk", flat=True))


@requires_transaction
def watch_source(*, source_id: UUID) -> tuple[int, int]:
    """Open and end breaks of what a bank account should show; return how many were opened and ended.

    The bank account of a merchant and currency is taken to be the only one: what none of its statements shows
    is missing.
    """
    source = lock_source(source_id=source_id)
    ensure_rules(merchant_id=source.merchant_id)
    opened = ended = 0
    for seen in _seen(source):
        batches = open_batches(source.merchant_id, seen.currency)
        findings = [*_batches(source, seen, batches), *_payouts(source, seen)]
        opened += len(open_breaks(Place(source), findings))
        ended += _end_batches(source, seen, batches)
    ended += _end_payouts(source)
    more = _balance(source)
    return opened + more[0], ended + more[1]


def _seen(source: SettlementSource) -> list[_Seen]:
    found: dict[str, _Seen] = {}
    rows_ = BankStatement.objects.filter(
        merchant_id=source.merchant_id, kind="statement", status="LIVE", posted_at__isnull=False
    ).values_list("currency", "period_from", "period_to")
    for currency, first, last in rows_:
        known = found.get(currency, _Seen(currency, first, last))
        found[currency] = _Seen(currency, min(first, known.first), max(last, known.last))
    mine = set(
        BankStatement.objects.filter(source_id=source.id, kind="statement", status="LIVE").values_list(
            "currency", flat=True
        )
    )
    return [found[currency] for currency in sorted(mine & found.keys())]


def _batches(source: SettlementSource, seen: _Seen, batches: Sequence[Batch]) -> list[Finding]:
    """Batches that the bank has not shown in time, or only a part of, or that no file has reported."""
    providers = {each.id: each for each in providers_of(source.merchant_id)}
    days = {
        each.key: each.first_day
        for each in open_keys(
            merchant_id=source.merchant_id, role="psp_settlement_in_transit", currency=seen.currency
        )
    }
    said = _said_already(source, seen)
    last_paid = dict(rows(_LAST_PAID, {"subjects": [batch_subject(each.key) for each in batches]}))
    findings = []
    for batch in batches:
        reported, provider = days.get(batch.key), providers[batch.source_id]
        paid = last_paid.get(batch_subject(batch.key))
        if reported is None or reported < seen.first or batch.open_minor == 0 or batch.key in said:
            continue
        is_part = paid is not None and batch.open_minor is not None
        since = paid if is_part and paid is not None else reported
        within = parts_within(provider) if is_part else banked_within(provider)
        due = _after(provider.calendar, since, within)
        if due < seen.last:
            findings.append(_missed(batch, seen, since=since, due=due, is_part=is_part))
    return findings


def _said_already(source: SettlementSource, seen: _Seen) -> set[str]:
    """The keys of batches about which a break of a line says it: the bank showed too much."""
    broken = _about_batches(source, seen).filter(line_id__isnull=False)
    return set(broken.values_list("clearing_key", flat=True))


def _about_batches(source: SettlementSource, seen: _Seen) -> QuerySet[Discrepancy]:
    """The open breaks of the bank about what is in transit to it."""
    broken = Discrepancy.objects.filter(
        merchant_id=source.merchant_id, side=Side.BANK, currency=seen.currency
    ).exclude(status="RESOLVED")
    of_line = Q(break_class="BATCH_TOTAL_MISMATCH") & ~Q(clearing_key__startswith="line:")
    return broken.filter(Q(subject_kind="batch") | of_line)


def _missed(batch: Batch, seen: _Seen, *, since: date, due: date, is_part: bool) -> Finding:
    subject = MovementKey("batch", batch_subject(batch.key), 0)
    still = batch.open_minor
    minor = abs(still if still is not None else sum(batch.banked))
    amount = f"{format_minor(minor, seen.currency)} {seen.currency}"
    if still is None:
        it_is, says = BreakClass.MISSING_INTERNAL, "no file has reported it"
    elif is_part:
        it_is, says = BreakClass.BATCH_TOTAL_MISMATCH, "the bank showed another amount than was reported"
    else:
        it_is, says = BreakClass.MISSING_EXTERNAL, f"the bank has not shown it by {due}"
    step = {
        "step": "in_transit",
        "open_minor": str(still) if still is not None else "not reported",
        "shown_minor": [str(each) for each in batch.banked],
        "due": str(due),
        "statements_to": str(seen.last),
    }
    return Finding(
        break_class=it_is,
        key=movement_key(subject, it_is),
        currency=seen.currency,
        amount_minor=minor,
        summary=f"{amount}: batch {batch.name} of {batch.provider}: {says}"[:300],
        business_date=since,
        steps=(step,),
        side=Side.BANK,
        movement=subject,
        clearing_key=batch.key,
        conditions={"kind": "batch", "currency": seen.currency, "sign": "in"},
    )


def _payouts(source: SettlementSource, seen: _Seen) -> list[Finding]:
    within = banked_within(source)
    through = seen.last
    # As many days back as it takes: what was sent by then had to be shown by the last statement.
    while _after(source.calendar, through, within) >= seen.last and through > seen.first:
        through -= timedelta(days=1)
    begin = max(seen.first, source.begins_on)
    if _after(source.calendar, through, within) >= seen.last:
        return []
    zone = ZoneInfo(source.time_zone)
    found = rows(
        _NOT_SHOWN,
        {
            "merchant": source.merchant_id,
            "currency": seen.currency,
            "zone": source.time_zone,
            "begin": begin,
            "through": through,
            "first_key": first_key(datetime.combine(seen.last - _LOOK_BACK, time(), zone)),
            "most": _MOST,
        },
    )
    return [_unpaid(row, seen) for row in found]


def _unpaid(row: Sequence[Any], seen: _Seen) -> Finding:
    sending_id, payout_id, reference, minor, sent_on = row
    subject = MovementKey("sending", sending_id, 0)
    amount = f"{format_minor(minor, seen.currency)} {seen.currency}"
    it_is = BreakClass.MISSING_EXTERNAL
    return Finding(
        break_class=it_is,
        key=movement_key(subject, it_is),
        currency=seen.currency,
        amount_minor=minor,
        summary=f"{amount}: no statement shows the payout {reference}, which was sent on {sent_on}"[:300],
        business_date=sent_on,
        steps=({"step": "in_transit", "sent_on": str(sent_on), "statements_to": str(seen.last)},),
        side=Side.BANK,
        movement=subject,
        clearing_key=str(payout_id),
        conditions={"kind": "payout", "currency": seen.currency, "sign": "out"},
    )


def _end_batches(source: SettlementSource, seen: _Seen, batches: Sequence[Batch]) -> int:
    """Breaks about batches of which nothing is open any more."""
    still_open = {each.key: each for each in batches if each.open_minor != 0}
    over = [
        row
        for row in _about_batches(source, seen).order_by("pk")
        if row.clearing_key not in still_open
        # What nobody had reported is reported now, though the bank's part may differ.
        or (row.break_class == "MISSING_INTERNAL" and still_open[row.clearing_key].open_minor is not None)
    ]
    return resolve_breaks(resolutions={row.id: "it came, and nothing is in transit of it" for row in over})


def _end_payouts(source: SettlementSource) -> int:
    came = rows(_SHOWN, {"merchant": source.merchant_id})
    return resolve_breaks(resolutions={row[0]: "a statement shows it" for row in came})


def _balance(source: SettlementSource) -> tuple[int, int]:
    """The books have what the last statement closes with, or there is a break."""
    findings, ended = [], {}
    key = f"balance:{source.id}"
    for currency, found in positions(source).items():
        off = found.books_minor - found.closing_minor
        mine = f"{key}:{currency}"
        if not found.is_posted:
            continue
        if off:
            findings.append(_off(mine, currency, off, found.closing_minor, found.day))
        else:
            broken = Discrepancy.objects.filter(merchant_id=source.merchant_id, key=mine)
            for row in broken.exclude(status="RESOLVED"):
                ended[row.id] = f"the books and the statement of {found.day} agree"
    return len(open_breaks(Place(source), findings)), resolve_breaks(resolutions=ended)


def _off(key: str, currency: str, off: int, closing: int, day: date) -> Finding:
    amount = f"{format_minor(abs(off), currency)} {currency}"
    return Finding(
        break_class=BreakClass.BALANCE_MISMATCH,
        key=key,
        currency=currency,
        amount_minor=abs(off),
        summary=f"{amount}: the books have {'more' if off > 0 else 'less'} than the statement of {day}",
        business_date=day,
        steps=({"step": "balance", "closing_minor": str(closing), "books_minor": str(closing + off)},),
        side=Side.BANK,
        conditions={"kind": "balance", "currency": currency},
    )


def _after(calendar: str, day: date, count: int) -> date:
    for _ in range(count):
        day = next_business_day(calendar, day)
    return day
