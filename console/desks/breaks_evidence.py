"""What the desk shows about one break: its sides, its reasons, its proposals, its people and its history."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.desks.breaks_links import entry_url, movement_links
from console.desks.breaks_matches import matches_of
from console.desks.breaks_proposal import Wish, entry_lines, proposal
from console.desks.breaks_queue import age, owner_names
from console.desks.breaks_sides import sides
from console.desks.breaks_words import (
    CATEGORIES,
    LOOKS,
    class_name,
    kind_name,
    steps_in_words,
    template_name,
)
from console.frame import actor
from core.admin_display import amount, state
from core.models import Approval
from merchants.selectors import merchant_names
from reconciliation.selectors import (
    MEANINGS,
    candidate_lines,
    candidate_movements,
    changed_since,
    get_break,
)
from reconciliation.types import AdjustmentData, BreakDetail, MovementCandidate

__all__ = ["evidence"]

_LOOKS = {"PROPOSED": "waiting", "POSTED": "done", "REJECTED": "failed", "REVERSED": "over"}
_CANDIDATES = 8
_WORDS = {
    "amount_minor": gettext_lazy("amount"),
    "evidence_sha256": gettext_lazy("what it rests on"),
    "lines": gettext_lazy("the entry"),
    "effective_date": gettext_lazy("day"),
    "template": gettext_lazy("the entry does not fit any more"),
}


def evidence(request: HttpRequest, detail: BreakDetail, wish: Wish) -> dict[str, Any]:
    """Return what the page says of a break."""
    row, data, me = detail.row, get_break(discrepancy_id=detail.row.id), actor(request)
    names = _names(detail)
    rule = detail.explanation.get("rule") or {}
    line_currency = str((detail.line or {}).get("currency", ""))
    query = request.GET.copy()
    for name in ("template", "amount", "movement", "named"):
        query.pop(name, None)
    here = f"?{query.urlencode()}" if query else "?"
    return {
        "row": row,
        "reference": row.public_id,
        "state": state(row.status, LOOKS[row.status]),
        "class": class_name(row.break_class),
        "category": CATEGORIES[row.category],
        "value": amount(row.amount_minor, row.currency),
        "age": age(row.age_days),
        "owner": names.get(row.owner, ""),
        "is_mine": row.owner == me,
        "merchant": merchant_names(merchant_ids=[data.merchant_id]).get(data.merchant_id, ""),
        "source": row.source_name or "–",
        "open": amount(detail.open_minor, row.currency) if detail.clearing_key else "",
        "clearing_key": detail.clearing_key,
        "resolution": detail.resolution,
        "run_url": reverse("console:run", args=[data.run_id]) if data.run_id else "",
        "rule": rule,
        "rule_action": template_name(rule.get("action", "")) if rule.get("action") else "",
        "rules_url": reverse("console:break-rules")
        if request.user.has_perm("reconciliation.view_breakrule")
        else "",
        **sides(detail, subject_kind=data.subject_kind, subject_id=data.subject_id),
        "steps": steps_in_words(
            detail.explanation.get("steps", ()), line_currency=line_currency, currency=row.currency
        ),
        **_candidates(detail, here),
        "adjustments": [_adjustment(each, names) for each in detail.adjustments],
        "waiting": _waiting(detail, names, me),
        "notes": [
            {"by": names.get(each.by, each.by), "text": each.text, "at": each.at} for each in detail.notes
        ],
        "history": [
            {
                "state": state(each.to_state, LOOKS[each.to_state]),
                "reason": _with_names(each.reason, names),
                "by": names.get(each.actor, each.actor),
                "at": each.at,
            }
            for each in detail.history
        ],
        "matches": matches_of(request, line_id=int(detail.line["id"]), side=row.side)
        if detail.line
        else None,
        "is_free": row.status in ("OPEN", "ASSIGNED"),
        "is_reopenable": _is_reopenable(detail),
        **proposal(detail, wish, query=here),
    }


def _names(detail: BreakDetail) -> dict[str, str]:
    actors = [detail.row.owner, *(each.by for each in detail.notes), *(each.actor for each in detail.history)]
    actors += [by for each in detail.adjustments for by in (each.maker, each.checker)]
    actors += [each["maker"] for each in detail.pending]
    return owner_names([each for each in actors if each])


def _with_names(says: str, names: dict[str, str]) -> str:
    """A sentence that says for whom something is, with that person's name."""
    for actor_id, name in names.items():
        says = says.replace(actor_id, strip_tags(name)) if actor_id.startswith("user:") else says
    return says


