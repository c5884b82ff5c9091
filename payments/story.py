"""Everything that happened to a checkout, told in chapters: one for each exchange with somebody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from channels.selectors import calls_of
from core.ids import public_id
from core.models import StatusChange
from core.story import BookLine, Chapter, Step
from events.selectors import told_about
from ledger.selectors import entries_of_event, entry_lines
from merchants.selectors import owner_names
from payments.models import (
    BalancePart,
    Charge,
    Dispute,
    DisputeMovement,
    OrderRelease,
    PaymentEvent,
    PaymentOrder,
    PspOperation,
    Refund,
    TopUp,
    TopUpReturn,
)
from payments.telling.parts import rows_of_payment
from risk.selectors import decisions_of

__all__ = ["refund_story", "story_of", "top_up_story"]

# What is written in one transaction is written at once, however busy the machine is.
_TOGETHER = timedelta(seconds=2)
_MOST_CHANGES = 500
_PREFIXES: dict[type[Any], str] = {
    PaymentOrder: "pay",
    TopUp: "top",
    Charge: "chg",
    PspOperation: "op",
    Refund: "re",
    Dispute: "dp",
}
_THINGS = {
    "pay": "order",
    "top": "top-up",
    "chg": "charge",
    "op": "operation",
    "re": "refund",
    "dp": "dispute",
    "hold": "hold",
}


def story_of(*, merchant_id: UUID, checkout_id: UUID, order_id: UUID | None = None) -> list[Chapter]:
    """Return the chapters of a merchant's checkout, or of one order of it, in order; none if unknown."""
    checkout = PaymentEvent.objects.filter(merchant_id=merchant_id, pk=checkout_id).first()
    if checkout is None:
        return []
    rows = rows_of_payment(checkout=checkout, order_id=order_id)
    changes = _changes(rows.orders, rows.charges, rows.operations, rows.refunds, rows.disputes, rows.holds)
    request = Chapter(
        "request",
        f"The store asked for it: {checkout.checkout_id}",
        checkout.created_at,
        (Step(at=checkout.created_at, what="accepted", subject=public_id("chk", checkout.id)),),
    )
    chapters = [
        *_request_and_exchanges(request, rows.operations, changes),
        *_risk(merchant_id, checkout_id),
        *_webhooks(rows.charges, rows.disputes),
        *_books(
            merchant_id, rows.orders, rows.charges, rows.operations, rows.refunds, rows.disputes, rows.holds
        ),
    ]
    return sorted(chapters, key=lambda each: each.at)


def top_up_story(*, merchant_id: UUID, top_up_id: UUID) -> list[Chapter]:
    """Return the chapters of a merchant's top-up in order; none if it is unknown."""
    top_up = TopUp.objects.filter(merchant_id=merchant_id, pk=top_up_id).first()
    if top_up is None:
        return []
    charges = list(Charge.objects.filter(top_up=top_up))
    operations = list(PspOperation.objects.filter(charge__in=charges).order_by("id"))
    disputes = list(Dispute.objects.filter(charge__in=charges).order_by("id"))
    name = public_id("top", top_up.id)
    accepted = Step(at=top_up.created_at, what="accepted", subject=name)
    request = Chapter("request", f"The store asked for it: {name}", top_up.created_at, (accepted,))
    chapters = [
        *_request_and_exchanges(request, operations, _changes([top_up], charges, operations, disputes)),
        *_risk(merchant_id, top_up.id),
        *_webhooks(charges, disputes),
        *_books(merchant_id, [], charges, operations, [], disputes),
    ]
    return sorted(chapters, key=lambda each: each.at)


def refund_story(*, merchant_id: UUID, refund_id: UUID) -> list[Chapter]:
    """Return the chapters of one refund of a merchant: who did what, each exchange, the books."""
    refund = Refund.objects.filter(merchant_id=merchant_id, pk=refund_id).first()
    if refund is None:
        return []
    operations = list(PspOperation.objects.filter(refund=refund).order_by("id"))
    steps: dict[UUID, list[Step]] = {}
    for change, name in _changes(operations, [refund]):
        steps.setdefault(change.subject_id, []).append(_step(change, name))
    chapters = [
        Chapter("request", "The refund", refund.created_at, tuple(steps.get(refund.id, ()))),
        *(_exchange(each, steps.get(each.id, [])) for each in operations),
        *_books(merchant_id, [], [], [], [refund]),
    ]
    return sorted(chapters, key=lambda each: each.at)


def _changes(*groups: Iterable[Any]) -> list[tuple[StatusChange, str]]:
    names: dict[UUID, str] = {}
    for row in (row for group in groups for row in group):
        if isinstance(row, BalancePart):
            names[row.hold_id] = public_id("hold", row.hold_id)
            continue
        names[row.id] = public_id(_PREFIXES[type(row)], row.id)
    rows = StatusChange.objects.filter(subject_id__in=list(names)).order_by("id")[:_MOST_CHANGES]
    return [(row, names[row.subject_id]) for row in rows]


