"""Every audit of balance payments, grants and top-ups finds what it is for."""

import uuid
from typing import Any

import pytest

from channels.models import Channel
from core import clock
from core.drain import get_drain
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from payments import balance_audits, top_up_audits
from payments.services import reject_review
from tests.ledger.breakage import broken, violated
from tests.payments import test_top_up_returns
from tests.payments.conftest import Shop
from tests.payments.purses import Purse, open_purse
from tests.payments.refunding import ask
from tests.risk.rules import enforce
from wallet import grant_audits

_OTHER = "gen_random_uuid()"
BREAKS: dict[str, list[str]] = {
    "balance_part_posted_once": [
        "UPDATE payments_balancepart SET seller_net_minor = seller_net_minor + 1,"
        " commission_minor = commission_minor - 1 WHERE paid",
        "UPDATE ledger_journalentry SET source_ref = 'x' || id WHERE source = 'hold' AND leg = 'resolved'",
    ],
    "balance_part_follows_its_hold": [
        "UPDATE payments_balancepart SET released = true, paid = false WHERE paid",
        "UPDATE wallet_hold SET expires_at = now() WHERE purpose = 'payment'",
    ],
    "balance_hold_has_its_order": [
        "UPDATE payments_paymentorder SET status = 'FAILED' WHERE status = 'IN_REVIEW'",
        f"UPDATE payments_balancepart SET hold_id = {_OTHER} WHERE paid",
    ],
    "balance_parts_are_the_order": [
        "UPDATE payments_balancepart SET amount_minor = amount_minor - 1 WHERE paid",
        "DELETE FROM payments_ordershare",
    ],
    "balance_and_charge_exclude_each_other": [
        "INSERT INTO payments_chargeline"
        " (id, merchant_id, charge_id, order_id, amount_minor, live, superseded)"
        " SELECT DISTINCT ON (order_id) gen_random_uuid(), merchant_id, gen_random_uuid(), order_id, 1,"
        " true, false FROM payments_balancepart WHERE paid",
    ],
    "points_are_worth_what_they_paid": [
        "UPDATE wallet_grantuse SET value_minor = value_minor + 1",
        "DELETE FROM wallet_grantuse",
    ],
    "balance_refund_is_its_parts": [
        "UPDATE payments_refundpart SET amount_minor = amount_minor + 1",
        "UPDATE payments_refund SET destination = 'wallet'",
        f"UPDATE payments_refundpart SET grant_id = {_OTHER} WHERE grant_id IS NULL",
        f"UPDATE payments_refund SET order_id = {_OTHER}",
    ],
    "balance_parts_back_close": [
        "UPDATE payments_refundpart SET units_minor = units_minor + 1000",
        "DELETE FROM payments_refundpart WHERE grant_id IS NULL",
        "UPDATE payments_refundpart SET units_minor = units_minor - 1 WHERE grant_id IS NOT NULL",
    ],
    "balance_refund_reaches_its_wallets": [
        "UPDATE ledger_journalline SET amount_minor = amount_minor + 1 WHERE entry_id IN"
        " (SELECT id FROM ledger_journalentry WHERE source = 'refund')",
        "UPDATE payments_refundpart SET units_minor = units_minor + 1",
    ],
    "top_up_posted_once": [
        "UPDATE payments_topup SET status = 'FAILED', credited_minor = 0",
        "UPDATE ledger_journalentry SET leg = 'other' WHERE leg = 'top_up'",
    ],
    "top_up_entry_has_its_top_up": ["UPDATE payments_charge SET status = 'PENDING'"],
    "top_up_pending_until_final": [
        "UPDATE payments_topup SET available = NOT available WHERE available_at IS NOT NULL",
    ],
    "top_up_follows_its_charge": [
        "UPDATE payments_topup SET status = 'EXECUTING'",
        "UPDATE payments_charge SET top_up_id = NULL",
    ],
    "top_up_changes_are_told": ["DELETE FROM core_outboxevent WHERE type = 'top_up.succeeded'"],
    "top_up_ends_in_time": ["UPDATE payments_topup SET status = 'EXECUTING', expires_at = '2020-01-01'"],
    "grant_posted_once": [
        "UPDATE wallet_grant SET value_minor = value_minor + 1 WHERE kind = 'bonus'",
        "UPDATE ledger_journalentry SET source_ref = 'x' || id WHERE source = 'promotion'",
    ],
    "grant_used_is_its_holds": [
        "UPDATE wallet_grant SET used_minor = used_minor + 1 WHERE kind = 'points'",
        "DELETE FROM wallet_grantreturn",
    ],
    "grant_gets_back_what_it_gave": [
        "UPDATE wallet_grantreturn SET units_minor = units_minor + 1000",
        "UPDATE wallet_grantreturn SET value_minor = value_minor - 1",
        "UPDATE wallet_hold SET state = 'RELEASED'",
    ],
    "points_left_are_available": ["UPDATE wallet_grant SET amount_minor = amount_minor + 1"],
    "points_position_is_what_is_left": [
        "DELETE FROM wallet_grantuse",
        "UPDATE wallet_grantreturn SET value_minor = value_minor + 1",
    ],
}
KINDS = ["bonus", "points", "cash"]


@pytest.fixture
def busy(shop: Shop, hooks: Any) -> Purse:
    """A buyer who paid, was refunded, waits for a review, was rejected, and topped up over a slow rail."""
    Channel.objects.filter(pk=shop.channel.id).update(capabilities={"top_up_clearing_hours": 1})
    purse = open_purse(shop, cash=100_00)
    purse.give("bonus", 3_00)
    purse.give("points", 900)
    refunded = shop.accept(purse.body(shop.order("8.00"), wallet_kinds=KINDS))["payment_orders"][0]
    assert ask(shop, refunded).status_code == 201
    shop.accept(purse.body(shop.order("8.00"), wallet_kinds=KINDS))
    enforce(purse.merchant_id, "amount_over", {"limits": {"USD": 900}}, decision="review", reason="look")
    rejected = shop.accept(purse.body(shop.order("9.50"), wallet_kinds=KINDS))
    key = parse_public_id(rejected["id"], "chk")
    at_edge(reject_review)(checkout_id=key, by="user:t", reason="no")
    shop.accept(purse.body(shop.order("9.50"), wallet_kinds=KINDS))
    path = f"/v1/wallets/{public_id('wal', purse.wallet().id)}/top_ups"
    body = {"amount": "5.00", "currency": "USD", "credit_card_info": {"token": "pm_card_visa"}}
    assert shop.store.post(path, body, key=uuid.uuid4().hex).status_code == 201
    shop.work()
    clock.move(seconds=3601)
    assert get_drain("top_ups").run() == 1
    return purse


@pytest.mark.usefixtures("busy")
def test_each_audit_fires() -> None:
    """W1 to W3, P1, I14, I15, I22, I25."""
    missed = []
    for name, damages in BREAKS.items():
        for damage in damages:
            with broken(tables="^(payments|wallet|core_outboxevent|ledger)") as owner:
                owner.execute(damage.encode())
                if name not in violated(owner):
                    missed.append((name, damage))
    assert missed == []


def test_every_audit_is_broken_here() -> None:
    each = [*balance_audits.INVARIANTS, *top_up_audits.INVARIANTS, *grant_audits.INVARIANTS]
    assert {invariant.name for invariant in each} == {*BREAKS, *test_top_up_returns.BREAKS}
