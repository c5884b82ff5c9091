"""Top-ups, holds, bonus and points: buyers' wallets and every clearing key return to what is due."""

from uuid import UUID, uuid4

import pytest

from ledger.templates.accounts import BuyerAccounts
from ledger.templates.capture import CapturedOrder, split
from ledger.templates.cover import Cover, SellerPart
from ledger.templates.journal import bonus, points
from ledger.templates.points import PointsAccounts, PointsLot, points_grant_entry, points_spend_entry
from ledger.templates.refunds import ReturnedOrder, wallet_refund_entry
from ledger.templates.settlement import SettledLine
from ledger.templates.splits import cumulative_part
from ledger.templates.wallet import (
    bonus_grant_entry,
    hold_cancel_entry,
    hold_confirm_entry,
    hold_try_entry,
    top_up_entry,
    top_up_final_entry,
    top_up_pending_entry,
)
from tests.ledger.templates.flows import TERMS, Shop
from tests.ledger.templates.real_books import RealBooks

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["USD", "JPY", "KWD"])
def shop(real: RealBooks, request: pytest.FixtureRequest) -> Shop:
    return Shop(real, request.param)


def buyer_wallet(shop: Shop, *, kind: str = "cash", currency: str = "") -> tuple[int, ...]:
    """Pending, available, held."""
    found = shop.real.wallet(shop.real.buyer, currency or shop.currency, kind)
    return found["pending"], found["available"], found["held"]


def order(shop: Shop, amount_minor: int) -> CapturedOrder:
    return CapturedOrder(shop.seller.pending, split(amount_minor=amount_minor, terms=TERMS))


def topped_up(shop: Shop) -> UUID:
    """W1: 30.00."""
    charge = uuid4()
    shop.post(
        top_up_entry(
            posting=shop.posting,
            psp_clearing=shop.account("psp_clearing"),
            wallet_available=shop.account("wallet_available"),
            charge_id=charge,
            amount_minor=30_00,
        )
    )
    shop.reported.append(SettledLine(charge, 30_00, fee_minor=90))
    return charge


def tried(shop: Shop, buyer: BuyerAccounts, amount_minor: int) -> UUID:
    """W3."""
    hold = uuid4()
    shop.post(hold_try_entry(posting=shop.posting, buyer=buyer, hold_id=hold, amount_minor=amount_minor))
    return hold


def cash(shop: Shop) -> BuyerAccounts:
    return BuyerAccounts(shop.account("wallet_available"), shop.account("wallet_held"))


@pytest.mark.parametrize(("spent", "released"), [(25_00, 0), (20_00, 5_00), (1, 24_99)])
def test_top_up_try_confirm(shop: Shop, spent: int, released: int) -> None:
    """W1 W3 W4, or W5 in part: what is not spent is available again."""
    topped_up(shop)
    hold = tried(shop, cash(shop), 25_00)
    assert buyer_wallet(shop) == (0, 5_00, 25_00)
    shop.post(
        hold_confirm_entry(
            posting=shop.posting,
            buyer=cash(shop),
            accounts=shop.sale,
            hold_id=hold,
            orders=[order(shop, spent)],
            released_minor=released,
        )
    )
    assert shop.settle_to_the_bank() == 29_10
    assert shop.real.open_keys() == {}
    assert buyer_wallet(shop) == (0, 5_00 + released, 0)
    assert shop.wallet()[0] + shop.balance("commission") + shop.balance("tax_payable") == spent


def test_try_and_cancel(shop: Shop) -> None:
    """W3 W6."""
    topped_up(shop)
    hold = tried(shop, cash(shop), 25_00)
    shop.post(hold_cancel_entry(posting=shop.posting, buyer=cash(shop), hold_id=hold, amount_minor=25_00))
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert buyer_wallet(shop) == (0, 30_00, 0)


