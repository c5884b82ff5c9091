"""Breaks in words: their classes, the entries for them, and the steps that were tried, as people say them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.admin_display import digits, state

__all__ = [
    "AGES",
    "CATEGORIES",
    "CLASSES",
    "HOW",
    "LOOKS",
    "RUN_LOOKS",
    "TEMPLATES",
    "Step",
    "account_name",
    "class_name",
    "kind_name",
    "steps_in_words",
    "template_name",
]

# A text, or one that is translated when it is shown.
Words = Any

LOOKS = {"OPEN": "failed", "ASSIGNED": "progress", "PROPOSED": "waiting", "RESOLVED": "done"}
RUN_LOOKS = {
    "QUEUED": "progress",
    "MATCHED": "progress",
    "POSTED": "progress",
    "DONE": "done",
    "FAILED": "failed",
}
CATEGORIES = {
    "A": gettext_lazy("A · posted by rule"),
    "B": gettext_lazy("B · adjusted by hand"),
    "C": gettext_lazy("C · to be investigated"),
}
# The buckets of ageing, as days since a break was found.
AGES = {
    "0-1": gettext_lazy("up to 1 day"),
    "2-3": gettext_lazy("2 to 3 days"),
    "4-7": gettext_lazy("4 to 7 days"),
    "8-30": gettext_lazy("8 to 30 days"),
    ">30": gettext_lazy("over 30 days"),
}
CLASSES = {
    "MISSING_INTERNAL": gettext_lazy("Unknown to us"),
    "MISSING_EXTERNAL": gettext_lazy("Not reported"),
    "AMOUNT_MISMATCH": gettext_lazy("Amount differs"),
    "FEE_DIFFERENCE": gettext_lazy("Fee differs"),
    "FX_DIFFERENCE": gettext_lazy("Rate differs"),
    "CURRENCY_MISMATCH": gettext_lazy("Currency differs"),
    "STATUS_MISMATCH": gettext_lazy("State contradicts"),
    "DUPLICATE_EXTERNAL": gettext_lazy("Reported twice"),
    "DUPLICATE_INTERNAL": gettext_lazy("Twice in our books"),
    "REFERENCE_COLLISION": gettext_lazy("Reference is ambiguous"),
    "BATCH_TOTAL_MISMATCH": gettext_lazy("Payout is not its lines"),
    "BALANCE_MISMATCH": gettext_lazy("Balance does not follow"),
    "SEQUENCE_GAP": gettext_lazy("A file is missing"),
    "LATE": gettext_lazy("Late"),
    "UNKNOWN": gettext_lazy("Unknown kind of line"),
}
TEMPLATES = {
    "A1": gettext_lazy("Park the receipt in suspense"),
    "A2": gettext_lazy("It is what an order was waiting for"),
    "A3": gettext_lazy("Give the parked receipt back"),
    "A4": gettext_lazy("Take back what the provider denies"),
    "A5": gettext_lazy("Absorb the difference"),
    "A6": gettext_lazy("Charged twice: owe it to the buyer"),
    "A7": gettext_lazy("Book the difference of the fee"),
    "A8": gettext_lazy("Bank receipt to suspense"),
    "A9": gettext_lazy("Bank payment to suspense"),
    "A10": gettext_lazy("Rounding"),
    "B4": gettext_lazy("The deposit of a batch"),
    "B5": gettext_lazy("The bank's own: a charge, or one that came back"),
    "B6": gettext_lazy("It went back, or came back"),
    "none": gettext_lazy("Explained without an entry"),
    "match": gettext_lazy("Matched by hand"),
    "unmatch": gettext_lazy("Match taken back"),
}
HOW = {
    "exact": gettext_lazy("by reference"),
    "tolerance": gettext_lazy("within rounding"),
    "group": gettext_lazy("in a group"),
    "expected": gettext_lazy("expected, no line yet"),
    "by_hand": gettext_lazy("by hand"),
}
_KINDS = {
    "charge": gettext_lazy("payment"),
    "refund": gettext_lazy("refund"),
    "late_refund": gettext_lazy("refund of late money"),
    "refund_failure": gettext_lazy("refund that failed"),
    "charge_failure": gettext_lazy("payment that failed later"),
    "reversal": gettext_lazy("payment taken back by its rail"),
    "dispute": gettext_lazy("dispute"),
    "dispute_reversal": gettext_lazy("dispute that was won"),
    "top_up_return": gettext_lazy("top-up that went back"),
    "transfer": gettext_lazy("transfer to a seller"),
    "payout": gettext_lazy("payout"),
    "fee": gettext_lazy("fee"),
    "adjustment": gettext_lazy("adjustment of the provider"),
    "bank": gettext_lazy("bank line"),
}
_STATES = {
    "final": gettext_lazy("it moved money"),
    "unknown": gettext_lazy("its outcome is not known"),
    "none": gettext_lazy("it moved no money"),
}


@dataclass(frozen=True)
class Step:
    """One thing that was tried; `look` says whether it fitted."""

    look: str
    says: str

    @property
    def mark(self) -> str:
        """A word and an icon."""
        words = {"done": _("Fits"), "failed": _("Does not fit"), "neutral": _("Looked at")}
        return state(words[self.look], self.look)


def class_name(break_class: str) -> str:
    """Return a class as people say it."""
    return str(CLASSES.get(break_class, break_class.replace("_", " ").capitalize()))


def template_name(template: str) -> str:
    """Return what an entry is for."""
    return str(TEMPLATES.get(template, template))


def kind_name(kind: str) -> str:
    """Return what a line or a movement is."""
    return str(_KINDS.get(kind, kind.replace("_", " ")))


def account_name(role: str, provider: str | None, owner: str = "") -> str:
    """Return an account as the lines of an entry name it."""
    name = role.replace("_", " ").capitalize().replace("Psp ", "PSP ")
    whose = provider or owner
    return f"{name} ({whose})" if whose else name


def steps_in_words(steps: Sequence[Mapping[str, Any]], *, line_currency: str, currency: str) -> list[Step]:
    """Return what was tried, in order, with the figures of both sides.

    `line_currency` is that of the line, `currency` that of what is at stake.
    """
    return [_in_words(step, line_currency or currency, currency) for step in steps]


def _in_words(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    make = _SAYS.get(str(step.get("step", "")), _as_it_stands)
    try:
        found: Step = make(step, line_currency, currency)
    except (KeyError, TypeError, ValueError):
        # Other parts of reconciliation use the same word for other figures: those are told one by one.
        found = _as_it_stands(step, line_currency, currency)
    return found


def _as_it_stands(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    """Whatever a step says, figure by figure."""
    told = [
        f"{name.removesuffix('_minor').replace('_', ' ')}: {_figure(name, value, currency)}"
        for name, value in step.items()
        if name != "step" and value not in ("", None)
    ]
    word = str(step.get("step", "")).replace("_", " ").capitalize()
    return Step("neutral", f"{word}: {', '.join(told)}" if told else word)


def _figure(name: str, value: Any, currency: str) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    text = str(value)
    return _money(text, currency) if name.endswith("_minor") and text.lstrip("-").isdecimal() else text


def _money(minor: Any, currency: str) -> str:
    return f"{digits(int(minor), currency)} {currency}" if currency else str(minor)


def _movement(said: Mapping[str, Any]) -> str:
    return _("%(kind)s of %(amount)s, %(state)s") % {
        "kind": kind_name(str(said["kind"])),
        "amount": _money(said["amount_minor"], str(said["currency"])),
        "state": _STATES.get(str(said["state"]), said["state"]),
    }


def _reference(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    number = int(step["found"])
    if not step["looked_for"]:
        return Step("failed", _("The line has no reference to look for."))
    if not number:
        says = _("We know of no %(kind)s that the provider calls %(name)s.")
        return Step("failed", says % {"name": step["looked_for"], "kind": kind_name(str(step["kind"]))})
    says = ngettext(
        "The provider's reference %(name)s stands for %(number)d %(kind)s.",
        "The provider's reference %(name)s stands for %(number)d movements (%(kind)s).",
        number,
    )
    told = {"name": step["looked_for"], "number": number, "kind": kind_name(str(step["kind"]))}
    return Step("done", says % told)


def _our_reference(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    number = int(step["found"])
    says = ngettext(
        "Our own reference %(name)s stands for %(number)d movement that has no line.",
        "Our own reference %(name)s stands for %(number)d movements that have no line.",
        number,
    )
    return Step("done" if number == 1 else "failed", says % {"name": step["looked_for"], "number": number})


def _compared(says: Words) -> Any:
    def make(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
        movement = step["movement"]
        told = {
            "line": _money(step["line_minor"], line_currency),
            "amount": _money(step["line_minor"], str(movement["currency"])),
            "movement": _movement(movement),
        }
        return Step("failed", str(says) % told)

    return make


def _several(says: Words) -> Any:
    def make(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
        found = "; ".join(_movement(each) for each in step["movements"])
        return Step("failed", str(says) % {"movements": found})

    return make


def _line_before(says: Words) -> Any:
    def make(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
        amount = _money(step["line_minor"], line_currency)
        return Step("failed", str(says) % {"line": step["line_id"], "amount": amount})

    return make


def _kind(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    if step.get("quarantine"):
        says = _("The line could not be read for what it is: %(why)s.") % {"why": step["quarantine"]}
        return Step("failed", says)
    says = _("The provider calls the line “%(name)s”, for which nothing of ours is known.")
    return Step("failed", says % {"name": step["raw_kind"] or step["kind"]})


def _expected(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    says = _("It happened on %(happened)s and should have been in a file by %(by)s.")
    return Step("neutral", says % {"happened": step["happened_on"], "by": step["clear_by"]})


def _figures(says: Words, ours: str, theirs: str) -> Any:
    def make(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
        told = {"line": _money(step[theirs], line_currency), "ours": _money(step[ours], currency)}
        return Step("failed", str(says) % told)

    return make


def _late(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    says = _("It was missed since %(since)s and has come now.") % {"since": step["missed_since"]}
    return Step("neutral", says)


def _clearing(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    says = _(
        "Under the key %(key)s the account %(account)s has %(balance)s open since %(since)s, last moved on"
        " %(last)s; it should have come to zero within %(time)s."
    )
    told = {
        "key": step["key"],
        "account": step["account"],
        "balance": _money(step["balance_minor"], currency),
        "since": step["opened_on"],
        "last": step["last_on"],
        "time": step["time"],
    }
    return Step("failed", says % told)


def _taken_back(step: Mapping[str, Any], line_currency: str, currency: str) -> Step:
    says = _("Two people took its match back: %(because)s") % {"because": step["because"]}
    return Step("neutral", says)


_SAYS: dict[str, Any] = {
    "reference": _reference,
    "our_reference": _our_reference,
    "amount": _compared(gettext_lazy("The line says %(amount)s; with us it is a %(movement)s.")),
    "currency": _compared(gettext_lazy("The line says %(line)s; with us it is a %(movement)s.")),
    "state": _compared(gettext_lazy("The line says that %(line)s moved; with us it is a %(movement)s.")),
    "amounts": _several(gettext_lazy("None of these has the line's amount: %(movements)s.")),
    "other_kinds": _several(gettext_lazy("With us the reference is something else: %(movements)s.")),
    "matched_already": _line_before(
        gettext_lazy("The movement has a line already: %(line)s over %(amount)s.")
    ),
    "said_before": _line_before(gettext_lazy("Another line said so before: %(line)s over %(amount)s.")),
    "kind": _kind,
    "expected": _expected,
    "fee": _figures(
        gettext_lazy("The provider took %(line)s; the terms say %(ours)s."), "expected_minor", "line_minor"
    ),
    "rate": _figures(
        gettext_lazy("The provider credited %(line)s; at the agreed rate it would be %(ours)s."),
        "expected_minor",
        "line_minor",
    ),
    "batch": _figures(
        gettext_lazy("The provider paid %(line)s out; the lines of the payout are %(ours)s together."),
        "lines_minor",
        "paid_minor",
    ),
    "by_hand": _figures(
        gettext_lazy("People said that it is this movement: the line says %(line)s, and we %(ours)s."),
        "movement_minor",
        "line_minor",
    ),
    "late": _late,
    "clearing": _clearing,
    "taken_back": _taken_back,
}
