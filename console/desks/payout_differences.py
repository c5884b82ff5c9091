"""How a payout differs from what is normal for its seller, in sentences; the alarming ones first."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.admin_display import digits, state
from core.admin_names import alphabets
from payouts.selectors import Habits, PayoutAtDesk, habits_of, name_evidence, twins_of, usual_of
from payouts.types import DestinationData, NameEvidence, Twin, UsualData

__all__ = ["Difference", "differences"]

_ORDER = ("failed", "waiting", "neutral", "done")
_YOUNG = timedelta(days=30)
_MANY = 3
_MATCHES = {"exact": "done", "close": "waiting", "no": "failed", "none": "neutral"}


@dataclass(frozen=True)
class Difference:
    """One sentence; `look` says how much it matters, `mark` is that as a word and an icon."""

    look: str
    says: str

    @property
    def mark(self) -> str:
        """A word and an icon."""
        words = {"failed": _("Look"), "waiting": _("Unusual"), "neutral": _("Note"), "done": _("As usual")}
        return state(words[self.look], self.look)


def differences(payout: PayoutAtDesk, to: DestinationData) -> list[Difference]:
    """Return everything that who says yes should know, what differs most first."""
    whose = {"merchant_id": payout.merchant_id, "destination_id": payout.destination_id}
    usual = usual_of(merchant_id=payout.merchant_id, seller_id=payout.seller_id, currency=payout.currency)
    found = [
        _of_amount(payout, usual),
        _of_destination(habits_of(payout_id=payout.id), usual, payout),
        _of_age(to),
        *of_name(name_evidence(**whose)),
        *of_twins(to, twins_of(**whose)),
        _of_month(habits_of(payout_id=payout.id), payout),
    ]
    return sorted(found, key=lambda each: _ORDER.index(each.look))


def of_name(name: NameEvidence) -> list[Difference]:
    """Return what the holder's name says: whether it is the seller's, and in which letters it is written."""
    says = {
        "exact": _("The holder's name is the seller's."),
        "close": _("The holder's name is close to the seller's, and not the same."),
        "no": _("The holder's name is not the seller's."),
        "none": _("The account has no name of its own: only its provider knows whose it is."),
    }[name.match]
    found = [Difference(_MATCHES[name.match], says)]
    letters = alphabets(name.holder_name)
    if name.mixes_scripts:
        found.append(
            Difference(
                "failed",
                _("The holder's name mixes letters that look alike: %(alphabets)s.")
                % {"alphabets": ", ".join(letters)},
            )
        )
    elif letters not in ([], ["Latin"]) and letters != alphabets(name.seller_name):
        found.append(
            Difference(
                "waiting",
                _("The holder's name is in other letters than the seller's: %(alphabets)s.")
                % {"alphabets": ", ".join(letters)},
            )
        )
    return found


def of_twins(to: DestinationData, twins: list[Twin]) -> list[Difference]:
    """Return whether other sellers have the same account."""
    others = sorted({each.seller_account for each in twins if each.seller_id != to.seller_id})
    if not others:
        return []
    says = ngettext(
        "The same account is another seller's as well: %(sellers)s.",
        "The same account is that of %(number)d other sellers as well: %(sellers)s.",
        len(others),
    )
    return [Difference("failed", says % {"number": len(others), "sellers": ", ".join(others[:5])})]


def _of_amount(payout: PayoutAtDesk, usual: UsualData) -> Difference:
    if not usual.count or usual.median_minor is None or usual.largest_minor is None:
        return Difference("waiting", _("It is the seller's first payout in this currency."))
    known = {
        "median": f"{digits(usual.median_minor, payout.currency)} {payout.currency}",
        "largest": f"{digits(usual.largest_minor, payout.currency)} {payout.currency}",
        "count": usual.count,
    }
    if payout.amount_minor > usual.largest_minor:
        says = _(
            "More than ever before: of %(count)d payouts the largest was %(largest)s; %(median)s is usual."
        )
        return Difference(
            "failed" if payout.amount_minor > _MANY * usual.largest_minor else "waiting", says % known
        )
    if payout.amount_minor > _MANY * usual.median_minor:
        says = _(
            "It is much more than usual: %(median)s is, and the largest of %(count)d payouts was %(largest)s."
        )
        return Difference("waiting", says % known)
    says = _("As usual: of %(count)d payouts %(median)s is in the middle, %(largest)s the largest.")
    return Difference("done", says % known)


def _of_destination(habits: Habits, usual: UsualData, payout: PayoutAtDesk) -> Difference:
    if not habits.to_destination:
        return Difference("waiting", _("Nothing was paid out to this account before."))
    if usual.last_destination_id != payout.destination_id:
        return Difference("waiting", _("The last payout went to another account."))
    says = ngettext(
        "%(number)d payout went to this account before, the last one too.",
        "%(number)d payouts went to this account before, the last one too.",
        habits.to_destination,
    )
    return Difference("done", says % {"number": habits.to_destination})


def _of_age(to: DestinationData) -> Difference:
    age = clock.now() - to.created_at
    if not age.days:
        return Difference("waiting", _("The account was added within the last day."))
    says = ngettext(
        "The account was added %(days)d day ago.", "The account was added %(days)d days ago.", age.days
    )
    return Difference("waiting" if age < _YOUNG else "done", says % {"days": age.days})


def _of_month(habits: Habits, payout: PayoutAtDesk) -> Difference:
    says = ngettext(
        "This month, with this one: %(number)d payout, %(total)s together.",
        "This month, with this one: %(number)d payouts, %(total)s together.",
        habits.month_count,
    )
    total = f"{digits(habits.month_minor, payout.currency)} {payout.currency}"
    return Difference("neutral", says % {"number": habits.month_count, "total": total})
