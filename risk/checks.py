"""Ask a vendor about a payment until it answers or the merchant's patience is over.

The question stands in the database with its reference before anything is sent. No transaction is open
while the vendor is asked, and only the holder of the newest claim may act on what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.failpoints import failpoint
from core.history import move
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.settings_store import get_setting
from core.transactions import at_edge, forbids_transaction, requires_transaction
from risk.locks import lock_check
from risk.models import RiskCheck
from risk.policy import scope_of
from risk.providers.contract import VendorAnswer, VendorLine, provider_for
from risk.subscriptions import tell_verdict

__all__ = ["pursue_check", "record_failure", "replay_check"]

_LOOKS = (1, 1, 2, 3, 5)  # seconds
_THEN = 10
_RULE = Retry(Strategy.EXPONENTIAL, base=1.0, cap=60.0, limit=8)


@dataclass(frozen=True)
class _Intent:
    """What is to be done about one question, and everything the call needs without the database."""

    check_id: UUID
    fence: int
    merchant_id: UUID
    subject_id: UUID
    line: VendorLine
    reference: str
    vendor_reference: str
    request: Mapping[str, Any]
    is_late: bool


class _Overtaken(Exception):
    """Somebody has a newer claim: what we learned is theirs to learn again."""


@forbids_transaction
def pursue_check(*, claim: Claim) -> None:
    """Ask, or look whether there is an answer; when time is over, let the merchant's policy decide."""
    intent = _intend(claim)
    if intent is None:
        return
    answer = VendorAnswer(error="no answer in time") if intent.is_late else _call(intent)
    failpoint("risk_check.answered")
    try:
        if answer.decision:
            _settle(intent, answer.decision, "vendor", f"the vendor says {answer.decision}")
        elif intent.is_late:
            policy = get_setting(name="risk.external_failure", scope=scope_of(intent.merchant_id))
            _settle(intent, policy, "policy", "the vendor gave no answer in time")
        else:
            _postpone(intent, answer)
    except _Overtaken:
        return  # The newer claim is at it.


@at_edge
def _intend(claim: Claim) -> _Intent | None:
    row = RiskCheck.objects.select_related("vendor").filter(pk=claim.id).first()
    if row is None or row.fence != claim.fence or row.status != "WAITING":
        return None
    vendor = row.vendor
    return _Intent(
        check_id=row.pk,
        fence=claim.fence,
        merchant_id=row.merchant_id,
        subject_id=row.subject_id,
        line=VendorLine(vendor.provider, vendor.base_url, vendor.credentials["secret_key"]),
        reference=row.reference,
        vendor_reference=row.vendor_reference,
        request=row.request,
        is_late=clock.now() >= row.ends_at,
    )


@forbids_transaction
def _call(intent: _Intent) -> VendorAnswer:
    client = provider_for(intent.line.provider)
    if intent.vendor_reference:
        return client.look(line=intent.line, vendor_reference=intent.vendor_reference)
    return client.ask(line=intent.line, reference=intent.reference, request=intent.request)


@at_edge
def _settle(intent: _Intent, decision: str, source: str, reason: str) -> None:
    """Act on the verdict and end the question, in one commit. The payment is locked first, then the check."""
    was_waited_for = tell_verdict(
        merchant_id=intent.merchant_id,
        subject_id=intent.subject_id,
        decision=decision,
        source=source,
        reason=reason,
    )
    row = _ours(intent)
    now = clock.now()
    if not was_waited_for:
        move(row, row.to_dropped, why="the payment was decided without it", updated_at=now)
    elif source == "vendor":
        move(row, row.to_answered, why=reason, decision=decision, updated_at=now)
    else:
        move(row, row.to_degraded, why=reason, decision=decision, updated_at=now)


@at_edge
def _postpone(intent: _Intent, answer: VendorAnswer) -> None:
    row = _ours(intent)
    pause = _LOOKS[row.asked] if row.asked < len(_LOOKS) else _THEN
    row.asked += 1
    row.vendor_reference = answer.reference or row.vendor_reference
    row.error = answer.error[:500]
    row.due_at = min(clock.now() + timedelta(seconds=pause), row.ends_at)
    row.leased_until = None
    row.attempts = 0
    row.updated_at = clock.now()
    row.save(
        update_fields=[
            "asked", "vendor_reference", "error", "due_at", "leased_until", "attempts", "updated_at",
        ]
    )  # fmt: skip


def _ours(intent: _Intent) -> RiskCheck:
    row = lock_check(check_id=intent.check_id)
    if row.fence != intent.fence or row.status != "WAITING":
        raise _Overtaken
    return row


@forbids_transaction
def record_failure(*, claim: Claim, error: Exception) -> None:
    """Move the question's next try, or bury it after the last one."""
    _count_failure(claim, error)


@at_edge
def _count_failure(claim: Claim, error: Exception) -> None:
    row = lock_check(check_id=claim.id)
    if row.fence != claim.fence or row.status != "WAITING":
        return
    row.attempts += 1
    pause = _RULE.pause(row.attempts)
    row.due_at = clock.now() + pause if pause is not None else None
    row.leased_until = None
    row.error = f"{type(error).__name__}: {error}"[:500]
    row.save(update_fields=["attempts", "due_at", "leased_until", "error"])
    if pause is None:
        bury(
            queue="risk_checks",
            subject=row.reference,
            error=row.error,
            attempts=row.attempts,
            merchant_id=row.merchant_id,
            detail={"check_id": str(row.pk)},
        )


@requires_transaction
def replay_check(letter: DeadLetter) -> None:
    """Make a buried question due again; one that has its answer meanwhile stays."""
    row = lock_check(check_id=UUID(letter.detail["check_id"]))
    if row.status != "WAITING":
        return
    row.attempts, row.due_at, row.leased_until = 0, clock.now(), None
    row.save(update_fields=["attempts", "due_at", "leased_until"])
    nudge("risk_checks")
