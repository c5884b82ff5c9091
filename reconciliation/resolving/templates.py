"""Which entries fit a break, and what they are: A1, A3 to A7 and A10 of the books.

A2, a receipt that is identified as an order, has no entry here: an order becomes paid by pay-in alone
(`identifying`). A8 and A9 are posted with the bank's statement, because the balance there has moved:
who proposed them again would post them twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from ledger.templates.adjustments import (
    amount_difference_entry,
    duplicate_charge_entry,
    fee_difference_entry,
    rounding_entry,
    suspense_returned_entry,
    unknown_capture_entry,
)
from ledger.templates.entry import Keyed, Posting
from ledger.types import EntryDraft
from reconciliation.breaks import BreakClass
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import SettlementLine
from reconciliation.resolving.books import AdjustmentBooks
from reconciliation.resolving.facts import Facts
from reconciliation.resolving.meanings import IDENTIFIED

__all__ = ["NO_ENTRY", "TAKES_TWO", "TEMPLATES", "Made", "amount_for", "make", "offers"]

NO_ENTRY = "none"
# It takes money from sellers: whatever a rule says, two people decide.
TAKES_TWO = frozenset(["A4"])
_ROUNDING = 1
_TO_SUSPENSE = frozenset(
    [BreakClass.MISSING_INTERNAL, BreakClass.STATUS_MISMATCH, BreakClass.REFERENCE_COLLISION]
)
_TWICE = frozenset(
    [BreakClass.DUPLICATE_EXTERNAL, BreakClass.STATUS_MISMATCH, BreakClass.REFERENCE_COLLISION]
)


@dataclass(frozen=True)
class Made:
    """The entry of a template for a break, with the amount at stake in minor units, never negative.

    `also` are lines of what another app posts with it in the same commit, as `lines` are written.
    """

    amount_minor: int
    drafts: tuple[EntryDraft, ...]
    lines: list[dict[str, Any]]
    also: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class _Making:
    facts: Facts
    books: AdjustmentBooks
    posting: Posting
    adjustment_id: UUID

    def keyed(self, minor: int) -> Keyed:
        return Keyed(self.facts.clearing_key, minor)


@dataclass(frozen=True)
class Template:
    """One kind of entry: what it moves for a break, signed (None: it does not fit), and how it is made
    (None: `denying` does, with pay-in).

    `is_chosen`: a person may say another amount than the whole.
    """

    amount: Callable[[Facts], int | None]
    build: Callable[[_Making, int], EntryDraft] | None
    is_chosen: bool = False


def _of_line(
    template: Callable[..., EntryDraft], *roles: str, named: str = "line"
) -> Callable[[_Making, int], EntryDraft]:
    """Return what makes an entry of a template that takes the accounts of these roles by their names, and
    the key and amount of the line as `named`."""

    def build(making: _Making, minor: int) -> EntryDraft:
        accounts = {role: making.books.account(role) for role in roles}
        return template(
            posting=making.posting,
            adjustment_id=making.adjustment_id,
            **accounts,
            **{named: making.keyed(minor)},
        )

    return build


def _receipt(facts: Facts, classes: frozenset[BreakClass]) -> int | None:
    """What an unmatched line of a provider brought in."""
    if facts.row.break_class not in classes or facts.is_matched or not isinstance(facts.line, SettlementLine):
        return None
    return -facts.open_minor if facts.open_minor < 0 and facts.parked is None else None


def _parked_receipt(facts: Facts) -> int | None:
    parked = None if facts.is_bank else facts.parked
    return -parked.amount_minor if parked and parked.role == "suspense_receipts" else None


def _returned(making: _Making, minor: int) -> EntryDraft:
    assert making.facts.parked is not None
    return suspense_returned_entry(
        posting=making.posting,
        suspense_receipts=making.books.account("suspense_receipts"),
        refunds_in_transit=making.books.account("refunds_in_transit"),
        adjustment_id=making.adjustment_id,
        refund_id=making.adjustment_id,
        line=Keyed(making.facts.parked.key, minor),
    )


def _denied_amount(facts: Facts) -> int | None:
    is_charge = facts.row.break_class == BreakClass.MISSING_EXTERNAL and facts.row.subject_kind == "charge"
    return facts.open_minor if is_charge and facts.open_minor > 0 else None


def _difference(facts: Facts) -> int | None:
    return facts.open_minor or None


def _fee_amount(facts: Facts) -> int | None:
    fits = facts.row.break_class == BreakClass.FEE_DIFFERENCE and facts.is_matched
    return facts.row.amount_minor if fits and not facts.posted else None


def _rounding_amount(facts: Facts) -> int | None:
    fits = facts.row.break_class == BreakClass.AMOUNT_MISMATCH and abs(facts.open_minor) == _ROUNDING
    return facts.open_minor if fits else None


TEMPLATES: dict[str, Template] = {
    "A1": Template(
        lambda facts: _receipt(facts, _TO_SUSPENSE),
        _of_line(unknown_capture_entry, "psp_clearing", "suspense_receipts"),
    ),
    "A3": Template(_parked_receipt, _returned),
    "A4": Template(_denied_amount, None),
    "A5": Template(
        _difference, _of_line(amount_difference_entry, "recon_difference", "psp_clearing"), is_chosen=True
    ),
    "A6": Template(
        lambda facts: _receipt(facts, _TWICE),
        _of_line(duplicate_charge_entry, "psp_clearing", "customer_overpayment", named="charge"),
    ),
    "A7": Template(_fee_amount, _of_line(fee_difference_entry, "psp_fee", "psp_clearing"), is_chosen=True),
    "A10": Template(_rounding_amount, _of_line(rounding_entry, "rounding", "psp_clearing")),
}


def offers(facts: Facts) -> tuple[str, ...]:
    """Return the templates that fit a break as it stands; an explanation without an entry always does."""
    fitting = [name for name, each in TEMPLATES.items() if each.amount(facts) is not None]
    if _is_identifiable(facts):
        fitting.insert(0, IDENTIFIED)
    return (*fitting, NO_ENTRY)


def _is_identifiable(facts: Facts) -> bool:
    """Whether a payment of the line that is parked could be an order's."""
    line = facts.line
    is_payment = isinstance(line, SettlementLine) and line.kind == "charge" and bool(line.reference)
    return is_payment and not facts.is_matched and _parked_receipt(facts) is not None


