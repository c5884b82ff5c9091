"""Which rule a break falls under: data of each merchant, which begins with what is written here.

Of the active rules of its class the first by position, then by name, whose conditions all hold is taken. A
break that no rule takes is of category C: somebody finds out what it is. That is so for everything UNKNOWN.

Sources: BOOKS, "Reconciliation adjustments" (A1 to A10) and "Reconciliation breaks".
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.history import Changes
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from reconciliation.breaks import BreakClass, Category
from reconciliation.matching.types import Finding, RuleChoice
from reconciliation.models import BreakRule
from reconciliation.rules.conditions import Asked, conditions_hold

__all__ = ["DEFAULTS", "PARKS", "Rules", "ensure_rules", "rules_of"]

# The entry of A1 parks the money where nobody can spend it: the break stays open until A2 or A3 takes it out.
PARKS = frozenset(["A1"])
_NOBODY = RuleChoice("", None, Category.UNCLASSIFIED, "", 0, 0, 24, "finance_maker")
_HAND, _AUTO, _FIND = Category.BY_HAND, Category.AUTOMATED, Category.UNCLASSIFIED
_SAID = (
    "name", "version", "position", "break_class", "conditions", "category", "action", "cap_line_minor",
    "cap_day_minor", "sla_hours",
)  # fmt: skip


@dataclass(frozen=True)
class Default:
    """A rule that every merchant begins with; caps and amounts in minor units of the break's currency."""

    name: str
    position: int
    break_class: BreakClass
    category: Category
    note: str
    action: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    cap_line_minor: int = 0
    cap_day_minor: int = 0
    sla_hours: int = 48
    owner_role: str = "finance_maker"


# What a statement shows is in the books with it, in suspense where nobody knows it: no entry follows.
_BANK = ["bank_credit", "bank_debit", "bank_payout", "bank_return", "bank_deposit"]
DEFAULTS = (
    Default(
        "bank_amount", 5, BreakClass.AMOUNT_MISMATCH, _HAND, "What differs is in suspense: ask the bank.",
        conditions={"kind": _BANK}, sla_hours=24,
    ),
    Default(
        "bank_repeats", 5, BreakClass.DUPLICATE_EXTERNAL, _HAND, "In suspense: ask which one counts.",
        conditions={"kind": _BANK}, sla_hours=24,
    ),
    Default(
        "paid_all_the_same", 5, BreakClass.STATUS_MISMATCH, _FIND,
        "The bank paid, or gave back, what is over with us: the seller may have the money twice.",
        conditions={"kind": _BANK}, sla_hours=4,
    ),
    Default(
        "not_banked", 5, BreakClass.MISSING_EXTERNAL, _HAND, "Ask the bank, then the sender.",
        conditions={"kind": ["batch", "payout"]}, sla_hours=24,
    ),
    Default(
        "unknown_payout", 5, BreakClass.MISSING_INTERNAL, _FIND,
        "Money left in our name, and we never sent it: payouts are stopped.",
        conditions={"kind": "unknown_payout"}, sla_hours=1,
    ),
    Default(
        "unknown_credit", 40, BreakClass.MISSING_INTERNAL, _FIND, "In suspense: whose money is it?",
        conditions={"kind": "bank_credit"}, sla_hours=48,
    ),
    Default(
        "unknown_debit", 40, BreakClass.MISSING_INTERNAL, _FIND, "In suspense: who took it, and for what?",
        conditions={"kind": "bank_debit"}, sla_hours=24,
    ),
    Default(
        "rounding", 10, BreakClass.AMOUNT_MISMATCH, _AUTO, "One minor unit: to the rounding account.",
        "A10", {"most_minor": 1}, cap_line_minor=1, cap_day_minor=1_000, sla_hours=24,
    ),
    Default(
        "small_difference", 20, BreakClass.AMOUNT_MISMATCH, _AUTO, "The marketplace absorbs it.",
        "A5", {"most_minor": 10}, cap_line_minor=10, cap_day_minor=1_000, sla_hours=24,
    ),
    Default("difference", 90, BreakClass.AMOUNT_MISMATCH, _HAND, "Ask the provider, or absorb it.", "A5"),
    Default(
        "unknown_capture", 10, BreakClass.MISSING_INTERNAL, _AUTO,
        "Parked in suspense at once; open until it is identified (A2) or given back (A3).",
        "A1", {"kind": "charge", "sign": "in"}, cap_line_minor=10_000_000, cap_day_minor=100_000_000,
    ),
    Default(
        "unknown_transfer", 20, BreakClass.MISSING_INTERNAL, _FIND,
        "Money left for a seller, and we never sent it.", conditions={"kind": "transfer"}, sla_hours=4,
    ),
    Default(
        "unknown_refund", 30, BreakClass.MISSING_INTERNAL, _HAND,
        "Given back at the provider without us: record it there.", conditions={"kind": "refund"},
    ),
    Default(
        "unknown_movement", 90, BreakClass.MISSING_INTERNAL, _FIND,
        "A dispute or a failure of nothing we know.",
    ),
    Default(
        "not_reported", 10, BreakClass.MISSING_EXTERNAL, _HAND,
        "The provider denies it, or its file is incomplete: ask before A4.", "A4",
    ),
    Default(
        "charged_twice", 10, BreakClass.DUPLICATE_EXTERNAL, _HAND,
        "The buyer paid twice: to be given back.", "A6", {"kind": "charge", "sign": "in"},
    ),
    Default("said_twice", 90, BreakClass.DUPLICATE_EXTERNAL, _HAND, "Ask the provider which one counts."),
    Default("we_say_no", 10, BreakClass.STATUS_MISMATCH, _HAND, "Ask the provider what became of it."),
    Default(
        "small_fee_difference", 10, BreakClass.FEE_DIFFERENCE, _AUTO,
        "Booked as reported with the line; nothing else is to be posted.", conditions={"most_minor": 100},
    ),
    Default("fee_difference", 90, BreakClass.FEE_DIFFERENCE, _HAND, "Claim it from the provider.", "A7"),
    Default("rate", 90, BreakClass.FX_DIFFERENCE, _HAND, "Compare the rate with the contract."),
    Default("currency", 90, BreakClass.CURRENCY_MISMATCH, _FIND, "Currencies do not mix.", sla_hours=24),
    Default("collision", 90, BreakClass.REFERENCE_COLLISION, _FIND, "Which of them is it?", sla_hours=24),
    Default("batch_total", 90, BreakClass.BATCH_TOTAL_MISMATCH, _FIND, "What is missing?", sla_hours=24),
    Default("late", 90, BreakClass.LATE, _HAND, "It came after its time."),
    Default("reported_by_us_twice", 90, BreakClass.DUPLICATE_INTERNAL, _HAND, "We have it twice."),
    Default("balance", 90, BreakClass.BALANCE_MISMATCH, _FIND, "Opening and lines are not closing."),
    Default("gap", 90, BreakClass.SEQUENCE_GAP, _FIND, "Ask for the file that is missing."),
)  # fmt: skip


