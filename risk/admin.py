"""Risk in the console: decisions with their inputs here; rules and lists in files of their own."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from core.admin_display import amount, person, text
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.ids import parse_public_id, public_id
from merchants.admin_parts import MerchantColumn
from risk import admin_lists, admin_rules
from risk.admin_columns import decision_word
from risk.admin_exports import DECISIONS
from risk.models import RiskDecision
from risk.selectors import found_words

__all__ = ["admin_lists", "admin_rules"]


class _WordFilter(SimpleListFilter):
    """Decisions with one word in one column. What is not usual has an index of its own."""

    words: tuple[tuple[str, Any], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every word there is."""
        return list(self.words)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the decisions with the word."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class DecisionFilter(_WordFilter):
    """What was decided."""

    title = gettext_lazy("decision")
    parameter_name = "decision"
    words = (
        ("approve", gettext_lazy("Approve")),
        ("review", gettext_lazy("Review")),
        ("decline", gettext_lazy("Decline")),
    )


class SourceFilter(_WordFilter):
    """Who or what decided."""

    title = gettext_lazy("source")
    parameter_name = "source"
    words = (
        ("rules", gettext_lazy("Rules, at the door")),
        ("vendor", gettext_lazy("A slow check")),
        ("policy", gettext_lazy("A check that could not be made")),
        ("person", gettext_lazy("A person")),
    )


@register(RiskDecision, site=site)
class RiskDecisionAdmin(MerchantColumn, PageAdmin):
    """Every decision, with what it was made on."""

    list_display = (
        "shown_subject",
        "at",
        "shown_decision",
        "source",
        "score",
        "why",
        "shown_merchant",
        "who",
    )
    list_filter = (DecisionFilter, SourceFilter)
    search_fields = ("subject_id",)
    search_help_text = gettext_lazy("A whole id: chk_…")
    people = ("by",)
    export_columns = DECISIONS
    not_listed = ("inputs", "hits")
    empty_says = gettext_lazy("No payment has been assessed yet.")
    page_template = "risk/decision.html"

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names of merchants and people, each in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the checkout's public id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        key = parse_public_id(term, "chk")
        return (queryset.filter(subject_id=key) if key else queryset.none()), False

    @display(description=gettext_lazy("Checkout"))
    def shown_subject(self, row: RiskDecision) -> str:
        """What it was about."""
        whole = public_id("chk", row.subject_id)
        return format_html('<span class="mono" title="{}">chk_…{}</span>', whole, whole[-6:])

    @display(description=gettext_lazy("Decision"))
    def shown_decision(self, row: RiskDecision) -> str:
        """The decision with its icon."""
        return decision_word(row.decision)

    @display(description=gettext_lazy("Why"))
    def why(self, row: RiskDecision) -> str:
        """The reasons."""
        return text("; ".join(row.reasons)) or "–"

    @display(description=gettext_lazy("By"))
    def who(self, row: RiskDecision) -> str:
        """The person, or the system."""
        return person(row, row.by)

    def page_title(self, row: RiskDecision) -> str:
        """What was decided about what."""
        return f"{public_id('chk', row.subject_id)} · {row.decision}"

    def page_context(self, request: HttpRequest, row: RiskDecision) -> dict[str, Any]:
        """Inputs and hits."""
        return {
            "decision": decision_word(row.decision),
            "subject": public_id("chk", row.subject_id),
            "who": self.who(row),
            "hits": [
                {**hit, "shown": decision_word(hit["decision"]), "found": found_words(detail=hit["detail"])}
                for hit in row.hits
            ],
            "orders": [
                {**order, "amount": amount(order["amount_minor"], order["currency"])}
                for order in row.inputs.get("orders", [])
            ],
            "thresholds": row.inputs.get("thresholds"),
            "countries": row.inputs.get("countries", {}),
            "keys": row.inputs.get("keys", {}),
            "card": row.inputs.get("card", {}),
        }
