"""Disputes: money by movements, sellers by rounds, states in any order of events."""

import uuid
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ids import public_id
from core.models import OutboxEvent, StatusChange
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.engine.disputes.locks import lock_dispute
from payments.engine.disputes.pack import case_file, known_texts
from payments.models import Dispute, DisputeLine, DisputeMovement, PaymentOrder, TopUp
from tests.admin.people import console, person
from tests.payments.conftest import Shop
from tests.payments.disputing import balances, disputed, disputed_newest, legs, wallet
from tests.payments.purses import open_purse
from wallet.models import Hold


def orders() -> tuple[PaymentOrder, ...]:
    return tuple(PaymentOrder.objects.order_by("position"))


def policy(shop: Shop, name: str, value: Any) -> None:
    at_edge(put_setting)(
        name=f"payments.{name}",
        value=value,
        scope=public_id("mer", shop.store.merchant_id),
        actor="user:1",
        reason="so it was agreed",
    )


def told_types() -> list[str]:
    rows = OutboxEvent.objects.filter(type__startswith="dispute.").order_by("sequence")
    return list(rows.values_list("type", flat=True))


def history(dispute: Dispute) -> list[str]:
    return list(
        StatusChange.objects.filter(subject_id=dispute.id).order_by("id").values_list("to_state", flat=True)
    )


def test_a_chargeback_takes_the_money_and_holds_the_sellers(shop: Shop) -> None:
    """C1 and C2: 90.00 of ann (81.00 hers) and 10.00 of bob (all his), pro rata."""
    case = disputed(shop)
    dispute, (ann, bob) = case.dispute, orders()
    assert (dispute.status, dispute.taken_minor, dispute.fee_minor) == ("OPEN", 10000, 1500)
    assert [line.amount_minor for line in DisputeLine.objects.order_by("order__position")] == [9000, 1000]
    assert (ann.dispute_reserved_minor, bob.dispute_reserved_minor) == (9000, 1000)
    assert (wallet(ann), wallet(bob)) == ((0, 0, 8100, 0), (0, 0, 1000, 0))
    assert legs() == ["held", "taken"]
    assert balances(shop)["dispute_receivable"] == 10000
    assert sorted(Hold.objects.values_list("purpose", "amount_minor")) == [
        ("dispute", 1000),
        ("dispute", 8100),
    ]
    assert told_types() == ["dispute.opened"]
    seen = shop.store.get(f"/v1/disputes/{case.id}").json()
    assert (seen["status"], seen["amount"], seen["fee"], seen["reason"]) == (
        "OPEN",
        "100.00",
        "15.00",
        "fraudulent",
    )
    assert shop.store.get(f"/v1/payments/{ann.payment_order_id}").json()["disputed"] == "90.00"


def test_won_gives_everything_back_but_the_fee(shop: Shop) -> None:
    """C3a, C3b."""
    case = disputed(shop)
    case.step("win")
    case.tell()
    ann, bob = orders()
    assert (case.dispute.status, case.dispute.taken_minor) == ("WON", 0)
    assert (ann.dispute_reserved_minor, bob.dispute_reserved_minor) == (0, 0)
    assert (wallet(ann), wallet(bob)) == ((0, 8100, 0, 0), (0, 1000, 0, 0))
    assert legs() == ["held", "hold_released", "returned", "taken"]
    found = balances(shop)
    assert "dispute_receivable" not in found and found["chargeback_fee"] == 1500
    assert told_types() == ["dispute.opened", "dispute.won"]


def test_lost_is_borne_by_the_sellers_and_the_commission_goes_back(shop: Shop) -> None:
    """C4a, C4b: the fee is recharged pro rata, as a debt where there is nothing to spend."""
    case = disputed(shop)
    case.step("lose")
    case.tell()
    ann, bob = orders()
    assert (case.dispute.status, case.dispute.borne_by) == ("LOST", "seller")
    assert (wallet(ann), wallet(bob)) == ((0, 0, 0, 1350), (0, 0, 0, 150))
    assert legs() == ["decided", "fee_recovery", "held", "taken"]
    found = balances(shop)
    assert found["commission_refunded"] + found["commission"] == 0
    assert "dispute_receivable" not in found and found["chargeback_fee_recovered"] == -1500
    assert ann.dispute_reserved_minor == 9000, "it is gone: nothing is left to refund"


def test_lost_is_borne_by_the_platform_where_that_is_the_policy(shop: Shop) -> None:
    """C4c with C3b; the fee too."""
    policy(shop, "dispute_loss", "platform")
    policy(shop, "dispute_fee", "platform")
    case = disputed(shop)
    case.step("lose")
    case.tell()
    assert (wallet(orders()[0]), case.dispute.borne_by) == ((0, 8100, 0, 0), "platform")
    assert legs() == ["decided", "held", "hold_released", "taken"]
    assert balances(shop)["chargeback_loss"] == 10000
    case.step("win")
    case.tell()
    assert wallet(orders()[0]) == (0, 8100, 0, 0)
    assert "chargeback_loss" not in balances(shop)


