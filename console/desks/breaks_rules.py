"""Rules about breaks: what each does, drafts, what a draft would have done, and the two who decide."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import act, decide
from console.desks.breaks_queue import owner_names
from console.desks.breaks_rule_forms import DecisionForm, RuleForm
from console.desks.breaks_words import CATEGORIES, class_name, template_name
from console.frame import actor, require, show
from core import clock
from core.admin_display import amount, state
from core.approvals import at_decision_edge
from core.errors import DomainError, NotFound
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.transactions import at_edge
from merchants.selectors import list_merchants, merchant_names
from reconciliation.selectors import ADJUSTMENT_TEMPLATES, RULE_CONDITIONS, rule_at_desk, rules_at_desk
from reconciliation.services import (
    approve_rule_change,
    draft_break_rule,
    reject_rule_change,
    request_activation,
    request_retirement,
    run_rule_over_history,
)
from reconciliation.types import RuleAtDesk, RuleData

__all__ = ["new", "rule", "rules"]

_SEE, _CHANGE, _DECIDE = (
    "reconciliation.view_breakrule",
    "reconciliation.change_breakrule",
    "reconciliation.approve_breakrule",
)
_LOOKS = {"DRAFT": "progress", "ACTIVE": "done", "RETIRED": "over"}
_NEEDS = {
    "dry_run": _CHANGE,
    "activate": _CHANGE,
    "retire": _CHANGE,
    "approve": _DECIDE,
    "reject": _DECIDE,
}
_DONE = {
    "dry_run": gettext_lazy("It was run over history. Nothing was changed by that."),
    "activate": gettext_lazy("A second person was asked for a yes. Until then the rules are as they are."),
    "retire": gettext_lazy("A second person was asked for a yes. Until then the rules are as they are."),
    "approve": gettext_lazy("Done. Files that are matched from now on are dealt with like that."),
    "reject": gettext_lazy("Rejected. The rules are as they were."),
}
_HISTORY = timedelta(days=30)


def rules(request: HttpRequest) -> HttpResponse:
    """List the rules of a merchant in the order in which they are asked, with what waits for somebody."""
    require(request, _SEE)
    merchants = list_merchants()
    wanted = request.GET.get("merchant", "")
    merchant_id = parse_public_id(wanted, "mer") if wanted else (merchants[0].id if merchants else None)
    if wanted and merchant_id is None:
        raise Http404
    found = rules_at_desk(merchant_id=merchant_id) if merchant_id else []
    context = {
        "merchants": [
            {
                "url": f"?merchant={public_id('mer', each.id)}",
                "name": f"{each.name} ({each.mode})",
                "is_chosen": each.id == merchant_id,
            }
            for each in merchants
        ],
        "lines": [_line(each) for each in found],
        "new_url": _new_url(merchant_id) if request.user.has_perm(_CHANGE) and merchant_id else "",
    }
    return show(request, "console/break_rules.html", _("Rules about breaks"), context)


def new(request: HttpRequest) -> HttpResponse:
    """Draft a rule, or the next version of one; nothing of a draft is in force."""
    require(request, _CHANGE)
    form = RuleForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            key = at_edge(draft_break_rule)(merchant_id=form.merchant_id, draft=form.draft, by=actor(request))
            return redirect("console:break-rule", key)
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.message)
    context = {
        "form": form,
        "conditions": [{"name": name, "says": each.says} for name, each in RULE_CONDITIONS.items()],
        "templates": [(name, template_name(name)) for name in ADJUSTMENT_TEMPLATES],
        "back": reverse("console:break-rules"),
    }
    status = 422 if form.errors else 200
    return show(request, "console/break_rule_new.html", _("Draft a rule"), context, status=status)


def rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Show one version; a POST runs it over history, asks to put it in force or out, or decides that."""
    require(request, _SEE)
    try:
        found = rule_at_desk(rule_id=rule_id)
    except NotFound as error:
        raise Http404 from error
    today = clock.today()
    form = DecisionForm(request.POST or None, initial={"first_day": today - _HISTORY, "last_day": today})
    if request.method == "POST":
        answer = act(
            request,
            form,
            needs=_NEEDS,
            done=_DONE,
            run=lambda what, said: _run(request, what, found, said),
            back=reverse("console:break-rule", args=[rule_id]),
        )
        if answer is not None:
            return answer
    context = {
        "form": form,
        "may": {name: request.user.has_perm(needed) for name, needed in _NEEDS.items()},
        **_shown(request, found),
    }
    status = 422 if form.errors else 200
    title = f"{found.rule.draft.name} · {_('version')} {found.rule.version}"
    return show(request, "console/break_rule.html", title, context, status=status)


