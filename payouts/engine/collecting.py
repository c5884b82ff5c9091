"""What may leave is put together: one batch for a channel, a currency and a day, one attempt for a payout."""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from channels.selectors import get_channel
from core import clock
from core.failpoints import failpoint
from core.history import SYSTEM, Changes
from core.ids import uuid7
from core.transactions import at_edge, requires_transaction
from payouts.calendar import execute_on_for
from payouts.locks import lock_payouts
from payouts.models import Payout, PayoutAttempt, PayoutBatch
from payouts.providers.contract import provider_for
from payouts.references import attempt_reference, batch_reference
from payouts.schedules.working_days import schedule_of
from payouts.states import ATTEMPT_DEAD

__all__ = ["Group", "collect_group", "groups_to_collect"]

# However many a provider would take: their outcome is posted in one transaction, which holds the wallets of
# their sellers until it commits, and nobody is to wait for one until LOCK_TIMEOUT_MS is over.
MOST = 250


class Group(NamedTuple):
    """What may leave together."""

    merchant_id: UUID
    channel_id: UUID
    currency: str


def groups_to_collect(*, limit: int = 100) -> list[Group]:
    """Return what of payouts has no sending yet and a day that has come somewhere: at most `limit` groups."""
    rows = (
        _ready(clock.today() + timedelta(days=1))
        .values_list("merchant_id", "channel_id", "amount_currency")
        .distinct()
    )
    return [Group(*row) for row in rows.order_by("merchant_id", "channel_id", "amount_currency")[:limit]]


@at_edge
def collect_group(group: Group) -> int:
    """Put one batch of a group together, due at once; return how many payouts are in it.

    None of them when the merchant's bank does not work today any more: they wait for its next business day.
    """
    schedule, now = schedule_of(merchant_id=group.merchant_id), clock.now()
    day = execute_on_for(schedule, now)
    if day > now.astimezone(ZoneInfo(schedule.timezone)).date():
        return 0
    most = min(provider_for(get_channel(channel_id=group.channel_id).provider).max_batch, MOST)
    wanted = _ready(day).filter(
        merchant_id=group.merchant_id, channel_id=group.channel_id, amount_currency=group.currency
    )
    keys = list(wanted.order_by("execute_on", "pk").values_list("pk", flat=True)[:most])
    return _collect(group, keys, day)


@requires_transaction
def _collect(group: Group, keys: list[UUID], day: date) -> int:
    locked = lock_payouts(payout_ids=keys)
    # Looked at again behind the lock: somebody else may have put them together meanwhile.
    still = set(_ready(day).filter(pk__in=keys).values_list("pk", flat=True))
    payouts = [each for each in locked if each.id in still and each.channel_id == group.channel_id]
    if not payouts:
        return 0
    batch = _batch(group, day)
    changes = Changes()
    changes.begin(batch, why=f"{len(payouts)} payouts may leave", by=SYSTEM)
    changes.insert([batch])
    before = PayoutAttempt.objects.filter(payout_id__in=still).values_list("payout_id", flat=True)
    numbers = [*before]
    attempts = [
        _attempt(payout, batch, position, numbers.count(payout.id) + 1)
        for position, payout in enumerate(payouts, 1)
    ]
    for attempt in attempts:
        changes.begin(attempt, why="may leave", by=SYSTEM)
    changes.insert(attempts)
    changes.wake("payout_batches")
    changes.save()
    failpoint("payouts.before_collected")
    return len(payouts)


def _ready(day: date) -> QuerySet[Payout]:
    live = PayoutAttempt.objects.filter(payout_id=OuterRef("pk")).exclude(status__in=ATTEMPT_DEAD)
    return Payout.objects.filter(status="APPROVED", execute_on__lte=day).exclude(Exists(live))


def _batch(group: Group, day: date) -> PayoutBatch:
    key, now = uuid7(), clock.now()
    return PayoutBatch(
        id=key,
        merchant_id=group.merchant_id,
        channel_id=group.channel_id,
        currency=group.currency,
        execute_on=day,
        reference=batch_reference(key),
        due_at=now,
        created_at=now,
        updated_at=now,
    )


def _attempt(payout: Payout, batch: PayoutBatch, position: int, number: int) -> PayoutAttempt:
    now = clock.now()
    assert payout.instruction_digest is not None, "the database refuses APPROVED without it"
    return PayoutAttempt(
        id=uuid7(),
        merchant_id=payout.merchant_id,
        payout=payout,
        batch_id=batch.id,
        position=position,
        reference=attempt_reference(payout.id, number),
        instruction_digest=bytes(payout.instruction_digest),
        created_at=now,
        updated_at=now,
    )
