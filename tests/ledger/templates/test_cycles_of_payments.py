"""From the captured payment to the bank: every clearing account returns to zero under each key (I38, P3)."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from ledger.templates.capture import Share
from ledger.templates.cover import Cover, SellerPart, decide_restored
from ledger.templates.disputes import (
    HeldOrder,
    LostOrder,
    dispute_fee_entry,
    dispute_loss_entry,
    dispute_lost_entry,
    dispute_release_entry,
    dispute_won_entry,
)
from ledger.templates.entry import Keyed
from ledger.templates.refunds import (
    FailedOrder,
    ReturnedOrder,
    overpayment_entry,
    overpayment_refund_entry,
    refund_failure_entry,
    reversal_entry,
)
from ledger.templates.reserves import debt_netting_entry
from ledger.templates.settlement import (
    SettledLine,
    fee_accrual_entry,
    fee_recovery_entry,
    psp_reserve_entry,
    psp_reserve_release_entry,
)
from ledger.templates.splits import refund_share
from ledger.types import EntryDraft
from tests.ledger.templates.flows import Shop
from tests.ledger.templates.real_books import RealBooks

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NOTHING = Share(0, 0, 0)


@pytest.fixture(params=["USD", "JPY", "KWD"])
def shop(real: RealBooks, request: pytest.FixtureRequest) -> Shop:
    return Shop(real, request.param)


# ------------------------------------------------------------------ capture, settlement, bank


@pytest.mark.parametrize("accrued", [0, 2_95, 2_90, 2_00])
def test_capture_settle_bank(shop: Shop, accrued: int) -> None:
    """P2 P3 P4 P4c P5: an accrual that was too high, right or too low is closed by its key."""
    charge, _ = shop.capture(100_00, fee_minor=2_90, accrued_minor=accrued)
    if accrued:
        shop.post(
            fee_accrual_entry(posting=shop.posting, accounts=shop.fees, charge_id=charge, fee_minor=accrued)
        )
    assert shop.real.open_keys()["psp_clearing", str(charge), shop.currency] == 100_00
    batch = shop.settle()
    assert shop.real.open_keys() == {("psp_settlement_in_transit", str(batch[0]), shop.currency): 97_10}
    shop.deposit(batch, fee_minor=50)
    shop.post(
        fee_recovery_entry(
            posting=shop.posting,
            psp_fee_recovered=shop.account("psp_fee_recovered"),
            charge_id=charge,
            sellers=[SellerPart(shop.seller, Cover(pending_minor=2_90))],
        )
    )
    assert shop.real.open_keys() == {}
    assert [shop.balance(role) for role in ("bank", "bank_fee", "psp_fee")] == [96_60, 50, 2_90]
    assert [shop.balance(role) for role in ("commission", "tax_payable")] == [8_33, 1_67]
    assert shop.wallet() == (87_10, 0, 0, 0)


def test_many_batches_on_one_bank_line(shop: Shop) -> None:
    """N:1, one batch of them in favour of the PSP."""
    shop.capture(100_00, fee_minor=3)
    first = shop.settle()
    charge, share = shop.capture(20_00, fee_minor=3)
    shop.net(shop.refund(share, shop.cover(18_00, pending_minor=18_00)), charge, 20_00, fee_minor=30)
    second = shop.settle()
    assert second[1] == -33
    shop.deposit(first, second)
    assert shop.real.open_keys() == {}
    assert shop.balance("bank") == 99_97 - 33


def test_a_reserve_of_the_psp(shop: Shop) -> None:
    """P6a P6b: withheld from a charge, paid with a later batch."""
    charge, _ = shop.capture(100_00, fee_minor=2_90)
    reserve, later = uuid4(), uuid4()
    shop.post(
        psp_reserve_entry(
            posting=shop.posting,
            psp_reserve_held=shop.account("psp_reserve_held"),
            psp_clearing=shop.account("psp_clearing"),
            reserve_id=reserve,
            withheld=[Keyed(charge, 5_00)],
        )
    )
    # The file shows the charge and, as a line of its own, what is kept back of it.
    shop.reported.append(SettledLine(charge, -5_00))
    shop.deposit(shop.settle())
    assert shop.real.open_keys() == {("psp_reserve_held", str(reserve), shop.currency): 5_00}
    shop.post(
        psp_reserve_release_entry(
            posting=shop.posting,
            psp_reserve_held=shop.account("psp_reserve_held"),
            in_transit=shop.account("psp_settlement_in_transit"),
            reserve_id=reserve,
            batch_id=later,
            amount_minor=5_00,
        )
    )
    shop.deposit((later, 5_00))
    assert shop.real.open_keys() == {}
    assert shop.balance("bank") == 97_10


# ------------------------------------------------------------------ refunds


def test_refunds_until_nothing_is_left(shop: Shop) -> None:
    """R1 R2: three partial refunds close seller, commission and tax to exactly zero (P2)."""
    charge, share = shop.capture(100_01, fee_minor=2_90)
    shop.release(share.seller_net_minor)
    returned = NOTHING
    for amount in (33_33, 33_34, 33_34):
        parts = refund_share(share=share, returned=returned, amount_minor=amount)
        shop.net(shop.refund(parts, shop.cover(parts.seller_net_minor)), charge, amount, fee_minor=30)
        returned = _plus(returned, parts)
    assert returned == share
    assert shop.settle_to_the_bank() == -2_90 - 90
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 0, 0, 0)
    assert shop.balance("commission") == shop.balance("commission_refunded") == share.commission_minor
    assert shop.balance("tax_payable") == 0
    assert shop.balance("psp_fee") == 2_90 + 90


def _plus(one: Share, other: Share) -> Share:
    return Share(
        one.seller_net_minor + other.seller_net_minor,
        one.commission_minor + other.commission_minor,
        one.tax_minor + other.tax_minor,
    )


@pytest.mark.parametrize("netted", [0, 10_00, 26_00])
def test_a_refund_that_made_a_debt_and_fails(shop: Shop, netted: int) -> None:
    """R4 S3 R3, F-G3, F-G5: what is still owed is paid first, the rest is available again."""
    _, share = shop.capture(100_00)
    parts = refund_share(share=share, returned=NOTHING, amount_minor=40_00)
    shop.release(10_00)
    cover = shop.cover(parts.seller_net_minor)
    assert cover == Cover(available_minor=10_00, receivable_minor=26_00)
    refund = shop.refund(parts, cover)
    assert shop.wallet() == (80_00, 0, 0, 26_00)
    shop.release(30_00)
    if netted:
        shop.post(
            debt_netting_entry(
                posting=shop.posting, seller=shop.seller, netting_id=uuid4(), amount_minor=netted
            )
        )
    restored = decide_restored(amount_minor=parts.seller_net_minor, receivable_minor=shop.wallet()[3])
    shop.post(
        refund_failure_entry(
            posting=shop.posting,
            accounts=shop.returns,
            refunds_in_transit=shop.account("refunds_in_transit"),
            refund_id=refund,
            orders=[FailedOrder(shop.seller, restored, parts.commission_minor, parts.tax_minor)],
        )
    )
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    # Nothing was refunded after all, so the seller has the 40.00 that were released, and owes nothing.
    assert shop.wallet() == (50_00, 40_00, 0, 0)
    assert shop.balance("commission_refunded") == 0 and shop.balance("tax_payable") == 1_67


@pytest.mark.parametrize("seen", ["netted at once", "in the file"])
def test_an_overpayment_goes_back(shop: Shop, seen: str) -> None:
    """R6 R7 R2: whether the file shows a capture and its refund or neither of them."""
    charge, refund = uuid4(), uuid4()
    shop.post(
        overpayment_entry(
            posting=shop.posting,
            psp_clearing=shop.account("psp_clearing"),
            customer_overpayment=shop.account("customer_overpayment"),
            charge_id=charge,
            amount_minor=100_00,
        ),
        overpayment_refund_entry(
            posting=shop.posting,
            customer_overpayment=shop.account("customer_overpayment"),
            refunds_in_transit=shop.account("refunds_in_transit"),
            charge_id=charge,
            refund_id=refund,
            amount_minor=100_00,
        ),
    )
    assert shop.real.open_keys() == {
        ("psp_clearing", str(charge), shop.currency): 100_00,
        ("refunds_in_transit", str(refund), shop.currency): -100_00,
    }
    shop.net(refund, charge, 100_00)
    if seen == "in the file":
        shop.reported.append(SettledLine(charge, 100_00))
        shop.settle()
    assert shop.real.open_keys() == {}
    assert shop.balance("bank") == 0


def test_a_capture_that_the_rail_takes_back(shop: Shop) -> None:
    """R8: before it was settled; the seller had spent a part of it."""
    charge, share = shop.capture(100_00)
    shop.release(60_00)
    shop.release(5_00, reserve_minor=5_00)
    cover = shop.cover(share.seller_net_minor, pending_minor=25_00)
    assert cover == Cover(pending_minor=25_00, available_minor=60_00, reserve_minor=5_00)
    shop.post(
        reversal_entry(
            posting=shop.posting,
            accounts=shop.returns,
            psp_clearing=shop.account("psp_clearing"),
            charge_id=charge,
            orders=[ReturnedOrder(SellerPart(shop.seller, cover), share.commission_minor, share.tax_minor)],
        )
    )
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 0, 0, 0)


# ------------------------------------------------------------------ disputes


def _disputed(shop: Shop, *, released: int) -> tuple[UUID, UUID, Share]:
    """C1 C2 on a settled payment of 100.00, of which the seller has `released` available."""
    charge, share = shop.capture(100_00, fee_minor=2_90)
    shop.settle_to_the_bank()
    if released:
        shop.release(released)
    dispute = shop.dispute(charge, 100_00, 15_00, shop.cover(share.seller_net_minor))
    assert shop.wallet()[2] == 90_00
    return charge, dispute, share


def _won(shop: Shop, charge: UUID, dispute: UUID, share: Share) -> None:
    shop.post(
        dispute_won_entry(
            posting=shop.posting,
            accounts=shop.disputes,
            dispute_id=dispute,
            movement_id=uuid4(),
            charge_id=charge,
            amount_minor=100_00,
        ),
        _hold_released(shop, dispute, share),
    )
    shop.reported.append(SettledLine(charge, 100_00))


def _hold_released(shop: Shop, dispute: UUID, share: Share) -> EntryDraft:
    return dispute_release_entry(
        posting=shop.posting,
        dispute_id=dispute,
        orders=[HeldOrder(shop.seller, share.seller_net_minor)],
    )


def _lost(shop: Shop, charge: UUID, dispute: UUID, share: Share) -> None:
    shop.post(
        dispute_lost_entry(
            posting=shop.posting,
            accounts=shop.returns,
            dispute_receivable=shop.account("dispute_receivable"),
            dispute_id=dispute,
            orders=[
                LostOrder(
                    HeldOrder(shop.seller, share.seller_net_minor), share.commission_minor, share.tax_minor
                )
            ],
        ),
        dispute_fee_entry(
            posting=shop.posting,
            chargeback_fee_recovered=shop.account("chargeback_fee_recovered"),
            dispute_id=dispute,
            sellers=[SellerPart(shop.seller, shop.cover(15_00))],
        ),
    )


def _borne(shop: Shop, charge: UUID, dispute: UUID, share: Share) -> None:
    shop.post(
        dispute_loss_entry(
            posting=shop.posting,
            chargeback_loss=shop.account("chargeback_loss"),
            dispute_receivable=shop.account("dispute_receivable"),
            dispute_id=dispute,
            amount_minor=100_00,
        ),
        _hold_released(shop, dispute, share),
    )


@pytest.mark.parametrize(
    ("end", "released", "wallet", "bank"),
    [
        (_won, 90_00, (0, 90_00, 0, 0), 97_10 - 15_00),
        (_lost, 90_00, (0, 0, 0, 15_00), 97_10 - 115_00),
        (_borne, 90_00, (0, 90_00, 0, 0), 97_10 - 115_00),
        # The seller had nothing: the hold is a debt until the dispute is decided.
        (_won, 0, (90_00, 90_00, 0, 90_00), 97_10 - 15_00),
        (_lost, 0, (90_00, 0, 0, 105_00), 97_10 - 115_00),
    ],
)
def test_a_dispute(
    shop: Shop, end: Callable[..., None], released: int, wallet: tuple[int, ...], bank: int
) -> None:
    """C1 C2 and C3a C3b, C4a C4b or C4c C3b: won, lost, or borne by the platform."""
    charge, dispute, share = _disputed(shop, released=released)
    end(shop, charge, dispute, share)
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert shop.wallet() == wallet
    assert shop.balance("bank") == bank
    assert shop.balance("chargeback_fee") == 15_00
