"""The same request twice is done once: the key, the work and the answer commit together.

A request that failed leaves nothing behind, so its key stays free and a retry simply runs.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import clock, locks
from core.card_data import CardDataForbidden, contains_card_number
from core.errors import DomainError
from core.failpoints import failpoint
from core.history import Changes
from core.models import IdempotencyRecord
from core.rows import new_row
from core.transactions import requires_transaction

__all__ = [
    "Answer",
    "AnswerPlace",
    "IdempotencyInProgress",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyRequired",
    "IdempotencyKeyReused",
    "answer_once",
    "fingerprint",
    "forget",
    "is_answered",
    "read_key",
    "replace_answer",
    "stored_answer",
]

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyRequired(DomainError):
    code = "idempotency_key_required"
    status = 400
    message = "Send an Idempotency-Key header, so that the request can be repeated safely."


class IdempotencyKeyInvalid(DomainError):
    code = "idempotency_key_invalid"
    status = 400
    message = "The Idempotency-Key must be 1 to 255 visible ASCII characters."


class IdempotencyInProgress(DomainError):
    code = "idempotency_in_progress"
    status = 429
    message = "A request with this Idempotency-Key is being executed. Try again."


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = "This Idempotency-Key was used for another request."


@dataclass(frozen=True)
class Answer:
    """What is sent back: the status and the exact bytes; `is_replay` if they were stored before."""

    status: int
    body: bytes
    is_replay: bool = False


class AnswerPlace:
    """Where the answer of one request is stored: under the merchant's key, beside the request's digest."""

    def __init__(self, *, merchant_id: UUID, key: str, digest: bytes) -> None:
        self.merchant_id, self.key, self.digest = merchant_id, key, digest
        self.stored: Answer | None = None

    def store(self, answer: Answer, changes: Changes) -> None:
        """Store the answer with the caller's changes, which saves a round trip; the work returns it then."""
        failpoint("idem.before_record")
        record = new_row(
            IdempotencyRecord,
            merchant_id=self.merchant_id,
            key=self.key,
            fingerprint=self.digest,
            status=answer.status,
            body=answer.body,
            created_at=clock.now(),
        )
        changes.insert([record])
        self.stored = answer


def read_key(header: str | None, *, is_required: bool) -> str | None:
    """Return the key of a request, None where none was sent and none is needed.

    Raises IdempotencyKeyRequired, IdempotencyKeyInvalid, CardDataForbidden.
    """
    if header is None:
        if is_required:
            raise IdempotencyKeyRequired()
        return None
    if not _VISIBLE_ASCII.fullmatch(header):
        raise IdempotencyKeyInvalid()
    if contains_card_number(header):
        raise CardDataForbidden()
    return header


def fingerprint(*, method: str, path: str, body: bytes) -> bytes:
    """Return the 32 bytes that tell one request from another; `body` is its canonical form."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


@requires_transaction
def answer_once(*, place: AnswerPlace, work: Callable[[], Answer]) -> Answer:
    """Do the work and store its answer in the place, unless the work did; or return what is stored there.

    Must be the first statement of the edge's transaction. `work` raises to refuse: then everything,
    the key included, is rolled back. Raises IdempotencyInProgress, IdempotencyKeyReused.
    """
    is_ours, stored = locks.try_idempotency_key(merchant_id=place.merchant_id, key=place.key)
    if not is_ours:
        raise IdempotencyInProgress(retry_after=1)
    if stored is not None:
        if bytes(stored.fingerprint) != place.digest:
            raise IdempotencyKeyReused()
        return Answer(stored.status, bytes(stored.body), is_replay=True)
    place.stored = None  # By an attempt that was rolled back.
    answer = work()
    if place.stored is None:
        changes = Changes()
        place.store(answer, changes)
        changes.save()
    elif place.stored is not answer:
        raise RuntimeError("another answer is stored than the work returned")
    failpoint("idem.before_commit")
    return answer


@requires_transaction
def replace_answer(*, merchant_id: UUID, key: str, old: Answer, body: bytes) -> bool:
    """Store another body in place of `old`, no byte of which was sent yet; False if that is not stored.

    It commits with whatever makes the new answer true. Because it compares, an answer is replaced once.
    """
    record = IdempotencyRecord.objects.filter(merchant_id=merchant_id, key=key, body=old.body)
    return record.update(body=body) == 1


def stored_answer(*, merchant_id: UUID, key: str) -> Answer:
    """Return what is stored under a key that was answered. Raises IdempotencyRecord.DoesNotExist."""
    stored = IdempotencyRecord.objects.get(merchant_id=merchant_id, key=key)
    return Answer(stored.status, bytes(stored.body))


def is_answered(*, merchant_id: UUID, key: str) -> bool:
    """Say whether an answer is stored under a key, whatever request it belongs to."""
    return IdempotencyRecord.objects.filter(merchant_id=merchant_id, key=key).exists()


@requires_transaction
def forget(*, before: datetime, limit: int) -> int:
    """Delete up to `limit` stored answers older than `before`; return how many went."""
    oldest = IdempotencyRecord.objects.filter(created_at__lt=before).order_by("created_at")
    gone, _ = IdempotencyRecord.objects.filter(pk__in=oldest.values("pk")[:limit]).delete()
    return gone
