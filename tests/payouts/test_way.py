"""The way of a payout from the request to the bank and back, with its books, its holds and what is told."""

from typing import Any

import pytest

from tests.payouts.conftest import Payer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def books(payer: Payer) -> dict[str, int]:
    """What stands on the accounts of pay-out, credit positive."""
    from tests.ledger.books import rows

    found = rows(
        "SELECT account.role, -sum(line.amount_minor) FROM ledger_journalline AS line"
        " JOIN ledger_account AS account ON account.id = line.account_id"
        " WHERE line.merchant_id = %s AND account.role IN ('payouts_in_transit', 'payout_returns',"
        " 'payout_fee', 'seller_payout_hold') GROUP BY 1 HAVING sum(line.amount_minor) <> 0",
        [payer.merchant_id],
    )
    return {role: int(total) for role, total in found}


def test_a_small_payout_is_sent_paid_and_comes_back(payer: Payer, hooks: Any) -> None:
    """F-F3, I31, I32: O1, O3 and O6b; the original stays, and the seller has the money less the fee."""
    payer.trust(fixed_minor=100)
    payer.set("payouts.return_fee", {"EUR": 200})
    payout = payer.ask(5000)
    assert (payout.status, payer.wallet().held_minor) == ("APPROVED", 5100)
    assert books(payer) == {"seller_payout_hold": 5100}
    payer.work()
    payout = payer.look(payout)
    assert (payout.status, payout.attempts, payer.wallet().held_minor) == ("SENT", 1, 0)
    assert books(payer) == {"payouts_in_transit": 5000, "payout_fee": 100}
    payer.paper.settle()
    payer.later(5)
    assert payer.look(payout).status == "PAID"
    assert (payer.batch().status, books(payer)["payouts_in_transit"]) == ("CLOSED", 5000)
    from core.transactions import at_edge
    from payouts.services import record_return

    for _ in range(2):
        at_edge(record_return)(merchant_id=payer.merchant_id, reference=payout.public_id)
    payout = payer.look(payout)
    assert (payout.status, payout.return_fee_minor, payout.paid_at is not None) == ("RETURNED", 200, True)
    # payout_returns is open until the bank's own line comes (O6a).
    assert books(payer) == {"payouts_in_transit": 5000, "payout_fee": 300, "payout_returns": -5000}
    assert payer.wallet().available_minor == 100_000 - 300
    assert payer.events(payout) == ["requested", "approved", "sent", "paid", "returned"]
    assert set(payer.paper.paid.values()) == {1}
