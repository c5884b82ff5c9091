"""Every invariant of pay-in finds what it is for: the owner breaks the data, guards off, and rolls back."""

from typing import Any

import pytest
from psycopg import Connection

from core import clock
from core.transactions import at_edge
from payments.audits import INVARIANTS
from payments.models import Charge, PspOperation
from tests.database import owner_connection
from tests.payments.conftest import Shop, hosted
from tests.payments.later import authorized, capture, void
from tests.payments.test_late_money import late
from tests.payments.test_saved_methods import delete, save, with_saved

_ENTRY = "(SELECT id FROM ledger_journalentry WHERE source = 'charge')"

# Each invariant and what breaks it.
BREAKS: dict[str, str] = {
    "captured_charge_posted_once": "UPDATE ledger_journalentry SET leg = 'other' WHERE source = 'charge'",
    "capture_entry_has_a_charge": "UPDATE payments_charge SET status = 'PENDING' WHERE status = 'CAPTURED'",
    "capture_entry_amount": f"UPDATE ledger_journalline SET amount_minor = amount_minor + 1"
    f" WHERE amount_minor > 0 AND entry_id IN {_ENTRY}",
    "order_captured_is_its_lines": "UPDATE payments_chargeline SET amount_minor = amount_minor - 1",
    "order_share_is_its_amount": "UPDATE payments_ordershare SET commission_minor = commission_minor + 1",
    "success_is_booked": "UPDATE payments_paymentorder SET ledger_updated = false WHERE status = 'SUCCESS'",
    "payment_done_flag": "UPDATE payments_paymentevent SET is_payment_done = NOT is_payment_done",
    "pay_in_state_is_last_history": "UPDATE payments_pspoperation SET status = 'UNKNOWN'",
    "history_is_a_chain": "UPDATE core_statuschange SET from_state = 'PENDING' WHERE from_state = 'SENT'",
    "order_changes_are_told": "DELETE FROM core_outboxevent WHERE type = 'payment.succeeded'",
    "no_forgotten_operation": "UPDATE payments_pspoperation SET status = 'UNKNOWN', due_at = NULL",
    "finished_operation_is_not_due": "UPDATE payments_pspoperation SET due_at = now()",
    "open_charge_has_work": "UPDATE payments_charge SET status = 'REGISTERED'",
    "open_page_is_known": "UPDATE payments_charge SET session_reference = NULL",
    "page_has_a_reference": "UPDATE payments_charge SET session_reference = NULL",
    "unknown_is_bounded": "UPDATE payments_pspoperation SET status = 'SENT', first_sent_at = '2020-01-01'",
    "line_follows_its_charge": "UPDATE payments_chargeline SET live = NOT live",
    "charge_is_its_lines": "UPDATE payments_charge SET amount_minor = amount_minor + 1",
    "authorized_is_taken_or_given_back": "UPDATE payments_charge SET voided_minor = voided_minor + 1"
    " WHERE status = 'CAPTURED'",
    "authorized_order_is_its_charge": "UPDATE payments_charge SET status = 'PENDING'"
    " WHERE status = 'AUTHORIZED'",
    "capture_is_its_operation": "UPDATE payments_pspoperation SET amount_minor = amount_minor + 1"
    " WHERE kind = 'capture'",
    "capture_or_void": "DROP INDEX payments_operation_capture_or_void; UPDATE payments_pspoperation"
    " SET kind = 'void' WHERE kind = 'confirm'"
    " AND charge_id IN (SELECT charge_id FROM payments_pspoperation WHERE kind = 'capture')",
    "partial_capture_has_one_order": "UPDATE payments_charge SET captured_minor = captured_minor - 1"
    " WHERE status = 'CAPTURED'",
    "authorization_ends": "UPDATE payments_charge SET capture_before = '2020-01-01'"
    " WHERE status = 'AUTHORIZED'",
    "late_charge_is_late_as_a_whole": "UPDATE payments_chargeline SET superseded = NOT superseded"
    " WHERE id = (SELECT id FROM payments_chargeline WHERE superseded LIMIT 1)",
    "late_money_goes_back": "UPDATE payments_pspoperation SET status = 'DECLINED' WHERE kind = 'refund'",
    "overpayment_is_cleared": "DELETE FROM ledger_journalline USING ledger_journalentry AS entry"
    " WHERE entry.id = entry_id AND entry.leg = 'accepted'",
    "refund_in_transit_is_its_operation": "UPDATE payments_pspoperation SET status = 'PENDING'"
    " WHERE kind = 'refund'",
    "charge_refunded_is_its_refunds": "UPDATE payments_charge SET refunded_minor = refunded_minor + 1",
    "checkout_ends_in_time": "UPDATE payments_paymentevent SET expires_at = '2020-01-01'",
    "saved_method_is_its_buyers": "UPDATE merchants_buyer SET buyer_account = 'other'",
    "paid_with_own_method": "UPDATE payments_paymentevent SET save_method = true"
    " WHERE saved_method_id IS NOT NULL",
    "deleted_method_is_detached": "UPDATE payments_pspoperation SET status = 'DECLINED'"
    " WHERE kind = 'detach'",
}

