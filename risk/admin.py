"""Risk in the console: decisions with their inputs, rules from draft to retirement, lists."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core import clock
from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import amount, person, state, text
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.ids import parse_public_id, public_id
from merchants.selectors import merchant_names
from risk import services
from risk.admin_forms import EXAMPLES, DryRunForm, EntryForm, ListForm, RuleForm
from risk.admin_pages import FormPages
from risk.models import RiskDecision, RiskDryRun, RiskList, RiskListEntry, RiskRule
from risk.selectors import found_words

__all__: list[str] = []

_RULE_LOOKS = {"DRAFT": "neutral", "SHADOW": "progress", "ACTIVE": "done", "RETIRED": "over"}
_DECISION_LOOKS = {"approve": "done", "review": "waiting", "decline": "failed"}
_SHOWN_ENTRIES = 200


def _decision(word: str) -> str:
    return state(word, _DECISION_LOOKS[word]) if word else "–"


class _MerchantColumn:
    """Shows whose a row is."""

    def name_merchants(self, rows: Iterable[Any]) -> None:
        """One query for the whole page."""
        rows = list(rows)
        names = merchant_names(merchant_ids={row.merchant_id for row in rows})
        for row in rows:
            row.merchant_name = names.get(row.merchant_id, public_id("mer", row.merchant_id))

    @display(description=gettext_lazy("Merchant"))
    def shown_merchant(self, row: Any) -> str:
        """The store."""
        return str(row.merchant_name)


def _shadow(*, row: RiskRule, actor: str, reason: str) -> None:
    services.shadow_rule(rule_id=row.pk, by=actor, reason=reason)


def _activate(*, row: RiskRule, actor: str, reason: str) -> None:
    services.activate_rule(rule_id=row.pk, by=actor, reason=reason)


def _retire(*, row: RiskRule, actor: str, reason: str) -> None:
    services.retire_rule(rule_id=row.pk, by=actor, reason=reason)


@register(RiskRule, site=site)
class RiskRuleAdmin(_MerchantColumn, FormPages):
    """Every version of every rule."""

    list_display = ("shown_name", "version", "shown_state", "kind", "effect", "shown_merchant", "made", "by")
    list_filter = ("status", "kind")
    search_fields = ("name__exact",)
    search_help_text = gettext_lazy("The whole name of a rule")
    people = ("created_by",)
    empty_says = gettext_lazy("There is no rule yet: every payment is approved. Draft the first one.")
    page_template = "risk/rule.html"
    actions_list = ("new_rule",)
    service_actions = (
        ServiceAction(
            name="shadow",
            label=gettext_lazy("Watch only"),
            icon="visibility",
            says=gettext_lazy("Its hits are recorded with every payment from now on and have no effect."),
            done=gettext_lazy("The rule is watched and has no effect."),
            permission="risk.change_riskrule",
            run=_shadow,
            applies=lambda row: row.status in ("DRAFT", "ACTIVE"),
        ),
        ServiceAction(
            name="activate",
            label=gettext_lazy("Activate"),
            icon="play_arrow",
            says=gettext_lazy(
                "It decides about every payment from now on. The version in force until now is retired."
            ),
            done=gettext_lazy("The rule is in force."),
            permission="risk.change_riskrule",
            run=_activate,
            applies=lambda row: row.status in ("DRAFT", "SHADOW"),
        ),
        ServiceAction(
            name="retire",
            label=gettext_lazy("Retire"),
            icon="stop",
            says=gettext_lazy("It ends for good. What it decided stays decided."),
            done=gettext_lazy("The rule was retired."),
            permission="risk.change_riskrule",
            run=_retire,
            applies=lambda row: row.status != "RETIRED",
            is_dangerous=True,
        ),
    )

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names of merchants and people, each in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    @display(description=gettext_lazy("Rule"))
    def shown_name(self, row: RiskRule) -> str:
        """The name, which is the link to its page."""
        return row.name

    @display(description=gettext_lazy("State"))
    def shown_state(self, row: RiskRule) -> str:
        """The state with its icon."""
        return state(row.status, _RULE_LOOKS[row.status])

    @display(description=gettext_lazy("A hit means"))
    def effect(self, row: RiskRule) -> str:
        """The decision, the score, or what the list says."""
        if row.decision:
            return _decision(row.decision)
        return _("score %(score)+d") % {"score": row.score} if row.score else _("as its list says")

    @display(description=gettext_lazy("Drafted"))
    def made(self, row: RiskRule) -> Any:
        """When."""
        return row.created_at

    @display(description=gettext_lazy("By"))
    def by(self, row: RiskRule) -> str:
        """The author."""
        return person(row, row.created_by)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages for drafting and for running over history."""
        view = self.admin_site.admin_view
        return [
            path("draft/", view(self.draft_view), name="risk_riskrule_draft"),
            path("<uuid:rule_id>/dry-run/", view(self.dry_run_view), name="risk_riskrule_dry-run"),
            *super().get_urls(),
        ]

    def has_draft_permission(self, request: HttpRequest) -> bool:
        """Names would be looked up in the database, even where there are no tables yet; a method is not."""
        return bool(request.user.has_perm("risk.add_riskrule"))

    @action(description=gettext_lazy("Draft a rule"), icon="add", permissions=["draft"])
    def new_rule(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:risk_riskrule_draft")

    def page_title(self, row: RiskRule) -> str:
        """Name and version."""
        return f"{row.name} · {_('version')} {row.version}"

    def page_context(self, request: HttpRequest, row: RiskRule) -> dict[str, Any]:
        """The rule, its last run over history, its other versions, and what may be done."""
        last = RiskDryRun.objects.filter(rule=row).order_by("-at").first()
        versions = RiskRule.objects.filter(merchant_id=row.merchant_id, name=row.name).order_by("-version")
        may_change = request.user.has_perm("risk.change_riskrule")
        return {
            "state": self.shown_state(row),
            "effect": self.effect(row),
            "author": self.by(row),
            "params": json.dumps(row.params, indent=2, sort_keys=True),
            "run": _report(last),
            "versions": [
                {"it": each, "state": self.shown_state(each), "url": self._url("change", each)}
                for each in versions
            ],
            "buttons": [
                {"action": each, "url": self._url(each.name, row)}
                for each in self.service_actions
                if may_change and each.applies(row)
            ],
            "dry_run_url": reverse("admin:risk_riskrule_dry-run", args=[row.pk]),
            "draft_url": reverse("admin:risk_riskrule_draft") + f"?from={row.pk}",
            "may_run": request.user.has_perm("risk.add_riskdryrun"),
            "may_draft": request.user.has_perm("risk.add_riskrule"),
        }

    def draft_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new rule, or for the next version of one."""
        self.require(request, "risk.add_riskrule")
        form = RuleForm(request.POST or None, initial=_initial(request.GET.get("from", "")))
        sent = self.send(
            request,
            form,
            lambda actor: services.draft_rule(merchant_id=form.merchant_id, draft=form.draft, by=actor),
            done=_("The draft is stored. Run it over history before it can be activated."),
            to=lambda rule_id: reverse("admin:risk_riskrule_dry-run", args=[rule_id]),
        )
        examples = [
            {"name": kind, "says": says, "params": json.dumps(params)}
            for kind, (says, params) in EXAMPLES.items()
        ]
        context = {"form": form, "examples": examples, "back": reverse("admin:risk_riskrule_changelist")}
        return sent or self.show(request, "risk/draft.html", _("Draft a rule"), context)

    def dry_run_view(self, request: HttpRequest, rule_id: UUID) -> HttpResponse:
        """Ask how far back, run, and show what would have changed."""
        self.require(request)
        row = self.get_object(request, str(rule_id))
        if row is None:
            raise Http404
        form = DryRunForm(request.POST or None, initial={"days": 30})
        if request.method == "POST":
            self.require(request, "risk.add_riskdryrun")
        sent = self.send(
            request,
            form,
            lambda actor: services.dry_run(
                rule_id=row.pk, since=clock.now() - timedelta(days=form.cleaned_data["days"]), by=actor
            ),
            done=_("The rule was run over history."),
            to=lambda _report: request.path,
        )
        last = RiskDryRun.objects.filter(rule=row).order_by("-at").first()
        context = {
            "row": row,
            "form": form,
            "run": _report(last),
            "may_run": request.user.has_perm("risk.add_riskdryrun"),
            "rule_url": self._url("change", row),
            "activate_url": self._url("activate", row)
            if row.status in ("DRAFT", "SHADOW") and request.user.has_perm("risk.change_riskrule")
            else "",
        }
        title = _("%(rule)s over history") % {"rule": self.page_title(row)}
        return sent or self.show(request, "risk/dry_run.html", title, context)


def _initial(source: str) -> dict[str, Any]:
    """Fill a draft with another version's content."""
    try:
        row = RiskRule.objects.filter(pk=UUID(source)).first()
    except ValueError:
        row = None
    if row is None:
        return {}
    names = ("name", "kind", "score", "decision", "reason", "on_error")
    return {
        **{name: getattr(row, name) for name in names},
        "params": json.dumps(row.params, indent=2, sort_keys=True),
        "merchant": public_id("mer", row.merchant_id),
    }


def _report(run: RiskDryRun | None) -> dict[str, Any] | None:
    """Return a run over history as its page shows it."""
    if run is None:
        return None
    report = run.report
    changed = sum(report["changed"].values())
    return {
        "at": run.at,
        "since": run.since,
        "examined": run.examined,
        "is_whole": report["is_whole"],
        "changed_total": changed,
        "paid": report["paid"],
        "changed": [
            {
                "before": _decision(change.partition(">")[0]),
                "after": _decision(change.partition(">")[2]),
                "count": n,
            }
            for change, n in report["changed"].items()
        ],
        "value": [amount(minor, currency) for currency, minor in report["value"].items()],
        "samples": [
            {
                "at": sample["at"][:19].replace("T", " "),
                "id": public_id("chk", UUID(sample["subject_id"])),
                "before": _decision(sample["change"].partition(">")[0]),
                "after": _decision(sample["change"].partition(">")[2]),
                "amounts": [amount(minor, currency) for currency, minor in sample["amounts"].items()],
            }
            for sample in report["samples"]
        ],
    }


@register(RiskDecision, site=site)
class RiskDecisionAdmin(_MerchantColumn, PageAdmin):
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
    list_filter = ("decision", "source")
    search_fields = ("subject_id",)
    search_help_text = gettext_lazy("A whole id: chk_…")
    people = ("by",)
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
        return _decision(row.decision)

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
            "decision": _decision(row.decision),
            "subject": public_id("chk", row.subject_id),
            "who": self.who(row),
            "hits": [
                {**hit, "shown": _decision(hit["decision"]), "found": found_words(detail=hit["detail"])}
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


@register(RiskList, site=site)
class RiskListAdmin(_MerchantColumn, FormPages):
    """Lists; each opens on its values."""

    list_display = ("shown_name", "kind", "key_kind", "shown_merchant", "created_at", "by")
    list_filter = ("kind", "key_kind")
    search_fields = ("name__exact",)
    people = ("created_by",)
    empty_says = gettext_lazy("There is no list yet.")
    page_template = "risk/list.html"
    actions_list = ("new_list",)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Names of merchants and people, each in one query."""
        rows = list(rows)
        self.name_merchants(rows)
        super().prepare_rows(rows)

    @display(description=gettext_lazy("List"))
    def shown_name(self, row: RiskList) -> str:
        """The name, which is the link to its page."""
        return row.name

    @display(description=gettext_lazy("By"))
    def by(self, row: RiskList) -> str:
        """Who made it."""
        return person(row, row.created_by)

    def get_urls(self) -> list[URLPattern]:
        """Add the page for a new list, and the one that takes a value."""
        view = self.admin_site.admin_view
        return [
            path("create/", view(self.create_view), name="risk_risklist_create"),
            path("<path:object_id>/add/", view(self.entry_view), name="risk_risklist_entry"),
            *super().get_urls(),
        ]

    def has_create_permission(self, request: HttpRequest) -> bool:
        """See `RiskRuleAdmin.has_draft_permission`."""
        return bool(request.user.has_perm("risk.add_risklist"))

    @action(description=gettext_lazy("New list"), icon="add", permissions=["create"])
    def new_list(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:risk_risklist_create")

    def page_context(self, request: HttpRequest, row: RiskList) -> dict[str, Any]:
        """The values, and whether a rule reads them."""
        entries = RiskListEntry.objects.filter(list=row, removed_at=None).order_by("-added_at")
        rules = RiskRule.objects.filter(
            merchant_id=row.merchant_id, kind="list_hit", status="ACTIVE", params__list=row.name
        )
        shown = list(entries[:_SHOWN_ENTRIES])
        return {
            "entries": [
                {"it": each, "value": masked(row.key_kind, each.value), "url": _entry_url(each)}
                for each in shown
            ],
            "is_cut": len(shown) == _SHOWN_ENTRIES,
            "rules": [
                {"name": str(rule), "url": reverse("admin:risk_riskrule_change", args=[rule.pk])}
                for rule in rules
            ],
            "add_url": reverse("admin:risk_risklist_entry", args=[row.pk]),
            "may_add": request.user.has_perm("risk.add_risklistentry"),
            "may_remove": request.user.has_perm("risk.change_risklistentry"),
        }

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new list."""
        self.require(request, "risk.add_risklist")
        form = ListForm(request.POST or None)

        def work(actor: str) -> UUID:
            data = {name: form.cleaned_data[name] for name in ("name", "kind", "key_kind")}
            return services.create_list(merchant_id=form.merchant_id, by=actor, **data)

        done = _("The list is there. A rule of the kind “list hit” gives it its effect.")
        sent = self.send(request, form, work, done=done, to=self._list_url)
        context = {
            "form": form,
            "back": reverse("admin:risk_risklist_changelist"),
            "label": _("Create the list"),
        }
        return sent or self.show(request, "risk/form.html", _("New list"), context)

    def entry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a value and why it is on the list."""
        self.require(request, "risk.add_risklistentry")
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        form = EntryForm(request.POST or None)

        def work(actor: str) -> UUID:
            data = form.cleaned_data
            services.add_to_list(list_id=row.pk, value=data["value"], by=actor, reason=data["reason"])
            return UUID(str(row.pk))

        sent = self.send(request, form, work, done=_("The value counts from now on."), to=self._list_url)
        back = self._url("change", row)
        title = _("A value for %(list)s") % {"list": row.name}
        context = {"form": form, "back": back, "label": _("Put it on the list")}
        return sent or self.show(request, "risk/form.html", title, context)

    def _list_url(self, list_id: UUID) -> str:
        return reverse("admin:risk_risklist_change", args=[list_id])


def _entry_url(entry: RiskListEntry) -> str:
    return reverse("admin:risk_risklistentry_remove", args=[entry.pk])


def masked(key_kind: str, value: str) -> str:
    """Return as much of a value as tells it from others; what names no person is shown whole."""
    if key_kind in ("country", "card_country", "bin", "seller"):
        return value
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return value if len(value) <= 4 else f"{value[:2]}…{value[-2:]}"


def _remove(*, row: RiskListEntry, actor: str, reason: str) -> None:
    services.remove_from_list(entry_id=row.pk, by=actor, reason=reason)


@register(RiskListEntry, site=site)
class RiskListEntryAdmin(_MerchantColumn, ReadOnlyAdmin):
    """Values of all lists, those that were taken off included."""

    list_display = (
        "shown_value",
        "list",
        "reason",
        "added_at",
        "adder",
        "removed_at",
        "remover",
        "removed_reason",
    )
    list_select_related = ("list",)
    people = ("added_by", "removed_by")
    fields = readonly_fields = (
        "list",
        "shown_value",
        "reason",
        "added_at",
        "adder",
        "removed_at",
        "remover",
        "removed_reason",
    )
    empty_says = gettext_lazy("Nothing was ever put on a list.")
    service_actions = (
        ServiceAction(
            name="remove",
            label=gettext_lazy("Take off the list"),
            icon="playlist_remove",
            says=gettext_lazy("Payments are not compared with this value any more. What was decided stays."),
            done=gettext_lazy("The value was taken off the list."),
            permission="risk.change_risklistentry",
            run=_remove,
            applies=lambda row: row.removed_at is None,
            is_dangerous=True,
        ),
    )

    @display(description=gettext_lazy("Value"))
    def shown_value(self, row: RiskListEntry) -> str:
        """Enough of it to tell it from others."""
        return masked(row.list.key_kind, row.value)

    @display(description=gettext_lazy("Added by"))
    def adder(self, row: RiskListEntry) -> str:
        """Who put it there."""
        return person(row, row.added_by)

    @display(description=gettext_lazy("Removed by"))
    def remover(self, row: RiskListEntry) -> str:
        """Who took it off."""
        return person(row, row.removed_by)
