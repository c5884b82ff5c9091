"""The books in the console: trial balance, accounts with their statements, and entries."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_display import amount, digits
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.errors import NotFound
from core.ids import parse_public_id
from ledger import statements
from ledger.admin_explain import Question, accounts_page, days_page, explain_url, key_page, keys_page
from ledger.admin_exports import ACCOUNTS, ENTRIES
from ledger.admin_tables import account_code, entry_table, page_url, sided, statement_row, trial_table
from ledger.chart import CHART
from ledger.models import Account, JournalEntry
from ledger.statements import EntryLine, Place
from merchants.admin_parts import MerchantColumn
from merchants.selectors import get_merchant, list_merchants, merchant_ids, owner_names
from merchants.types import MerchantData

__all__: list[str] = []

_SALT = "ledger.statement"
_OWNERS = ("sel", "buy")
_Part = Callable[[Account, QueryDict], dict[str, Any]]
# Parts of an account by the name in the address that asks for them.
_PARTS: dict[str, tuple[str, _Part, Any]] = {
    "from": ("ledger/days.html", days_page, gettext_lazy("by date")),
    "keys": ("ledger/keys.html", keys_page, gettext_lazy("open keys")),
    "key": ("ledger/key.html", key_page, gettext_lazy("one key")),
}


class MerchantFilter(SimpleListFilter):
    """Rows of one merchant."""

    title = gettext_lazy("merchant")
    parameter_name = "merchant_id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every merchant, by name."""
        return [(str(each.id), f"{each.name} ({each.mode})") for each in list_merchants()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the merchant's rows."""
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(merchant_id=chosen) if _is_uuid(chosen) else queryset.none()


class RoleFilter(SimpleListFilter):
    """Accounts of one role of the chart."""

    title = gettext_lazy("role")
    parameter_name = "role__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every role of the chart, by code."""
        return sorted(((role.name, role.code) for role in CHART.values()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the accounts of the role; by merchant as well, because the index begins with it."""
        return queryset.filter(merchant_id__in=_merchants(), role=self.value()) if self.value() else queryset


@register(Account, site=site)
class AccountAdmin(MerchantColumn, PageAdmin):
    """Accounts, their statements, and the trial balance over all of them."""

    list_display = ("number", "code", "shown_owner", "shown_merchant", "balance")
    list_filter = (MerchantFilter, RoleFilter)
    search_fields = ("id",)
    search_help_text = gettext_lazy("The number of an account, or a whole id such as mer_…, sel_… or buy_…")
    export_columns = ACCOUNTS
    empty_says = gettext_lazy(
        "No account has been opened yet. A merchant's first captured payment opens the accounts it needs."
    )
    page_template = "ledger/statement.html"
    reports = {"trial-balance": "trial_balance", "explain": "explain"}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by number or by the public id of the merchant or of the owner; nothing else has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if _is_number(term):
            return queryset.filter(pk=int(term.lstrip("#"))), False
        if merchant_id := parse_public_id(term, "mer"):
            return queryset.filter(merchant_id=merchant_id), False
        owners = [key for prefix in _OWNERS if (key := parse_public_id(term, prefix))]
        # The index begins with merchant and role; both are few.
        return queryset.filter(merchant_id__in=_merchants(), role__in=list(CHART), owner__in=owners), False

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names and balances of a whole page in one query each."""
        rows = list(rows)
        balances = statements.balances(account_ids=[row.pk for row in rows])
        self.name_merchants(rows)
        owners = owner_names(owner_ids={row.owner for row in rows if row.owner})
        for row in rows:
            row.balance_minor = balances[row.pk]
            row.owner_name = owners.get(row.owner, str(row.owner)) if row.owner else ""

    @display(description=gettext_lazy("Account"))
    def number(self, row: Any) -> str:
        """The account's number, which is the link to its statement."""
        return f"#{row.pk}"

    @display(description=gettext_lazy("Code"))
    def code(self, row: Any) -> str:
        """The account's code in the chart."""
        return format_html('<span class="mono">{}</span>', account_code(row.role, row.provider, row.currency))

    @display(description=gettext_lazy("Owner"))
    def shown_owner(self, row: Any) -> str:
        """The seller or buyer whose money it is."""
        return row.owner_name or "–"

    @display(description=gettext_lazy("Balance"))
    def balance(self, row: Any) -> str:
        """The balance now, and its side."""
        return sided(row.balance_minor, row.currency)

    def page_title(self, row: Any) -> str:
        """Account 12: liab.seller_available:USD."""
        return f"{_('Account')} #{row.pk} · {account_code(row.role, row.provider, row.currency)}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the whole account, or what the address asks of it: some days, its open keys, one key."""
        for name, (template, make, title) in _PARTS.items():
            if name in request.GET:
                return self._part(request, object_id, template, make, title)
        if "at" in request.GET and _read_place(request.GET["at"], object_id) is None:
            messages.warning(request, _("That link does not fit any more. These are the newest lines."))
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, extra_context)

    def _part(
        self, request: HttpRequest, object_id: str, template: str, make: _Part, title: Any
    ) -> HttpResponse:
        self.only_look(request)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(_("There is no such row."))
        shown = {"row": row, "below": title, **_above(row), **make(row, request.GET)}
        return self.show(request, template, f"{self.page_title(row)} · {title}", shown)

    def explain(self, request: HttpRequest) -> HttpResponse:
        """Take a number of the books apart into the accounts that it is the sum of."""
        return self.show(
            request, "ledger/explain.html", _("What this number is made of"), accounts_page(request.GET)
        )

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """One page of the statement, and the links to its neighbours."""
        at = _read_place(request.GET["at"], str(row.pk)) if "at" in request.GET else None
        page = statements.statement(account_id=row.pk, at=at)
        return {
            "normal": CHART[row.role].normal,
            "is_unusual": (row.balance_minor < 0) is (CHART[row.role].normal == "debit")
            and bool(row.balance_minor),
            "balance": sided(row.balance_minor, row.currency),
            "opening": sided(page.opening_minor, row.currency),
            "closing": sided(page.closing_minor, row.currency),
            "debits": digits(page.debit_minor, row.currency),
            "credits": digits(page.credit_minor, row.currency),
            "lines": [statement_row(each) for each in page.lines],
            "older_url": _place_url(page.older, row.pk),
            "newer_url": _place_url(page.newer, row.pk),
            "first_url": _place_url(Place(0, False, 0), row.pk) if page.older else "",
            "entry_list_url": reverse("admin:ledger_journalentry_changelist"),
            **_above(row),
        }

    def trial_balance(self, request: HttpRequest) -> HttpResponse:
        """Every role of a merchant's accounts with its debit and credit balances; the sums agree."""
        merchants, wanted = list_merchants(), request.GET.get("merchant", "")
        chosen = _merchant(wanted) if wanted else next(iter(merchants), None)
        if chosen and chosen not in merchants:
            merchants.append(chosen)
        rows = statements.trial_balance_by_role(merchant_id=chosen.id) if chosen else []
        by_currency = groupby(rows, key=lambda each: each.currency)
        context = {
            "merchants": merchants,
            "chosen": chosen,
            "is_unknown": bool(wanted) and chosen is None,
            "currencies": [trial_table(chosen.id, currency, list(group)) for currency, group in by_currency]
            if chosen
            else [],
        }
        return self.show(request, "ledger/trial_balance.html", _("Trial balance"), context)


@register(JournalEntry, site=site)
class JournalEntryAdmin(MerchantColumn, PageAdmin):
    """Entries, newest first, and each with its lines."""

    list_display = ("number", "recorded_at", "effective_date", "kind", "reference", "shown_merchant", "total")
    list_filter = (MerchantFilter,)
    search_fields = ("id",)
    search_help_text = gettext_lazy("The number of an entry, or the whole reference of a business event")
    export_columns = ENTRIES
    not_listed = ("facts", "digest")
    empty_says = gettext_lazy(
        "Nothing has been posted yet. A captured payment is the first entry of most books."
    )
    page_template = "ledger/entry.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by number or by the reference of the business event."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if _is_number(term):
            return queryset.filter(pk=int(term.lstrip("#"))), False
        return queryset.filter(pk__in=statements.entries_with_reference(reference=term)), False

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names and totals of a whole page in one query each."""
        rows = list(rows)
        totals = statements.entry_totals(line_counts={row.pk: row.line_count for row in rows})
        self.name_merchants(rows)
        for row in rows:
            row.totals = totals[row.pk]

    @display(description=gettext_lazy("Entry"))
    def number(self, row: Any) -> str:
        """The entry's number, which is the link to its page."""
        return f"#{row.pk}"

    @display(description=gettext_lazy("Business event"))
    def reference(self, row: Any) -> str:
        """What the entry was posted for."""
        return format_html('{} <span class="mono">{}</span> · {}', row.source, row.source_ref, row.leg)

    @display(description=gettext_lazy("Total"))
    def total(self, row: Any) -> str:
        """The sum of the debits in each currency."""
        return format_html_join(" ", "{}", ((amount(minor, currency),) for currency, minor in row.totals))

    def page_title(self, row: Any) -> str:
        """Entry 12: capture."""
        return f"{_('Entry')} #{row.pk} · {row.kind}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The lines by currency, and the other entries of the same business event."""
        lines = statements.entry_lines(entry_id=row.pk)
        owners = owner_names(owner_ids={line.owner for line in lines if line.owner})
        others = statements.entries_of_event(
            merchant_id=row.merchant_id, source=row.source, source_ref=row.source_ref
        )
        marked = _marked(request, lines)
        return {
            "marked": marked.line_no if marked else 0,
            "above": _above_line(row, marked) if marked else None,
            "currencies": [
                entry_table(currency, list(group), owners)
                for currency, group in groupby(
                    sorted(lines, key=lambda line: line.currency), key=lambda line: line.currency
                )
            ],
            "corrected_by": next((each[0] for each in others if each[4] == row.pk), None),
            "corrects_url": page_url("journalentry", row.corrects) if row.corrects else "",
            "others": [
                {"id": key, "leg": leg, "kind": kind, "at": at, "corrects": corrects}
                | {"url": page_url("journalentry", key), "is_this": key == row.pk}
                for key, leg, kind, at, corrects in others
            ],
        }


def _above(row: Any) -> dict[str, str]:
    """Return what stands above an account: its role in the trial balance of its merchant."""
    role = Question(
        (row.role,), row.currency, merchant_id=row.merchant_id, provider=row.provider, one_provider=True
    )
    return {
        "code": account_code(row.role, row.provider, row.currency),
        "role_url": explain_url(role),
        "trial_url": f"{reverse('admin:ledger_account_trial-balance')}?merchant={row.merchant_id}",
        "keys_url": "?keys=open" if row.clearing else "",
    }


def _marked(request: HttpRequest, lines: Sequence[EntryLine]) -> EntryLine | None:
    """Return the line from which somebody came down to the entry."""
    wanted = request.GET.get("line", "")
    return next((line for line in lines if str(line.line_no) == wanted), None)


def _above_line(row: Any, line: EntryLine) -> dict[str, Any]:
    """Return what stands above an entry for whoever came from an account."""
    role = Question(
        (line.role,), line.currency, merchant_id=row.merchant_id, provider=line.provider, one_provider=True
    )
    return {
        "trial_url": f"{reverse('admin:ledger_account_trial-balance')}?merchant={row.merchant_id}",
        "role_url": explain_url(role),
        "code": account_code(line.role, line.provider, line.currency),
        "account_url": page_url("account", line.account_id),
        "account_id": line.account_id,
    }


def _place_url(place: Place | None, account_id: int) -> str:
    """Return the link to a page; the balance in it is signed, so that nobody can make up a statement."""
    if place is None:
        return ""
    content = [account_id, place.line_id, int(place.is_older), place.balance_minor]
    return "?" + urlencode({"at": signing.dumps(content, salt=_SALT)})


def _read_place(text: str, account_id: str) -> Place | None:
    """Return the place that a link names; None for anything that is not a link of ours to this account."""
    try:
        owner, line_id, is_older, balance_minor = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    if str(owner) != account_id:
        return None
    return Place(line_id=line_id, is_older=bool(is_older), balance_minor=balance_minor)


def _merchant(wanted: str) -> MerchantData | None:
    """Return the merchant with this key; None for any other text."""
    if not _is_uuid(wanted):
        return None
    try:
        return get_merchant(merchant_id=UUID(wanted))
    except NotFound:
        return None


def _merchants() -> list[UUID]:
    return merchant_ids()


def _is_number(text: str) -> bool:
    return text.isascii() and text.lstrip("#").isdigit() and len(text) < 19


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
