"""Lines of settlement files end what has no outcome, and nothing else.

There is no provider here: what was sent, and that no answer came, is written as the worker writes it.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from core import clock
from core.errors import NotFound
from core.history import Changes
from core.ids import public_id
from core.models import Case, OutboxEvent, StatusChange
from ledger.models import JournalEntry
from payments.engine.closing import close_charge, failure_of
from payments.engine.facts import order_fact
from payments.engine.operations import start_operation
from payments.locks import lock_charge
from payments.models import Charge, PaymentOrder, PspOperation, Refund
from payments.services import settle_from_file
from payments.types import FileLine, Settled
from tests.payments.captured import balances, capture
from tests.payments.conftest import Shop
from tests.payments.refunding import ask, refunds_of

pytestmark = pytest.mark.django_db
FILE = "stl_00000000000000000000000007"


def line(shop: Shop, charge: Charge, **changes: Any) -> FileLine:
    """What a file says of a charge: all of it was taken."""
    return replace(
        FileLine(
            merchant_id=shop.store.merchant_id,
            channel_ids=(shop.channel.id,),
            kind="charge",
            subject_kind="charge",
            subject_id=charge.id,
            reference=charge.psp_reference or "pi_told",
            payment_reference="",
            our_reference=public_id("chg", charge.id),
            amount_minor=charge.amount_minor,
            currency=charge.amount_currency,
            file=FILE,
            line_no=12,
        ),
        **changes,
    )


def settle(told: FileLine) -> Settled:
    with transaction.atomic():
        return settle_from_file(told=told)


def sent(shop: Shop, *, capture: str = "automatic", ends: str = "UNKNOWN") -> Charge:
    """A charge whose confirmation was sent, and that nobody answered (or that the provider processes)."""
    accepted = shop.accept(shop.body(shop.order("90.00"), capture=capture))
    return _send(Charge.objects.get(checkout__checkout_id=accepted["checkout_id"]).id, ends)


@transaction.atomic
def _send(key: UUID, ends: str) -> Charge:
    scope, changes, now = lock_charge(charge_id=key), Changes(), clock.now()
    assert scope is not None
    [register], charge = scope.operations, scope.charge
    dispatch = {"first_sent_at": now, "due_at": now, "leased_until": None}
    changes.move(register, register.to_sent, why="sent", **dispatch)
    for order in scope.orders:
        changes.move(order, order.to_executing, why="sent", fact=order_fact(scope, order, "executing"))
    changes.move(register, register.to_succeeded, why="done")
    changes.move(charge, charge.to_registered, why="registered", psp_reference=f"pi_{charge.id.hex}")
    confirm = start_operation(charge, "confirm", changes)
    changes.move(confirm, confirm.to_sent, why="sent", **dispatch)
    changes.move(charge, charge.to_submitted, why="sent")
    if ends == "UNKNOWN":
        changes.move(confirm, confirm.to_unknown, why="no answer", error="no answer", due_at=now)
        changes.move(charge, charge.to_unknown, why="no answer")
    elif ends == "PENDING":
        changes.move(confirm, confirm.to_pending, why="it will tell", due_at=now)
        changes.move(charge, charge.to_pending, why="it will tell")
    changes.save()
    return charge


def refund_sent(shop: Shop, order: PaymentOrder, *, known_as: str | None = None) -> Refund:
    """A refund of an order that was sent long ago, and that nobody answered."""
    answer = ask(shop, {"payment_order_id": order.payment_order_id}, "40.00")
    assert answer.status_code == 201, answer.content
    return _send_refund(Refund.objects.get(), known_as)


@transaction.atomic
def _send_refund(refund: Refund, known_as: str | None) -> Refund:
    operation = PspOperation.objects.get(refund=refund)
    changes, now = Changes(), clock.now()
    changes.move(operation, operation.to_sent, why="sent", first_sent_at=now, due_at=now, leased_until=None)
    changes.move(refund, refund.to_executing, why="sent")
    if known_as:
        changes.move(operation, operation.to_pending, why="it will tell", due_at=now)
        changes.move(refund, refund.to_pending, why="it will tell", psp_reference=known_as)
    else:
        changes.move(operation, operation.to_unknown, why="no answer", error="no answer", due_at=now)
        changes.move(refund, refund.to_unknown, why="no answer")
    changes.save()
    return refund


def refund_line(shop: Shop, refund: Refund, **changes: Any) -> FileLine:
    charge, operation = Charge.objects.get(), PspOperation.objects.get(refund=refund)
    told = {
        "kind": "refund",
        "subject_kind": "refund",
        "subject_id": refund.id,
        "reference": "re_told",
        "payment_reference": charge.psp_reference,
        "our_reference": public_id("op", operation.id),
        "amount_minor": -refund.amount_minor,
    }
    return line(shop, charge, **told | changes)


def reasons(key: UUID, state: str) -> list[str]:
    return list(StatusChange.objects.filter(subject_id=key, to_state=state).values_list("reason", flat=True))


@pytest.mark.parametrize("ends", ["UNKNOWN", "PENDING", "SENT"])
def test_a_line_ends_a_charge_once(counter: Shop, ends: str) -> None:
    """F-A5: charged, and the answer never came: orders, wallet, books and events as with any answer."""
    charge = sent(counter, ends=ends)
    told = line(counter, charge)
    assert settle(told).result == "settled"
    charge.refresh_from_db()
    confirm = PspOperation.objects.get(charge=charge, kind="confirm")
    assert (charge.status, confirm.status, confirm.due_at) == ("CAPTURED", "SUCCEEDED", None)
    order = PaymentOrder.objects.get(lines__charge=charge)
    assert (order.status, order.captured_minor) == ("SUCCESS", 9000)
    # 90.00 less the commission of 10 %, which has its tax inside.
    assert balances(order.seller_id)["pending"] == 8100
    assert reasons(charge.id, "CAPTURED") == [f"captured; told by {FILE} line 12"]
    assert [why.endswith("line 12") for why in reasons(order.id, "SUCCESS")] == [True]
    entries, events = JournalEntry.objects.count(), OutboxEvent.objects.count()
    assert OutboxEvent.objects.filter(type="payment.succeeded").count() == 1
    assert settle(told) == Settled("known")
    assert (JournalEntry.objects.count(), OutboxEvent.objects.count()) == (entries, events)


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 8999}, {"currency": "EUR"}, {"reference": "pi_another"}, {"amount_minor": -9000}],
    ids=["amount", "currency", "reference", "sign"],
)
def test_what_differs_is_frozen_and_never_guessed(counter: Shop, changes: dict[str, Any]) -> None:
    """Promise 3: a line of another amount, currency or payment posts nothing; two people decide."""
    charge = sent(counter)
    assert settle(line(counter, charge, **changes)).result == "conflict"
    charge.refresh_from_db()
    assert charge.status == "CONFLICTED"
    assert JournalEntry.objects.count() == 0
    assert Case.objects.get(kind="charge_conflict").value_minor == 9000
    # What is frozen stays so, whatever other lines say.
    assert settle(line(counter, charge)).result == "conflict"
    charge.refresh_from_db()
    assert charge.status == "CONFLICTED"


def test_a_line_of_another_account_or_merchant_proves_nothing(counter: Shop) -> None:
    charge = sent(counter)
    for changes in ({"merchant_id": uuid4()}, {"channel_ids": (uuid4(),)}, {"subject_id": uuid4()}):
        with pytest.raises(NotFound):
            settle(line(counter, charge, **changes))
    charge.refresh_from_db()
    assert charge.status == "UNKNOWN"


def test_what_was_never_sent_is_not_ended(counter: Shop) -> None:
    """A line of a charge that we never asked for: nothing is recorded, and people see it."""
    accepted = counter.accept(counter.body(counter.order()))
    charge = Charge.objects.get(checkout__checkout_id=accepted["checkout_id"])
    assert settle(line(counter, charge)).result == "unsettled"
    charge.refresh_from_db()
    assert (charge.status, JournalEntry.objects.count()) == ("CREATED", 0)
    assert Case.objects.filter(kind="late_money").count() == 1


def test_money_of_an_order_that_ended_goes_back(counter: Shop) -> None:
    """R6: its order ended without it; the file's money is booked as an overpayment and refunded."""
    charge = sent(counter)
    with transaction.atomic():
        scope, changes = lock_charge(charge_id=charge.id), Changes()
        assert scope is not None
        confirm = scope.paying
        assert confirm is not None
        changes.move(confirm, confirm.to_canceled, why="closed there", error="closed there")
        close_charge(scope, changes, failure=failure_of(None), why="closed there")
        changes.save()
    assert settle(line(counter, charge)).result == "settled"
    charge.refresh_from_db()
    assert charge.status == "CAPTURED"
    assert PaymentOrder.objects.get(lines__charge=charge).status == "FAILED"
    back = PspOperation.objects.get(charge=charge, kind="refund")
    assert (back.status, back.amount_minor) == ("CREATED", 9000)
    assert list(JournalEntry.objects.order_by("id").values_list("leg", flat=True)) == [
        "overpayment",
        "accepted",
    ]
    assert settle(line(counter, charge)).result == "known"
    assert PspOperation.objects.filter(charge=charge, kind="refund").count() == 1


