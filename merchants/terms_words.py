"""A seller's terms in words, and what differs between two versions of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.admin_display import digits
from merchants.models import SellerTerms
from merchants.terms_forms import percent
from merchants.types import TermsData

__all__ = ["VALUES", "Line", "compared", "from_values", "in_words"]

# What terms consist of, in the order in which it is shown.
VALUES = (
    "commission_bps",
    "commission_fixed_minor",
    "commission_fixed_currency",
    "tax_bps",
    "settlement_delay_days",
    "reserve_bps",
    "reserve_days",
)


@dataclass(frozen=True)
class Line:
    """One of the terms in two versions."""

    name: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Whether the two differ."""
        return self.before != self.after


def in_words(terms: TermsData | SellerTerms) -> dict[str, str]:
    """Return the terms as people read them, by what each is called."""
    fixed, currency = terms.commission_fixed_minor, terms.commission_fixed_currency
    reserve = _("%(percent)s %% for %(days)d days") % {
        "percent": percent(terms.reserve_bps),
        "days": terms.reserve_days,
    }
    return {
        _("Commission"): f"{percent(terms.commission_bps)} %",
        _("Fixed part"): f"{digits(fixed, currency)} {currency}" if currency else _("none"),
        _("Tax inside"): f"{percent(terms.tax_bps)} %",
        _("Released after"): _("%(days)d days") % {"days": terms.settlement_delay_days},
        _("Reserve"): reserve if terms.reserve_bps else _("none"),
    }


def compared(before: TermsData | SellerTerms, after: TermsData | SellerTerms) -> Sequence[Line]:
    """Return each of the terms before and after."""
    second = in_words(after)
    return [Line(name, value, second[name]) for name, value in in_words(before).items()]


def from_values(values: dict[str, Any]) -> TermsData:
    """Return terms that an approval holds, which have no version yet."""
    return TermsData(version=0, **{name: values[name] for name in VALUES})
