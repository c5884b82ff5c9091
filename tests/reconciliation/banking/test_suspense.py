"""What waits in suspense because of a bank's line is closed by two people: B4 to B6."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from core.approvals import ApprovalVoid, at_decision_edge
from core.models import Approval
from core.transactions import at_edge
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Discrepancy
from reconciliation.resolving.audits import INVARIANTS
from reconciliation.selectors import break_at_desk, choices_for
from reconciliation.services import (
    approve_adjustment,
    approve_reopening,
    propose_adjustment,
    request_reopening,
)
from tests.reconciliation.banking.rig import MONDAY, Bank, entry

pytestmark = pytest.mark.django_db
MIA, NOA = "user:mia", "user:noa"


def settle(row: Discrepancy, template: str, **parameters: Any) -> None:
    """Propose an entry, and have it agreed to."""
    propose(row, template, **parameters)
    asked = Approval.objects.get(subject=row.public_id, status="PENDING")
    at_decision_edge(approve_adjustment)(approval_id=asked.pk, checker=NOA)
    row.refresh_from_db()


def propose(row: Discrepancy, template: str, **parameters: Any) -> None:
    """Propose an entry as the first person."""
    at_edge(propose_adjustment)(
        discrepancy_id=row.id, template=template, reason="asked the bank", maker=MIA, parameters=parameters
    )


def reopen(row: Discrepancy) -> None:
    """Take back what was posted, as two people."""
    key = at_edge(request_reopening)(discrepancy_id=row.id, reason="it was wrong", maker=MIA)
    at_decision_edge(approve_reopening)(approval_id=key, checker=NOA)
    row.refresh_from_db()


def of_lines() -> list[Discrepancy]:
    """The breaks of lines, in the order of the lines."""
    return list(Discrepancy.objects.filter(line_id__isnull=False).order_by("line_id"))


def audited() -> None:
    """What must be true of adjustments is."""
    with connection.cursor() as cursor:
        for each in INVARIANTS:
            cursor.execute(each.sql)
            assert cursor.fetchall() == [], each.name


def test_a_receipt_turns_out_to_be_a_batch(bank: Bank) -> None:
    """B4: suspense to what is in transit, with the bank's fee; taken back, the batch is on its way again."""
    key = bank.reported("po_0000000001", 9710)
    bank.reported("po_0000000002", 500)
    bank.show(entry(9660, text="thank you"))
    [row] = of_lines()
    assert bank.keys("suspense_receipts") == {f"line:{row.line_id}": -9660}
    assert break_at_desk(discrepancy_id=row.id).offers == ("B4", "B5", "B6", "none")
    [first, _] = choices_for(discrepancy_id=row.id, template="B4")
    assert (first.value, first.amount_minor) == (key, 9710)
    before = bank.keys("psp_settlement_in_transit")
    for wrong in ({}, {"batch": "po_0000000002"}, {"batch": "po_9"}, {"batch": key, "amount_minor": 1}):
        with pytest.raises(AdjustmentInvalid):
            propose(row, "B4", **wrong)
    settle(row, "B4", batch=key)
    assert (bank.keys("suspense_receipts"), bank.minor("bank_fee"), row.status) == ({}, 50, "RESOLVED")
    assert key not in bank.keys("psp_settlement_in_transit")
    assert choices_for(discrepancy_id=row.id, template="B4") == []
    audited()
    # The same deposit again is one too many, as if the first one had named its batch.
    bank.show(entry(9660, text="po_0000000001"), day=bank_day(2))
    assert bank.breaks(open_only=True)["DUPLICATE_EXTERNAL"] == 1
    reopen(row)
    assert (bank.keys("psp_settlement_in_transit"), bank.minor("bank_fee")) == (before, 0)
    assert bank.keys("suspense_receipts")[f"line:{row.line_id}"] == -9660
    audited()


def test_a_debit_is_the_bank_s_own_and_may_come_back(bank: Bank) -> None:
    """B5, both ways: to exp.bank_fee and out of it."""
    bank.show(entry(-750, text="custody"), entry(200, text="sorry"))
    taken, back = of_lines()
    settle(taken, "B5")
    assert (bank.minor("bank_fee"), bank.keys("suspense_payments")) == (750, {})
    settle(back, "B5")
    assert (bank.minor("bank_fee"), bank.keys("suspense_receipts")) == (550, {})
    audited()


def test_what_came_went_back(bank: Bank) -> None:
    """B6: two lines close each other, and are opened again together."""
    bank.show(entry(4200, text="who?"), entry(-4200, text="not ours"), entry(-4100, text="other"))
    came, went, other = of_lines()
    [choice] = choices_for(discrepancy_id=came.id, template="B6")
    assert choice.value == went.public_id
    with pytest.raises(AdjustmentInvalid):
        propose(came, "B6", other=other.public_id)
    settle(went, "B6", other=came.public_id)
    came.refresh_from_db()
    assert (came.status, went.status) == ("RESOLVED", "RESOLVED")
    assert (bank.keys("suspense_receipts"), list(bank.keys("suspense_payments").values())) == ({}, [4100])
    reopen(went)
    came.refresh_from_db()
    assert (came.status, went.status) == ("OPEN", "OPEN")
    assert list(bank.keys("suspense_receipts").values()) == [-4200]
    audited()


def test_a_yes_is_void_when_the_other_line_was_closed_meanwhile(bank: Bank) -> None:
    """Whoever is first; money is not given twice."""
    bank.show(entry(4200, text="who?"), entry(-4200, text="not ours"))
    came, went = of_lines()
    propose(came, "B6", other=went.public_id)
    settle(went, "B5")
    asked = Approval.objects.get(subject=came.public_id, status="PENDING")
    with pytest.raises(ApprovalVoid):
        at_decision_edge(approve_adjustment)(approval_id=asked.pk, checker=NOA)
    assert list(bank.keys("suspense_receipts").values()) == [-4200]


def bank_day(number: int) -> date:
    """A day after the first statement."""
    return MONDAY + timedelta(days=number - 1)