def test_a_refund_whose_key_is_forgotten_is_ended(counter: Shop) -> None:
    """F-A16: it can't be sent again and was never answered; the line of our reference ends it, once."""
    [order] = capture(counter, counter.order("90.00"))
    refund = refund_sent(counter, order)
    told = refund_line(counter, refund)
    assert settle(told).result == "settled"
    refund.refresh_from_db()
    operation = PspOperation.objects.get(refund=refund)
    assert (refund.status, refund.psp_reference) == ("SUCCESS", "re_told")
    assert (operation.status, operation.psp_reference) == ("SUCCEEDED", "re_told")
    assert refunds_of(counter, {"payment_order_id": order.payment_order_id})[0]["status"] == "SUCCESS"
    assert reasons(refund.id, "SUCCESS") == [f"refunded; told by {FILE} line 12"]
    entries = JournalEntry.objects.count()
    assert settle(told).result == "known"
    assert JournalEntry.objects.count() == entries


def test_a_refund_is_known_by_the_providers_name(counter: Shop) -> None:
    """F-A5: the provider had told its own name, and the file has no reference of ours."""
    [order] = capture(counter, counter.order("90.00"))
    refund = refund_sent(counter, order, known_as="re_told")
    assert settle(refund_line(counter, refund, our_reference="")).result == "settled"
    refund.refresh_from_db()
    assert refund.status == "SUCCESS"


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": -3999}, {"our_reference": ""}, {"our_reference": public_id("op", uuid4())}],
    ids=["amount", "nameless", "another"],
)
def test_a_refund_that_differs_is_frozen(counter: Shop, changes: dict[str, Any]) -> None:
    """Promise 3: nothing is posted of a refund that may be another one."""
    [order] = capture(counter, counter.order("90.00"))
    refund = refund_sent(counter, order)
    entries = JournalEntry.objects.count()
    assert settle(refund_line(counter, refund, **changes)).result == "conflict"
    refund.refresh_from_db()
    assert (refund.status, PspOperation.objects.get(refund=refund).status) == ("UNKNOWN", "CONFLICTED")
    assert JournalEntry.objects.count() == entries


