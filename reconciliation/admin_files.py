"""Settlement files in the console: what came, what was made of it, and every line of it."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core.admin_base import ServiceAction
from core.admin_display import identifier, person, state
from core.admin_forms import FormPages
from core.admin_names import shown_name
from core.admin_site import site
from core.audit_trail import user_actor
from core.ids import parse_public_id
from core.models import User
from core.transactions import at_edge
from merchants.admin_parts import MerchantColumn, MerchantFilter
from reconciliation.admin_exports import FILES
from reconciliation.admin_filters import FileStatus, PeriodFilter, SourceFilter, TimeFilter
from reconciliation.admin_upload import upload_view
from reconciliation.desk.bodies import body_of, take_out
from reconciliation.desk.files import file_page
from reconciliation.looks import FILE_LOOKS
from reconciliation.models import SettlementFile
from reconciliation.services import read_file_again
from reconciliation.states import FILE_OPEN

__all__: list[str] = []

_UPLOAD = "reconciliation.add_settlementfile"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST = 200


def _read_again(*, row: SettlementFile, actor: str, reason: str) -> None:
    read_file_again(file_id=row.pk, merchant_id=row.merchant_id, by=actor, reason=reason)


@register(SettlementFile, site=site)
class FileAdmin(MerchantColumn, FormPages):
    """All files, newest first."""

    people = ("received_by",)
    list_display = (
        "shown_name",
        "received_at",
        "shown_status",
        "shown_source",
        "shown_merchant",
        "shown_period",
        "shown_version",
        "lines_count",
    )
    list_filter = (SourceFilter, FileStatus, PeriodFilter, TimeFilter, MerchantFilter)
    list_select_related = ("source",)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A whole stl_… id, SHA-256 or name, or a day such as 2026-11-30")
    export_columns = FILES
    empty_says = gettext_lazy("No file has come yet. Files are fetched by themselves, or uploaded.")
    page_template = "reconciliation/file.html"
    actions_list = ("upload_file",)
    service_actions = (
        ServiceAction(
            name="again",
            label=gettext_lazy("Read again"),
            icon="replay",
            says=gettext_lazy(
                "The same bytes are read once more, as its source is set up now. Should they still contradict"
                " themselves, the file is refused again."
            ),
            done=gettext_lazy("It is being read again."),
            permission=_UPLOAD,
            run=_read_again,
            applies=lambda row: row.status == "REFUSED" and row.due_at is None,
        ),
    )

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by a whole id, digest or name, or by a day that it is about."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > _LONGEST or "\x00" in term:
            return queryset.none(), False
        if key := parse_public_id(term, "stl"):
            return queryset.filter(pk=key), False
        if _SHA256.fullmatch(term.lower()):
            return queryset.filter(sha256=bytes.fromhex(term)), False
        return queryset.filter(_about(term)), False

    @display(description=gettext_lazy("File"))
    def shown_name(self, row: SettlementFile) -> str:
        """Its name, which is the link to its page."""
        return shown_name(row.name)

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: SettlementFile) -> str:
        """The file's."""
        return state(row.status, FILE_LOOKS[row.status])

    @display(description=gettext_lazy("Source"))
    def shown_source(self, row: SettlementFile) -> str:
        """By name."""
        return row.source.name

    @display(description=gettext_lazy("Period"))
    def shown_period(self, row: SettlementFile) -> str:
        """The days it is about."""
        if row.days is None:
            return "–"
        first, last = row.days
        return str(first) if first == last else f"{first} – {last}"

    @display(description=gettext_lazy("Version"))
    def shown_version(self, row: SettlementFile) -> str:
        """Of the document that it is about."""
        return "–" if row.version is None else str(row.version)

    def get_urls(self) -> list[URLPattern]:
        """Add the page to bring a file, and the way to take one out."""
        view, upload = self.admin_site.admin_view(self.download_view), self.admin_site.admin_view(upload_view)
        return [
            path("upload/", upload, name="reconciliation_settlementfile_upload"),
            path("<path:object_id>/download/", view, name="reconciliation_settlementfile_download"),
            *super().get_urls(),
        ]

    def has_upload_permission(self, request: HttpRequest) -> bool:
        """A method, because names of permissions would be looked up before there are tables."""
        return bool(request.user.has_perm(_UPLOAD))

    @action(description=gettext_lazy("Upload a file"), icon="upload_file", permissions=["upload"])
    def upload_file(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:reconciliation_settlementfile_upload")

    def page_title(self, row: Any) -> str:
        """Which file."""
        return f"{_('File')} · {row.name}"

    def page_context(self, request: HttpRequest, row: SettlementFile) -> dict[str, Any]:
        """What is known of it, and its lines from the place that the address names."""
        buttons = [
            {"action": each, "url": self._url(each.name, row)}
            for each in self.service_actions
            if each.applies(row) and request.user.has_perm(each.permission)
        ]
        found = file_page(row, after=_asked(request, "after"), term=_asked(request, "q"))
        return {
            **found,
            "buttons": buttons,
            "state": self.shown_status(row),
            "period": self.shown_period(row),
            "digest": identifier(bytes(row.sha256).hex()),
            "by": person(row, row.received_by),
            "shown_name": shown_name(row.name),
            "refresh": 3 if row.status in FILE_OPEN else 0,
            "download_url": reverse("admin:reconciliation_settlementfile_download", args=[row.pk]),
            "source_url": reverse("admin:reconciliation_settlementsource_change", args=[row.source_id]),
        }

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        """Send the body as it was received; who took it out is in the audit trail."""
        user = request.user
        if request.method != "POST" or not self.has_view_permission(request) or not isinstance(user, User):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        file = at_edge(take_out)(merchant_id=row.merchant_id, file_id=UUID(str(row.pk)), by=user_actor(user))
        answer = StreamingHttpResponse(body_of(file), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
        answer.headers["Content-Length"] = str(file.size)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _about(term: str) -> Q:
    by_name = Q(name=term) | Q(document=term)
    if _DAY.fullmatch(term) is None:
        return by_name
    try:
        day = date.fromisoformat(term)
    except ValueError:
        return by_name
    return by_name | Q(period_from__lte=day, period_to__gte=day)


def _asked(request: HttpRequest, name: str) -> str:
    value = request.GET.get(name, "").strip()
    return "" if len(value) > _LONGEST or "\x00" in value else value
