"""Every invariant of refunds finds what it is for: the owner breaks the data, guards off, and rolls back."""

from typing import Any

import pytest

from payments.refund_audits import INVARIANTS
from tests.payments import test_payments_audits as neighbour
from tests.payments.conftest import Shop
from tests.payments.refunding import ask, paid, tell, told_refunds

_REFUND = "(SELECT id FROM ledger_journalentry WHERE source = 'refund' AND leg = '{leg}')"

# Each invariant and what breaks it.
BREAKS: dict[str, str] = {
    "never_more_back_than_captured": "UPDATE payments_paymentorder"
    " SET dispute_reserved_minor = captured_minor + 1 WHERE captured_minor > 0",
    "order_reserves_its_live_refunds": "UPDATE payments_paymentorder"
    " SET refund_reserved_minor = refund_reserved_minor - 1 WHERE refund_reserved_minor > 0",
    "refund_is_its_lines": "UPDATE payments_refund SET amount_minor = amount_minor + 1",
    "refund_posted_once": "UPDATE ledger_journalentry SET leg = leg || 'x' WHERE source = 'refund'",
    "refund_entry_has_a_refund": "UPDATE ledger_journalentry SET source_ref = 'x' || id"
    " WHERE source = 'refund'",
    "refund_entry_amount": "UPDATE ledger_journalline SET amount_minor = amount_minor + 1"
    f" WHERE amount_minor > 0 AND entry_id IN {_REFUND.format(leg='accepted')}",
    "refund_in_transit_is_its_state": "UPDATE payments_refund SET status = 'PENDING'"
    " WHERE status = 'SUCCESS' AND destination = 'instrument'",
    "returned_parts_close": "UPDATE payments_refundline SET commission_minor = commission_minor + 1000",
    "refund_follows_its_operation": "UPDATE payments_pspoperation SET status = 'UNKNOWN'"
    " WHERE refund_id IS NOT NULL",
    "refund_changes_are_told": "DELETE FROM core_outboxevent WHERE type = 'refund.succeeded'",
    "checkout_is_compensated": "UPDATE payments_paymentevent SET compensated_at = NULL",
}

# Further ways to break the same rules, each of which a lazier query would miss.
MORE: list[tuple[str, str]] = [
    (
        "never_more_back_than_captured",
        "UPDATE payments_paymentorder SET excess_returned_minor = 1 WHERE captured_minor > 0",
    ),
    ("order_reserves_its_live_refunds", "UPDATE payments_paymentorder SET refunded_minor = 0"),
    ("order_reserves_its_live_refunds", "UPDATE payments_refund SET status = 'SUCCESS'"),
    ("refund_is_its_lines", "DELETE FROM payments_refundline"),
    ("refund_is_its_lines", "UPDATE payments_refundline SET merchant_id = gen_random_uuid()"),
    ("refund_posted_once", "UPDATE payments_refund SET status = 'FAILED' WHERE status = 'SUCCESS'"),
    ("refund_posted_once", "UPDATE payments_refund SET succeeded_at = NULL WHERE status = 'FAILED'"),
    ("refund_posted_once", "UPDATE payments_refund SET destination = 'wallet'"),
    ("refund_entry_has_a_refund", "UPDATE payments_refund SET merchant_id = gen_random_uuid()"),
    ("refund_entry_amount", "UPDATE payments_refundline SET tax_minor = tax_minor + 1"),
    (
        "refund_in_transit_is_its_state",
        "DELETE FROM ledger_journalline WHERE entry_id IN " + _REFUND.format(leg="netted"),
    ),
    ("returned_parts_close", "UPDATE payments_ordershare SET tax_minor = tax_minor + 1"),
    (
        "returned_parts_close",
        "INSERT INTO payments_reversalline"
        " (id, merchant_id, reversal_id, order_id, amount_minor, seller_minor, commission_minor, tax_minor)"
        " SELECT gen_random_uuid(), merchant_id, gen_random_uuid(), order_id,"
        " seller_net_minor, seller_net_minor, 0, 0 FROM payments_ordershare",
    ),
    (
        "refund_follows_its_operation",
        "UPDATE payments_pspoperation SET refund_id = NULL WHERE refund_id IS NOT NULL",
    ),
    ("refund_changes_are_told", "UPDATE payments_refund SET event_sequence = 0"),
    ("checkout_is_compensated", "UPDATE payments_paymentevent SET compensated_at = now()"),
]


@pytest.fixture
def refunded(shop: Shop, hooks: Any) -> Shop:
    """A shop with refunds that succeeded, in part and whole, went to a wallet, and came back."""
    whole, part = paid(shop), paid(shop, buyer_info={"buyer_account": "ben"})
    ask(shop, whole)
    ask(shop, part, "10.00")
    ask(shop, part, "5.00", destination="wallet")
    fails = paid(shop, token="pm_card_refundFail")
    ask(shop, fails, "30.00")
    shop.work()
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    tell(shop, *told_refunds(shop, "refund.failed"))
    return shop


def found(name: str, damage: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """As in the neighbour, for these invariants."""
    monkeypatch.setattr(neighbour, "INVARIANTS", INVARIANTS)
    return neighbour.found(name, damage)


def test_every_invariant_has_a_row_here() -> None:
    assert {each.name for each in INVARIANTS} == set(BREAKS)


@pytest.mark.usefixtures("refunded")
def test_each_invariant_finds_each_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    damages = [*BREAKS.items(), *MORE]
    missed = [each for each in damages if found(*each, monkeypatch) != (True, True)]
    assert missed == []
