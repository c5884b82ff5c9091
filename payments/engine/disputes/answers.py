"""Answering a dispute, or letting it stand: what is gathered, the request, and what came of it."""

import base64
import hashlib
from datetime import timedelta
from uuid import UUID

from core import clock
from core.cases import open_case
from core.history import SYSTEM, Changes
from core.ids import public_id
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.disputes.locks import DisputeScope, lock_dispute, lock_dispute_of
from payments.engine.disputes.observe import keep_dispute, see_dispute
from payments.engine.disputes.pack import case_file, known_texts
from payments.engine.disputes.verdicts import Step
from payments.engine.operations import new_operation, next_look, postpone
from payments.errors import (
    DisputeNotOpen,
    EvidenceFieldUnknown,
    EvidenceFileInvalid,
    EvidenceInProgress,
    EvidenceOverdue,
)
from payments.locks import ChargeScope
from payments.models import DisputeEvidence, PspOperation
from payments.psp.contract import Outcome, OutcomeKind
from payments.psp.disputes import EVIDENCE_FILES, EVIDENCE_TEXTS
from payments.references import dispute_key
from payments.states import OPERATION_OPEN
from payments.types import DisputeAnswer, DisputeFile

__all__ = [
    "ANSWERS",
    "LARGEST_FILE",
    "MEDIA_TYPES",
    "add_evidence",
    "dispute_answered",
    "start_acceptance",
]

# The kinds of operations that answer a dispute.
ANSWERS = ("evidence", "accept_dispute")
LARGEST_FILE = 512 * 1024
_MOST_TEXT = 20_000
_CASE_DUE = timedelta(hours=24)
# First bytes to media type.
_SIGNS = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
MEDIA_TYPES = tuple(media for _, media in _SIGNS)
_ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}


@requires_transaction
def add_evidence(*, merchant_id: UUID, reference: str, answer: DisputeAnswer, actor: str) -> UUID:
    """Add to the answer to a merchant's dispute, replacing what has the same names; return its key.

    With `submit` everything is sent, with what our own records tell: that can be done once. Raises NotFound,
    DisputeNotOpen, EvidenceOverdue, EvidenceInProgress, EvidenceFieldUnknown, EvidenceFileInvalid.
    """
    scope = lock_dispute(dispute_id=dispute_key(merchant_id=merchant_id, reference=reference))
    assert scope is not None, "disputes are never deleted"
    _check_answerable(scope)
    for name, text in answer.texts.items():
        if name not in EVIDENCE_TEXTS:
            raise EvidenceFieldUnknown(param=f"texts.{name}" if name.isidentifier() else "texts")
        _replace(scope, name, actor=actor, text=text)
    for index, each in enumerate(answer.files):
        if each.part not in EVIDENCE_FILES or each.part == "case_file":
            raise EvidenceFieldUnknown(param=f"files[{index}].field")
        _add_file(scope, each, actor=actor, param=f"files[{index}].content")
    if answer.submit:
        changes = Changes()
        _submit(scope, changes, actor=actor)
        changes.save()
        nudge("operations")
    return scope.dispute.id


@requires_transaction
def start_acceptance(scope: DisputeScope, changes: Changes, *, by: str) -> PspOperation:
    """Ask the provider to let a locked dispute stand. Raises DisputeNotOpen, EvidenceInProgress."""
    if scope.dispute.status != "OPEN":
        raise DisputeNotOpen()
    _check_no_answer(scope)
    return _operation(scope, "accept_dispute", changes, by=by)


