"""Lines of bank statements that wait in suspense are closed: B4 to B6 of the books.

The statement itself posted them (A8, A9), because the balance at the bank moved. What is left to be said is
whose they are: the deposit of a provider's batch, the bank's own, or money that came and went back. An order
cannot be paid so: a payment is of a channel, and the bank is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.history import Changes
from core.ids import parse_public_id
from core.transactions import requires_transaction
from ledger.templates.entry import Keyed, Posting
from ledger.templates.suspense import (
    identified_charge_entry,
    identified_deposit_entry,
    returned_receipt_entry,
)
from reconciliation.banking.policy import fee_tolerance
from reconciliation.banking.reading import open_batches
from reconciliation.banking.types import Batch, Part, batch_subject
from reconciliation.banking.writing import write_parts
from reconciliation.breaks import Side
from reconciliation.errors import AdjustmentInvalid
from reconciliation.locks import lock_discrepancies
from reconciliation.matching.opening import end_break
from reconciliation.models import (
    Adjustment,
    BankLine,
    Discrepancy,
    Match,
    MatchEnd,
    ReconciliationRun,
    SettlementSource,
)
from reconciliation.resolving.books import AdjustmentBooks
from reconciliation.resolving.facts import Facts, Parked, facts_of
from reconciliation.resolving.templates import Made

__all__ = [
    "AT_BANK",
    "DEPOSIT",
    "Choice",
    "choices_at_bank",
    "close_at_bank",
    "offers_at_bank",
    "other_break",
    "paid_batch",
    "plan_at_bank",
    "take_back_at_bank",
]

DEPOSIT, OWN, OFFSET = "B4", "B5", "B6"
AT_BANK = (DEPOSIT, OWN, OFFSET)
_RULE = "by_hand"
_MOST = 50


@dataclass(frozen=True)
class Choice:
    """What a person may name: `value` goes into the parameters, the amount is in minor units."""

    value: str
    says: str
    amount_minor: int


def offers_at_bank(facts: Facts) -> tuple[str, ...]:
    """Return which of them fit a break as it stands."""
    return AT_BANK if facts.is_bank and isinstance(facts.line, BankLine) and facts.parked else ()


def choices_at_bank(facts: Facts, template: str) -> list[Choice]:
    """Return what may be named with a template, what fits best first."""
    if facts.parked is None or facts.row.source is None:
        return []
    shown = _shown(facts.parked)
    if template == DEPOSIT:
        found = [
            Choice(each.key, f"{each.provider} {each.name}", each.open_minor or 0)
            for each in open_batches(facts.row.merchant_id, facts.row.currency)
            if each.open_minor and each.open_minor * shown > 0
        ]
    elif template == OFFSET:
        found = [
            Choice(row.public_id, row.summary, _shown(parked))
            for row, parked in _others(facts)
            if _shown(parked) == -shown
        ]
    else:
        return []
    return sorted(found, key=lambda each: (abs(each.amount_minor - shown), each.value))[:_MOST]


@requires_transaction
def plan_at_bank(
    facts: Facts,
    template: str,
    parameters: dict[str, Any],
    *,
    books: AdjustmentBooks,
    adjustment_id: UUID,
    day: date,
) -> Made:
    """Return the entry that closes a line of a statement. Raises AdjustmentInvalid."""
    if template not in offers_at_bank(facts) or facts.parked is None or facts.row.source is None:
        raise AdjustmentInvalid(f"{template} fits what waits in suspense because of a bank's line.")
    posting = Posting(facts.row.merchant_id, facts.row.currency, day)
    shown = _shown(facts.parked)
    line = Keyed(facts.parked.key, shown)
    suspense = books.account(facts.parked.role)
    if template == OWN:
        if parameters:
            raise AdjustmentInvalid("There is nothing to be named for it.", param="parameters")
        draft = identified_charge_entry(
            posting=posting,
            suspense=suspense,
            bank_fee=books.account("bank_fee"),
            adjustment_id=adjustment_id,
            line=line,
        )
    elif template == DEPOSIT:
        batch, minor = _batch(facts.row.source, facts, parameters)
        draft = identified_deposit_entry(
            posting=posting,
            suspense=suspense,
            bank_fee=books.account("bank_fee"),
            in_transit=books.account_of("psp_settlement_in_transit", _in_books(batch)),
            adjustment_id=adjustment_id,
            line=line,
            batch=Keyed(batch.key, minor),
        )
    else:
        other = _other(facts, parameters)
        came, went = (facts.parked, other) if shown > 0 else (other, facts.parked)
        draft = returned_receipt_entry(
            posting=posting,
            suspense_receipts=books.account("suspense_receipts"),
            suspense_payments=books.account("suspense_payments"),
            adjustment_id=adjustment_id,
            receipt=Keyed(came.key, -came.amount_minor),
            payment=Keyed(went.key, went.amount_minor),
        )
    return Made(abs(shown), (draft,), books.describe([draft]))


@requires_transaction
def close_at_bank(
    row: Discrepancy, adjustment: Adjustment, facts: Facts, changes: Changes, *, by: str
) -> None:
    """Note what else follows when an adjustment of a locked break is posted: a match, or the other break."""
    said = adjustment.instruction
    if adjustment.template == DEPOSIT:
        paid = paid_batch(adjustment)
        shown = _shown(facts.parked) if facts.parked else 0
        _match(row, paid["clearing_key"], -paid["amount_minor"], shown)
    elif adjustment.template == OFFSET:
        other = _locked_other(said["parameters"])
        end_break(changes, other, why=f"B6, with {row.public_id}: {said['reason']}"[:500], by=by)


@requires_transaction
def take_back_at_bank(adjustment: Adjustment, changes: Changes, *, why: str, by: str) -> Discrepancy | None:
    """Note what else follows when it is taken back; return the other break that is to be opened again."""
    if adjustment.template == DEPOSIT:
        _end_match(adjustment, why=why, by=by)
    if adjustment.template != OFFSET:
        return None
    other = _locked_other(adjustment.instruction["parameters"])
    return other if other.status == "RESOLVED" else None


def other_break(template: str, parameters: dict[str, Any]) -> UUID | None:
    """Return the break that is closed together with the adjustment's own."""
    return parse_public_id(str(parameters.get("other", "")), "dsc") if template == OFFSET else None


