"""Bank statements in the console: balances, lines, and what two people decide about a held one."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from core import clock
from core.admin_display import amount, name_people, person, state
from core.admin_forms import FormPages
from core.admin_site import site
from core.approvals import at_decision_edge
from core.audit_trail import user_actor
from core.errors import DomainError
from core.models import Approval, StatusChange, User
from core.transactions import at_edge
from merchants.admin_parts import MerchantColumn, MerchantFilter
from reconciliation.admin_exports import STATEMENTS
from reconciliation.admin_filters import PeriodFilter, SourceFilter, StatementStatus
from reconciliation.desk.files import shown_bank_line
from reconciliation.desk.lines import bank_lines
from reconciliation.ingest.release import RELEASE_ACTION
from reconciliation.looks import STATEMENT_LOOKS
from reconciliation.models import BankStatement, SettlementSource
from reconciliation.services import (
    reject_statement_release,
    release_statement,
    request_statement_release,
)

__all__: list[str] = []

_ASK, _DECIDE = "reconciliation.change_bankstatement", "reconciliation.approve_bankstatement"
_WITHOUT_LINES = ("RECEIVED", "STAGING", "REFUSED", "DUPLICATE")
_LONGEST = 120


class ReleaseForm(forms.Form):
    """Why a statement counts all the same, or why not; a yes repeats the reason that was given."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Needed to ask and to reject. It is kept in the audit trail with your name."),
    )


