"""A2: a receipt that nobody knew is an order's; two people say so, and pay-in makes it paid."""

from typing import Any

import pytest

from core.approvals import ApprovalVoid, at_decision_edge
from core.models import OutboxEvent
from ledger.templates.accounts import SaleAccounts
from ledger.templates.adjustments import suspense_identified_entry
from ledger.templates.capture import CapturedOrder, Share
from ledger.templates.entry import Posting
from payments.models import Charge, ChargeLine, OrderShare, PaymentOrder
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Discrepancy
from reconciliation.selectors import break_at_desk, preview
from reconciliation.services import approve_adjustment
from tests.payments.captured import balances
from tests.payments.conftest import Shop as Store
from tests.payments.conftest import counter as counter
from tests.payments.test_settling import _send, decline
from tests.reconciliation.conftest import TODAY
from tests.reconciliation.resolving.conftest import NOA, Shop
from tests.reconciliation.seeded import at_day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(counter: Store, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A store whose provider sends files; the fixture of the store audits all of it afterwards."""
    at_day(monkeypatch, TODAY)
    shop = Shop(counter.store.merchant_id, counter.channel.id)
    shop.psp = shop.source(
        name="psp", provider="stripe", channel_id=counter.channel.id, books=counter.channel.name
    )
    return shop


def ended(counter: Store, *orders: dict[str, Any]) -> list[PaymentOrder]:
    """The orders of a checkout whose payment was sent, and failed."""
    accepted = counter.accept(counter.body(*orders))
    [charge] = Charge.objects.filter(checkout__checkout_id=accepted["checkout_id"])
    decline(_send(charge.id, "UNKNOWN"))
    return list(PaymentOrder.objects.filter(checkout=charge.checkout).order_by("position"))


def eur(counter: Store, amount: str = "90.00", **other: Any) -> dict[str, Any]:
    """An order in the currency of the files."""
    return counter.order(amount, currency="EUR", **other)


def test_a_parked_receipt_pays_the_order_that_it_was_for(shop: Shop, counter: Store) -> None:
    """A2: suspense to the seller, the commission and the tax, and nothing is left open anywhere."""
    [order] = ended(counter, eur(counter))
    shop.report("pi_stray|charge|9000|40")
    row = shop.only()
    assert break_at_desk(discrepancy_id=row.id).offers == ("A2", "A3", "none")
    before = shop.books()
    approval = shop.propose(row, "A2", order=order.payment_order_id)
    said = {(each.role, each.owner): each.amount_minor for each in preview(approval.instruction)}
    assert said == {
        ("suspense_receipts", ""): 9000,
        ("seller_pending", "ann"): -8100,
        ("commission", ""): -750,
        ("tax_payable", ""): -150,
    }
    at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=NOA)
    moved = difference(before, shop.books())
    assert moved == of_the_books(row)
    assert {role for role, _ in shop.books()} & {"psp_clearing", "suspense_receipts"} == set()
    order.refresh_from_db()
    row.refresh_from_db()
    assert (order.status, order.captured_minor, row.status) == ("SUCCESS", 9000, "RESOLVED")
    assert balances(order.seller_id)["pending"] == 8100
    charge = Charge.objects.get(psp_reference="pi_stray")
    assert (charge.status, ChargeLine.objects.get(live=True).charge_id) == ("CAPTURED", charge.id)
    assert OutboxEvent.objects.filter(type="payment.succeeded").count() == 1
    [match] = shop.matches(line_id=row.line_id)
    assert (match.subject_id, match.difference_minor) == (charge.id, 0)
    assert OrderShare.objects.get(order=order).reported_at is not None


def test_it_may_be_for_all_that_is_unpaid_of_a_checkout(shop: Shop, counter: Store) -> None:
    """The buyer paid once for two sellers; either order names the checkout."""
    orders = ended(counter, eur(counter), eur(counter, "10.00", seller="bob"))
    shop.report("pi_stray|charge|10000|0")
    shop.settle(shop.only(), "A2", order=orders[1].payment_order_id)
    assert [each.status for each in PaymentOrder.objects.all()] == ["SUCCESS", "SUCCESS"]
    assert (shop.at("seller_pending"), shop.at("suspense_receipts")) == (-9100, 0)


def test_money_is_no_order_s_that_does_not_wait_for_it(shop: Shop, counter: Store) -> None:
    """Another amount or currency; an order that is paid, or may still be; no order at all."""
    [fits] = ended(counter, eur(counter))
    [dearer] = ended(counter, eur(counter, "91.00"))
    [abroad] = ended(counter, counter.order("90.00"))
    accepted = counter.accept(counter.body(eur(counter)))
    shop.report("pi_stray|charge|9000|0", "pi_second|charge|9000|0")
    first, second = shop.rows()
    shop.settle(first, "A2", order=fits.payment_order_id)
    open_one = accepted["payment_orders"][0]["payment_order_id"]
    for name in (
        fits.payment_order_id,
        dearer.payment_order_id,
        abroad.payment_order_id,
        open_one,
        "o-x",
        " ",
    ):
        with pytest.raises(AdjustmentInvalid):
            shop.propose(second, "A2", order=name)
    for parameters in ({}, {"order": "o-x", "amount_minor": 1}, {"order": 5}):
        with pytest.raises(AdjustmentInvalid):
            shop.propose(second, "A2", **parameters)
    assert shop.at("suspense_receipts") == -9000


def test_a_yes_is_void_when_the_order_was_paid_meanwhile(shop: Shop, counter: Store) -> None:
    """Promise: an order is paid once, whoever is first."""
    [order] = ended(counter, eur(counter))
    shop.report("pi_stray|charge|9000|0", "pi_second|charge|9000|0")
    first, second = shop.rows()
    late = shop.propose(first, "A2", order=order.payment_order_id)
    shop.settle(second, "A2", order=order.payment_order_id)
    with pytest.raises(ApprovalVoid):
        at_decision_edge(approve_adjustment)(approval_id=late.pk, checker=NOA)
    assert (shop.at("suspense_receipts"), Charge.objects.filter(status="CAPTURED").count()) == (-9000, 1)


def test_the_line_turns_out_to_be_another_payment(shop: Shop, counter: Store) -> None:
    """R5: the line is unknown again, its money parked; the payment waits for a line of its own."""
    [order] = ended(counter, eur(counter))
    shop.report("pi_stray|charge|9000|40")
    row = shop.only()
    parked = shop.books()
    shop.settle(row, "A2", order=order.payment_order_id)
    [match] = shop.matches(line_id=row.line_id)
    [again] = shop.unmatch(match)
    assert (again.id, again.status) == (row.id, "OPEN")
    assert shop.at("suspense_receipts") == parked["suspense_receipts", f"line:{row.line_id}"]
    charge = Charge.objects.get(psp_reference="pi_stray")
    assert shop.books()["psp_clearing", str(charge.id)] == 9000
    [expected] = shop.matches(how="expected")
    assert expected.subject_id == charge.id


def difference(before: dict[Any, int], after: dict[Any, int]) -> dict[Any, int]:
    """What moved between two states of the books."""
    moved = {place: after.get(place, 0) - before.get(place, 0) for place in before | after}
    return {place: minor for place, minor in moved.items() if minor}


def of_the_books(row: Discrepancy) -> dict[Any, int]:
    """What A2 says of 90.00 with ten percent and a fifth of tax inside, by role and key."""
    roles = {1: "suspense_receipts", 2: "seller_pending", 3: "commission", 4: "tax_payable"}
    draft = suspense_identified_entry(
        posting=Posting(row.merchant_id, row.currency, row.business_date),
        suspense_receipts=1,
        accounts=SaleAccounts(3, 4),
        adjustment_id=row.id,
        line_key=f"line:{row.line_id}",
        orders=[CapturedOrder(2, Share(8100, 750, 150))],
    )
    return {(roles[each.account_id], each.clearing_key or ""): each.amount_minor for each in draft.lines}