def _run(request: HttpRequest, what: str, found: RuleAtDesk, said: dict[str, Any]) -> str:
    by, key, reason = actor(request), found.rule.id, said["reason"]
    if what == "dry_run":
        today = clock.today()
        first: date = said["first_day"] or today - _HISTORY
        at_edge(run_rule_over_history)(
            rule_id=key, first_day=first, last_day=said["last_day"] or today, by=by
        )
    elif what == "activate":
        at_edge(request_activation)(rule_id=key, reason=reason, maker=by)
    elif what == "retire":
        at_edge(request_retirement)(rule_id=key, reason=reason, maker=by)
    else:
        return _decide(request, what, found, reason)
    return what


def _decide(request: HttpRequest, what: str, found: RuleAtDesk, reason: str) -> str:
    def service(asked: Approval, by: str) -> str:
        if what == "reject":
            at_decision_edge(reject_rule_change)(approval_id=asked.pk, checker=by, reason=reason)
        else:
            at_decision_edge(approve_rule_change)(approval_id=asked.pk, checker=by)
        return what

    waiting = [found.waiting] if found.waiting else []
    return decide(request, waiting, is_yes=what == "approve", service=service, may_withdraw=False) or ""


def _line(each: RuleData) -> dict[str, Any]:
    draft = each.draft
    return {
        "it": each,
        "url": reverse("console:break-rule", args=[each.id]),
        "state": state(each.status, _LOOKS[each.status]),
        "class": class_name(draft.break_class),
        "category": CATEGORIES[draft.category],
        "action": f"{draft.action} · {template_name(draft.action)}" if draft.action else "",
        "conditions": _conditions(draft.conditions),
        "waits": each.approval_id is not None,
    }


def _conditions(conditions: Any) -> list[str]:
    return [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in conditions.items()
    ]


def _shown(request: HttpRequest, found: RuleAtDesk) -> dict[str, Any]:
    rule, waiting = found.rule, found.waiting
    run = found.dry_run
    names = owner_names([rule.created_by, *([waiting.maker] if waiting else []), *([run.by] if run else [])])
    return {
        **_line(rule),
        "rule": rule,
        "draft": rule.draft,
        "owner_role": rule.draft.owner_role.replace("_", " "),
        "rule_state": state(rule.status, _LOOKS[rule.status]),
        "merchant": merchant_names(merchant_ids=[rule.merchant_id]).get(rule.merchant_id, ""),
        "author": names[rule.created_by],
        "differs": _differs(found),
        "in_force": found.in_force,
        "versions": [
            {
                "it": each,
                "state": state(each.status, _LOOKS[each.status]),
                "url": reverse("console:break-rule", args=[each.id]),
                "is_this": each.id == rule.id,
            }
            for each in found.versions
        ],
        "run": _dry_run(found, names) if run else None,
        "waiting": waiting,
        "waiting_by": names[waiting.maker] if waiting else "",
        "is_retiring": bool(waiting and waiting.action.endswith("retire")),
        "is_my_request": bool(waiting and waiting.maker == actor(request)),
        "next_url": f"{reverse('console:break-rule-new')}?from={rule.id}",
    }


def _differs(found: RuleAtDesk) -> list[dict[str, Any]]:
    """In what a version differs from the one in force."""
    now = found.in_force
    if now is None or now.id == found.rule.id:
        return []
    ours, theirs = vars(found.rule.draft), vars(now.draft)
    return [
        {"name": name.replace("_", " "), "before": theirs[name], "after": ours[name]}
        for name in ours
        if ours[name] != theirs[name]
    ]


def _dry_run(found: RuleAtDesk, names: dict[str, str]) -> dict[str, Any]:
    run = found.dry_run
    assert run is not None
    said = run.result
    return {
        "it": run,
        "by": names[run.by],
        "said": said,
        "posted": [amount(int(minor), currency) for currency, minor in said["posted"].items()],
        "samples": [
            {
                "url": reverse("console:break", args=[each["break"]]),
                "subject": each["break"],
                "value": amount(int(each["amount_minor"]), each["currency"]),
                "before": f"{each['by'] or _('no rule')} ({each['category']})",
                "would": each["would"],
            }
            for each in said["samples"]
        ],
    }


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What a draft begins with: the version that it follows on, or a merchant alone."""
    before = request.GET.get("from", "")
    if not before:
        return {"merchant": request.GET.get("merchant", ""), "conditions": "{}"}
    try:
        found = rule_at_desk(rule_id=UUID(before)).rule
    except (ValueError, NotFound) as error:
        raise Http404 from error
    return {
        **vars(found.draft),
        "conditions": json.dumps(found.draft.conditions, sort_keys=True),
        "merchant": public_id("mer", found.merchant_id),
    }


def _new_url(merchant_id: UUID) -> str:
    return f"{reverse('console:break-rule-new')}?merchant={public_id('mer', merchant_id)}"
