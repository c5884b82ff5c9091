"""One live charge per order, and a line is live exactly while its charge can cover the order."""

from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from core.ids import uuid7
from payments.models import Charge, ChargeLine
from tests.database import owner_connection
from tests.payments.conftest import Shop

pytestmark = pytest.mark.database


def sql(statement: str, *params: Any) -> int:
    """Run one statement as the application, in a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.rowcount


def test_a_live_line_on_a_declined_charge_is_refused(shop: Shop) -> None:
    shop.pay(shop.body(token="pm_card_chargeDeclined"))
    with pytest.raises(IntegrityError, match="live must follow"):
        sql("UPDATE payments_chargeline SET live = true")


def test_a_dark_line_on_a_live_charge_is_refused(shop: Shop) -> None:
    shop.pay()
    with pytest.raises(IntegrityError, match="live must follow"):
        sql("UPDATE payments_chargeline SET live = false")


def test_a_charge_cannot_die_without_its_lines(shop: Shop) -> None:
    shop.accept(shop.body())
    with pytest.raises(IntegrityError, match="live must follow"):
        sql("UPDATE payments_charge SET status = 'CANCELED'")


def test_a_superseded_line_must_be_dark(shop: Shop) -> None:
    shop.pay()
    with pytest.raises(IntegrityError, match="live must follow"):
        sql("UPDATE payments_chargeline SET superseded = true")


def test_lines_and_charge_may_change_together(shop: Shop) -> None:
    """The control: in one transaction, in either order, it is allowed. It is rolled back."""
    shop.accept(shop.body())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_charge SET status = 'CANCELED'")
            cursor.execute("UPDATE payments_chargeline SET live = false")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def test_a_second_live_line_of_an_order_is_refused_at_once_f_a18(shop: Shop) -> None:
    shop.accept(shop.body())
    charge, line = Charge.objects.get(), ChargeLine.objects.first()
    assert line is not None
    with pytest.raises(IntegrityError, match="payments_one_live_charge_per_order"), transaction.atomic():
        other = Charge.objects.get()
        other.pk = uuid7()
        other._state.adding = True
        other.psp_reference = None
        other.save(force_insert=True)
        sql(
            "INSERT INTO payments_chargeline (id, merchant_id, charge_id, order_id, amount_minor, live,"
            " superseded) VALUES (%s, %s, %s, %s, %s, true, false)",
            uuid7(),
            line.merchant_id,
            other.pk,
            line.order_id,
            line.amount_minor,
        )
    assert Charge.objects.get().pk == charge.pk


def test_an_order_takes_no_second_line_of_the_same_charge(shop: Shop) -> None:
    shop.accept(shop.body())
    line = ChargeLine.objects.first()
    assert line is not None
    with pytest.raises(IntegrityError, match="payments_"):
        sql(
            "INSERT INTO payments_chargeline (id, merchant_id, charge_id, order_id, amount_minor, live,"
            " superseded) VALUES (%s, %s, %s, %s, 1, false, true)",
            uuid7(),
            line.merchant_id,
            line.charge_id,
            line.order_id,
        )


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("payments_paymentorder", "captured_minor", 1_000_000),
        ("payments_paymentorder", "refund_reserved_minor", 1_000_000),
        ("payments_paymentorder", "dispute_reserved_minor", 1_000_000),
        ("payments_paymentorder", "reversed_minor", 1_000_000),
        ("payments_paymentorder", "captured_minor", -1),
        ("payments_paymentorder", "amount_minor", 0),
        ("payments_charge", "captured_minor", 1_000_000),
        ("payments_charge", "authorized_minor", 1_000_000),
        ("payments_charge", "voided_minor", 1),
        ("payments_ordershare", "released_minor", 1_000_000),
        ("payments_ordershare", "pending_used_minor", 1_000_000),
    ],
)
def test_totals_cannot_be_made_impossible_i12(shop: Shop, table: str, column: str, value: int) -> None:
    shop.pay()
    with pytest.raises(IntegrityError, match="payments_"):
        sql(f"UPDATE {table} SET {column} = %s", value)


@pytest.mark.parametrize(
    ("table", "state"),
    [
        ("payments_paymentorder", "NOT_STARTED"),
        ("payments_paymentorder", "FAILED"),
        ("payments_charge", "CREATED"),
        ("payments_charge", "REFUNDED"),
        ("payments_pspoperation", "SENT"),
    ],
)
def test_states_cannot_be_set_against_the_machine(shop: Shop, table: str, state: str) -> None:
    shop.pay()
    with pytest.raises(Exception, match="may not change from"):
        sql(f"UPDATE {table} SET status = %s", state)


def test_the_owner_is_held_by_the_same_trigger(shop: Shop) -> None:
    shop.pay()
    with owner_connection() as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE payments_chargeline SET live = false")
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_a_line_covers_cannot_be_changed(shop: Shop) -> None:
    shop.pay()
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql("UPDATE payments_chargeline SET amount_minor = 1")
