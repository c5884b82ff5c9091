"""What somebody would propose for a break: chosen by links, shown as the entry that it would be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.forms import Form
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from console.desks.breaks_words import account_name, template_name
from core.admin_display import amount
from core.errors import DomainError
from core.money import format_minor, parse_amount
from reconciliation.selectors import choices_for, preview_adjustment
from reconciliation.types import BreakDetail, ProposedLine

__all__ = ["Wish", "entry_lines", "proposal", "wish_of"]

# A person may say how much: of a difference a part, of a fee also the other way round.
_CHOSEN = ("A5", "A7")
_EITHER_WAY = "A7"
# Of these a person must say, or may say, one thing more: its name among the parameters.
_NAMED = {"A2": "order", "A4": "borne_by", "B4": "batch", "B6": "other"}
# Who bears what the provider denies.
_BEARERS = {
    "seller": gettext_lazy("The sellers, as far as it was theirs"),
    "platform": gettext_lazy("The marketplace, all of it"),
}
NO_ENTRY, MATCH = "none", "match"


@dataclass(frozen=True)
class Wish:
    """A template with its parameters; `amount`, `movement` and `named` are as typed, for the form."""

    template: str
    parameters: dict[str, Any] = field(default_factory=dict)
    amount: str = ""
    movement: str = ""
    named: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any], detail: BreakDetail) -> "Wish":
        """Return what a form asks for. Raises InvalidAmount for an amount that is none."""
        template, typed, movement = said["template"], said["amount"].strip(), said["movement"].strip()
        if template == MATCH:
            kind, subject, nth = ([*movement.split(":"), "", "", ""])[:3]
            parameters = {"subject_kind": kind, "subject_id": subject, "nth": nth}
            return cls(template, parameters, movement=movement)
        if template in _NAMED:
            named = said["named"].strip()
            return cls(template, {_NAMED[template]: named} if named else {}, named=named)
        if template in _CHOSEN and typed:
            minor = _minor(template, typed, detail)
            return cls(template, {"amount_minor": minor}, typed)
        return cls(template)


def wish_of(request: HttpRequest, form: Form, detail: BreakDetail) -> Wish:
    """Return what the page shows: what was just asked for, what its address says, or what is prepared."""
    given = form.data if form.is_bound else request.GET
    template = given.get("template", "")
    if template not in detail.offers and not (template == MATCH and detail.offers):
        prepared = detail.prepared.template if detail.prepared else ""
        return Wish(prepared or next(iter(detail.offers), ""))
    said = {name: given.get(name, "")[:120] for name in ("template", "amount", "movement", "named")}
    if template == "A2" and "named" not in given and detail.line:
        said["named"] = str(detail.line.get("merchant_reference", ""))
    try:
        return Wish.of(said, detail)
    except DomainError:
        return Wish(template, amount=said["amount"])


def proposal(detail: BreakDetail, wish: Wish, *, query: str) -> dict[str, Any]:
    """Return the templates that can be proposed, and the entry of the chosen one; maybe none can be."""
    if not detail.offers or not wish.template:
        return {"offers": [], "wish": None}
    shown, refused = None, ""
    try:
        shown = preview_adjustment(
            discrepancy_id=detail.row.id, template=wish.template, parameters=wish.parameters
        )
    except DomainError as error:
        refused = error.message
    offers = [*detail.offers, MATCH] if wish.template == MATCH else list(detail.offers)
    currency = detail.row.currency
    return {
        "offers": [
            {
                "template": name,
                "name": template_name(name),
                "url": f"{query}&{urlencode({'template': name})}#propose",
                "is_chosen": name == wish.template,
                "is_prepared": bool(detail.prepared and detail.prepared.template == name),
            }
            for name in offers
        ],
        "wish": wish,
        "wish_name": template_name(wish.template),
        "wish_amount": amount(shown.amount_minor, currency) if shown and shown.lines else "",
        "wish_typed": wish.amount or (format_minor(shown.amount_minor, currency) if shown else ""),
        "is_order_named": wish.template == "A2",
        "bearers": _bearers(wish, query) if wish.template == "A4" else [],
        **_choices(detail, wish, query),
        "is_chosen_amount": wish.template in _CHOSEN,
        "is_parked": wish.template == "A1",
        "is_without_entry": wish.template == NO_ENTRY,
        "wish_lines": entry_lines(shown.lines) if shown else [],
        "refused": refused,
    }


_ASKED = {
    "B4": (gettext_lazy("Which batch is it?"), gettext_lazy("No batch is on its way to the bank.")),
    "B6": (
        gettext_lazy("With which line did it go back?"),
        gettext_lazy("No other line of this bank waits with the same amount the other way round."),
    ),
}


def _choices(detail: BreakDetail, wish: Wish, query: str) -> dict[str, Any]:
    """What may be named with the template, each with the page that shows its entry."""
    if wish.template not in _ASKED:
        return {"choices": None}
    asks, nothing = _ASKED[wish.template]
    found = choices_for(discrepancy_id=detail.row.id, template=wish.template)
    return {
        "asks": asks,
        "nothing_to_choose": nothing,
        "choices": [
            {
                "says": each.says,
                "amount": amount(each.amount_minor, detail.row.currency),
                "url": f"{query}&{urlencode({'template': wish.template, 'named': each.value})}#propose",
                "is_chosen": each.value == wish.named,
            }
            for each in found
        ],
    }


def _bearers(wish: Wish, query: str) -> list[dict[str, Any]]:
    """Who may bear it, each with the page that shows its entry."""
    chosen = wish.named or "seller"
    return [
        {
            "says": says,
            "url": f"{query}&{urlencode({'template': wish.template, 'named': name})}#propose",
            "is_chosen": name == chosen,
        }
        for name, says in _BEARERS.items()
    ]


def entry_lines(lines: tuple[ProposedLine, ...]) -> list[dict[str, Any]]:
    """Return the lines of an entry as the console shows them, debits first."""
    shown = [
        {
            "account": account_name(each.role, each.provider, each.owner),
            "key": each.clearing_key or "",
            "debit": amount(each.debit_minor, each.currency) if each.debit_minor else "",
            "credit": amount(each.credit_minor, each.currency) if each.credit_minor else "",
        }
        for each in lines
    ]
    return sorted(shown, key=lambda each: not each["debit"])


def _minor(template: str, typed: str, detail: BreakDetail) -> int:
    is_negative = typed.startswith(("-", "\N{MINUS SIGN}"))
    minor = parse_amount(typed.lstrip("-\N{MINUS SIGN} "), detail.row.currency)
    if template == _EITHER_WAY:
        return -minor if is_negative else minor
    # What is absorbed has the direction of what is open; people say how much.
    return -minor if detail.open_minor < 0 else minor