def amount_for(template: str, facts: Facts, parameters: Mapping[str, Any]) -> int:
    """Return what an entry moves, signed as its template wants it. Raises AdjustmentInvalid.

    `parameters` may hold `amount_minor`: at most the whole in size, and of A5 with its sign. Of A7 it is
    negative where the provider took too little or is to give back.
    """
    if set(parameters) - {"amount_minor"}:
        raise AdjustmentInvalid("The only parameter of an entry is amount_minor.", param="parameters")
    if template == NO_ENTRY:
        return 0
    if template not in TEMPLATES:
        raise AdjustmentInvalid(f"{template} is no entry that can be proposed.", param="template")
    known = TEMPLATES[template]
    whole = known.amount(facts)
    if whole is None:
        raise AdjustmentInvalid(
            f"{template} does not fit what is open because of this break.", param="template"
        )
    chosen = parameters.get("amount_minor", whole)
    if type(chosen) is not int or not chosen or abs(chosen) > abs(whole):
        raise AdjustmentInvalid(
            "The amount is a whole number of minor units, no more than is open.", param="parameters"
        )
    if (chosen != whole and not known.is_chosen) or (chosen * whole < 0 and template != "A7"):
        raise AdjustmentInvalid(f"{template} moves the whole amount, with its sign.", param="parameters")
    return chosen


def make(
    template: str,
    facts: Facts,
    parameters: Mapping[str, Any],
    *,
    books: AdjustmentBooks,
    adjustment_id: UUID,
    day: date,
) -> Made:
    """Return the entry of a template for a break on a day. Raises as `amount_for`; needs a transaction."""
    minor = amount_for(template, facts, parameters)
    if template == NO_ENTRY:
        return Made(0, (), [])
    posting = Posting(facts.row.merchant_id, facts.row.currency, day)
    build = TEMPLATES[template].build
    assert build is not None, "A4 is planned by itself"
    draft = build(_Making(facts, books, posting, adjustment_id), minor)
    return Made(abs(minor), (draft,), books.describe([draft]))