def test_a_top_up_on_a_slow_rail(shop: Shop) -> None:
    """W1b: not spendable before it is final."""
    charge = uuid4()
    shop.post(
        top_up_pending_entry(
            posting=shop.posting,
            psp_clearing=shop.account("psp_clearing"),
            wallet_pending=shop.account("wallet_pending"),
            charge_id=charge,
            amount_minor=30_00,
        )
    )
    assert buyer_wallet(shop) == (30_00, 0, 0)
    shop.post(
        top_up_final_entry(
            posting=shop.posting,
            wallet_pending=shop.account("wallet_pending"),
            wallet_available=shop.account("wallet_available"),
            charge_id=charge,
            amount_minor=30_00,
        )
    )
    shop.reported.append(SettledLine(charge, 30_00))
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert buyer_wallet(shop) == (0, 30_00, 0)


def test_a_refund_to_the_wallet(shop: Shop) -> None:
    """W7: nothing leaves through the PSP."""
    _, share = shop.capture(25_00)
    shop.post(
        wallet_refund_entry(
            posting=shop.posting,
            accounts=shop.returns,
            wallet_available=shop.account("wallet_available"),
            refund_id=uuid4(),
            orders=[
                ReturnedOrder(
                    SellerPart(shop.seller, Cover(pending_minor=share.seller_net_minor)),
                    share.commission_minor,
                    share.tax_minor,
                )
            ],
        )
    )
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert buyer_wallet(shop) == (0, 25_00, 0)
    assert shop.balance("bank") == 25_00


def test_bonus(real: RealBooks) -> None:
    """W2 W2b: promotional credit is spent like cash, out of a wallet of its own."""
    shop = Shop(real, "USD")
    shop.post(
        bonus_grant_entry(
            posting=shop.posting,
            promo=shop.account("promo"),
            bonus_available=shop.account("bonus_available"),
            grant_id=uuid4(),
            amount_minor=3_00,
        )
    )
    hold = tried(shop, bonus(real), 3_00)
    assert buyer_wallet(shop, kind="bonus") == (0, 0, 3_00)
    shop.post(
        hold_confirm_entry(
            posting=shop.posting,
            buyer=bonus(real),
            accounts=shop.sale,
            hold_id=hold,
            orders=[order(shop, 2_00)],
            released_minor=1_00,
        )
    )
    assert real.open_keys() == {}
    assert buyer_wallet(shop, kind="bonus") == (0, 1_00, 0)
    assert shop.wallet()[0] == 1_80 and shop.balance("promo") == 3_00


def test_points_of_two_grants_spent_in_three_parts(real: RealBooks) -> None:
    """W2c: 300 points worth 3.00 and 7 worth 0.10; each grant's positions close in both units."""
    shop, at = Shop(real, "USD"), points(real)
    accounts = PointsAccounts(real.account("fx_position"), real.account("fx_position", "PTS"))
    grants = {uuid4(): (300, 3_00), uuid4(): (7, 10)}
    for grant, (count, value) in grants.items():
        shop.post(
            points_grant_entry(
                posting=shop.posting,
                accounts=accounts,
                promo=shop.account("promo"),
                points_available=at.available,
                lot=PointsLot(grant, count, value),
            )
        )
    (first, (_, worth)), (second, (_, worth_of_7)) = grants.items()
    valued = dict.fromkeys(grants, 0)

    def lot(grant: UUID, count: int, spent_before: int) -> PointsLot:
        whole, value = grants[grant]
        part = cumulative_part(
            total_minor=value, done=spent_before + count, whole=whole, already_minor=valued[grant]
        )
        valued[grant] += part
        return PointsLot(grant, count, part)

    for spent in ([lot(first, 100, 0)], [lot(first, 200, 100), lot(second, 3, 0)], [lot(second, 4, 3)]):
        count, hold = sum(each.points for each in spent), uuid4()
        shop.post(hold_try_entry(posting=real.posting("PTS"), buyer=at, hold_id=hold, amount_minor=count))
        shop.post(
            points_spend_entry(
                posting=shop.posting,
                accounts=accounts,
                buyer=at,
                sale=shop.sale,
                hold_id=hold,
                lots=spent,
                orders=[order(shop, sum(each.value_minor for each in spent))],
            )
        )
    assert real.open_keys() == {}
    assert valued == {first: worth, second: worth_of_7}
    assert buyer_wallet(shop, kind="points", currency="PTS") == (0, 0, 0)
    assert shop.balance("promo") == 3_10
