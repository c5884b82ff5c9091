"""How a payout differs from what is normal for its seller, in sentences; the alarming ones first."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.admin_display import amount, digits, state
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
    usual = usual_of(
        merchant_id=payout.merchant_id, seller_id=payout.seller_id, currency=payout.currency
    )
    found = [
        _of_amount(payout, usual),
        _of_destination(habits_of(payout_id=payout.id), usual, payout),
        _of_age(to),
        *of_name(name_evidence(**whose)),
        *of_twins(to, twins_of(**whose)),
        _of_month(habits_of(payout_id=payout.id), payout),
    ]
    return sorted(found, key=lambda each: _ORDER.index(each.look))
