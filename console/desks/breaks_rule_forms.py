"""What people fill in about rules. The services check what it means."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from console.acting import reason_field
from console.desks.breaks_words import CATEGORIES, CLASSES, TEMPLATES
from core.ids import parse_public_id, public_id
from merchants.selectors import list_merchants
from reconciliation.types import RuleDraft

__all__ = ["DecisionForm", "RuleForm"]

_NO_ENTRY_OF_A_RULE = ("none", "match", "unmatch", "A2", "B4", "B5", "B6")
_OWNERS = ("finance_maker", "finance_checker", "operator", "risk")


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


def _actions() -> list[tuple[str, str]]:
    named = [
        (name, f"{name} · {says}") for name, says in TEMPLATES.items() if name not in _NO_ENTRY_OF_A_RULE
    ]
    return [("", str(_("no entry"))), *named]


class RuleForm(forms.Form):
    """A version of a rule."""

    merchant = forms.ChoiceField(label=_("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("A name that is there already makes the next version of that rule."),
    )
    break_class = forms.ChoiceField(
        label=_("For breaks of the class"), choices=list(CLASSES.items()), widget=UnfoldAdminSelectWidget
    )
    position = forms.IntegerField(
        label=_("Position"),
        initial=50,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Of a class, the first rule whose conditions hold is taken; low positions come first."),
    )
    conditions = forms.CharField(
        label=_("Conditions (JSON)"),
        max_length=4000,
        initial="{}",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
    )
    category = forms.ChoiceField(
        label=_("Category"), choices=list(CATEGORIES.items()), widget=UnfoldAdminSelectWidget
    )
    action = forms.ChoiceField(
        label=_("Entry"), choices=_actions, required=False, widget=UnfoldAdminSelectWidget
    )
    cap_line_minor = forms.IntegerField(
        label=_("At most for a break, in minor units"), initial=0, widget=UnfoldAdminIntegerFieldWidget
    )
    cap_day_minor = forms.IntegerField(
        label=_("At most for a business day and currency, in minor units"),
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_(
            "Both caps hold where the rule posts by itself (category A); what is over goes to people."
        ),
    )
    sla_hours = forms.IntegerField(
        label=_("Hours until a break must be explained"), initial=48, widget=UnfoldAdminIntegerFieldWidget
    )
    owner_role = forms.ChoiceField(
        label=_("Who deals with it"),
        choices=[(name, name.replace("_", " ")) for name in _OWNERS],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label=_("What it is for"), max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    def clean_conditions(self) -> dict[str, Any]:
        """Read the JSON."""
        try:
            value = json.loads(self.cleaned_data["conditions"])
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %(why)s"), params={"why": error}) from error
        if not isinstance(value, dict):
            raise forms.ValidationError(_("Give an object: {…}."))
        return value

    @property
    def merchant_id(self) -> Any:
        """The chosen merchant's key."""
        return parse_public_id(self.cleaned_data["merchant"], "mer")

    @property
    def draft(self) -> RuleDraft:
        """What was filled in."""
        return RuleDraft(**{name: value for name, value in self.cleaned_data.items() if name != "merchant"})


class DecisionForm(forms.Form):
    """Why, and over which days a version is run."""

    reason = reason_field(rows=2)
    first_day = forms.DateField(label=_("First day"), required=False, widget=UnfoldAdminDateWidget)
    last_day = forms.DateField(label=_("Last day"), required=False, widget=UnfoldAdminDateWidget)
