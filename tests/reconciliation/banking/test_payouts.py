"""Payouts on a statement: out, back, twice, and those that nobody sent."""

from datetime import timedelta

import pytest

from core.models import Case
from payouts.errors import PayoutBlocked
from payouts.models import PayoutAttempt
from payouts.selectors import list_blocks
from tests.reconciliation.banking.rig import MONDAY, Bank, entry

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_payout_is_paid(bank: Bank) -> None:
    """O4: the bank's line is the evidence; its fee is an expense."""
    sending = bank.pay(50_00)
    received = bank.show(entry(-50_40, end=sending.reference.upper()))
    assert bank.found(received) == [(2, "sending", "reference_fee", -50_00, -40)]
    assert bank.look(sending) == "PAID"
    assert (bank.keys("payouts_in_transit"), bank.minor("payout_fee_expense")) == ({}, 40)
    assert bank.breaks() == {}
    bank.settled()


def test_a_payout_of_which_nobody_knew_the_end(bank: Bank) -> None:
    """F-F2: the statement settles what the provider's answer did not."""
    bank.payer.paper.script = ["lost"]
    sending = bank.pay(50_00)
    assert sending.payout.status == "UNKNOWN"
    bank.show(entry(-50_00, text=f"payout {sending.reference}"))
    assert (bank.look(sending), bank.keys("payouts_in_transit"), bank.breaks()) == ("PAID", {}, {})
    bank.settled()


def test_a_collective_booking_with_its_details(bank: Bank) -> None:
    """1:N: one debit for a file of payouts, each by its reference."""
    one, two = bank.pay(10_00), bank.pay(20_00)
    received = bank.show(
        entry(-30_00, details=[entry(-10_00, end=one.reference), entry(-20_00, end=two.reference)])
    )
    assert [each[:2] for each in bank.found(received)] == [(3, "sending"), (4, "sending")]
    assert (bank.look(one), bank.look(two), bank.keys("payouts_in_transit")) == ("PAID", "PAID", {})
    assert bank.breaks() == {}
    bank.settled()


def test_a_collective_booking_without_details(bank: Bank) -> None:
    """By the reference of the file and its total."""
    for amount in (10_00, 20_00):
        bank.payer.ask(amount)
    bank.payer.work()
    sent = list(PayoutAttempt.objects.filter(merchant_id=bank.merchant_id).select_related("batch"))
    assert len({each.batch_id for each in sent}) == 1
    bank.show(entry(-30_00, batch=sent[0].batch.reference))
    assert ({bank.look(each) for each in sent}, bank.keys("payouts_in_transit")) == ({"PAID"}, {})
    assert bank.breaks() == {}
    bank.settled()


def test_a_total_that_is_not_that_of_the_file(bank: Bank) -> None:
    """Nothing is guessed: all of it waits."""
    sending = bank.pay(10_00)
    bank.show(entry(-15_00, batch=sending.batch.reference))
    assert bank.breaks() == {"BATCH_TOTAL_MISMATCH": 1}
    assert list(bank.keys("suspense_payments").values()) == [15_00]
    assert bank.look(sending) != "PAID"
    bank.settled()


@pytest.mark.parametrize(("shown", "transit", "suspense"), [(-40_00, [-10_00], []), (-60_00, [], [10_00])])
def test_another_amount_than_ours(bank: Bank, shown: int, transit: list[int], suspense: list[int]) -> None:
    """It is that payout all the same; what differs stays open, and nobody is told that it was paid."""
    sending = bank.pay(50_00)
    before = bank.look(sending)
    bank.show(entry(shown, end=sending.reference))
    assert bank.breaks() == {"AMOUNT_MISMATCH": 1}
    assert list(bank.keys("payouts_in_transit").values()) == transit
    assert list(bank.keys("suspense_payments").values()) == suspense
    assert bank.look(sending) == before
    bank.settled()


