"""Many hands at once on one authorisation: the money is taken once, or given back, and nothing in between."""

import threading
import uuid
from collections import Counter
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError

from core import failpoints
from core.history import move
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.engine import cancellations, captures
from payments.locks import ChargeScope, CheckoutScope
from payments.models import Charge, PaymentEvent, PaymentOrder, PspOperation
from tests.database import owner_connection
from tests.payments.conftest import Shop
from tests.payments.later import CAPTURE, authorized, capture, now, operations, void
from tests.racing import race
from tests.stateful.effort import rounds
from tests.store import error


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def codes(answers: list[Any]) -> Counter[str]:
    return Counter("201" if each.status_code == 201 else str(error(each)[1]) for each in answers)


def assert_taken_or_given_back(shop: Shop, order: dict[str, Any]) -> str:
    """One of the two, here as at the provider."""
    seen = now(shop, order)
    kinds = [row["kind"] for row in shop.provider.get(f"journal?metadata.checkout_id={order['checkout_id']}")]
    ends = {
        "SUCCESS": ["charge.authorized", "charge.captured"],
        "CANCELED": ["charge.authorized", "authorization.released"],
    }
    assert kinds == ends[seen["payment_order_status"]]
    charge = Charge.objects.get(checkout__checkout_id=order["checkout_id"])
    assert charge.captured_minor + charge.voided_minor == charge.authorized_minor == 10000
    assert JournalEntry.objects.filter(source_ref=charge.id).count() == (charge.status == "CAPTURED")
    return str(seen["payment_order_status"])


@pytest.mark.chaos
@pytest.mark.parametrize("turn", range(rounds(few=10, many=200)))
def test_thirty_captures_at_once_take_it_once_a_d2(shop: Shop, turn: int) -> None:
    """A-C8, A-D2, I11: thirty orders of 60.00 on 100.00: one is carried out, the others are told so."""
    order = authorized(shop)
    answers = race([lambda: capture(shop, order, "60.00")] * 30, seconds=60)
    assert codes(answers) == {"201": 1, "invalid_state": 29}
    race([shop.work] * 3)
    assert [row["amount"] for row in shop.captures()] == [6000]
    assert assert_taken_or_given_back(shop, order) == "SUCCESS"


@pytest.mark.chaos
@pytest.mark.parametrize("turn", range(rounds(few=10, many=200)))
def test_capture_against_void_has_one_winner_a_d2(shop: Shop, turn: int) -> None:
    """A-C8, A-D2: while the worker is at it already; who lost is told, and nobody's answer is lost."""
    order = authorized(shop)
    hands = [lambda: capture(shop, order), lambda: void(shop, order)] * 2
    if turn % 2:
        hands.reverse()
    *answers, _ = race([*hands, shop.work])
    shop.later(5)
    taken = assert_taken_or_given_back(shop, order) == "SUCCESS"
    winners = {hand % 2 == turn % 2 for hand, each in enumerate(answers) if each.status_code == 201}
    assert winners == {taken}, "what was promised is what became of it"
    assert Counter(operations("capture") + operations("void")) == {"SUCCEEDED": 1}


def _unlocked(meet: threading.Barrier) -> Any:
    def read(*, checkout_id: uuid.UUID) -> CheckoutScope:
        """What `lock_checkout` returns, but nobody waits for anybody."""
        checkout = PaymentEvent.objects.get(id=checkout_id)
        orders = list(PaymentOrder.objects.filter(checkout=checkout).order_by("position"))
        charge = Charge.objects.get(checkout=checkout)
        lines = list(charge.lines.all())
        done = list(PspOperation.objects.filter(charge=charge).order_by("id"))
        charge.checkout = checkout
        meet.wait(20)
        return CheckoutScope(checkout, orders, [ChargeScope(checkout, charge, done, lines, orders)])

    return read


@pytest.mark.parametrize("hands", ["captures", "capture and void"])
def test_without_the_lock_the_database_refuses_the_second(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, hands: str
) -> None:
    """The control: who looks without a lock sees the money reserved twice; one operation on it remains."""
    order = authorized(shop)
    shop.store.raise_errors = False
    unlocked = _unlocked(threading.Barrier(2))
    monkeypatch.setattr(captures, "lock_checkout", unlocked)
    monkeypatch.setattr(cancellations, "lock_checkout", unlocked)
    other = capture if hands == "captures" else void
    answers = race([lambda: capture(shop, order), lambda: other(shop, order)])
    assert sorted(each.status_code for each in answers) == [201, 500]
    assert len(operations("capture") + operations("void")) == 1
    monkeypatch.undo()
    shop.later(5)
    assert_taken_or_given_back(shop, order)


def test_without_lock_and_constraint_both_are_accepted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the control: with both guards gone, two orders of 60.00 on 100.00 are promised."""
    order = authorized(shop)
    monkeypatch.setattr(captures, "lock_checkout", _unlocked(threading.Barrier(2)))
    guards = ("payments_operation_one_of_a_kind", "payments_operation_capture_or_void")
    with owner_connection() as owner:
        kept = [_definition(owner, name) for name in guards]
        for name in guards:
            owner.execute(f"DROP INDEX {name}")
        owner.commit()
        try:
            answers = race([lambda: capture(shop, order, "60.00")] * 2)
            found = operations("capture")
            second = PspOperation.objects.filter(kind="capture").last()
            if len(found) > 1 and second is not None:
                at_edge(move)(second, second.to_canceled, why="the control is over", error="never sent")
        finally:
            for definition in kept:
                owner.execute(definition)
            owner.commit()
    assert (codes(answers), found) == ({"201": 2}, ["CREATED", "CREATED"])
    shop.work()
    assert_taken_or_given_back(shop, order)


def _definition(owner: psycopg.Connection[Any], name: str) -> str:
    row = owner.execute("SELECT pg_get_indexdef(%s::regclass)", [name]).fetchone()
    assert row is not None
    return str(row[0])


PLACES = ["before_intent", "after_intent", "after_effect", "before_commit", "after_commit"]


@pytest.mark.parametrize("kind", ["capture", "void"])
@pytest.mark.parametrize("place", PLACES)
def test_broken_at_any_place(shop: Shop, owner_sql: Any, place: str, kind: str) -> None:
    """F-A1 to F-A4: what the worker had in hand is found by its lease, and is done once."""
    order = authorized(shop)
    assert (capture(shop, order, "60.00") if kind == "capture" else void(shop, order)).status_code == 201
    failpoints.arm(f"execute.{place}.{kind}", "raise")
    shop.work()
    assert failpoints.fired(f"execute.{place}.{kind}")
    for _ in range(4):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)
    assert assert_taken_or_given_back(shop, order) == ("SUCCESS" if kind == "capture" else "CANCELED")
    assert operations(kind) == ["SUCCEEDED"]
    assert len({row["idempotency_key"] for row in shop.requests(CAPTURE)}) == (kind == "capture")


def test_the_database_allows_no_second_disposal(shop: Shop) -> None:
    """I11: whatever code there is, one capture or one void of a charge is alive."""
    order = authorized(shop)
    capture(shop, order)
    (row,) = PspOperation.objects.filter(kind="capture")
    row.pk, row.kind, row.nonce, row._state.adding = uuid.uuid4(), "void", "op_other", True
    with pytest.raises(IntegrityError, match="payments_operation_capture_or_void"):
        row.save(force_insert=True)
    shop.work()