def _request_and_exchanges(
    request: Chapter, operations: list[PspOperation], changes: list[tuple[StatusChange, str]]
) -> list[Chapter]:
    by_operation: dict[UUID, list[Step]] = {each.id: [] for each in operations}
    others: list[Step] = []
    last: StatusChange | None = None
    for change, name in changes:
        if change.subject_id in by_operation:
            last = change
            by_operation[change.subject_id].append(_step(change, name))
        elif last is not None and _follows(change, last):
            by_operation[last.subject_id].append(_step(change, name))
        else:
            others.append(_step(change, name))
    found = [_exchange(each, by_operation[each.id]) for each in operations]
    return [replace(request, steps=(*request.steps, *others)), *found]


def _follows(change: StatusChange, last: StatusChange) -> bool:
    """What moved the charge and its orders is the operation that was recorded just before."""
    is_new = not change.from_state
    return not is_new and abs(change.recorded_at - last.recorded_at) <= _TOGETHER


def _exchange(operation: PspOperation, steps: list[Step]) -> Chapter:
    calls = calls_of(merchant_id=operation.merchant_id, operation_id=operation.id)
    told = [
        Step(
            at=call.at,
            what=f"call {call.kind}",
            subject=call.psp_request_id,
            state=str(call.http_status) if call.http_status else "no answer",
            why=f"{call.error} {call.duration_ms} ms".strip(),
            body=call.body.decode("utf-8", "replace"),
        )
        for call in calls
    ]
    ordered = sorted([*steps, *told], key=lambda each: each.at)
    title = f"{operation.kind} {public_id('op', operation.id)}"
    return Chapter("exchange", title, operation.created_at, tuple(ordered))


def _step(change: StatusChange, name: str) -> Step:
    return Step(
        at=change.recorded_at,
        what=_THINGS[name.partition("_")[0]],
        subject=name,
        state=change.to_state,
        why=change.reason,
        by=change.actor,
    )


def _risk(merchant_id: UUID, checkout_id: UUID) -> list[Chapter]:
    return [
        Chapter(
            "risk",
            f"Risk: {each.decision}",
            each.at,
            (
                Step(
                    at=each.at,
                    what=each.source,
                    state=each.decision,
                    why="; ".join(each.reasons) or f"score {each.score}",
                    by=each.by,
                    key=str(each.id),
                ),
            ),
        )
        for each in decisions_of(merchant_id=merchant_id, subject_id=checkout_id)
    ]


def _webhooks(charges: list[Charge], disputes: list[Dispute]) -> list[Chapter]:
    found = []
    for charge in charges:
        about = [each for each in (charge.psp_reference, charge.session_reference) if each]
        about += [each.psp_reference for each in disputes if each.charge_id == charge.id]
        for told in told_about(channel_id=charge.channel_id, references=about):
            state = ", ".join(f"{name} {status}" for name, status in told.work) or told.status
            step = Step(
                at=told.received_at, what=told.type, subject=told.event_id, state=state, key=str(told.id)
            )
            found.append(Chapter("webhook", f"Webhook {told.type}", told.received_at, (step,)))
    return found


def _books(
    merchant_id: UUID,
    orders: list[PaymentOrder],
    charges: list[Charge],
    operations: list[PspOperation],
    refunds: list[Refund],
    disputes: Sequence[Dispute] = (),
    holds: Sequence[BalancePart] = (),
) -> list[Chapter]:
    events: list[tuple[str, object]] = [("charge", each.id) for each in charges]
    events += [("hold", each.hold_id) for each in holds]
    taken_back = TopUpReturn.objects.filter(charge__in=charges).order_by("id")
    events += [("top_up_return", key) for key in taken_back.values_list("id", flat=True)]
    # What came too late for any order is given back by its operation alone.
    events += [("refund", each.id) for each in operations if each.kind == "refund" and not each.refund_id]
    events += [("refund", each.id) for each in refunds]
    moved = DisputeMovement.objects.filter(dispute__in=list(disputes)).order_by("number")
    events += [("dispute_movement", key) for key in moved.values_list("id", flat=True)]
    events += [("dispute", f"{each.id}:{n}") for each in disputes for n in range(1, each.round + 1)]
    releases = OrderRelease.objects.filter(order__in=orders).order_by("id")
    events += [("release", reference) for reference in releases.values_list("reference", flat=True)]
    found = []
    for source, key in events:
        for entry_id, leg, kind, at, _ in entries_of_event(
            merchant_id=merchant_id, source=source, source_ref=str(key)
        ):
            lines = entry_lines(entry_id=entry_id)
            names = owner_names(owner_ids={line.owner for line in lines if line.owner})
            step = Step(at=at, what=leg, key=str(entry_id), lines=tuple(_lines(lines, names)))
            found.append(Chapter("books", f"Books: {kind}", at, (step,)))
    return found


def _lines(lines: Iterable[Any], names: Mapping[UUID, str]) -> Iterable[BookLine]:
    for line in lines:
        owner = names.get(line.owner, "") if line.owner else ""
        account = " ".join(part for part in (line.role.replace("_", " "), line.provider or "") if part)
        yield BookLine(line.account_id, account, owner, line.amount_minor, line.currency)