def test_a_payout_that_comes_back_weeks_later(bank: Bank) -> None:
    """F-F3: by the reference that it had; the seller has the money again, and every key is closed."""
    sending = bank.pay(50_00)
    bank.show(entry(-50_00, end=sending.reference))
    later = MONDAY + 30 * DAY
    received = bank.show(entry(50_00, end=sending.reference, code="PMNT/ICDT/RRTN", reason="AC04"), day=later)
    assert bank.found(received) == [(2, "sending_return", "reference", 50_00, 0)]
    assert bank.look(sending) == "RETURNED"
    assert (bank.keys("payout_returns"), bank.keys("payouts_in_transit"), bank.breaks()) == ({}, {}, {})
    assert bank.payer.wallet().available_minor == 100_000
    bank.show(entry(50_00, end=sending.reference, code="PMNT/ICDT/RRTN", reason="AC04"), day=later + DAY)
    assert bank.breaks() == {"DUPLICATE_EXTERNAL": 1}
    bank.settled()


def test_a_return_that_the_provider_told_of_before(bank: Bank) -> None:
    """O6b is in the books: the bank's line closes it, and nobody is told twice."""
    from core.transactions import at_edge
    from payouts.services import record_return

    sending = bank.pay(50_00)
    at_edge(record_return)(merchant_id=bank.merchant_id, reference=sending.reference)
    assert list(bank.keys("payout_returns").values()) == [50_00]
    bank.show(entry(-50_00, end=sending.reference), entry(49_50, end=sending.reference, reason="AC01"))
    assert (bank.keys("payout_returns"), bank.keys("payouts_in_transit"), bank.breaks()) == ({}, {}, {})
    assert bank.minor("bank_fee") == 50
    bank.settled()


def test_paid_twice(bank: Bank) -> None:
    """The second debit waits in suspense, with a break."""
    sending = bank.pay(50_00)
    bank.show(entry(-50_00, end=sending.reference, reference="one"), entry(-50_00, end=sending.reference))
    assert bank.breaks() == {"DUPLICATE_EXTERNAL": 1}
    assert list(bank.keys("suspense_payments").values()) == [50_00]
    bank.settled()


def test_a_payout_that_we_never_sent(bank: Bank) -> None:
    """F-F11: a break, a page, and no payout of the merchant leaves until a person lets it."""
    stranger = f"po{'0' * 25}1-1"
    bank.show(entry(-99_00, end=stranger, text="Payout"))
    assert bank.breaks() == {"MISSING_INTERNAL": 1}
    assert list(bank.keys("suspense_payments").values()) == [99_00]
    [block] = list_blocks(merchant_id=bank.merchant_id)
    assert (block.seller_id, block.source) == (None, "reconciliation")
    case = Case.objects.get(merchant_id=bank.merchant_id, kind="unknown_payout")
    assert (case.detail["severity"], case.value_minor) == ("critical", 99_00)
    with pytest.raises(PayoutBlocked):
        bank.payer.ask(1_00)
    bank.settled()


def test_a_payout_that_was_refused_and_left_all_the_same(bank: Bank) -> None:
    """The seller has the money again and the bank paid: that seller is stopped."""
    bank.payer.paper.script = ["refuse"]
    sending = bank.pay(50_00)
    assert sending.payout.status == "FAILED"
    bank.show(entry(-50_00, end=sending.reference))
    assert bank.breaks() == {"STATUS_MISMATCH": 1}
    [block] = list_blocks(merchant_id=bank.merchant_id)
    assert block.seller_id == bank.payer.sellers["ann"]
    bank.settled()


def test_a_payout_that_the_bank_never_shows(bank: Bank) -> None:
    """After its time it is missing; when it is shown, that is over."""
    sending = bank.pay(50_00)
    sent = PayoutAttempt.objects.get(pk=sending.pk).sent_at
    assert sent is not None
    first = sent.date()
    bank.quiet(first, 4)
    assert bank.breaks() == {}
    bank.show(day=first + 4 * DAY)
    assert bank.breaks() == {"MISSING_EXTERNAL": 1}
    bank.show(entry(-50_00, end=sending.reference), day=first + 5 * DAY)
    assert bank.breaks(open_only=True) == {}
    bank.settled()
