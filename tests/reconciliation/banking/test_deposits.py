"""Deposits of providers: lines of the bank and the batches that they pay."""

from datetime import timedelta

import pytest

from tests.reconciliation.banking.rig import MONDAY, Bank, entry

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_deposit_that_names_its_batch(bank: Bank) -> None:
    """P5: nothing is in transit any more, and the books have what the bank says."""
    bank.reported("po_1AbCdEfGh", 97_10)
    received = bank.show(entry(97_10, text="STRIPE PAYOUT PO_1ABCDEFGH"))
    assert bank.found(received) == [(2, "batch", "batch", 97_10, 0)]
    assert bank.keys("psp_settlement_in_transit") == {}
    assert bank.breaks() == {}
    bank.settled()


def test_the_bank_keeps_a_fee(bank: Bank) -> None:
    """P5: within the tolerance it is the bank's fee."""
    bank.reported("po_1AbCdEfGh", 97_10)
    received = bank.show(entry(96_60, text="po_1AbCdEfGh"))
    assert bank.found(received) == [(2, "batch", "batch_fee", 97_10, -50)]
    assert (bank.minor("bank_fee"), bank.keys("psp_settlement_in_transit")) == (50, {})
    assert bank.breaks() == {}
    bank.settled()


def test_one_credit_for_two_batches(bank: Bank) -> None:
    """N:1: one line of the bank, several batches."""
    bank.reported("po_aaaaaaaa", 50_00)
    bank.reported("po_bbbbbbbb", 70_00)
    received = bank.show(entry(120_00, text="STRIPE po_aaaaaaaa / po_bbbbbbbb"))
    assert sorted(each[3] for each in bank.found(received)) == [50_00, 70_00]
    assert (bank.keys("psp_settlement_in_transit"), bank.breaks()) == ({}, {})
    bank.settled()


def test_one_batch_in_two_credits_on_one_day_and_on_two(bank: Bank) -> None:
    """1:N: the parts wait for each other; nothing is reported meanwhile."""
    bank.reported("po_aaaaaaaa", 50_00)
    bank.reported("po_bbbbbbbb", 70_00)
    bank.show(
        entry(20_00, text="po_aaaaaaaa"), entry(30_00, text="po_aaaaaaaa"), entry(40_00, text="po_bbbbbbbb")
    )
    assert list(bank.keys("psp_settlement_in_transit").values()) == [30_00]
    assert bank.breaks() == {}
    bank.show(entry(30_00, text="po_bbbbbbbb"), day=MONDAY + DAY)
    assert (bank.keys("psp_settlement_in_transit"), bank.breaks()) == ({}, {})
    bank.settled()


def test_a_total_that_differs(bank: Bank) -> None:
    """Too little is a break when the rest did not come on the next day; too much is one at once."""
    bank.reported("po_aaaaaaaa", 50_00)
    bank.reported("po_bbbbbbbb", 70_00)
    bank.show(entry(48_00, text="po_aaaaaaaa"), entry(71_00, text="po_bbbbbbbb"))
    assert bank.breaks() == {"BATCH_TOTAL_MISMATCH": 1}
    bank.show(day=MONDAY + DAY)
    assert bank.breaks() == {"BATCH_TOTAL_MISMATCH": 1}
    bank.show(day=MONDAY + 2 * DAY)
    assert bank.breaks() == {"BATCH_TOTAL_MISMATCH": 2}
    assert sorted(bank.keys("psp_settlement_in_transit").values()) == [-1_00, 2_00]
    bank.show(entry(2_00, text="rest of po_aaaaaaaa"), day=MONDAY + 3 * DAY)
    assert bank.breaks(open_only=True) == {"BATCH_TOTAL_MISMATCH": 1}
    bank.settled()


def test_the_same_deposit_again(bank: Bank) -> None:
    """A batch that was paid is not paid twice: the second one waits in suspense."""
    bank.reported("po_aaaaaaaa", 50_00)
    bank.show(entry(50_00, text="po_aaaaaaaa", reference="one"))
    bank.show(entry(50_00, text="po_aaaaaaaa", reference="two"), day=MONDAY + DAY)
    assert bank.breaks() == {"DUPLICATE_EXTERNAL": 1}
    assert list(bank.keys("suspense_receipts").values()) == [-50_00]
    bank.settled()


def test_the_bank_is_faster_than_the_report(bank: Bank) -> None:
    """The order in which file and statement come makes no difference."""
    bank.show(entry(50_00, text="po_aaaaaaaa"))
    assert bank.breaks() == {}
    bank.reported("po_aaaaaaaa", 50_00)
    assert bank.keys("psp_settlement_in_transit") == {}
    bank.quiet(MONDAY + DAY, 6)
    assert bank.breaks() == {}
    bank.settled()


def test_a_deposit_that_no_report_ever_explains(bank: Bank) -> None:
    """Its batch has its time; then somebody must ask, until the report comes."""
    bank.show(entry(50_00, text="po_aaaaaaaa"))
    bank.quiet(MONDAY + DAY, 5)
    assert bank.breaks(open_only=True) == {"MISSING_INTERNAL": 1}
    bank.reported("po_aaaaaaaa", 50_00)
    bank.show(day=MONDAY + 6 * DAY)
    assert bank.breaks(open_only=True) == {}


def test_a_batch_that_the_bank_never_shows(bank: Bank) -> None:
    """After its time it is missing, and comes to be cleared by itself."""
    bank.show()
    bank.reported("po_aaaaaaaa", 50_00)
    bank.quiet(MONDAY + DAY, 3)
    assert bank.breaks() == {}
    bank.show(day=MONDAY + 4 * DAY)
    assert bank.breaks() == {"MISSING_EXTERNAL": 1}
    bank.show(entry(50_00, text="po_aaaaaaaa"), day=MONDAY + 5 * DAY)
    assert bank.breaks(open_only=True) == {}
    bank.settled()


def test_a_deposit_without_a_name(bank: Bank) -> None:
    """By amount and payer where nothing else can be meant; two that could be meant are nobody's."""
    bank.reported("po_aaaaaaaa", 50_00)
    bank.show(entry(50_00, payer="Stripe Payments Europe", text="payout"))
    assert (bank.keys("psp_settlement_in_transit"), bank.breaks()) == ({}, {})
    bank.reported("po_bbbbbbbb", 70_00)
    bank.reported("po_cccccccc", 70_00)
    bank.show(entry(70_00, payer="Stripe", text="payout"), day=MONDAY + DAY)
    assert bank.breaks() == {"MISSING_INTERNAL": 1}
    bank.settled()


def test_a_provider_collects(bank: Bank) -> None:
    """A negative batch is a debit."""
    bank.reported("po_aaaaaaaa", -30_00)
    bank.show(entry(-30_00, text="STRIPE po_aaaaaaaa"))
    assert (bank.keys("psp_settlement_in_transit"), bank.breaks()) == ({}, {})
    bank.settled()
