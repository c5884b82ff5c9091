"""R5: matching, un-matching, taking back and doing again are new entries that lead to the same books."""

from random import Random

import pytest

from core.approvals import ApprovalNotPending, ApprovalVoid, at_decision_edge
from core.errors import NotFound
from core.transactions import at_edge
from reconciliation.errors import AdjustmentInvalid, BreakStateConflict
from reconciliation.models import Discrepancy, MatchEnd
from reconciliation.selectors import break_at_desk
from reconciliation.services import (
    adjust_what_waits,
    approve_reopening,
    approve_unmatching,
    look_again,
    request_reopening,
    request_unmatching,
)
from tests.reconciliation.resolving.conftest import MIA, NOA, Shop, named_charge

pytestmark = pytest.mark.django_db


def test_what_was_posted_is_taken_back_and_done_again(shop: Shop) -> None:
    """R5: a break that a rule closed is opened by two people; the rule does not come back to it."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9999|0")
    row, closed = shop.only(), shop.books()
    shop.reopen(row)
    assert (row.status, row.category, row.resolution) == ("OPEN", "B", "")
    assert (shop.at("psp_clearing"), shop.at("rounding")) == (1, 0)
    assert adjust_what_waits() == 0
    was, back = shop.adjustments()
    assert (was.status, back.status, back.reverses_id) == ("REVERSED", "POSTED", was.id)
    assert (back.maker, back.checker, back.automatic) == (MIA, NOA, False)
    shop.settle(row, "A10")
    assert shop.books() == closed


def test_what_is_parked_can_be_taken_back_while_the_break_is_open(shop: Shop) -> None:
    """A1 and A3 are taken back in one go, the last one first."""
    shop.report("pi_x|charge|700|0")
    row = shop.only()
    shop.settle(row, "A3")
    shop.reopen(row)
    assert (shop.at("suspense_receipts"), shop.at("refunds_in_transit"), shop.at("psp_clearing")) == (
        0,
        0,
        -700,
    )
    shop.settle(row, "A1")
    assert (row.status, shop.at("suspense_receipts")) == ("ASSIGNED", -700)
    shop.reopen(row)
    assert shop.at("suspense_receipts") == 0
    with pytest.raises(BreakStateConflict):
        at_edge(request_reopening)(discrepancy_id=row.id, reason="again", maker=MIA)


def test_a_yes_to_taking_back_is_to_what_stands(shop: Shop) -> None:
    """The break was dealt with meanwhile."""
    shop.report("pi_x|charge|700|0")
    row = shop.only()
    key = at_edge(request_reopening)(discrepancy_id=row.id, reason="wrong", maker=MIA)
    shop.settle(row, "A3")
    with pytest.raises(ApprovalVoid):
        at_decision_edge(approve_reopening)(approval_id=key, checker=NOA)
    assert shop.at("refunds_in_transit") == -700


def test_an_unknown_line_is_matched_by_hand(shop: Shop) -> None:
    """What A1 parked is taken back, and the key of the payment is cleared, in one entry."""
    shop.report("pi_x|charge|700|0")
    charge = shop.charge("pi_other", 700)
    row = shop.only()
    before = shop.books()
    shop.settle(row, "match", **named_charge(charge))
    assert (row.status, shop.at("psp_clearing"), shop.at("suspense_receipts")) == ("RESOLVED", 0, 0)
    [match] = shop.matches()
    assert (match.how, match.subject_id, match.difference_minor) == ("by_hand", charge.id, 0)
    with pytest.raises(BreakStateConflict):
        at_edge(request_reopening)(discrepancy_id=row.id, reason="no", maker=MIA)
    [again] = shop.unmatch(match)
    assert (again.id, again.status, shop.books()) == (row.id, "OPEN", before)
    assert MatchEnd.objects.get(match=match).by == NOA
    [expected] = shop.matches(how="expected")
    assert expected.subject_id == charge.id


def test_a_difference_found_by_hand_is_a_break(shop: Shop) -> None:
    """Matched with another amount, what is left is absorbed by its rule."""
    shop.report("pi_x|charge|698|0")
    charge = shop.charge("pi_other", 700)
    shop.settle(shop.only(), "match", **named_charge(charge))
    assert adjust_what_waits() == 1
    assert [row.break_class for row in shop.rows()] == ["MISSING_INTERNAL", "AMOUNT_MISMATCH"]
    assert (shop.at("psp_clearing"), shop.at("recon_difference")) == (0, 2)


@pytest.mark.parametrize("what", ["taken", "amount", "kind"])
def test_a_line_is_matched_with_what_it_can_be(shop: Shop, what: str) -> None:
    """Not with a payment that has its line, nor with nothing, nor with another direction."""
    charge = shop.charge("pi_1", 700)
    shop.report("pi_1|charge|700|0", "pi_x|charge|700|0" if what != "kind" else "re_x|refund|-700|0")
    named = named_charge(charge) | ({"nth": 4} if what == "amount" else {})
    with pytest.raises(AdjustmentInvalid):
        shop.propose(shop.only(), "match", **named)


def test_a_match_is_taken_back_with_what_was_adjusted(shop: Shop) -> None:
    """R5: the difference goes with the match; the line has one break, its payment waits for a line again."""
    charge = shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9995|100")
    matched = shop.books()
    [match] = shop.matches()
    [row] = shop.unmatch(match)
    assert (row.break_class, row.category, row.status) == ("MISSING_INTERNAL", "B", "OPEN")
    books = shop.books()
    assert (books["psp_clearing", str(charge.id)], books["psp_clearing", f"line:{row.line_id}"]) == (
        10_000,
        -9995,
    )
    assert (shop.at("recon_difference"), shop.at("psp_fee")) == (0, 100)
    assert break_at_desk(discrepancy_id=row.id).offers[0] == "A1"
    shop.settle(row, "match", **named_charge(charge))
    assert adjust_what_waits() == 1
    assert shop.books() == matched


def test_a_match_is_taken_back_once(shop: Shop) -> None:
    """Two who ask get one; what changed since makes the yes void."""
    shop.charge("pi_1", 1000)
    shop.report("pi_1|charge|1000|0")
    [match] = shop.matches()
    key = at_edge(request_unmatching)(match_id=match.id, reason="wrong", maker=MIA)
    at_decision_edge(approve_unmatching)(approval_id=key, checker=NOA)
    with pytest.raises(ApprovalNotPending):
        at_decision_edge(approve_unmatching)(approval_id=key, checker=NOA)
    with pytest.raises(NotFound):
        at_edge(request_unmatching)(match_id=match.id, reason="wrong", maker=MIA)
    assert len(shop.adjustments()) == 1


def test_a_payment_that_is_known_later_takes_its_line(shop: Shop) -> None:
    """F-H12, F-E10: A1 is taken back by the entry that clears the payment; nobody is asked."""
    shop.report("pi_1|charge|5000|40")
    charge = shop.charge("pi_1", 5000)
    assert look_again(source_id=shop.psp.id) == (0, 1)
    row = shop.only()
    assert (row.status, shop.at("psp_clearing"), shop.at("suspense_receipts")) == ("RESOLVED", 0, 0)
    assert [each.subject_id for each in shop.matches()] == [charge.id]
    assert [each.rule_name for each in shop.adjustments()] == ["unknown_capture", "known_later"]


@pytest.mark.parametrize("seed", range(3))
def test_any_way_there_and_back_ends_in_the_same_books(shop: Shop, seed: int) -> None:
    """R5 as a property: whatever is un-matched, re-matched, taken back and done again, in any order."""
    chance = Random(seed)
    charges = {f"pi_{n}": shop.charge(f"pi_{n}", 1000 * n) for n in range(1, 5)}
    said = {name: charge.amount_minor + chance.choice([0, -1, 5, -60]) for name, charge in charges.items()}
    shop.report(
        *(f"{name}|charge|{minor}|{chance.randrange(9)}" for name, minor in said.items()), "pi_x|charge|77|0"
    )
    settled = shop.books()
    by_line = {match.line_id: match.subject_id for match in shop.matches(line_id__isnull=False)}
    for _ in range(6):
        matches = shop.matches(line_id__isnull=False)
        closed = [row for row in shop.rows() if row.status == "RESOLVED" and shop.can_reopen(row)]
        if closed and chance.random() < 0.4:
            shop.reopen(chance.choice(closed))
        elif matches:
            shop.unmatch(chance.choice(matches))
    for row in (
        Discrepancy.objects.filter(merchant_id=shop.merchant_id).exclude(status="RESOLVED").order_by("pk")
    ):
        if row.line_id in by_line and not shop.matches(line_id=row.line_id):
            charge = next(each for each in charges.values() if each.id == by_line[row.line_id])
            shop.settle(row, "match", **named_charge(charge))
    adjust_what_waits()
    for row in shop.rows():
        prepared = break_at_desk(discrepancy_id=row.id).prepared
        if row.status != "RESOLVED" and prepared is not None and row.amount_minor <= 10:
            shop.settle(row, prepared.template)
    assert shop.books() == settled
