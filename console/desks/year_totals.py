"""The year of every seller as a file, for whoever reports it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from console.frame import actor, require, show
from console.year_totals import year_of, year_totals_csv
from core import clock
from core.audit_trail import record_audit
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from merchants.selectors import list_merchants

__all__ = ["desk"]


def _merchants() -> list[tuple[str, str]]:
    return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]


class YearForm(forms.Form):
    """Whose year, and why it is taken out."""

    merchant = forms.ChoiceField(
        label=gettext_lazy("Merchant"), choices=_merchants, widget=UnfoldAdminSelectWidget
    )
    year = forms.IntegerField(
        label=gettext_lazy("Year"),
        min_value=2000,
        max_value=2999,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("A calendar year in the merchant's business zone."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "The file has the names of all sellers. It is kept in the audit trail with your name."
        ),
    )


def desk(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Ask whose year, then stream the file: one line for each seller, currency and quarter."""
    require(request, "wallet.view_wallet")
    form = YearForm(request.POST or None, initial={"year": clock.today().year})
    if request.method == "POST" and form.is_valid():
        return _download(request, form.cleaned_data)
    context = {"form": form, "back": reverse("admin:index"), "label": _("Download")}
    return show(request, "admin/form.html", _("Year totals of sellers"), context)


def _download(request: HttpRequest, wanted: dict[str, Any]) -> StreamingHttpResponse:
    merchant_id = parse_public_id(wanted["merchant"], "mer")
    assert merchant_id is not None, "the form takes none but merchants"
    year = year_of(merchant_id=merchant_id, year=wanted["year"])
    at_edge(record_audit)(
        actor=actor(request),
        action="year_totals.export",
        subject=wanted["merchant"],
        reason=wanted["reason"],
        detail={"year": year.year},
        merchant_id=merchant_id,
    )
    answer = StreamingHttpResponse(year_totals_csv(year), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="sellers-{year.year}.csv"'
    return answer