def _candidates(detail: BreakDetail, here: str) -> dict[str, Any]:
    if detail.row.status == "RESOLVED":
        return {"movements": [], "lines_like_it": []}
    return {
        "movements": [
            _candidate(each, here)
            for each in candidate_movements(discrepancy_id=detail.row.id, limit=_CANDIDATES)
        ],
        "lines_like_it": [
            {
                "url": reverse("console:break", args=[each.public_id]),
                "says": each.summary,
                "class": class_name(each.break_class),
                "difference": amount(each.difference_minor, each.currency) if each.difference_minor else "",
            }
            for each in candidate_lines(discrepancy_id=detail.row.id, limit=_CANDIDATES)
        ],
    }


def _candidate(each: MovementCandidate, here: str) -> dict[str, Any]:
    it = each.movement
    links = movement_links(kind=it.subject_kind, subject_id=it.subject_id, clearing_key=it.clearing_key)
    return {
        "name": each.name,
        "kind": kind_name(it.kind),
        "reference": it.reference or "–",
        "amount": amount(it.amount_minor, it.currency),
        "difference": amount(each.difference_minor, it.currency) if each.difference_minor else "",
        "page_url": links[-1]["url"] if links else "",
        "choose_url": f"{here}&template=match&movement={each.name}#propose",
    }


def _adjustment(each: AdjustmentData, names: dict[str, str]) -> dict[str, Any]:
    return {
        "it": each,
        "name": template_name(each.template),
        "state": state(each.status, _LOOKS[each.status]),
        "amount": amount(each.amount_minor, each.currency) if each.lines else "",
        "maker": names.get(each.maker, each.maker),
        "checker": names.get(each.checker, each.checker),
        "lines": entry_lines(each.lines),
        "entry_url": entry_url(each.entry_id),
        "is_back": each.reverses_id is not None,
    }


def _waiting(detail: BreakDetail, names: dict[str, str], me: str) -> list[dict[str, Any]]:
    """What waits for a second person: who asked, when, for what exactly, and what changed since."""
    made = {str(each.id): each for each in detail.adjustments}
    asked = {
        each.pk: each for each in Approval.objects.filter(pk__in=[e["approval_id"] for e in detail.pending])
    }
    found = []
    for each in detail.pending:
        approval = asked[each["approval_id"]]
        adjustment = made.get(str(each["instruction"].get("adjustment", "")))
        changed = changed_since(approval_id=approval.pk)
        found.append(
            {
                "approval": approval,
                "by": names.get(approval.maker, approval.maker),
                "is_mine": approval.maker == me,
                "reason": approval.instruction["reason"],
                "is_reopening": adjustment is None,
                "adjustment": _adjustment(adjustment, names) if adjustment else None,
                "takes_back": [_taken(entry) for entry in approval.instruction.get("takes_back", ())],
                "changed": [str(_WORDS.get(name, name)) for name in changed],
            }
        )
    return found


def _taken(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": template_name(entry["template"]),
        "amount": amount(entry["amount_minor"], entry["currency"]) if entry["entry"] else _("no entry"),
        "entry": entry["entry"],
        "entry_url": entry_url(entry["entry"]),
    }


def _is_reopenable(detail: BreakDetail) -> bool:
    standing = [each for each in detail.adjustments if each.status == "POSTED" and each.reverses_id is None]
    if any(each.template in MEANINGS for each in standing) or detail.pending:
        return False
    return detail.row.status == "RESOLVED" or (bool(standing) and detail.row.status != "PROPOSED")