def paid_batch(adjustment: Adjustment) -> dict[str, Any]:
    """Return the line of a B4 that clears the batch."""
    lines = adjustment.instruction["lines"]
    found: dict[str, Any] = next(each for each in lines if each["role"] == "psp_settlement_in_transit")
    return found


def _shown(parked: Parked) -> int:
    """What the bank showed of it: positive came in."""
    return -parked.amount_minor


def _batch(source: SettlementSource, facts: Facts, parameters: dict[str, Any]) -> tuple[Batch, int]:
    """Return the batch that is named, and what of it the line pays: with the bank's fee."""
    assert facts.parked is not None
    wanted, shown = parameters.get("batch"), _shown(facts.parked)
    if set(parameters) != {"batch"} or not isinstance(wanted, str):
        raise AdjustmentInvalid("Name the batch that the line pays.", param="parameters")
    known = open_batches(source.merchant_id, facts.row.currency)
    found = [each for each in known if wanted == each.key] or [each for each in known if wanted == each.name]
    if len(found) != 1 or not found[0].open_minor:
        raise AdjustmentInvalid("No such batch is on its way to the bank.", param="parameters")
    due = found[0].open_minor
    if due * shown < 0 or abs(shown) > abs(due):
        raise AdjustmentInvalid("The bank showed more than is due of this batch.", param="parameters")
    fee = due - shown if 0 < due - shown <= fee_tolerance(source) else 0
    return found[0], shown + fee


def _in_books(batch: Batch) -> str:
    return SettlementSource.objects.get(pk=batch.source_id).in_books


def _other(facts: Facts, parameters: dict[str, Any]) -> Parked:
    wanted = other_break(OFFSET, parameters)
    if set(parameters) != {"other"} or wanted is None:
        raise AdjustmentInvalid("Name the break of the line with which it went back.", param="parameters")
    assert facts.parked is not None
    for row, parked in _others(facts):
        if row.id == wanted and _shown(parked) == -_shown(facts.parked):
            return parked
    raise AdjustmentInvalid(
        "That is no open break of the same amount the other way round.", param="parameters"
    )


def _others(facts: Facts) -> Sequence[tuple[Discrepancy, Parked]]:
    """Other breaks of lines of this bank that wait in suspense, and that nobody has proposed anything for."""
    rows = Discrepancy.objects.filter(
        merchant_id=facts.row.merchant_id,
        source_id=facts.row.source_id,
        side=Side.BANK,
        currency=facts.row.currency,
        amount_minor=facts.row.amount_minor,
        status__in=("OPEN", "ASSIGNED"),
        line_id__isnull=False,
    ).exclude(pk=facts.row.id)
    found = [(row, facts_of(row)) for row in rows.select_related("source").order_by("due_at", "pk")[:_MOST]]
    return [(row, each.parked) for row, each in found if each.parked is not None]


def _locked_other(parameters: dict[str, Any]) -> Discrepancy:
    key = other_break(OFFSET, parameters)
    assert key is not None, "it was there when it was proposed"
    [row] = lock_discrepancies(ids=[key])
    return row


def _match(row: Discrepancy, key: str, minor: int, shown: int) -> None:
    """The line pays the batch from now on, for all who ask what the bank has shown of it."""
    assert row.line_id is not None
    line = BankLine.objects.get(pk=row.line_id)
    run = ReconciliationRun.objects.get(file_id=line.file_id)
    subject = batch_subject(key)
    parts = Match.objects.filter(subject_id=subject, subject_kind="batch", live=True, side=Side.BANK).count()
    part = Part(
        line.id, "batch", subject, key, minor, shown - minor, _RULE, f"batch:{key}", movement_part=parts
    )
    write_parts(run, [part])


def _end_match(adjustment: Adjustment, *, why: str, by: str) -> None:
    paid = paid_batch(adjustment)
    held = Match.objects.filter(
        subject_id=batch_subject(paid["clearing_key"]),
        subject_kind="batch",
        merchant_id=adjustment.merchant_id,
        line_id=adjustment.discrepancy.line_id,
        rule=_RULE,
        live=True,
    )
    for each in list(held):
        Match.objects.filter(pk=each.id).update(live=False)
        MatchEnd.objects.create(
            merchant_id=each.merchant_id, match=each, reason=why[:200], by=by, at=clock.now()
        )