# Further ways to break the same rules, each of which a lazier query would miss.
MORE: list[tuple[str, str]] = [
    ("saved_method_is_its_buyers", "UPDATE payments_paymentmethodtoken SET merchant_id = gen_random_uuid()"),
    ("saved_method_is_its_buyers", "UPDATE payments_pspcustomer SET channel_id = gen_random_uuid()"),
    ("saved_method_is_its_buyers", "UPDATE payments_pspoperation SET status = 'SENT' WHERE kind = 'attach'"),
    (
        "paid_with_own_method",
        "UPDATE payments_paymentevent SET buyer_account = 'other' WHERE saved_method_id IS NOT NULL",
    ),
    ("deleted_method_is_detached", "UPDATE payments_paymentmethodtoken SET deleted_at = NULL"),
    ("deleted_method_is_detached", "DELETE FROM payments_pspoperation WHERE kind = 'detach'"),
    (
        "deleted_method_is_detached",
        "UPDATE payments_paymentmethodtoken SET deleted_at = '2020-01-01';"
        " UPDATE payments_pspoperation SET status = 'UNKNOWN' WHERE kind = 'detach'",
    ),
    (
        "open_charge_has_work",  # A detach that is under way brings a payment no outcome.
        "UPDATE payments_charge SET status = 'REGISTERED' WHERE id IN"
        " (SELECT charge_id FROM payments_pspoperation WHERE kind = 'detach');"
        " UPDATE payments_pspoperation SET status = 'UNKNOWN', due_at = now() WHERE kind = 'detach'",
    ),
    ("captured_charge_posted_once", "DELETE FROM ledger_journalline; DELETE FROM ledger_journalentry"),
    (
        "capture_entry_has_a_charge",
        "UPDATE ledger_journalentry SET source_ref = 'x' || id WHERE source = 'charge'",
    ),
    (
        "order_captured_is_its_lines",
        "UPDATE payments_charge SET status = 'PENDING' WHERE status = 'CAPTURED'",
    ),
    ("order_share_is_its_amount", "DELETE FROM payments_ordershare"),
    ("success_is_booked", "UPDATE payments_paymentorder SET status = 'SUCCESS' WHERE status = 'FAILED'"),
    ("success_is_booked", "UPDATE payments_paymentorder SET wallet_updated = NOT wallet_updated"),
    ("payment_done_flag", "UPDATE payments_paymentevent SET compensated_at = now() WHERE is_payment_done"),
    ("pay_in_state_is_last_history", "UPDATE payments_charge SET status = 'UNKNOWN'"),
    ("pay_in_state_is_last_history", "DELETE FROM core_statuschange WHERE to_state = 'FAILED'"),
    ("history_is_a_chain", "DELETE FROM core_statuschange WHERE to_state = 'EXECUTING'"),
    ("history_is_a_chain", "DELETE FROM core_statuschange WHERE from_state = ''"),
    ("order_changes_are_told", "UPDATE payments_paymentorder SET event_sequence = event_sequence + 1"),
    ("order_changes_are_told", "DELETE FROM core_outboxevent WHERE type LIKE 'payment.%'"),
    ("open_page_is_known", "UPDATE payments_charge SET redirect_url = ''"),
    ("page_has_a_reference", "UPDATE payments_charge SET psp_reference = NULL"),
    (
        "unknown_is_bounded",
        "UPDATE payments_pspoperation SET status = 'UNKNOWN', first_sent_at = '2020-01-01'",
    ),
    ("line_follows_its_charge", "UPDATE payments_chargeline SET superseded = true"),
    (
        "authorized_is_taken_or_given_back",
        "UPDATE payments_charge SET voided_minor = 0 WHERE status = 'CANCELED'",
    ),
    (
        "authorized_is_taken_or_given_back",
        "UPDATE payments_charge SET captured_minor = 1 WHERE status = 'AUTHORIZED'",
    ),
    (
        "authorized_order_is_its_charge",
        "UPDATE payments_paymentorder SET status = 'EXECUTING' WHERE status = 'AUTHORIZED'",
    ),
    (
        "authorized_order_is_its_charge",
        "UPDATE payments_paymentorder SET authorized_minor = 1 WHERE status = 'AUTHORIZED'",
    ),
    ("capture_is_its_operation", "UPDATE payments_pspoperation SET status = 'SENT' WHERE kind = 'capture'"),
    ("order_captured_is_its_lines", "UPDATE payments_charge SET captured_minor = captured_minor + 1"),
    ("charge_is_its_lines", "DELETE FROM payments_chargeline"),
    ("captured_charge_posted_once", "UPDATE payments_chargeline SET superseded = false"),
    (
        "capture_entry_has_a_charge",
        "UPDATE ledger_journalentry SET source_ref = 'x' WHERE leg = 'overpayment'",
    ),
    ("late_charge_is_late_as_a_whole", "UPDATE payments_charge SET status = 'DECLINED'"),
    ("late_money_goes_back", "UPDATE payments_pspoperation SET amount_minor = 1 WHERE kind = 'refund'"),
    ("overpayment_is_cleared", "UPDATE payments_pspoperation SET status = 'DECLINED' WHERE kind = 'refund'"),
    (
        "refund_in_transit_is_its_operation",
        "DELETE FROM ledger_journalline USING ledger_journalentry AS entry"
        " WHERE entry.id = entry_id AND entry.leg = 'netted'",
    ),
    ("charge_refunded_is_its_refunds", "UPDATE payments_charge SET refunded_minor = 0"),
]


