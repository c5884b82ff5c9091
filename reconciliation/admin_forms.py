"""The forms of sources and files. What they mean is checked by the services."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from channels.selectors import enabled_channels, get_channel
from core.ids import parse_public_id, public_id
from merchants.selectors import list_merchants
from payouts.selectors import CALENDARS
from reconciliation.fetchers.registry import FETCHERS
from reconciliation.formats.registry import FORMATS
from reconciliation.models import SettlementSource
from reconciliation.sources.types import SourceSettings

__all__ = ["LARGEST_UPLOAD", "SourceForm", "UploadForm"]

# Larger ones are brought by the command, or lie in a folder.
LARGEST_UPLOAD = 256 * 1024**2
_DATE = {"type": "date"}


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


def _channels() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("", gettext_lazy("none"))]
    for merchant in list_merchants():
        for each in enabled_channels(merchant_id=merchant.id):
            found.append((str(each.id), f"{each.name} · {each.provider} · {merchant.name}"))
    return found


def _formats() -> list[tuple[str, str]]:
    return sorted((name, f"{each.title} ({each.kind})") for name, each in FORMATS.items())


def _fetchers() -> list[tuple[str, str]]:
    return [(name, each.title) for name, each in FETCHERS.items()]


def _sources() -> list[tuple[str, str]]:
    names = {each.id: each.name for each in list_merchants()}
    rows = SettlementSource.objects.filter(is_enabled=True).order_by("name")
    return [(str(row.pk), f"{row.name} · {names.get(row.merchant_id, '')}") for row in rows]


class SourceForm(forms.Form):
    """What a source is set up with. Whose kind it is, its format says; whose provider, its channel."""

    merchant = forms.ChoiceField(
        label=gettext_lazy("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("a to z, 0 to 9, - and _; a folder has this name too."),
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=_formats, widget=UnfoldAdminSelectWidget)
    encoding = forms.CharField(
        label=gettext_lazy("Encoding"),
        max_length=16,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Empty: the usual one of the format."),
    )
    fetcher = forms.ChoiceField(
        label=gettext_lazy("How files come"), choices=_fetchers, widget=UnfoldAdminSelectWidget
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=_channels, required=False, widget=UnfoldAdminSelectWidget
    )
    provider = forms.CharField(
        label=gettext_lazy("Provider"),
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Whose accounts in the books; with a channel it is the channel's."),
    )
    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("As the files name it; files about another one are refused."),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Files with others are refused; empty takes all."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("In which its days begin and end, such as Europe/Berlin."),
    )
    calendar = forms.ChoiceField(
        label=gettext_lazy("Calendar"),
        choices=[(each, each) for each in CALENDARS],
        widget=UnfoldAdminSelectWidget,
    )
    expected_after = forms.IntegerField(
        label=gettext_lazy("Business days until its file is due"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    expected_by = forms.TimeField(
        label=gettext_lazy("Due at"), widget=UnfoldAdminTextInputWidget(attrs={"type": "time"})
    )
    begins_on = forms.DateField(
        label=gettext_lazy("First day"),
        widget=UnfoldAdminTextInputWidget(attrs=_DATE),
        help_text=gettext_lazy("No file is expected of days before it."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )

    def settings(self) -> SourceSettings:
        """Return what was filled in. The form must be valid."""
        values = self.cleaned_data
        format_ = FORMATS[values["format"]]
        channel = get_channel(channel_id=UUID(values["channel"])) if values["channel"] else None
        return SourceSettings(
            kind=format_.kind,
            provider=channel.provider if channel else values["provider"].strip().lower(),
            channel_id=channel.id if channel else None,
            account=values["account"].strip(),
            currency=values["currency"].strip().upper(),
            format=values["format"],
            encoding=values["encoding"].strip().lower() or format_.encodings[0],
            **{
                name: values[name]
                for name in ("time_zone", "fetcher", "calendar", "expected_after", "expected_by", "begins_on")
            },
        )

    def merchant_id(self) -> UUID:
        """Return whose it is to be."""
        found = parse_public_id(self.cleaned_data["merchant"], "mer")
        assert found is not None, "the choices are ids"
        return found


class UploadForm(forms.Form):
    """A file that a person brings."""

    source = forms.ChoiceField(label=gettext_lazy("Source"), choices=_sources, widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("As the provider wrote it, also packed (gzip, zip). At most 256 MB."),
    )
    asked_from = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=_DATE),
        help_text=gettext_lazy("The first business day it is about, where the file itself does not say."),
    )
    asked_to = forms.DateField(
        label=gettext_lazy("Through"), required=False, widget=UnfoldAdminTextInputWidget(attrs=_DATE)
    )

    def clean(self) -> dict[str, Any]:
        """The days come together, in their order."""
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("asked_from"), values.get("asked_to")
        if (first is None) != (last is None):
            self.add_error("asked_to", gettext_lazy("Say both days or none."))
        elif first and last and last < first:
            self.add_error("asked_to", gettext_lazy("The end comes after the beginning."))
        return values

    def clean_file(self) -> Any:
        """Not more than a page takes."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(gettext_lazy("Files of this size are brought by the command."))
        return file
