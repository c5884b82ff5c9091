"""A list as a file: exactly the rows that its filters leave, for those who may take lists out."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import IGNORED_PARAMS
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from core import clock
from core.admin_keyset import PLACES, KeysetChangeList
from core.admin_reason import ReasonForm
from core.audit_trail import record_audit, user_actor
from core.card_data import hide_card_numbers
from core.errors import DomainError
from core.export_columns import Column
from core.export_stream import Export
from core.models import User
from core.sign_in import check_code, device_of
from core.transactions import at_edge

__all__ = ["EXPORT_RIGHT", "ExportsList"]

EXPORT_RIGHT = "core.export_lists"
_LONGEST = 200


class ExportsList:
    """Adds the page that gives the list as a file. A list without `export_columns` gives none."""

    export_columns: tuple[Column, ...] = ()
    # What somebody who reads the file must know of how the list is narrowed.
    export_says: Any = ""
    # Mixed into a ModelAdmin.
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the page before those of rows."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def export_url(self, request: HttpRequest, changes: KeysetChangeList) -> str:
        """Return where the list as it is filtered now is asked for as a file; "" for whoever may not."""
        if not self._may_export(request):
            return ""
        return self._page("export", changes)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask why, then stream the file. GET only asks; a filter that the list does not know is refused."""
        user = request.user
        if not isinstance(user, User) or not self._may_export(request):
            raise PermissionDenied
        changes = self._filtered(request)
        form = ReasonForm(request.POST or None, step_up=device_of(user) is not None)
        if request.method == "POST" and form.is_valid():
            try:
                if "code" in form.fields:
                    check_code(request, form.cleaned_data["code"])
                return self._send(user, request, changes, form.cleaned_data["reason"])
            except DomainError as error:
                form.add_error("code" if "code" in form.fields else None, error.message)
        return self._ask_for_export(request, changes, form)

    def _may_export(self, request: HttpRequest) -> bool:
        may_view: bool = self.has_view_permission(request)  # type: ignore[attr-defined]
        return bool(self.export_columns) and may_view and request.user.has_perm(EXPORT_RIGHT)

    def _page(self, name: str, changes: KeysetChangeList) -> str:
        """Return the address of a page about the list as it is filtered now."""
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"
        query = changes.get_query_string(remove=PLACES)
        return reverse(page, current_app=self.admin_site.name) + (query if query != "?" else "")

    def _filtered(self, request: HttpRequest) -> KeysetChangeList:
        """Return the list as the address filters it.

        The list itself forgives a filter that it does not know and shows everything; a file must not.
        """
        try:
            changes: KeysetChangeList = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters as error:
            raise BadRequest(_("The list has no such filter.")) from error
        if unknown := _unknown_filters(request, changes):
            raise BadRequest(_("The list has no such filter: %(names)s") % {"names": ", ".join(unknown)})
        return changes

    def _send(
        self, user: User, request: HttpRequest, changes: KeysetChangeList, reason: str
    ) -> StreamingHttpResponse:
        actor, subject, filters = user_actor(user), self.opts.label_lower, _filters(request)

        @at_edge
        def begin() -> int:
            detail = {"filters": filters}
            return record_audit(
                actor=actor, action="list.export", subject=subject, reason=reason, detail=detail
            )

        @at_edge
        def end(number: int, rows: int, is_whole: bool) -> None:
            detail = {"rows": rows, "is_whole": is_whole, "export": number}
            record_audit(actor=actor, action="list.exported", subject=subject, detail=detail)

        export = Export(
            changes.queryset,
            self.export_columns,
            prepare=self.prepare_rows,  # type: ignore[attr-defined]
            begin=begin,
            end=end,
        )
        answer = StreamingHttpResponse(export, content_type="text/csv; charset=utf-8")
        name = f"{self.opts.model_name}-{clock.now():%Y-%m-%d-%H%M%S}.csv"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def _ask_for_export(
        self, request: HttpRequest, changes: KeysetChangeList, form: ReasonForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export: %(list)s") % {"list": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "filters": _filters(request),
            "columns": get_text_list([each.name for each in self.export_columns], _("and")),
            "says": self.export_says,
            "is_empty": not changes.result_list,
            "back": self._page("changelist", changes),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/export.html", context)


def _filters(request: HttpRequest) -> dict[str, str]:
    """Return what the list is narrowed to, as the audit trail keeps it: without card numbers."""
    return {
        name[:_LONGEST]: hide_card_numbers(str(value))[:_LONGEST]
        for name, value in request.GET.items()
        if name not in PLACES and value
    }


def _unknown_filters(request: HttpRequest, changes: KeysetChangeList) -> Sequence[str]:
    """Return the parameters of the address that narrow the list by nothing."""
    chosen = {name for name, value in request.GET.items() if value and name not in (*PLACES, *IGNORED_PARAMS)}
    narrowed = set(changes.lookups)
    for spec in changes.filter_specs:
        names = {name for name in spec.expected_parameters() if name}
        if not isinstance(spec, SimpleListFilter) or str(spec.value()) in {
            str(value) for value, _title in spec.lookup_choices
        }:
            narrowed |= names
    return sorted(chosen - narrowed)
