"""Whole statements: what nobody knows, what the bank takes back, corrections, gaps and balances."""

from datetime import timedelta

import pytest

from core.approvals import at_decision_edge
from core.transactions import at_edge
from ledger.services import open_account, post_entries
from ledger.templates.entry import Posting, credit, debit
from ledger.templates.entry import entry as journal
from reconciliation import services
from reconciliation.models import BankStatement, Discrepancy, ReconciliationRun
from tests.reconciliation.banking.rig import MONDAY, Bank, entry

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_what_nobody_knows_waits_in_suspense(bank: Bank) -> None:
    """A8, A9: the books have what the bank has; every such line has a break."""
    received = bank.show(
        entry(42_00, text="Invoice 4711"), entry(-7_00, text="?"), entry(-1_50, code="ACMT/MDOP/CHRG")
    )
    assert bank.found(received) == [(4, "bank_fee", "charge", -1_50, 0)]
    assert (list(bank.keys("suspense_receipts").values()), list(bank.keys("suspense_payments").values())) == (
        [-42_00],
        [7_00],
    )
    assert (bank.minor("bank_fee"), bank.breaks()) == (1_50, {"MISSING_INTERNAL": 2})
    bank.settled()


def test_what_the_account_held_before(bank: Bank) -> None:
    """The first statement brings its opening balance in; one from before it, what it opened with itself."""
    bank.balance = 1_000_00
    assert bank.minor("opening") == 1_000_00, "what the seller has"
    bank.show(entry(10_00, text="x"), day=MONDAY)
    assert (bank.minor("opening"), bank.minor("bank")) == (0, 1_010_00)
    bank.show(entry(300_00, text="y"), day=MONDAY - DAY, opening=700_00, identity="0")
    assert bank.minor("bank") == 1_010_00
    assert bank.minor("opening") == 300_00
    bank.settled()


@pytest.mark.parametrize("same_day", [True, False])
def test_what_the_bank_takes_back(bank: Bank, same_day: bool) -> None:
    """F-H18: linked to the original, and zero together; it may be booked again."""
    sending, key = bank.pay(50_00), bank.reported("po_aaaaaaaa", 70_00)
    first = [
        entry(-50_00, end=sending.reference, reference="A"),
        entry(70_00, text="po_aaaaaaaa", reference="B"),
        entry(9_00, text="?", reference="C"),
    ]
    back = [
        entry(50_00, end=sending.reference, reference="A", reversal=True),
        entry(-70_00, text="po_aaaaaaaa", reference="B", reversal=True),
        entry(-9_00, text="?", reference="C", reversal=True),
    ]
    again = [entry(-50_00, end=sending.reference, reference="A2"), entry(70_00, text="po_aaaaaaaa")]
    if same_day:
        bank.show(*first, *back)
    else:
        bank.show(*first)
        bank.show(*back, day=MONDAY + DAY)
    assert bank.breaks(open_only=True) == {}
    assert list(bank.keys("payouts_in_transit").values()) == [-50_00]
    assert bank.keys("psp_settlement_in_transit") == {key: 70_00}
    assert (bank.keys("suspense_receipts"), bank.keys("suspense_payments")) == ({}, {})
    bank.show(*again, day=MONDAY + DAY)
    assert (bank.keys("payouts_in_transit"), bank.keys("psp_settlement_in_transit")) == ({}, {})
    assert bank.breaks(open_only=True) == {}
    bank.settled()


