"""A payment's story, laid out: one line down the page, a block for each exchange, evidence folded."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import amount, digits, name_people, person, state
from core.story import Chapter, Step
from payments.telling.redaction import outline

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
    "DELIVERED": "done",
    "REQUESTED": "progress",
    "OPEN": "waiting",
    "ASSIGNED": "waiting",
    "PROPOSED": "waiting",
    "RESOLVED": "done",
}
_ICONS = {
    "request": "shopping_cart",
    "payout": "outbound",
    "account": "account_box",
    "risk": "shield_person",
    "exchange": "sync_alt",
    "webhook": "call_received",
    "wallet": "account_balance_wallet",
    "books": "menu_book",
    "settlement": "file_present",
    "bank": "account_balance",
    "break": "difference",
    "told": "send",
}
_BOOKS = "ledger.view_journalentry"
# Who works with what providers answer sees it as it was kept; the others what it says of the payment.
_EVIDENCE = (_BOOKS, "payments.change_pspoperation")
_PAGES = {
    "books": "admin:ledger_journalentry_change",
    "webhook": "admin:events_webhookinbox_change",
    "risk": "admin:risk_riskdecision_change",
    "wallet": "admin:wallet_wallet_change",
    "settlement": "console:line",
    "bank": "console:line",
    "break": "console:break",
    "payout": "console:payout",
    "told": "admin:events_webhookdelivery_change",
}


class _Actor:
    """One actor, in the form in which names are looked up."""

    def __init__(self, by: str) -> None:
        self.by = by


def story_layout(found: Iterable[Chapter], *, may: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Return the chapters as the template shows them, to a person who has the rights that `may` says.

    Entries are for those who may read the books; what providers answered is shortened for most.
    """
    found = [each for each in found if each.kind != "books" or may(_BOOKS)]
    is_whole = any(may(each) for each in _EVIDENCE)
    actors = {step.by: _Actor(step.by) for each in found for step in each.steps if step.by}
    name_people(actors.values(), ("by",))
    return [
        {
            "icon": _ICONS[each.kind],
            "kind": each.kind,
            "title": each.title,
            "at": each.at,
            "steps": [_step(step, each.kind, actors, is_whole=is_whole) for step in each.steps],
        }
        for each in found
    ]


def _step(step: Step, kind: str, actors: dict[str, _Actor], *, is_whole: bool) -> dict[str, Any]:
    return {
        "at": step.at,
        "what": step.what.replace("_", " "),
        "subject": step.subject,
        "state": state(step.state, _LOOKS.get(step.state, "neutral")) if step.state else "",
        "why": step.why,
        "by": person(actors[step.by], step.by) if step.by and step.by != "system" else "",
        "body": _pretty(step.body if is_whole else outline(step.body)),
        "url": _url(step, kind),
        "amounts": [
            {"label": each.label, "shown": amount(each.minor, each.currency)} for each in step.amounts
        ],
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
    return reverse(_PAGES[kind], args=[step.key]) if step.key and kind in _PAGES else ""


def _pretty(body: str) -> str:
    """Indent what is JSON; anything else is shown as it came."""
    if not body:
        return ""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body or _("empty")
