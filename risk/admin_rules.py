"""Rules in the console: from draft over a dry run to retirement."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import display, register
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from core import clock
from core.admin_base import ServiceAction
from core.admin_display import amount, person, state
from core.admin_forms import FormPages
from core.admin_site import site
from core.ids import public_id
from merchants.admin_parts import MerchantColumn
from risk import services
from risk.admin_columns import decision_word
from risk.admin_exports import RULES
from risk.admin_forms import EXAMPLES, DryRunForm, RuleForm
from risk.models import RiskDryRun, RiskRule

__all__: list[str] = []

_RULE_LOOKS = {"DRAFT": "neutral", "SHADOW": "progress", "ACTIVE": "done", "RETIRED": "over"}


def _shadow(*, row: RiskRule, actor: str, reason: str) -> None:
    services.shadow_rule(rule_id=row.pk, by=actor, reason=reason)


def _activate(*, row: RiskRule, actor: str, reason: str) -> None:
    services.activate_rule(rule_id=row.pk, by=actor, reason=reason)


def _retire(*, row: RiskRule, actor: str, reason: str) -> None:
    services.retire_rule(rule_id=row.pk, by=actor, reason=reason)


@register(RiskRule, site=site)
class RiskRuleAdmin(MerchantColumn, FormPages):
    """Every version of every rule."""

    list_display = ("shown_name", "version", "shown_state", "kind", "effect", "shown_merchant", "made", "by")
    list_filter = ("status", "kind")
    search_fields = ("name__exact",)
    search_help_text = gettext_lazy("The whole name of a rule")
    people = ("created_by",)
    export_columns = RULES
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
            return decision_word(row.decision)
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
                "before": decision_word(change.partition(">")[0]),
                "after": decision_word(change.partition(">")[2]),
                "count": n,
            }
            for change, n in report["changed"].items()
        ],
        "value": [amount(minor, currency) for currency, minor in report["value"].items()],
        "samples": [
            {
                "at": sample["at"][:19].replace("T", " "),
                "id": public_id("chk", UUID(sample["subject_id"])),
                "before": decision_word(sample["change"].partition(">")[0]),
                "after": decision_word(sample["change"].partition(">")[2]),
                "amounts": [amount(minor, currency) for currency, minor in sample["amounts"].items()],
            }
            for sample in report["samples"]
        ],
    }