def found(name: str, damage: str) -> tuple[bool, bool]:
    """Whether the query finds nothing before the damage, and something after it."""
    (invariant,) = [each for each in INVARIANTS if each.name == name]
    with owner_connection() as owner:
        try:
            clean = owner.execute(invariant.sql).fetchall() == []
            exercised = owner.execute(invariant.exercised_sql).fetchone()
            assert exercised and exercised[0], "the query had something to look at"
            for table in _guarded(owner):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for table, constraint in _checks(owner):
                owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
            owner.execute(damage)
            return clean, owner.execute(invariant.sql).fetchall() != []
        finally:
            owner.rollback()


def _guarded(owner: Connection[Any]) -> list[str]:
    rows = owner.execute(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    ).fetchall()
    return [name for (name,) in rows]


def _checks(owner: Connection[Any]) -> list[tuple[str, str]]:
    """Check constraints and foreign keys, which would refuse before the query gets its turn."""
    rows: list[tuple[str, str]] = owner.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('c', 'f')"
        " AND conrelid::regclass::text ~ '^(payments|ledger|core|wallet)_' AND conparentid = 0"
    ).fetchall()
    return rows


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """A shop with every kind of payment: paid, failed, open, late, reserved, taken later and given back."""
    assert shop.pay()["status"] == "succeeded"
    assert shop.pay(shop.body(token="pm_card_chargeDeclined"))["status"] == "failed"
    seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    late(shop, seen, Charge.objects.get(checkout__checkout_id=seen["checkout_id"]))
    shop.work()
    assert shop.pay(shop.body(token="pm_card_threeDSecure2Required"))["status"] == "requires_action"
    assert shop.pay(hosted(shop))["status"] == "requires_action"
    paid = shop.pay(hosted(shop))
    page = paid["next_action"]["url"].rpartition("/")[2]
    shop.provider.control("POST", f"checkout_sessions/{page}/payment", {"token": "pm_card_visa"})
    at_edge(PspOperation.objects.filter(status="PENDING").update)(due_at=clock.now())
    shop.work()
    assert shop.checkout(paid["id"])["status"] == "succeeded"
    capture(shop, authorized(shop), "40.00")
    void(shop, authorized(shop))
    shop.work()
    authorized(shop)
    kept = save(shop)["id"]
    assert shop.pay(with_saved(shop, kept))["status"] == "succeeded"
    delete(shop, kept)
    shop.work()
    return shop


def test_every_invariant_has_a_row_here() -> None:
    assert {each.name for each in INVARIANTS} == set(BREAKS)


@pytest.mark.usefixtures("busy")
def test_each_invariant_finds_each_damage() -> None:
    missed = [
        (name, damage) for name, damage in [*BREAKS.items(), *MORE] if found(name, damage) != (True, True)
    ]
    assert missed == []