def test_won_lost_and_won_again_on_arbitration_f_g8(shop: Shop) -> None:
    """F-G8: each leg once, and the history in order."""
    case = disputed(shop)
    for name in ("lose", "win", "lose", "win"):
        case.step(name)
        case.tell()
        case.tell()
    assert history(case.dispute) == ["INQUIRY", "OPEN", "LOST", "WON", "LOST", "WON"]
    assert wallet(orders()[0]) == (0, 8100, 0, 0)
    assert case.dispute.round == 4
    assert DisputeMovement.objects.count() == 4
    assert balances(shop)["psp_clearing"] == 10000 - 1500


FINAL = ("lose", "win", "lose"), ("win", "lose", "win")


@pytest.mark.parametrize("steps", FINAL, ids="-".join)
def test_any_order_of_events_ends_the_same_f_g8(shop: Shop, steps: tuple[str, ...]) -> None:
    """F-G8, F-C4: whatever comes first, late or twice, every balance is that of the true order."""
    ends = []
    permutations = _orders_of(steps)
    for permutation in permutations:
        case = disputed(shop, told=False)
        for name in steps:
            case.step(name)
        events = case.events()
        case.tell(*(events[index % len(events)] for index in permutation))
        case.tell(*(events[index % len(events)] for index in permutation[:2]))
        dispute = case.dispute
        mine = PaymentOrder.objects.filter(checkout=case.charge.checkout).order_by("position")
        ends.append(
            (
                dispute.status,
                dispute.verdict,
                dispute.taken_minor,
                dispute.fee_minor,
                [order.dispute_reserved_minor for order in mine],
                _cleared(dispute),
                list(dispute.movements.order_by("number").values_list("number", "kind")),
            )
        )
    assert ends == [ends[0]] * len(ends)
    assert ends[0][0] == ("WON" if steps[-1] == "win" else "LOST")
    keys = JournalEntry.objects.values_list("source", "source_ref", "leg")
    assert len(set(keys)) == len(keys)


def _orders_of(steps: tuple[str, ...]) -> list[list[int]]:
    """The true order, the reverse, and random ones."""
    true = list(range(2 + 2 * len(steps)))
    found = [true, true[::-1]]

    @settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(true))
    def draw(order: list[int]) -> None:
        found.append(list(order))

    draw()
    return found[:4]


def _cleared(dispute: Dispute) -> int:
    from ledger.models import JournalLine

    lines = JournalLine.objects.filter(clearing_key=str(dispute.id)).values_list("amount_minor", flat=True)
    return sum(lines)


def test_a_disputed_top_up_takes_nothing_of_any_seller(shop: Shop) -> None:
    """C1 and C4c: no order is paid with it, so that the platform bears the loss; it can be answered."""
    purse = open_purse(shop)
    path = f"/v1/wallets/{public_id('wal', purse.wallet().id)}/top_ups"
    body = {"amount": "30.00", "currency": "USD", "credit_card_info": {"token": "pm_card_visa"}}
    assert shop.store.post(path, body, key=uuid.uuid4().hex).status_code == 201
    shop.work()
    case = disputed_newest(shop)
    dispute, top_up = case.dispute, TopUp.objects.get()
    assert (dispute.status, dispute.taken_minor, legs()) == ("OPEN", 3000, ["taken"])
    assert not DisputeLine.objects.exists() and purse.left() == (30_00, 0)
    told = shop.store.get(f"/v1/disputes/{case.id}").json()
    assert (told["amount"], told["payment_orders"]) == ("30.00", [])
    with transaction.atomic():
        scope = lock_dispute(dispute_id=dispute.id)
        assert scope is not None
        assert known_texts(scope) == {
            "product_description": f"Top-up {public_id('top', top_up.id)}: 30.00 USD for the wallet of"
            f" {purse.buyer}"
        }
        assert case_file(scope, []).startswith(b"%PDF")
    page = console(person("mia", "finance_maker")).get(f"/admin/desks/disputes/{case.id}/")
    assert f"/admin/payments/topup/{top_up.id}/change/" in page.content.decode()
    case.step("lose")
    case.tell()
    assert (case.dispute.status, case.dispute.borne_by) == ("LOST", "platform")
    assert legs() == ["decided", "taken"] and balances(shop)["chargeback_loss"] == 3000
    assert purse.left() == (30_00, 0), "what the buyer was given is for people to take back"