def test_a_capture_without_an_answer_is_ended_by_its_part(counter: Shop) -> None:
    """F-A5: reserved money was taken in part; what was reserved is not in the file."""
    charge = sent(counter, capture="manual")
    with transaction.atomic():
        scope, changes = lock_charge(charge_id=charge.id), Changes()
        assert scope is not None and scope.paying is not None
        confirm, now = scope.paying, clock.now()
        changes.move(confirm, confirm.to_succeeded, why="authorised")
        columns = {"authorized_minor": 9000, "capture_before": now + (now - scope.charge.created_at)}
        changes.move(scope.charge, scope.charge.to_authorized, why="authorised", **columns)
        for order in scope.orders:
            changes.move(order, order.to_authorized, why="authorised", authorized_minor=9000)
        taking = start_operation(scope.charge, "capture", changes, amount_minor=6000)
        changes.move(taking, taking.to_sent, why="sent", first_sent_at=now, due_at=now, leased_until=None)
        changes.move(taking, taking.to_unknown, why="no answer", error="no answer", due_at=now)
        changes.save()
    assert settle(line(counter, charge, amount_minor=6000)).result == "settled"
    charge.refresh_from_db()
    assert (charge.status, charge.captured_minor, charge.voided_minor) == ("CAPTURED", 6000, 3000)
    assert PaymentOrder.objects.get(lines__charge=charge).captured_minor == 6000
