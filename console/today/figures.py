"""The eight figures of the first page: what each says now, how it was, and what it is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.numbers import number_url
from console.today.measures import (
    AUDITS,
    BREAKS,
    COMING,
    IN_ROLES,
    LEAVING,
    MONEY,
    OUT_ROLES,
    PAYMENTS,
    PAYOUTS,
    UNKNOWN,
)
from console.today.trends import DAY, change, share, trend_words
from core import clock
from core.admin_display import digits
from core.figures import Data, Reading

__all__ = ["RIGHTS", "Figure", "Part", "Read", "figures"]

_SHOWN = 3
_OLD_AUDIT = timedelta(minutes=30)
# Which right a figure needs: that of the page it leads to.
RIGHTS = {
    MONEY: "ledger.view_account",
    PAYMENTS: "payments.view_charge",
    UNKNOWN: "payments.view_pspoperation",
    BREAKS: "reconciliation.view_discrepancy",
    PAYOUTS: "payouts.view_payout",
    AUDITS: "core.view_auditrun",
}
# From the youngest to the oldest.
BUCKETS = ("0-1", "2-3", "4-7", "8-30", ">30")


@dataclass(frozen=True)
class Part:
    """One line of a figure: what is big, what is said beside it, how it was, and where it leads."""

    value: str
    url: str
    note: str = ""
    trend: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure; `look` colours it, `icon` and `word` say the same without colour, where there is a state."""

    name: str
    title: str
    says: str
    parts: Sequence[Part]
    trend: str = ""
    look: str = "neutral"
    more: int = 0
    more_url: str = ""


@dataclass(frozen=True)
class Read:
    """All that the page was read from: measures by name, what they were, and the hours of payments."""

    now: Mapping[str, Reading]
    past: dict[tuple[str, timedelta], Reading]
    hours: Mapping[datetime, Data]


def figures(read: Read) -> list[Figure]:
    """Return the figures of those measures that were read, in the order of the page."""
    makers: list[tuple[str, Callable[[Read], Figure]]] = [
        (MONEY, _money_in),
        (MONEY, _money_out),
        (MONEY, _in_transit),
        (PAYMENTS, _approval),
        (UNKNOWN, _unknown),
        (BREAKS, _breaks),
        (PAYOUTS, _payouts),
        (AUDITS, _audits),
    ]
    return [make(read) for name, make in makers if name in read.now or (name == PAYMENTS and read.hours)]


def _money_in(read: Read) -> Figure:
    says = _("Captured from buyers today, whatever became of it since.")
    return _moved(read, "in", _("Money in"), says, 0, IN_ROLES, "debit")


def _money_out(read: Read) -> Figure:
    says = _("Sent to sellers and given back to buyers today.")
    return _moved(read, "out", _("Money out"), says, 1, OUT_ROLES, "credit")


def _moved(
    read: Read, name: str, title: str, says: str, place: int, roles: Sequence[str], side: str
) -> Figure:
    data = read.now[MONEY].data
    today, past = _of_day(data, place), read.past.get((MONEY, DAY))
    yesterday = _of_day(past.data, place) if past else {}
    parts = [
        Part(
            value=f"{digits(minor, currency)} {currency}",
            url=_money_link(data, roles, currency, side),
            trend=_than(minor, yesterday.get(currency, 0), currency) if past else "",
        )
        for currency, minor in sorted(today.items(), key=lambda each: (not each[1], each[0]))
    ]
    trend = "" if past else _("nothing to compare with yet")
    return _cut(Figure(name, title, says, parts, trend), _trial_url())


def _than(now_minor: int, then_minor: int, currency: str) -> str:
    by = change(now_minor, then_minor)
    return (
        f"{by} · " * bool(by) + _("yesterday at this time: %s") % f"{digits(then_minor, currency)} {currency}"
    )


def _of_day(data: Data, place: int) -> dict[str, int]:
    """Return what a reading of money says of its own day, by currency."""
    return {row[0]: row[2 + place] for row in data["days"] if row[1] == data["day"]}


def _in_transit(read: Read) -> Figure:
    data, past = read.now[MONEY].data, read.past.get((MONEY, DAY))
    before = {row[0]: row[1:] for row in past.data["transit"]} if past else {}
    parts = []
    for currency, coming, leaving in data["transit"]:
        for place, (minor, roles, word) in enumerate(
            ((coming, COMING, _("on its way to us")), (leaving, LEAVING, _("on its way out")))
        ):
            if not minor:
                continue
            then = before.get(currency, (0, 0))[place]
            url = _money_link(data, roles, currency, "balance")
            value = f"{digits(minor, currency)} {currency}"
            parts.append(Part(value, url, word, _than(minor, then, currency) if past else ""))
    says = _("Between us and a bank: captured and not at our bank yet, sent and not arrived yet.")
    trend = "" if past else _("nothing to compare with yet")
    return _cut(Figure("transit", _("In transit"), says, parts, trend), _trial_url())


def _money_link(data: Data, roles: Sequence[str], currency: str, side: str) -> str:
    return number_url(
        mode=data["mode"], roles=roles, currency=currency, side=side, place=data["place"], day=data["day"]
    )


