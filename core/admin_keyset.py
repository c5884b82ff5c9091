"""Lists that stay fast at ten million rows: no COUNT, no OFFSET; a page begins after a key.

The order is the primary key, newest first (the keys grow with time), so every page is one index range.
"""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

__all__ = ["PLACES", "KeysetChangeList"]

PLACES = OLDER, NEWER = "older_than", "newer_than"


class _Pages:
    """What the list's template asks of a paginator: the links to the two neighbouring pages."""

    template_name = "admin/pagination_keyset.html"
    num_pages = 1

    def __init__(self, *, newer: str | None, older: str | None, per_page: int) -> None:
        self.newer_url, self.older_url, self.per_page = newer, older, per_page

    def get_elided_page_range(self, *args: Any, **kwargs: Any) -> list[int]:
        """There are no page numbers."""
        return []


class KeysetChangeList(ChangeList):  # type: ignore[misc]
    """A change list that reads one page and one row more, to know whether there is another page."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Keep the place in the list out of the filters, and out of the links that change a filter."""
        found: dict[str, Any] = super().get_filters_params(params)
        for name in PLACES:
            found.pop(name, None)
            self.filter_params.pop(name, None)
        return found

    def get_filters(self, request: HttpRequest) -> Any:
        """Remember the filters that no filter of the list took: they are applied as they are."""
        found = super().get_filters(request)
        self.lookups = frozenset(found[2])
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Leave out the columns that a list does not show: bodies would be read and thrown away."""
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found.defer(*self.model_admin.not_listed)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Order by the primary key whatever the query string says: other orders would sort the table."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Read the page that the query string names."""
        rows, has_newer, has_older = self._page(request)
        self.result_list = rows
        # Equal counts: nobody counted, so the page shows no total.
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = has_newer or has_older
        self.paginator = _Pages(
            newer=self.get_query_string({NEWER: rows[0].pk}) if has_newer else None,
            older=self.get_query_string({OLDER: rows[-1].pk}) if has_older else None,
            per_page=self.list_per_page,
        )
        self.export_url = self.model_admin.export_url(request, self)
        self.model_admin.prepare_rows(rows)

    def _page(self, request: HttpRequest) -> tuple[list[Any], bool, bool]:
        size, older, newer = self.list_per_page, request.GET.get(OLDER), request.GET.get(NEWER)
        try:
            if newer:
                rows = list(self.queryset.filter(pk__gt=newer).order_by("pk")[: size + 1])
                return rows[:size][::-1], len(rows) > size, bool(rows)
            page = self.queryset.filter(pk__lt=older) if older else self.queryset
            rows = list(page[: size + 1])
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error
        return rows[:size], bool(older and rows), len(rows) > size
