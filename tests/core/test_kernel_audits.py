"""Each audit of histories, stored answers and approvals finds what it is for."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from core import approvals, cases
from core.audits import CLEAN, NOT_EXERCISED, Invariant, registered, run_audits
from core.idempotency import Answer, AnswerPlace, answer_once
from core.models import Approval
from core.transactions import at_edge
from tests.ledger.breakage import broken

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
HOUR = timedelta(hours=1)
BREAKS: dict[str, list[str]] = {
    "answer_kept_once": [
        "INSERT INTO core_idempotencyrecord SELECT (jsonb_populate_record(r, jsonb_build_object("
        "'id', gen_random_uuid()))).* FROM core_idempotencyrecord AS r",
        "UPDATE core_idempotencyrecord SET status = 500",
        "ALTER TABLE core_idempotencyrecord ALTER body DROP NOT NULL;"
        " UPDATE core_idempotencyrecord SET body = NULL",
        "UPDATE core_idempotencyrecord SET fingerprint = ''",
    ],
    "decided_by_another": [
        "UPDATE core_approval SET checker = maker WHERE status = 'APPROVED'",
        "UPDATE core_approval SET checker = NULL WHERE status = 'REJECTED'",
        "UPDATE core_approval SET decided_at = NULL WHERE status = 'APPROVED'",
        "UPDATE core_approval SET checker = 'user:somebody' WHERE status = 'APPROVED'",
        "DELETE FROM core_auditrecord WHERE action = 'approval.approve'",
        "UPDATE core_auditrecord SET subject = 'po_3' WHERE action = 'approval.reject'",
    ],
    "history_follows_the_tables": [
        # A step that the table does not have, though nothing is missing between.
        "UPDATE core_statuschange SET to_state = 'EXPIRED' WHERE to_state = 'CLOSED'",
        "UPDATE core_statuschange SET from_state = 'ASSIGNED' WHERE to_state = 'CLOSED'",
        "UPDATE core_statuschange SET subject_type = 'core.nothing'",
        "DELETE FROM core_statuschange WHERE from_state = '' AND subject_type = 'core.approval'",
        "UPDATE core_statuschange SET to_state = 'REJECTED' WHERE to_state = 'PENDING'",
    ],
    "state_is_last_history": [
        "UPDATE core_approval SET status = 'EXPIRED' WHERE status = 'APPROVED'",
        "DELETE FROM core_statuschange WHERE to_state = 'REJECTED'",
    ],
}


@at_edge
def decide(subject: str, *, yes: bool) -> Approval:
    """Ask, and let another person answer."""
    asked = approvals.request_approval(
        subject=subject, action="payout.send", instruction={"n": subject}, maker="user:1", expires_in=HOUR
    )
    if yes:
        return approvals.approve(approval_id=asked.pk, checker="user:2", instruction_now={"n": subject})
    return approvals.reject(approval_id=asked.pk, checker="user:2", reason="no")


@pytest.fixture
def world() -> None:
    """An answer, two decisions, an approval that waits, and a case that was opened and closed."""
    digest = hashlib.sha256(b"request").digest()
    with transaction.atomic():
        answer_once(
            place=AnswerPlace(merchant_id=uuid4(), key="k", digest=digest), work=lambda: Answer(201, b"{}")
        )
    decide("po_1", yes=True)
    decide("po_2", yes=False)
    with transaction.atomic():
        approvals.request_approval(
            subject="po_4", action="payout.send", instruction={}, maker="user:1", expires_in=HOUR
        )
    with transaction.atomic():
        case = cases.open_case(kind="stuck", subject="pay_1", summary="It is stuck.", due_in=HOUR)
    with transaction.atomic():
        cases.close_case(case_id=case.pk, resolution="It moved.", by="user:1")
    report = run_audits(names=BREAKS, store=False)
    assert {each.name: each.verdict for each in report.findings} == dict.fromkeys(BREAKS, CLEAN)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("name", "sql"), [(name, sql) for name, all_ in BREAKS.items() for sql in all_])
def test_the_audit_finds_what_it_is_for(name: str, sql: str) -> None:
    """I18, I19, I23, I24, I30, I39."""
    query = found(name).sql.encode()
    with broken(tables="^core_(idempotencyrecord|approval|auditrecord|statuschange|case)$") as owner:
        assert owner.execute(query).fetchall() == []
        owner.execute(sql.encode())
        assert owner.execute(query).fetchall()


@pytest.mark.django_db(transaction=True)
def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=BREAKS, store=False).findings} == {NOT_EXERCISED}


def found(name: str) -> Invariant:
    return next(each for each in registered() if each.name == name)
