"""What people fill in about API keys. The services check what it means."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core.ids import parse_public_id, public_id
from merchants.scopes import PRESETS, SCOPES
from merchants.selectors import list_merchants

__all__ = ["IssueForm", "RotateForm", "SigningKeyForm", "moment_field"]

_LONGEST_OVERLAP_HOURS = 24 * 90


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


def moment_field(label: Any, help_text: Any) -> forms.DateTimeField:
    """Return a field for a moment in UTC that may stay empty."""
    return forms.DateTimeField(
        label=label,
        help_text=help_text,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )


def _public_key(*, required: bool) -> forms.CharField:
    return forms.CharField(
        label=_("Public key of the store (PEM)"),
        required=required,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text=_("RSA with 2048 bits or more. The private key never leaves the store."),
    )


class SteppedUpForm(forms.Form):
    """Why, and a fresh one-time code."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("It is kept in the audit trail with your name."),
    )
    code = forms.CharField(
        label=_("Code from your authenticator app"),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class IssueForm(SteppedUpForm):
    """A new key."""

    merchant = forms.ChoiceField(label=_("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Which program of the store uses it."),
    )
    preset = forms.ChoiceField(
        label=_("It may"),
        choices=[*((name, name) for name in PRESETS), ("", _("exactly what is ticked below"))],
        initial="read only",
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    ticked = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(scope, scope) for scope in sorted(SCOPES)],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Only with “exactly what is ticked below”."),
    )
    not_before = moment_field(_("Valid from (UTC)"), _("At once, if empty."))
    expires_at = moment_field(_("Expires (UTC)"), _("Never, if empty."))
    public_key = _public_key(required=False)
    must_sign = forms.BooleanField(
        label=_("Refuse requests that are not signed"), required=False, widget=UnfoldBooleanWidget
    )

    field_order = (
        "merchant",
        "name",
        "preset",
        "ticked",
        "not_before",
        "expires_at",
        "public_key",
        "must_sign",
    )

    def clean(self) -> dict[str, Any]:
        """A preset and ticked scopes contradict each other."""
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("preset")) == bool(data.get("ticked")):
            self.add_error("preset", _("Choose a set, or tick scopes: one of both."))
        return data

    @property
    def merchant_id(self) -> Any:
        """The chosen merchant's key."""
        return parse_public_id(self.cleaned_data["merchant"], "mer")

    @property
    def scopes(self) -> Collection[str]:
        """What the key may do."""
        return PRESETS.get(self.cleaned_data["preset"]) or self.cleaned_data["ticked"]


class RotateForm(SteppedUpForm):
    """How long the old key goes on working."""

    hours = forms.IntegerField(
        label=_("Hours for which the old key still works"),
        min_value=0,
        max_value=_LONGEST_OVERLAP_HOURS,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Long enough for the store to put the new one in place. 0 ends it now."),
    )

    field_order = ("hours",)


class SigningKeyForm(SteppedUpForm):
    """One more key to sign with."""

    public_key = _public_key(required=True)
    not_before = moment_field(_("Valid from (UTC)"), _("At once, if empty."))
    expires_at = moment_field(_("Expires (UTC)"), _("Never, if empty."))

    field_order = ("public_key", "not_before", "expires_at")