def _approval(read: Read) -> Figure:
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = _ends(read, midnight, now)
    yesterday, week = _ends(read, midnight - DAY, now - DAY), _ends(read, midnight - 7 * DAY, midnight)
    decided = today["accepted"] + today["declined"]
    url = reverse("admin:payments_paymentevent_changelist") + "?since=24"
    said = [
        words % share(ends["accepted"], ends["accepted"] + ends["declined"])
        for words, ends in ((_("yesterday by this hour: %s"), yesterday), (_("the 7 days before: %s"), week))
        if ends["accepted"] + ends["declined"]
    ]
    note = _(
        "declined %(share)s · %(accepted)d accepted, %(declined)d declined, %(open)d not decided yet"
    ) % {
        "share": share(today["declined"], decided),
        "accepted": today["accepted"],
        "declined": today["declined"],
        "open": today["open"] + today["unknown"],
    }
    return Figure(
        "approval",
        _("Accepted by providers"),
        _("Of the payments begun today that were decided."),
        [Part(share(today["accepted"], decided), url, note)],
        " · ".join(said) or _("nothing to compare with yet"),
    )


def _ends(read: Read, first: datetime, until: datetime) -> dict[str, int]:
    found = dict.fromkeys(("accepted", "declined", "given_up", "unknown", "open"), 0)
    for hour, ends in read.hours.items():
        if first <= hour < until:
            for end, number in ends.items():
                found[end] += number
    return found


def _unknown(read: Read) -> Figure:
    values = read.now[UNKNOWN].data["values"]
    number = sum(count for _currency, count, _minor in values)
    note = ngettext("%(values)s at risk in it", "%(values)s at risk in them", number) % {
        "values": _sums((currency, minor) for currency, _count, minor in values)
    }
    return Figure(
        "unknown",
        _("Unknown outcomes"),
        _("Payments that are stuck: the provider is asked; never charge again meanwhile."),
        [Part(str(number), reverse("console:unknown"), note if number else _("Every outcome is known."))],
        trend_words(UNKNOWN, read.past, lambda data: _counted(data["values"])),
        "waiting" if number else "done",
    )


def _payouts(read: Read) -> Figure:
    values = read.now[PAYOUTS].data["values"]
    number = sum(count for _currency, count, _minor in values)
    worth = _sums((currency, minor) for currency, _count, minor in values)
    none = _("No payout waits for a second person.")
    return Figure(
        "payouts",
        _("Payouts to approve"),
        _("Each leaves the bank only after a second person's yes."),
        [Part(str(number), reverse("console:payouts"), worth if number else none)],
        trend_words(PAYOUTS, read.past, lambda data: _counted(data["values"])),
        "waiting" if number else "done",
    )


def _breaks(read: Read) -> Figure:
    rows = read.now[BREAKS].data["rows"]
    number = sum(row[3] for row in rows)
    values: dict[str, int] = {}
    for _category, _bucket, currency, _count, minor in rows:
        values[currency] = values.get(currency, 0) + minor
    oldest = max((row[1] for row in rows), key=BUCKETS.index, default="")
    note = _("%(values)s at stake; the oldest is %(days)s days old") % {
        "values": _sums(sorted(values.items())),
        "days": oldest,
    }
    queue = "finance" if any(row[0] in "AB" for row in rows) or not rows else "investigation"
    return Figure(
        "breaks",
        _("Open breaks"),
        _("Where books, providers and bank differ and nobody has explained it yet."),
        [
            Part(
                str(number),
                f"{reverse('console:breaks')}?queue={queue}",
                note if number else _("Nothing is unexplained."),
            )
        ],
        trend_words(BREAKS, read.past, lambda data: str(sum(row[3] for row in data["rows"]))),
        "done" if not number else "failed" if oldest == BUCKETS[-1] else "waiting",
    )


def _audits(read: Read) -> Figure:
    data = read.now[AUDITS].data
    url = reverse("admin:core_auditrun_latest")
    title, says = _("Invariant checks"), _("Whether the books, the wallets and all states still add up.")
    if not data["at"]:
        return Figure("audits", title, says, [Part("–", url, _("They have not run yet."))])
    at = datetime.fromisoformat(data["at"])
    minutes = int((clock.now() - at).total_seconds() // 60)
    note = _("last run %(moment)s UTC, %(minutes)d min ago") % {
        "moment": f"{at:%Y-%m-%d %H:%M}",
        "minutes": max(0, minutes),
    }
    look = (
        "failed"
        if not data["is_clean"]
        else "waiting"
        if minutes * 60 > _OLD_AUDIT.total_seconds()
        else "done"
    )
    return Figure(
        "audits",
        title,
        says,
        [Part(_("Clean") if data["is_clean"] else _("Broken"), url, note)],
        trend_words(AUDITS, read.past, _verdict),
        look,
    )


def _verdict(data: Data) -> str | None:
    if not data["at"]:
        return None
    return _("clean") if data["is_clean"] else _("%d broken") % data["broken"]


def _counted(values: Sequence[Sequence[Any]]) -> str:
    return str(sum(each[1] for each in values))


def _sums(values: Any) -> str:
    return ", ".join(f"{digits(minor, currency)} {currency}" for currency, minor in values)


def _cut(figure: Figure, more_url: str) -> Figure:
    """Show the first currencies; the trial balance has them all."""
    if not figure.parts:
        parts: Sequence[Part] = [Part("–", more_url, _("nothing so far"))]
        return Figure(figure.name, figure.title, figure.says, parts, figure.trend)
    more = len(figure.parts) - _SHOWN
    if more <= 0:
        return figure
    return Figure(
        figure.name,
        figure.title,
        figure.says,
        figure.parts[:_SHOWN],
        figure.trend,
        figure.look,
        more,
        more_url,
    )


def _trial_url() -> str:
    return reverse("admin:ledger_account_trial-balance")