@register(BankStatement, site=site)
class StatementAdmin(MerchantColumn, FormPages):
    """All statements of all accounts, newest first."""

    list_display = (
        "document",
        "shown_status",
        "shown_merchant",
        "account",
        "shown_period",
        "shown_opening",
        "shown_closing",
        "lines_count",
    )
    list_filter = (StatementStatus, SourceFilter, PeriodFilter, MerchantFilter)
    search_fields = ("document__exact", "account__exact")
    search_help_text = gettext_lazy("A whole account, or the bank's whole name of the statement")
    export_columns = STATEMENTS
    empty_says = gettext_lazy("No bank statement has come yet.")
    page_template = "reconciliation/statement.html"

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by a whole account, with or without blanks, or a whole name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > _LONGEST or "\x00" in term:
            return queryset.none(), False
        sources = list(SettlementSource.objects.filter(kind="bank").values_list("pk", flat=True))
        named = Q(document=term) | Q(account=term.replace(" ", "")) | Q(account=term)
        return queryset.filter(named, source_id__in=sources), False

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: BankStatement) -> str:
        """The statement's."""
        return state(row.status, STATEMENT_LOOKS[row.status])

    @display(description=gettext_lazy("Period"))
    def shown_period(self, row: BankStatement) -> str:
        """The days it is about."""
        first, last = row.period_from, row.period_to
        return str(first) if first == last else f"{first} – {last}"

    @display(description=gettext_lazy("Opens with"))
    def shown_opening(self, row: BankStatement) -> str:
        """Reports have no balances."""
        return amount(row.opening_minor, row.currency)

    @display(description=gettext_lazy("Closes with"))
    def shown_closing(self, row: BankStatement) -> str:
        """Reports have no balances."""
        return amount(row.closing_minor, row.currency)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that releases a held statement."""
        view = self.admin_site.admin_view(self.release_view)
        return [
            path("<path:object_id>/release/", view, name="reconciliation_bankstatement_release"),
            *super().get_urls(),
        ]

    def page_title(self, row: Any) -> str:
        """Which statement."""
        return f"{_('Statement')} · {row.document}"

    def page_context(self, request: HttpRequest, row: BankStatement) -> dict[str, Any]:
        """Balances, why it is held, and its lines."""
        file = row.file
        shown: dict[str, Any] = {
            "state": self.shown_status(row),
            "period": self.shown_period(row),
            "opening": self.shown_opening(row),
            "closing": self.shown_closing(row),
            "total": amount(row.total_minor, row.currency),
            "file_url": reverse("admin:reconciliation_settlementfile_change", args=[row.file_id]),
            "history": _history(row),
            "release_url": self._release_url(request, row),
            "has_lines": file.status not in _WITHOUT_LINES,
            "term": request.GET.get("q", "").strip()[:_LONGEST].replace("\x00", ""),
        }
        if shown["has_lines"]:
            term = shown["term"]
            page = bank_lines(file, statement_id=row.pk, after=request.GET.get("after", ""), term=term)
            asked = f"&q={term}" if term else ""
            shown |= {
                "lines": [shown_bank_line(each) for each in page.rows],
                "pages": {
                    "first": "" if page.is_first else f"?{asked}",
                    "next": f"?after={page.after}{asked}" if page.after else "",
                },
            }
        return shown

    def _release_url(self, request: HttpRequest, row: BankStatement) -> str:
        may = request.user.has_perm(_ASK) or request.user.has_perm(_DECIDE)
        if row.status != "HELD" or not may:
            return ""
        return reverse("admin:reconciliation_bankstatement_release", args=[row.pk])

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would count, ask a second person for a yes, and take the yes or the no."""
        waiting = None
        row = self.get_object(request, unquote(object_id))
        if row is not None:
            waiting = _waiting(row)
        self.require(request, _DECIDE if waiting else _ASK)
        if row is None:
            raise Http404
        form = ReleaseForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._decide(request, row, waiting, form):
            return redirect("admin:reconciliation_bankstatement_change", row.pk)
        context = {
            "row": row,
            "form": form,
            "waiting": waiting,
            "asked_by": person(waiting, waiting.maker) if waiting else "",
            "period": self.shown_period(row),
            "opening": self.shown_opening(row),
            "closing": self.shown_closing(row),
            "total": amount(row.total_minor, row.currency),
            "back": reverse("admin:reconciliation_bankstatement_change", args=[row.pk]),
        }
        return self.show(request, "reconciliation/release.html", _("Let a held statement count"), context)

    def _decide(
        self, request: HttpRequest, row: BankStatement, waiting: Approval | None, form: ReleaseForm
    ) -> bool:
        user, what, reason = request.user, request.POST.get("action"), form.cleaned_data["reason"]
        assert isinstance(user, User)
        actor = user_actor(user)
        try:
            if what == "ask" and waiting is None:
                at_edge(request_statement_release)(statement_id=row.pk, reason=reason, maker=actor)
                messages.success(request, _("A second person was asked for a yes."))
            elif what == "approve" and waiting is not None:
                at_decision_edge(release_statement)(approval_id=_named(request), checker=actor)
                messages.success(request, _("The statement counts, as two people decided."))
            elif what == "reject" and waiting is not None:
                at_decision_edge(reject_statement_release)(
                    approval_id=_named(request), checker=actor, reason=reason
                )
                messages.success(request, _("Rejected. The statement stays held."))
            else:
                raise Http404
        except DomainError as error:
            form.add_error("reason" if error.param == "reason" else None, error.message)
            return False
        return True


def _named(request: HttpRequest) -> UUID:
    """Return the very request that the person saw, and not one that has come since."""
    try:
        return UUID(request.POST.get("approval", ""))
    except ValueError:
        raise Http404 from None


def _waiting(row: BankStatement) -> Approval | None:
    found = (
        Approval.objects.filter(
            subject=f"bank_statement:{row.pk}",
            action=RELEASE_ACTION,
            status="PENDING",
            expires_at__gt=clock.now(),
        )
        .order_by("-requested_at")
        .first()
    )
    if found is not None:
        name_people([found], ("maker",))
    return found


def _history(row: BankStatement) -> list[dict[str, Any]]:
    rows = StatusChange.objects.filter(subject_type="reconciliation.bankstatement", subject_id=row.pk)
    found = list(rows.order_by("pk")[:_LONGEST])
    name_people(found, ("actor",))
    return [
        {
            "it": each,
            "state": state(each.to_state, STATEMENT_LOOKS[each.to_state]),
            "by": person(each, each.actor),
        }
        for each in found
    ]
