"""A payment's story, laid out: one line down the page, a block for each exchange, evidence folded."""

import json
from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import digits, name_people, person, state
from core.story import Chapter, Step

__all__ = ["story_layout"]

_LOOKS = {
    "SUCCEEDED": "done",
    "SUCCESS": "done",
    "CAPTURED": "done",
    "AUTHORIZED": "done",
    "approve": "done",
    "UNKNOWN": "waiting",
    "REQUIRES_ACTION": "waiting",
    "IN_REVIEW": "waiting",
    "review": "waiting",
    "PENDING": "progress",
    "SENT": "progress",
    "SUBMITTED": "progress",
    "EXECUTING": "progress",
    "CONFLICTED": "failed",
    "DECLINED": "failed",
    "FAILED": "failed",
    "decline": "failed",
    "PAID": "done",
    "ACCEPTED": "progress",
    "RETURNED": "failed",
    "REJECTED": "over",
    "REFUSED": "failed",
    "BLOCKED": "waiting",
    "APPROVED": "progress",
    "VERIFIED": "done",
    "REMOVED": "over",
    "NOT_SENT": "progress",
    "CLOSED": "done",
    "SUBMITTING": "progress",
    "UNVERIFIED": "waiting",
    "CANCELED": "over",
    "EXPIRED": "over",
}
_ICONS = {
    "request": "shopping_cart",
    "payout": "outbound",
    "account": "account_box",
    "risk": "shield_person",
    "exchange": "sync_alt",
    "webhook": "call_received",
    "books": "menu_book",
}


class _Actor:
    """One actor, in the form in which names are looked up."""

    def __init__(self, by: str) -> None:
        self.by = by


def story_layout(found: Iterable[Chapter], *, may_see_books: bool) -> list[dict[str, Any]]:
    """Return the chapters as the template shows them; the entries only to those who may read the books."""
    found = [each for each in found if may_see_books or each.kind != "books"]
    actors = {step.by: _Actor(step.by) for each in found for step in each.steps if step.by}
    name_people(actors.values(), ("by",))
    return [
        {
            "icon": _ICONS[each.kind],
            "kind": each.kind,
            "title": each.title,
            "at": each.at,
            "steps": [_step(step, each.kind, actors) for step in each.steps],
        }
        for each in found
    ]


def _step(step: Step, kind: str, actors: dict[str, _Actor]) -> dict[str, Any]:
    return {
        "at": step.at,
        "what": step.what.replace("_", " "),
        "subject": step.subject,
        "state": state(step.state, _LOOKS.get(step.state, "neutral")) if step.state else "",
        "why": step.why,
        "by": person(actors[step.by], step.by) if step.by and step.by != "system" else "",
        "body": _pretty(step.body),
        "url": _url(step, kind),
        "lines": [
            {
                "account": each.account,
                "owner": each.owner,
                "url": reverse("admin:ledger_account_change", args=[each.account_id]),
                "debit": digits(each.amount_minor, each.currency) if each.amount_minor > 0 else "",
                "credit": digits(-each.amount_minor, each.currency) if each.amount_minor < 0 else "",
                "currency": each.currency,
            }
            for each in step.lines
        ],
    }


def _url(step: Step, kind: str) -> str:
    names = {"books": "ledger_journalentry", "webhook": "events_webhookinbox", "risk": "risk_riskdecision"}
    return reverse(f"admin:{names[kind]}_change", args=[step.key]) if step.key and kind in names else ""


def _pretty(body: str) -> str:
    """Indent what is JSON; anything else is shown as it came."""
    if not body:
        return ""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body or _("empty")
