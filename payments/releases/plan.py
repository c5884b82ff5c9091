"""When an order's money may be released: the rules, without a database.

Days are those of the merchant's business zone. A capture of Monday with a delay of two days matures at the
first moment of Wednesday there, whatever the hour of the capture; with no delay, at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.settings_store import Declared, get_settings
from payments.models import OrderShare

__all__ = [
    "PROOFS",
    "SETTINGS",
    "ReleasePolicy",
    "Wait",
    "basis_of",
    "due_time",
    "policy_of",
    "some_days_later",
    "unreleased_minor",
    "waits_for",
]

MOMENTS = ("delay", "fulfillment", "first")
PROOFS = ("captured", "reported", "banked")


def _one_of(values: tuple[str, ...]) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in values:
            raise ValueError(f"it is one of {', '.join(values)}")

    return check


def _check_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("it is the name of a time zone, such as Europe/Berlin") from error


SETTINGS = (
    Declared(
        name="payments.release_on",
        says="What an order's money waits for before its seller may spend it: delay (the days of the"
        " seller's terms, counted from the capture), fulfillment (the store says that it delivered), or"
        " first (whichever comes first). Holds for what is captured from then on. The scope is a mer_…",
        kind=str,
        default="delay",
        check=_one_of(MOMENTS),
    ),
    Declared(
        name="payments.release_proof",
        says="What must be proven before an order's money is released: captured (the provider said so),"
        " reported (a settlement report has it) or banked (a bank statement has it). Holds for what is"
        " captured from then on. The scope is a mer_…",
        kind=str,
        default="captured",
        check=_one_of(PROOFS),
    ),
    Declared(
        name="payments.business_zone",
        says="The time zone in which the days of settlement delays and reserves begin. The scope is a mer_…",
        kind=str,
        default="UTC",
        check=_check_zone,
    ),
)


@dataclass(frozen=True)
class ReleasePolicy:
    """What a merchant's releases wait for, and where its days begin."""

    release_on: str
    proof_needed: str
    zone_name: str

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone itself."""
        return ZoneInfo(self.zone_name)


@dataclass(frozen=True)
class Wait:
    """One thing that is missing: the `delay`, the `fulfillment`, or a proof (`reported`, `banked`).

    `until` is set when its time is known.
    """

    what: str
    until: datetime | None = None


def policy_of(*, scope: str, at: datetime | None = None) -> ReleasePolicy:
    """Return the policy of a merchant (its mer_… id) at a moment, which is now if it is not given."""
    return ReleasePolicy(*get_settings(names=[each.name for each in SETTINGS], scope=scope, at=at).values())


def some_days_later(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the first moment of the day so many days after the one of `moment` in the zone, in UTC.

    Never before the moment itself: no days later is at once.
    """
    day = moment.astimezone(zone).date() + timedelta(days=days)
    begins = datetime.combine(day, time(), tzinfo=zone)
    return max(moment, begins.astimezone(moment.tzinfo))


def unreleased_minor(share: OrderShare) -> int:
    """Return what of the seller's part is still pending, in minor units of the order's currency."""
    return share.seller_net_minor - share.pending_used_minor - share.released_minor


def due_time(share: OrderShare) -> datetime | None:
    """Return from when on the rest may be released; None while something has no time, or nothing is left."""
    if not unreleased_minor(share):
        return None
    moment, proven = _moment(share), _proven_at(share)
    return max(moment, proven) if moment and proven else None


def basis_of(share: OrderShare, at: datetime) -> str:
    """Return why a share that is due at a moment is: its `delay` is over, or it was the `fulfillment`."""
    if share.release_on == "fulfillment":
        return "fulfillment"
    return "delay" if share.release_on == "delay" or share.matures_at <= at else "fulfillment"


def waits_for(share: OrderShare, at: datetime) -> list[Wait]:
    """Return what is missing at a moment before the rest of the share is released; nothing when it is due."""
    waits = []
    moment = _moment(share)
    if moment is None or moment > at:
        may_be_fulfilled = share.release_on != "delay" and share.fulfillment_recorded_at is None
        if share.release_on != "fulfillment":
            waits.append(Wait("delay", share.matures_at))
        if may_be_fulfilled:
            waits.append(Wait("fulfillment"))
    if _proven_at(share) is None:
        waits.append(Wait(share.proof_needed))
    return waits


def _moment(share: OrderShare) -> datetime | None:
    fulfilled = share.fulfillment_recorded_at
    if share.release_on == "delay":
        return share.matures_at
    if share.release_on == "fulfillment":
        return fulfilled
    return min(share.matures_at, fulfilled) if fulfilled else share.matures_at


def _proven_at(share: OrderShare) -> datetime | None:
    times = {"captured": share.captured_at, "reported": share.reported_at, "banked": share.banked_at}
    return times[share.proof_needed]
