"""Four eyes: who may decide, on what, until when (A-E7, I30)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core import approvals, clock
from core.canonical import canonical_json, digest
from core.errors import DomainError, NotFound
from core.ids import uuid7
from core.models import Approval, AuditRecord, StatusChange
from core.transactions import at_edge

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
MAKER, CHECKER, OTHER = "user:maker", "user:checker", "user:other"
INSTRUCTION = {"payout": "po_1", "amount": "100.00", "currency": "USD"}
HOUR = timedelta(hours=1)


@at_edge
def ask(instruction: dict[str, Any] = INSTRUCTION, *, maker: str = MAKER, expires_in=HOUR) -> Approval:
    return approvals.request_approval(
        subject="po_1", action="payout.send", instruction=instruction, maker=maker, expires_in=expires_in
    )


@approvals.at_decision_edge
def approve(
    approval: Approval, checker: str = CHECKER, instruction: dict[str, Any] = INSTRUCTION
) -> Approval:
    return approvals.approve(approval_id=approval.pk, checker=checker, instruction_now=instruction)


@approvals.at_decision_edge
def reject(approval: Approval, checker: str = CHECKER, reason: str = "wrong payee") -> Approval:
    return approvals.reject(approval_id=approval.pk, checker=checker, reason=reason)


@approvals.at_decision_edge
def use(instruction: dict[str, Any] = INSTRUCTION) -> Approval:
    return approvals.ensure_approved(subject="po_1", action="payout.send", instruction_now=instruction)


def state(approval: Approval) -> str:
    return Approval.objects.get(pk=approval.pk).status


def actions() -> list[str]:
    return list(AuditRecord.objects.order_by("seq").values_list("action", flat=True))


def refused(error: type[DomainError], call: Any, *args: Any, **kwargs: Any) -> None:
    """The call is refused and nothing is decided."""
    with pytest.raises(error):
        call(*args, **kwargs)
    assert not StatusChange.objects.filter(to_state__in=["APPROVED", "REJECTED"]).exists()


def test_a_second_person_approves() -> None:
    approval = approve(ask())
    stored = Approval.objects.get()
    assert (stored.status, stored.maker, stored.checker) == ("APPROVED", MAKER, CHECKER)
    assert bytes(stored.digest) == digest(INSTRUCTION)
    assert actions() == ["approval.request", "approval.approve"]
    history = StatusChange.objects.filter(subject_id=approval.pk).order_by("id")
    assert [(row.from_state, row.to_state, row.actor) for row in history] == [
        ("", "PENDING", MAKER),
        ("PENDING", "APPROVED", CHECKER),
    ]


@pytest.mark.parametrize("checker", [MAKER, "key:some-key", "system", ""])
def test_the_maker_and_machines_may_not_decide(checker: str) -> None:
    """A-E7: not the maker, and not a key that the maker may hold as well."""
    approval = ask()
    refused(approvals.FourEyesRequired, approve, approval, checker)
    refused(approvals.FourEyesRequired, reject, approval, checker)
    assert approvals.FourEyesRequired.status == 403
    assert state(approval) == "PENDING"


@pytest.mark.parametrize("status", ["PENDING", "APPROVED"])
def test_the_database_refuses_the_maker_as_checker(status: str) -> None:
    """I30: also when somebody goes around the services."""
    ask()
    with pytest.raises(IntegrityError, match="core_approval_four_eyes"), connection.cursor() as cursor:
        cursor.execute("UPDATE core_approval SET checker = maker, decided_at = now(), status = %s", [status])


def test_the_database_refuses_a_decision_without_a_checker() -> None:
    ask()
    with pytest.raises(IntegrityError, match="decided_by_someone"), connection.cursor() as cursor:
        cursor.execute("UPDATE core_approval SET status = 'APPROVED', decided_at = now()")


def test_a_changed_instruction_voids_the_approval() -> None:
    approval = ask()
    refused(approvals.ApprovalVoid, approve, approval, CHECKER, {**INSTRUCTION, "amount": "999.00"})
    assert state(approval) == "VOID"
    refused(approvals.ApprovalNotPending, approve, approval)
    assert actions() == ["approval.request", "approval.void"]


def test_an_approval_expires(hooks: Path) -> None:
    approval = ask()
    clock.move(seconds=3601)
    refused(approvals.ApprovalExpired, approve, approval)
    assert state(approval) == "EXPIRED"


def test_due_approvals_are_expired(hooks: Path) -> None:
    approval = ask()
    assert at_edge(approvals.expire_due_approvals)() == 0
    clock.move(seconds=3601)
    assert at_edge(approvals.expire_due_approvals)() == 1
    assert state(approval) == "EXPIRED"


def test_a_decision_is_final() -> None:
    approval = approve(ask())
    for call in (approve, reject):
        with pytest.raises(approvals.ApprovalNotPending):
            call(approval, OTHER)
    assert state(approval) == "APPROVED"


def test_rejecting_needs_a_reason() -> None:
    approval = ask()
    with pytest.raises(DomainError) as caught:
        reject(approval, reason="  ")
    assert (caught.value.code, caught.value.param) == ("reason_required", "reason")
    assert reject(approval).status == "REJECTED"
    assert AuditRecord.objects.get(action="approval.reject").reason == "wrong payee"


def test_asking_twice_is_one_approval_and_another_instruction_voids_the_first() -> None:
    first = ask()
    assert ask(maker=OTHER).pk == first.pk
    second = ask({**INSTRUCTION, "amount": "5.00"})
    assert (state(first), state(second)) == ("VOID", "PENDING")


def test_the_yes_is_checked_again_when_it_is_used(hooks: Path) -> None:
    with pytest.raises(approvals.FourEyesRequired):
        use()
    given = approve(ask())
    assert use().pk == given.pk
    with pytest.raises(approvals.ApprovalVoid):
        use({**INSTRUCTION, "payout": "po_2"})
    assert state(given) == "VOID"
    given = approve(ask())
    clock.move(seconds=3601)
    with pytest.raises(approvals.ApprovalExpired):
        use()
    assert state(given) == "EXPIRED"


def test_withdrawing() -> None:
    approval = approve(ask())
    at_edge(approvals.void)(approval_id=approval.pk, actor=MAKER, reason="not wanted")
    assert state(approval) == "VOID"
    with pytest.raises(approvals.ApprovalNotPending):
        at_edge(approvals.void)(approval_id=approval.pk, actor=MAKER, reason="again")


def test_unknown_approval() -> None:
    with pytest.raises(NotFound):
        at_edge(approvals.approve)(approval_id=uuid7(), checker=CHECKER, instruction_now={})


def test_services_refuse_to_run_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        approvals.approve(approval_id=uuid7(), checker=CHECKER, instruction_now={})


def test_canonical_json_does_not_depend_on_order_and_refuses_floats() -> None:
    assert canonical_json({"b": 1, "a": ["é", None]}) == '{"a":["é",null],"b":1}'.encode()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": "2"})
    with pytest.raises(TypeError, match=r"\$.lines\[1\].amount is a float"):
        canonical_json({"lines": [{}, {"amount": 1.5}]})
    with pytest.raises(TypeError, match="not a string"):
        canonical_json({1: "x"})


def test_a_lapse_is_recorded_only_after_the_refusal_rolled_back() -> None:
    """Inside somebody's transaction the refusal changes nothing at all."""
    approval = ask()
    with pytest.raises(approvals.ApprovalVoid), transaction.atomic():
        approvals.approve(approval_id=approval.pk, checker=CHECKER, instruction_now={})
    assert state(approval) == "PENDING"
