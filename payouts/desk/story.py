"""Everything that happened to a payout, told in chapters: who did what, each batch it was in, the books."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from channels.selectors import calls_of
from core.models import StatusChange
from core.story import BookLine, Chapter, Step
from ledger.selectors import entries_of_event, entry_lines
from merchants.selectors import owner_names
from payouts.models import Destination, Payout, PayoutAttempt, PayoutBatch
from risk.selectors import decisions_of

__all__ = ["batch_story", "destination_story", "payout_story"]

_MOST_CHANGES = 500
_Row = Destination | Payout | PayoutAttempt | PayoutBatch
_NAMES: dict[type[_Row], str] = {Destination: "account", Payout: "payout", PayoutBatch: "batch"}


def payout_story(*, payout_id: UUID) -> list[Chapter]:
    """Return the chapters of a payout in order; none if it is unknown."""
    payout = Payout.objects.filter(pk=payout_id).first()
    if payout is None:
        return []
    sendings = list(payout.sendings.select_related("batch").order_by("pk"))
    own = _changes([payout, *sendings])
    named = f"The payout {payout.public_id}"
    chapters = [
        Chapter("payout", named, payout.created_at, tuple(own)),
        *(_exchange(each.batch, _changes([each.batch])) for each in sendings),
        *_risk(payout),
        *_books(payout, sendings),
    ]
    return sorted(chapters, key=lambda each: each.at)


def batch_story(*, batch_id: UUID) -> list[Chapter]:
    """Return what happened to a batch and what went over the line for it; none if it is unknown."""
    batch = PayoutBatch.objects.filter(pk=batch_id).first()
    return [_exchange(batch, _changes([batch]))] if batch else []


def destination_story(*, destination_id: UUID) -> list[Chapter]:
    """Return what happened to a destination; none if it is unknown."""
    row = Destination.objects.filter(pk=destination_id).first()
    if row is None:
        return []
    return [Chapter("account", f"The account {row.public_id}", row.created_at, tuple(_changes([row])))]


def _changes(rows: Iterable[_Row]) -> list[Step]:
    names = {row.pk: _name(row) for row in rows}
    found = StatusChange.objects.filter(subject_id__in=list(names)).order_by("id")[:_MOST_CHANGES]
    return [_step(change, *names[change.subject_id]) for change in found]


def _name(row: _Row) -> tuple[str, str]:
    if isinstance(row, PayoutAttempt):
        return "sending", row.reference
    return _NAMES[type(row)], row.public_id


def _step(change: StatusChange, what: str, subject: str) -> Step:
    return Step(
        at=change.recorded_at,
        what=what,
        subject=subject,
        state=change.to_state,
        why=change.reason,
        by=change.actor,
    )


def _exchange(batch: PayoutBatch, steps: list[Step]) -> Chapter:
    told = [
        Step(
            at=call.at,
            what=f"call {call.kind}",
            subject=call.psp_request_id,
            state=str(call.http_status) if call.http_status else "no answer",
            why=f"{call.error} {call.duration_ms} ms".strip(),
            body=call.body.decode("utf-8", "replace"),
        )
        for call in calls_of(merchant_id=batch.merchant_id, operation_id=batch.id)
    ]
    ordered = sorted([*steps, *told], key=lambda each: each.at)
    return Chapter("exchange", f"Batch {batch.public_id}", batch.created_at, tuple(ordered))


def _risk(payout: Payout) -> list[Chapter]:
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
        for each in decisions_of(merchant_id=payout.merchant_id, subject_id=payout.id)
    ]


def _books(payout: Payout, sendings: list[PayoutAttempt]) -> list[Chapter]:
    events = [("payout", str(payout.id)), *(("payout_return", each.reference) for each in sendings)]
    found = []
    for source, key in events:
        for entry_id, leg, kind, at, _ in entries_of_event(
            merchant_id=payout.merchant_id, source=source, source_ref=key
        ):
            lines = entry_lines(entry_id=entry_id)
            names = owner_names(owner_ids={line.owner for line in lines if line.owner})
            step = Step(at=at, what=leg, key=str(entry_id), lines=tuple(_line(line, names) for line in lines))
            found.append(Chapter("books", f"Books: {kind}", at, (step,)))
    return found


def _line(line: Any, names: Any) -> BookLine:
    owner = names.get(line.owner, "") if line.owner else ""
    account = " ".join(part for part in (line.role.replace("_", " "), line.provider or "") if part)
    return BookLine(line.account_id, account, owner, line.amount_minor, line.currency)
