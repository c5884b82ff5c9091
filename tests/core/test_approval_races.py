"""Many people decide at once: one decision, one line in the audit trail (F-F8, I30)."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import models

from core import approvals
from core.errors import DomainError
from core.fsm import ConcurrentTransition
from core.models import Approval, AuditRecord, StatusChange
from core.rows import Batch
from core.transactions import at_edge
from tests.racing import race

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def approval() -> Approval:
    return at_edge(approvals.request_approval)(
        subject="po_1", action="payout.send", instruction={}, maker="user:0", expires_in=timedelta(hours=1)
    )


def decide(approval: Approval, number: int) -> Any:
    checker = f"user:{number}"
    if number % 2:
        return approvals.at_decision_edge(approvals.approve)(
            approval_id=approval.pk, checker=checker, instruction_now={}
        )
    return approvals.at_decision_edge(approvals.reject)(approval_id=approval.pk, checker=checker, reason="no")


def approve(approval: Approval, number: int) -> Any:
    return decide(approval, 2 * number + 1)


def decisions() -> int:
    return StatusChange.objects.filter(to_state__in=["APPROVED", "REJECTED"]).count()


def test_twenty_decide_one_wins(approval: Approval) -> None:
    results = race([lambda n=n: decide(approval, n) for n in range(1, 21)])
    winners = [each for each in results if isinstance(each, Approval)]
    losers = [each for each in results if not isinstance(each, Approval)]
    assert len(winners) == 1
    assert {type(error) for error in losers} == {approvals.ApprovalNotPending}
    assert decisions() == 1
    assert AuditRecord.objects.exclude(action="approval.request").count() == 1
    assert Approval.objects.get().checker == winners[0].checker


@pytest.fixture
def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody reads the pending row before anybody decides."""
    everybody_has_read = threading.Barrier(5)

    def read(*, approval_id: Any) -> Approval:
        row = Approval.objects.get(pk=approval_id)
        everybody_has_read.wait(10)
        return row

    monkeypatch.setattr(approvals, "lock_approval", read)


def test_control_without_the_lock_losers_meet_the_second_guard(
    approval: Approval, without_the_lock: None
) -> None:
    """The optimistic check still allows one decision, but the losers get no answer they can act on."""
    results = race([lambda n=n: approve(approval, n) for n in range(5)])
    losers = [each for each in results if isinstance(each, Exception)]
    assert {type(error) for error in losers} == {ConcurrentTransition}
    assert not any(isinstance(error, DomainError) for error in losers)
    assert decisions() == 1


def test_control_without_both_guards_several_decide(
    approval: Approval, without_the_lock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = Batch.update

    def unguarded(batch: Batch, row: models.Model, *, names: Any, only_if: Any, lost: Any) -> None:
        guarded(batch, row, names=names, only_if={}, lost=lost)

    monkeypatch.setattr(Batch, "update", unguarded)
    race([lambda n=n: approve(approval, n) for n in range(5)])
    assert decisions() > 1
