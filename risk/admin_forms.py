"""What people fill in about rules and lists. The services check what it means."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.ids import parse_public_id, public_id
from merchants.selectors import list_merchants
from risk.kinds import KINDS, LIST_KEYS
from risk.types import RuleDraft

__all__ = ["EXAMPLES", "DryRunForm", "EntryForm", "ListForm", "RuleForm"]

_LONGEST_PARAMS = 4000
EXAMPLES: dict[str, tuple[Any, dict[str, Any]]] = {
    "amount_over": (
        _("The payment asks for more than a limit, in minor units of each currency."),
        {"limits": {"USD": 100000}},
    ),
    "velocity": (
        _("Too many payments, declines or cards, or too much money, of one buyer, device, card …"),
        {"key": "device", "measure": "declines", "window_seconds": 3600, "over": 3},
    ),
    "country_mismatch": (
        _("Two of the countries that are known differ."),
        {"between": ["billing", "shipping", "card"]},
    ),
    "card_checks": (
        _("Earlier charges had these results of the address or security code check."),
        {"by": "buyer", "cvc": ["fail"], "window_seconds": 604800, "at_least": 1},
    ),
    "list_hit": (
        _("Something of the payment is on a list. Without decision and score the list's kind decides."),
        {"list": "blocked-devices"},
    ),
    "new_seller": (_("A seller has been here for a short time only."), {"days": 14}),
    "buyer_is_seller": (
        _("The buyer is the seller, or shares a mailbox, device or card with one."),
        {"window_seconds": 7776000},
    ),
}


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


class MerchantForm(forms.Form):
    """Whose it is."""

    merchant = forms.ChoiceField(label=_("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget)

    @property
    def merchant_id(self) -> Any:
        """The chosen merchant's key."""
        return parse_public_id(self.cleaned_data["merchant"], "mer")


class RuleForm(MerchantForm):
    """A draft."""

    name = forms.CharField(label=_("Name"), max_length=64, widget=UnfoldAdminTextInputWidget)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(kind, kind.replace("_", " ")) for kind in KINDS],
        widget=UnfoldAdminSelectWidget,
    )
    params = forms.CharField(
        label=_("Parameters (JSON)"),
        max_length=_LONGEST_PARAMS,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
    )
    decision = forms.ChoiceField(
        label=_("A hit means"),
        required=False,
        choices=[
            ("", _("only the score counts")),
            ("review", _("a person looks")),
            ("decline", _("decline")),
            ("approve", _("approve, whatever the score")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    score = forms.IntegerField(label=_("Score"), initial=0, widget=UnfoldAdminIntegerFieldWidget)
    reason = forms.CharField(
        label=_("What a hit says"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Reviewers read it. Stores and buyers never do."),
    )
    on_error = forms.ChoiceField(
        label=_("If the rule breaks"),
        choices=[
            ("ignore", _("go on without it")),
            ("review", _("a person looks")),
            ("decline", _("decline")),
        ],
        initial="review",
        widget=UnfoldAdminSelectWidget,
    )

    def clean_params(self) -> dict[str, Any]:
        """Read the JSON."""
        try:
            value = json.loads(self.cleaned_data["params"])
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %(why)s"), params={"why": error}) from error
        if not isinstance(value, dict):
            raise forms.ValidationError(_("Give an object: {…}."))
        return value

    @property
    def draft(self) -> RuleDraft:
        """What was filled in."""
        data = self.cleaned_data
        names = ("name", "kind", "params", "score", "decision", "reason", "on_error")
        return RuleDraft(**{name: data[name] for name in names})


class DryRunForm(forms.Form):
    """How far back."""

    days = forms.IntegerField(
        label=_("Days of history"),
        min_value=1,
        max_value=400,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class ListForm(MerchantForm):
    """A new list."""

    name = forms.CharField(label=_("Name"), max_length=64, widget=UnfoldAdminTextInputWidget)
    kind = forms.ChoiceField(
        label=_("What is on it is"),
        choices=[("block", _("blocked")), ("review", _("looked at")), ("allow", _("let through"))],
        widget=UnfoldAdminSelectWidget,
    )
    key_kind = forms.ChoiceField(
        label=_("Its values are"),
        choices=[(kind, kind.replace("_", " ")) for kind in LIST_KEYS],
        widget=UnfoldAdminSelectWidget,
    )


class EntryForm(forms.Form):
    """A value for a list."""

    value = forms.CharField(label=_("Value"), max_length=254, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget)
