"""Statements in the console: which days, as which file."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core import clock
from core.admin_pages import PageAdmin
from wallet import selectors
from wallet.errors import StatementTooLong
from wallet.statement_files import FORMS, statement_file

__all__ = ["StatementPages"]


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))


class StatementForm(forms.Form):
    """From the first moment of one day to the last of another, in UTC."""

    first = _day(gettext_lazy("From"))
    last = _day(gettext_lazy("Through"))
    form = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=[(each, each.upper()) for each in reversed(FORMS)],
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Days are those of UTC."),
    )

    def clean(self) -> dict[str, Any]:
        """The end comes after the beginning."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("first") and found.get("last") and found["first"] > found["last"]:
            self.add_error("last", _("The end comes after the beginning."))
        return found


class StatementPages(PageAdmin):
    """Adds the statement to the pages of wallets. It only shows, so it is asked for by GET."""

    def get_urls(self) -> list[URLPattern]:
        """Add the page before those of rows."""
        view = self.admin_site.admin_view(self.statement_view)
        return [
            path("<path:object_id>/statement/", view, name="wallet_wallet_statement"),
            *super().get_urls(),
        ]

    def statement_url(self, row: Any) -> str:
        """Return where the statement of a wallet is asked for."""
        return reverse("admin:wallet_wallet_statement", args=[row.pk], current_app=self.admin_site.name)

    def statement_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the days, then send the file."""
        self.only_look(request)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        first = clock.today().replace(day=1)
        form = StatementForm(request.GET or None, initial={"first": first, "last": clock.today()})
        if request.GET and form.is_valid():
            try:
                return _download(row, form.cleaned_data)
            except StatementTooLong as error:
                form.add_error("last", error.message)
        context = {
            "form": form,
            "back": reverse("admin:wallet_wallet_change", args=[row.pk]),
            "label": _("Download"),
        }
        title = _("Statement · %(wallet)s") % {"wallet": self.page_title(row)}
        return self.show(request, "admin/form_get.html", title, context)


def _download(row: Any, wanted: dict[str, Any]) -> HttpResponse:
    since, last = (datetime.combine(wanted[name], time(), tzinfo=UTC) for name in ("first", "last"))
    found = selectors.statement(
        merchant_id=row.merchant_id, wallet_id=row.pk, since=since, until=last + timedelta(days=1)
    )
    file = statement_file(found, form=wanted["form"])
    answer = HttpResponse(file.content, content_type=file.kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer
