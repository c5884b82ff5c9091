"""Console pages that a template lays out: reports, and rows that are more than their columns."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from core import clock
from core.admin_base import ReadOnlyAdmin

__all__ = ["FindsRows", "PageAdmin", "ReportsAdmin"]


class FindsRows:
    """A list that is searched by whole names, each of which has an index."""

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the rows that have this name; none for anything that is no name."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows found, never one of them twice."""
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False


class ReportsAdmin(ReadOnlyAdmin):
    """A list with reports beside it."""

    # name of the report -> name of the method that shows it; the address ends in the name.
    reports: dict[str, str] = {}

    def get_urls(self) -> list[URLPattern]:
        """Add the reports before the pages of rows."""
        pages = [
            path(
                f"{name}/",
                self.admin_site.admin_view(self._report(method)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{name}",
            )
            for name, method in self.reports.items()
        ]
        return pages + super().get_urls()

    def show(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        """Return a page in the frame of the console."""
        request.current_app = self.admin_site.name
        shown = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "seen_at": clock.now(),
            **context,
        }
        return TemplateResponse(request, template, shown)

    def only_look(self, request: HttpRequest) -> None:
        """Refuse whoever may not see the rows, and every method that could change something."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied

    def _report(self, method: str) -> Any:
        def view(request: HttpRequest) -> HttpResponse:
            self.only_look(request)
            answer: HttpResponse = getattr(self, method)(request)
            return answer

        return view


class PageAdmin(ReportsAdmin):
    """A list whose rows open a page of our own instead of Django's form."""

    page_template = ""

    def page_title(self, row: Any) -> str:
        """Return what the page of a row is called."""
        return str(row)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the template of a row's page shows."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page of one row; there is nothing to submit."""
        self.only_look(request)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(_("There is no such row."))
        shown = {"row": row, **self.page_context(request, row)}
        return self.show(request, self.page_template, self.page_title(row), shown)
