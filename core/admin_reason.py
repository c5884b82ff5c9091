"""The form that asks why, and for a one-time code where one is needed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

__all__ = ["ReasonForm"]


class ReasonForm(forms.Form):
    """Why somebody does something, and a one-time code where the action asks for one."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text=_("It is kept in the audit trail with your name."),
    )
    code = forms.CharField(
        label=_("Code from your authenticator app"),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, step_up: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not step_up:
            del self.fields["code"]
