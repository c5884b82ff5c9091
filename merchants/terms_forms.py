"""What people of finance fill in about a seller's terms. The services check what it means."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.errors import DomainError
from core.money import format_minor, parse_amount
from merchants.admin_forms import moment_field
from merchants.types import TermsData

__all__ = ["DecisionForm", "ProposeForm", "percent"]


def percent(bps: int) -> str:
    """Return basis points as a percentage (250 -> 2.50)."""
    return f"{bps // 100}.{bps % 100:02d}"


class PercentField(forms.DecimalField):
    """A percentage with two decimals, which is cleaned to basis points."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
        super().__init__(min_value=0, max_value=100, max_digits=5, decimal_places=2, widget=widget, **options)

    def clean(self, value: Any) -> int:
        """Return basis points."""
        found: Decimal = super().clean(value)
        return int(found * 100)


class ProposeForm(forms.Form):
    """New terms, from when on, and why."""

    commission_bps = PercentField(label=_("Commission (% of an order)"))
    commission_fixed_minor = forms.CharField(
        label=_("Fixed part of the commission"),
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=_("Of each order in its currency. Empty, if there is none."),
    )
    commission_fixed_currency = forms.CharField(
        label=_("Currency of the fixed part"),
        required=False,
        max_length=3,
        widget=UnfoldAdminTextInputWidget,
    )
    tax_bps = PercentField(label=_("Tax that the commission includes (%)"))
    settlement_delay_days = forms.IntegerField(
        label=_("Days until an order's money is released"),
        min_value=0,
        max_value=365,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reserve_bps = PercentField(label=_("Reserve (% of what is released)"))
    reserve_days = forms.IntegerField(
        label=_("Days for which the reserve is kept"),
        min_value=0,
        max_value=730,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    effective_at = moment_field(
        _("In effect from (UTC)"),
        _("Never a moment in the past. Empty: from the moment at which the second person agrees."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("It is kept in the audit trail with your name."),
    )

    @classmethod
    def of(cls, terms: TermsData) -> dict[str, Any]:
        """Return the values of a form that says what holds already."""
        currency = terms.commission_fixed_currency
        return {
            "commission_bps": percent(terms.commission_bps),
            "commission_fixed_minor": format_minor(terms.commission_fixed_minor, currency)
            if currency
            else "",
            "commission_fixed_currency": currency,
            "tax_bps": percent(terms.tax_bps),
            "settlement_delay_days": terms.settlement_delay_days,
            "reserve_bps": percent(terms.reserve_bps),
            "reserve_days": terms.reserve_days,
        }

    def clean(self) -> dict[str, Any]:
        """Read the fixed part in its currency."""
        data: dict[str, Any] = super().clean() or {}
        currency = str(data.get("commission_fixed_currency", "")).strip().upper()
        text = str(data.get("commission_fixed_minor", "")).strip()
        data["commission_fixed_currency"] = currency
        try:
            data["commission_fixed_minor"] = parse_amount(text, currency) if text else 0
        except DomainError as error:
            self.add_error("commission_fixed_minor", error.message)
        return data

    @property
    def terms(self) -> dict[str, Any]:
        """What was said, as the service takes it."""
        rest = ("effective_at", "reason")
        return {name: value for name, value in self.cleaned_data.items() if name not in rest}


class DecisionForm(forms.Form):
    """Why somebody says no; a yes needs no reason."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Say why, if you say no. It is kept in the audit trail with your name."),
    )