class Rules:
    """The active rules of a merchant, as they were when they were read."""

    def __init__(self, rows: Iterable[BreakRule]) -> None:
        self._rows = sorted(rows, key=lambda row: (row.position, row.name, row.version))

    @property
    def version(self) -> str:
        """What stands for all of them together: the same rules give the same answer."""
        said = [[str(getattr(row, name)) for name in _SAID] for row in self._rows]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def choose(self, finding: Finding, *, source: str, provider: str = "") -> RuleChoice:
        """Return what is to be done with a break of this source."""
        said = {**finding.conditions, "source": source, "provider": provider}
        asked = Asked(finding.amount_minor, said)
        for row in self._rows:
            if row.break_class == finding.break_class and conditions_hold(row.conditions, asked):
                return choice_of(row)
        return _NOBODY


def choice_of(row: BreakRule) -> RuleChoice:
    """Return what a rule says."""
    return RuleChoice(
        row.name,
        row.version,
        row.category,
        row.action,
        row.cap_line_minor,
        row.cap_day_minor,
        row.sla_hours,
        row.owner_role,
        row.note,
    )


def rules_of(*, merchant_id: UUID) -> Rules:
    """Return the rules that hold for a merchant now."""
    return Rules(BreakRule.objects.filter(merchant_id=merchant_id, status="ACTIVE"))


@requires_transaction
def ensure_rules(*, merchant_id: UUID) -> None:
    """Give a merchant those of the rules that everybody begins with which it never had.

    A rule that it has, had, or drafts under the name stays as it is, also when it was changed or retired. Of
    many at once one does it.
    """
    known = set(BreakRule.objects.filter(merchant_id=merchant_id).values_list("name", flat=True))
    missing = [each for each in DEFAULTS if each.name not in known]
    if not missing:
        return
    try:
        with transaction.atomic():
            _write(merchant_id, missing)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise


def _write(merchant_id: UUID, defaults: Sequence[Default]) -> None:
    now = clock.now()
    rows = [_row(merchant_id, each, now) for each in defaults]
    changes = Changes()
    changes.insert(rows)
    for row in rows:
        changes.begin(row, why="what every merchant begins with")
        changes.move(row, row.to_active, why="what every merchant begins with", activated_at=now)
    changes.save()


def _row(merchant_id: UUID, default: Default, now: Any) -> BreakRule:
    return BreakRule(
        merchant_id=merchant_id,
        name=default.name,
        version=1,
        position=default.position,
        break_class=default.break_class,
        conditions=dict(default.conditions),
        category=default.category,
        action=default.action,
        cap_line_minor=default.cap_line_minor,
        cap_day_minor=default.cap_day_minor,
        sla_hours=default.sla_hours,
        owner_role=default.owner_role,
        note=default.note,
        created_by="system",
        created_at=now,
        updated_at=now,
    )