def test_a_corrected_statement(bank: Bank) -> None:
    """What differs is posted as corrections; lines that did not change keep their match (F-H3)."""
    sending = bank.pay(50_00)
    bank.reported("po_aaaaaaaa", 70_00)
    paid, deposit = entry(-50_00, end=sending.reference), entry(70_00, text="po_aaaaaaaa")
    bank.show(paid, deposit, entry(5_00, text="who?"), entry(-3_00, text="gone"), identity="9")
    before = Discrepancy.objects.filter(merchant_id=bank.merchant_id).count()
    assert before == 2
    bank.balance = 0
    bank.show(entry(8_00, text="new"), entry(5_00, text="who?"), deposit, identity="9", opening=0)
    bank.balance = 83_00
    assert BankStatement.objects.get(status="LIVE").version == 2
    assert list(bank.keys("payouts_in_transit").values()) == [-50_00], "the bank did not pay it after all"
    assert bank.keys("psp_settlement_in_transit") == {}
    assert sorted(bank.keys("suspense_receipts").values()) == [-8_00, -5_00]
    assert bank.keys("suspense_payments") == {}
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 2}
    bank.settled()
    bank.balance = 0
    bank.show(entry(8_00, text="new"), deposit, paid, identity="9", opening=0)
    bank.balance = 28_00
    assert (bank.keys("payouts_in_transit"), bank.keys("psp_settlement_in_transit")) == ({}, {})
    assert list(bank.keys("suspense_receipts").values()) == [-8_00]
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 1}
    bank.settled()


def test_a_gap_between_statements(bank: Bank) -> None:
    """F-H17: a break until the missing one comes; then all of it is matched and posted."""
    bank.show(entry(10_00, text="a"))
    missing = bank.body(entry(20_00, text="b"), day=MONDAY + DAY)
    bank.show(entry(30_00, text="c"), day=MONDAY + 2 * DAY)
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 1, "SEQUENCE_GAP": 1}
    assert bank.minor("bank") == 10_00
    bank.take(missing)
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 3}
    assert bank.minor("bank") == 60_00
    bank.settled()


def test_a_gap_that_two_people_explain(bank: Bank) -> None:
    """The statement counts, and what the account lacks in the books is a break of its own."""
    bank.show(entry(10_00, text="a"))
    bank.body(entry(20_00, text="b"), day=MONDAY + DAY)
    held = bank.show(entry(30_00, text="c"), day=MONDAY + 2 * DAY)
    [statement] = bank.desk.statements(held)
    key = at_edge(services.request_statement_release)(
        statement_id=statement.id, reason="the bank lost a day", maker="user:mia"
    )
    at_decision_edge(services.release_statement)(approval_id=key, checker="user:bob")
    bank.take(bank.body(day=MONDAY + 3 * DAY))
    assert bank.position().difference_minor == -20_00
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 2, "BALANCE_MISMATCH": 1}


def test_the_books_are_not_what_the_bank_says(bank: Bank) -> None:
    """BALANCE_MISMATCH while they differ, and over when they agree."""
    bank.show(entry(10_00, text="a"))

    def book(ref: str, amount: int) -> None:
        role = {"merchant_id": bank.merchant_id, "currency": "EUR"}
        account = open_account(role="bank", provider="giro", **role)
        draft = journal(
            posting=Posting(bank.merchant_id, "EUR", MONDAY), kind="mistake", source="test", source_ref=ref,
            leg="x", legs=[debit(account, amount), credit(open_account(role="opening", **role), amount)]
            if amount > 0
            else [credit(account, -amount), debit(open_account(role="opening", **role), -amount)],
        )  # fmt: skip
        post_entries(drafts=[draft])

    at_edge(book)("1", 5_00)
    assert at_edge(services.watch_source)(source_id=bank.source.id) == (1, 0)
    assert bank.breaks(open_only=True)["BALANCE_MISMATCH"] == 1
    at_edge(book)("2", -5_00)
    assert at_edge(services.watch_source)(source_id=bank.source.id) == (0, 1)
    bank.settled()


def test_again_changes_nothing(bank: Bank) -> None:
    """R4: a run that is taken through its steps again posts nothing and tells nobody."""
    sending = bank.pay(50_00)
    bank.show(entry(-50_00, end=sending.reference), entry(10_00, text="?"))
    held, transit = bank.minor("bank"), bank.minor("payouts_in_transit")
    run = ReconciliationRun.objects.get()
    BankStatement.objects.update(posted_at=None)
    from core import clock
    from core.drain import get_drain
    from core.history import move

    def queue() -> None:
        row = ReconciliationRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        move(row, row.to_queued, why="test", due_at=clock.now())

    at_edge(queue)()
    get_drain("reconciliation_runs").run()
    assert (bank.minor("bank"), bank.minor("payouts_in_transit")) == (held, transit)
    assert bank.breaks() == {"MISSING_INTERNAL": 1}
    bank.settled()