@requires_transaction
def dispute_answered(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> None:
    """Record what came of an answer that is SENT, UNKNOWN or PENDING, with all that follows."""
    assert operation.dispute_id is not None, "the database refuses an answer without a dispute"
    locked = lock_dispute_of(scope, dispute_id=operation.dispute_id)
    if outcome.conflict:
        changes.move(operation, operation.to_conflicted, why=outcome.error, error=outcome.error[:500])
        _case(locked, "dispute_answer_conflict", f"the provider contradicts us: {outcome.error}")
    elif outcome.kind is OutcomeKind.SUCCEEDED:
        changes.move(operation, operation.to_succeeded, why=f"{operation.kind} done")
        step = Step(locked, changes, SYSTEM)
        if operation.kind == "evidence":
            step.evidence_sent(why="the answer was submitted")
        else:
            step.accept(why="accepted")
    elif outcome.kind is OutcomeKind.DECLINED:
        why = outcome.error or "declined"
        changes.move(operation, operation.to_declined, why=why, error=why[:500])
        _case(locked, "dispute_answer_refused", f"the provider takes no answer: {why}")
    elif operation.status != "SENT":
        postpone(operation, error=outcome.error)
    elif outcome.kind is OutcomeKind.NOT_SENT:
        changes.move(
            operation,
            operation.to_not_sent,
            why=outcome.error or "not sent",
            error=outcome.error[:500],
            due_at=next_look(operation),
        )
    else:
        why = outcome.error or "no trustworthy answer"
        changes.move(operation, operation.to_unknown, why=why, error=why[:500], due_at=next_look(operation))
    if outcome.dispute is not None and outcome.dispute.amount_minor == locked.dispute.amount_minor:
        see_dispute(locked, outcome.dispute, changes)
    else:
        keep_dispute(locked.dispute, changes)


def _submit(scope: DisputeScope, changes: Changes, *, actor: str) -> None:
    drafts = _drafts(scope)
    said = {each.field for each in drafts}
    for name, text in known_texts(scope).items():
        if name not in said:
            _replace(scope, name, actor=SYSTEM, text=text)
    document = case_file(scope, _drafts(scope))
    piece = DisputeFile("case_file", f"{public_id('dp', scope.dispute.id)}.pdf", document)
    _add_file(scope, piece, actor=SYSTEM, param="", is_ours=True)
    operation = _operation(scope, "evidence", changes, by=actor)
    DisputeEvidence.objects.filter(
        dispute=scope.dispute, operation__isnull=True, replaced_at__isnull=True
    ).update(operation_id=operation.id)


def _operation(scope: DisputeScope, kind: str, changes: Changes, *, by: str) -> PspOperation:
    operation = new_operation(scope.charge.charge, kind)
    operation.dispute = scope.dispute
    operation.amount_minor = scope.dispute.amount_minor
    changes.begin(operation, why="requested", by=by)
    changes.insert([operation])
    return operation


def _check_answerable(scope: DisputeScope) -> None:
    dispute = scope.dispute
    if dispute.status not in ("INQUIRY", "OPEN") or dispute.evidence_sent_at is not None:
        raise DisputeNotOpen()
    _check_no_answer(scope)
    if dispute.evidence_due_at is not None and dispute.evidence_due_at <= clock.now():
        raise EvidenceOverdue()


def _check_no_answer(scope: DisputeScope) -> None:
    if PspOperation.objects.filter(dispute=scope.dispute, status__in=OPERATION_OPEN).exists():
        raise EvidenceInProgress()


def _drafts(scope: DisputeScope) -> list[DisputeEvidence]:
    rows = DisputeEvidence.objects.filter(
        dispute=scope.dispute, operation__isnull=True, replaced_at__isnull=True
    )
    return list(rows.order_by("field"))


def _add_file(
    scope: DisputeScope, piece: DisputeFile, *, actor: str, param: str, is_ours: bool = False
) -> None:
    media = next((media for sign, media in _SIGNS if piece.content.startswith(sign)), "")
    if not media:
        raise EvidenceFileInvalid("A file of evidence is a PDF, a PNG or a JPEG.", param=param)
    if len(piece.content) > LARGEST_FILE and not is_ours:
        raise EvidenceFileInvalid(f"A file of evidence has at most {LARGEST_FILE} bytes.", param=param)
    _replace(
        scope,
        piece.part,
        actor=actor,
        content=base64.b64encode(piece.content).decode(),
        # The name as people know it, with the ending that its content has.
        file_name=f"{piece.name.rpartition('.')[0] or piece.name}"[:100] + _ENDINGS[media],
        media_type=media,
        size=len(piece.content),
        sha256=hashlib.sha256(piece.content).digest(),
    )


def _replace(scope: DisputeScope, name: str, *, actor: str, **columns: object) -> None:
    at = clock.now()
    DisputeEvidence.objects.filter(
        dispute=scope.dispute, field=name, operation__isnull=True, replaced_at__isnull=True
    ).update(replaced_at=at)
    row = DisputeEvidence(
        merchant_id=scope.dispute.merchant_id,
        dispute=scope.dispute,
        field=name,
        created_at=at,
        created_by=actor[:80],
        **{"text": "", "content": "", **columns},
    )
    row.save(force_insert=True)


def _case(scope: DisputeScope, kind: str, summary: str) -> None:
    dispute = scope.dispute
    open_case(
        kind=kind,
        due_in=_CASE_DUE,
        subject=public_id("dp", dispute.id),
        detail={"dispute_id": str(dispute.id)},
        summary=f"{dispute.psp_reference}: {summary}"[:500],
        merchant_id=dispute.merchant_id,
        value_minor=dispute.amount_minor,
        currency=dispute.currency,
    )
