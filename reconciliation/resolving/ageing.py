"""How old open breaks are and what is at stake in them; and those that nobody dealt with in time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, Min, Sum, Value, When

from core import clock
from core.alerts import end_alert, open_subjects, raise_alert
from core.approvals import ApprovalNotPending
from core.history import Changes
from core.ids import public_id
from core.models import Approval
from core.transactions import at_edge, requires_transaction
from reconciliation.locks import lock_discrepancies, lock_proposals
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.policy import OVERDUE
from reconciliation.resolving.proposing import ACTION
from reconciliation.resolving.types import AgeBucket

__all__ = ["BUCKETS", "ageing", "drop_lapsed_proposals", "watch_overdue"]

# Days since a break was found, up to and including the last of each.
BUCKETS = (("0-1", 1), ("2-3", 3), ("4-7", 7), ("8-30", 30))
_OLDEST = ">30"
_PORTION = 200


def ageing(*, merchant_id: UUID | None, at: datetime | None = None) -> list[AgeBucket]:
    """Return how many breaks are not resolved, by category, age and currency, with their value.

    Without a merchant it is about all of them.
    """
    now = at or clock.now()
    bucket = Case(
        *(When(created_at__gt=now - timedelta(days=last + 1), then=Value(name)) for name, last in BUCKETS),
        default=Value(_OLDEST),
    )
    rows = Discrepancy.objects.exclude(status="RESOLVED").filter(created_at__lte=now)
    rows = rows if merchant_id is None else rows.filter(merchant_id=merchant_id)
    found = (
        rows.annotate(bucket=bucket)
        .values("category", "bucket", "currency")
        .annotate(count=Count("pk"), value=Sum("amount_minor"))
    )
    names = [name for name, _ in BUCKETS] + [_OLDEST]
    buckets = [
        AgeBucket(each["category"], each["bucket"], each["currency"], each["count"], int(each["value"]))
        for each in found
    ]
    return sorted(buckets, key=lambda each: (each.category, names.index(each.bucket), each.currency))


@at_edge
def watch_overdue() -> int:
    """Raise an alert for each merchant, category and currency that has breaks whose time is over.

    One that has none any more ends its alert. Returns how many are overdue.
    """
    overdue = (
        Discrepancy.objects.filter(due_at__lt=clock.now())
        .exclude(status="RESOLVED")
        .values("merchant_id", "category", "currency")
        .annotate(count=Count("pk"), value=Sum("amount_minor"), since=Min("due_at"))
        .order_by("merchant_id", "category", "currency")
    )
    told, count = set(), 0
    for each in overdue:
        subject = f"{public_id('mer', each['merchant_id'])}:{each['category']}:{each['currency']}"
        told.add(subject)
        count += each["count"]
        raise_alert(
            OVERDUE,
            subject=subject,
            summary=f"{each['count']} breaks of category {each['category']} in {each['currency']} are"
            f" overdue, the first since {each['since']:%Y-%m-%d %H:%M}Z",
            value_minor=int(each["value"]),
            currency=each["currency"],
            merchant_id=each["merchant_id"],
        )
    for subject in set(open_subjects(OVERDUE)) - told:
        end_alert(OVERDUE, subject=subject, resolution="none of them is overdue any more")
    return count


def drop_lapsed_proposals() -> int:
    """Give breaks back to their makers where the yes that was asked for can never be given any more.

    An approval expires, or is void because the books changed meanwhile. Returns how many proposals that were.
    """
    waiting = Approval.objects.filter(action=ACTION, status="PENDING").values("instruction__adjustment")
    asked = {each["instruction__adjustment"] for each in waiting}
    rows = Adjustment.objects.filter(status="PROPOSED").order_by("pk").values_list("pk", flat=True)
    lapsed = [key for key in rows[: 10 * _PORTION] if str(key) not in asked]
    return sum(at_edge(_drop)(key) for key in lapsed[:_PORTION])


@requires_transaction
def _drop(adjustment_id: UUID) -> int:
    found = Adjustment.objects.get(pk=adjustment_id)
    [row] = lock_discrepancies(ids=[found.discrepancy_id])
    waiting = [each for each in lock_proposals(discrepancies=[row.id]) if each.id == adjustment_id]
    asked = Approval.objects.filter(subject=row.public_id, action=ACTION, status="PENDING")
    if not waiting or row.status != "PROPOSED" or asked.exists():
        return 0
    changes, why = Changes(), ApprovalNotPending.message
    changes.move(waiting[0], waiting[0].to_rejected, why=why)
    changes.move(row, row.to_assigned, why=why, owner=found.maker)
    changes.save()
    return 1
