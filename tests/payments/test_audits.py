"""Each audit of pay-in finds what it is for, and the others stay silent."""

from typing import Any

import psycopg
import pytest

import payments.audits
from tests.ledger.breakage import broken, violated
from tests.payments.conftest import Shop

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
Owner = psycopg.Connection[Any]
INVARIANTS = {each.name for each in payments.audits.INVARIANTS}


def copied(table: str, columns: str, **changed: str) -> str:
    """SQL that copies every row of a table with some columns changed."""
    values = ", ".join(changed.get(name, name) for name in columns.split(", "))
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}"


HEADER = (
    "id, merchant_id, kind, source, source_ref, leg, effective_date, recorded_at, line_count, corrects,"
    " digest"
)
# By audit: statements that break what it watches, and which audits must fire with it.
BREAKS: dict[str, list[tuple[str, set[str]]]] = {
    "captured_charge_posted_once": [
        ("UPDATE ledger_journalentry SET leg = 'other'", set()),
        (
            copied("ledger_journalentry", HEADER, id="id + 1000"),
            {"one_posting_per_leg", "entry_has_its_lines"},
        ),
    ],
    "capture_entry_has_a_charge": [
        (
            "UPDATE ledger_journalentry SET source_ref = gen_random_uuid()::text WHERE leg = 'capture'",
            {"captured_charge_posted_once"},
        ),
    ],
    "capture_entry_amount": [
        ("UPDATE payments_charge SET captured_minor = captured_minor - 1", set()),
    ],
    "order_captured_is_its_lines": [
        ("UPDATE payments_chargeline SET amount_minor = 10000 - amount_minor", set()),
    ],
    "order_share_is_its_amount": [
        ("UPDATE payments_ordershare SET tax_minor = tax_minor + 1", set()),
        ("DELETE FROM payments_ordershare", set()),
    ],
    "success_is_booked": [
        ("UPDATE payments_paymentorder SET wallet_updated = false", set()),
        ("UPDATE payments_paymentorder SET ledger_updated = false", set()),
    ],
    "payment_done_flag": [("UPDATE payments_paymentevent SET is_payment_done = false", set())],
    "pay_in_state_is_last_history": [
        ("UPDATE payments_pspoperation SET status = 'DECLINED'", set()),
        ("DELETE FROM core_statuschange WHERE subject_type LIKE 'payments.%'", set()),
    ],
    "history_is_a_chain": [
        ("UPDATE core_statuschange SET from_state = 'NOWHERE' WHERE subject_type LIKE 'payments.%'", set()),
    ],
    "order_changes_are_told": [
        ("UPDATE payments_paymentorder SET event_sequence = event_sequence + 1", set()),
    ],
    "no_forgotten_operation": [
        (
            "UPDATE payments_pspoperation SET status = 'UNKNOWN', due_at = NULL",
            {"pay_in_state_is_last_history"},
        ),
    ],
    "unknown_is_bounded": [
        (
            "UPDATE payments_pspoperation SET status = 'UNKNOWN', due_at = now(),"
            " first_sent_at = now() - interval '25 hours'",
            {"pay_in_state_is_last_history"},
        ),
    ],
    "line_follows_its_charge": [("UPDATE payments_chargeline SET live = false", set())],
    "charge_is_its_lines": [("UPDATE payments_charge SET amount_minor = amount_minor + 1", set())],
}
CASES = [(name, sql, more) for name, breaks in BREAKS.items() for sql, more in breaks]


def test_each_audit_finds_what_it_is_for(shop: Shop) -> None:
    """A paid checkout of two orders, broken once per case; each break is rolled back before the next."""
    checkout = shop.pay()
    assert checkout["is_payment_done"] is True, checkout
    with broken(tables="^(ledger|wallet|payments|core)_") as owner:
        assert violated(owner) == set()
        for name, sql, more in CASES:
            owner.execute("SAVEPOINT whole")
            owner.execute(sql.encode())
            assert violated(owner) == {name} | more, sql
            owner.execute("ROLLBACK TO whole")


def test_every_audit_of_pay_in_is_broken_here() -> None:
    """An invariant without such a test might never fire."""
    assert set(BREAKS) == INVARIANTS
