"""Payouts, reserves, conversions, cash and suspense: every clearing account returns to zero per key (I38)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from ledger.templates.adjustments import (
    suspense_identified_entry,
    suspense_returned_entry,
    unidentified_receipt_entry,
    unknown_capture_entry,
)
from ledger.templates.capture import CapturedOrder, Share, split
from ledger.templates.cash import (
    cash_collected_entry,
    claim_paid_entry,
    courier_claim_entry,
    remittance_entries,
)
from ledger.templates.entry import Keyed, Posting
from ledger.templates.fx import (
    ClosedPosition,
    ForeignAccounts,
    ForeignLine,
    Rates,
    conversion_entry,
    foreign_settlement_entries,
    fx_result_entry,
    position_close_entry,
)
from ledger.templates.payouts import (
    payout_cancel_entry,
    payout_paid_entries,
    payout_rejection_entry,
    payout_request_entry,
    payout_return_credit_entry,
    payout_return_entry,
    payout_sent_entry,
    payout_transfer_entry,
)
from ledger.templates.reserves import (
    debt_netting_entry,
    debt_write_off_entry,
    reserve_hold_entry,
    reserve_release_entry,
)
from ledger.templates.settlement import SettledLine
from tests.ledger.books import rows
from tests.ledger.templates.flows import TERMS, Shop
from tests.ledger.templates.real_books import RealBooks

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["USD", "JPY", "KWD"])
def shop(real: RealBooks, request: pytest.FixtureRequest) -> Shop:
    """A seller with 90.00 available; the PSP has paid what it owed."""
    shop = Shop(real, request.param)
    shop.capture(100_00)
    shop.release(90_00)
    shop.settle_to_the_bank()
    return shop


# ------------------------------------------------------------------ payouts


def _requested(shop: Shop) -> UUID:
    """O1: 50.00 and a fee of 1.00."""
    payout = uuid4()
    shop.post(
        payout_request_entry(
            posting=shop.posting, seller=shop.seller, payout_id=payout, amount_minor=50_00, fee_minor=1_00
        )
    )
    assert shop.wallet() == (0, 39_00, 51_00, 0)
    return payout


def _sent(shop: Shop) -> UUID:
    """O1 O3."""
    payout = _requested(shop)
    shop.post(
        payout_sent_entry(
            posting=shop.posting,
            seller=shop.seller,
            payouts_in_transit=shop.account("payouts_in_transit"),
            payout_fee=shop.account("payout_fee"),
            payout_id=payout,
            amount_minor=50_00,
            fee_minor=1_00,
        )
    )
    assert shop.real.open_keys() == {("payouts_in_transit", str(payout), shop.currency): -50_00}
    return payout


def _paid(shop: Shop, *payouts: UUID) -> None:
    """O4: all of them on one line of the statement."""
    shop.post(
        *payout_paid_entries(
            posting=shop.posting,
            payouts_in_transit=shop.account("payouts_in_transit"),
            payout_fee_expense=shop.account("payout_fee_expense"),
            bank=shop.account("bank"),
            bank_line_id=uuid4(),
            payouts=[Keyed(payout, 50_00) for payout in payouts],
            fee_minor=40,
        )
    )


def test_a_payout_that_is_paid(shop: Shop) -> None:
    """O1 O3 O4, I32."""
    _paid(shop, _sent(shop))
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 39_00, 0, 0)
    assert [shop.balance(role) for role in ("bank", "payout_fee", "payout_fee_expense")] == [49_60, 1_00, 40]


def test_a_payout_that_is_cancelled(shop: Shop) -> None:
    """O1 O2, I31."""
    payout = _requested(shop)
    shop.post(
        payout_cancel_entry(
            posting=shop.posting, seller=shop.seller, payout_id=payout, amount_minor=50_00, fee_minor=1_00
        )
    )
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 90_00, 0, 0)


def test_a_payout_that_is_rejected(shop: Shop) -> None:
    """O1 O3 O5: the fee comes back too."""
    payout = _sent(shop)
    shop.post(
        payout_rejection_entry(
            posting=shop.posting,
            seller=shop.seller,
            payouts_in_transit=shop.account("payouts_in_transit"),
            payout_fee=shop.account("payout_fee"),
            payout_id=payout,
            amount_minor=50_00,
            fee_minor=1_00,
        )
    )
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 90_00, 0, 0)
    assert shop.balance("payout_fee") == 0


def test_a_payout_that_is_returned_after_it_was_paid(shop: Shop) -> None:
    """O1 O3 O4 O6a O6b, F-F3: first nobody knows whose the money is, then it is the seller's again."""
    _paid(shop, _sent(shop))
    returned = uuid4()
    shop.post(
        payout_return_entry(
            posting=shop.posting,
            bank=shop.account("bank"),
            payout_returns=shop.account("payout_returns"),
            return_id=returned,
            amount_minor=50_00,
        )
    )
    assert shop.real.open_keys() == {("payout_returns", str(returned), shop.currency): -50_00}
    shop.post(
        payout_return_credit_entry(
            posting=shop.posting,
            seller=shop.seller,
            payout_returns=shop.account("payout_returns"),
            payout_fee=shop.account("payout_fee"),
            return_id=returned,
            amount_minor=50_00,
            fee_minor=2_00,
        )
    )
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 39_00 + 48_00, 0, 0)
    assert shop.balance("payout_fee") == 3_00
    assert shop.balance("bank") == 100_00 - 40


def test_a_payout_out_of_the_balance_at_the_psp(shop: Shop) -> None:
    """O4b and its line in the PSP's report, beside a charge of the same file."""
    payout = _sent(shop)
    shop.post(
        payout_transfer_entry(
            posting=shop.posting,
            payouts_in_transit=shop.account("payouts_in_transit"),
            psp_clearing=shop.account("psp_clearing"),
            payout_id=payout,
            amount_minor=50_00,
        )
    )
    shop.reported.append(SettledLine(payout, -50_00))
    shop.capture(70_00)
    assert shop.settle_to_the_bank() == 20_00
    assert shop.real.open_keys() == {}


# ------------------------------------------------------------------ reserves and debts


def test_a_rolling_reserve(shop: Shop) -> None:
    """P7 with a reserve, S1 S2: all of it is available in the end."""
    shop.capture(100_00)
    shop.release(90_00, reserve_minor=9_00)
    tranche = uuid4()
    shop.post(
        reserve_hold_entry(posting=shop.posting, seller=shop.seller, tranche_id=tranche, amount_minor=20_00)
    )
    assert shop.wallet() == (0, 151_00, 29_00, 0)
    for held, minor in ((tranche, 20_00), (uuid4(), 9_00)):
        shop.post(
            reserve_release_entry(
                posting=shop.posting, seller=shop.seller, tranche_id=held, amount_minor=minor
            )
        )
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (0, 180_00, 0, 0)
    assert shop.balance("seller_reserve") == 0


def test_a_debt_is_netted_and_the_rest_written_off(shop: Shop) -> None:
    """R4 S3 S4, F-G5."""
    charge, _ = shop.capture(100_00)
    shop.net(shop.refund(Share(100_00, 0, 0), shop.cover(100_00)), charge, 100_00)
    assert shop.wallet() == (90_00, 0, 0, 10_00)
    shop.release(4_00)
    shop.post(
        debt_netting_entry(posting=shop.posting, seller=shop.seller, netting_id=uuid4(), amount_minor=4_00),
        debt_write_off_entry(
            posting=shop.posting,
            seller=shop.seller,
            bad_debt=shop.account("bad_debt"),
            write_off_id=uuid4(),
            amount_minor=6_00,
        ),
    )
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (86_00, 0, 0, 0)
    assert shop.balance("bad_debt") == 6_00


# ------------------------------------------------------------------ conversions


@pytest.mark.parametrize("closed_at", [92_30, 92_00, 91_20])
def test_a_conversion(real: RealBooks, closed_at: int) -> None:
    """F1 F2 F3: both positions are zero, with a gain, with nothing and with a loss."""
    shop = Shop(real, "USD")
    shop.capture(200_00)
    shop.release(180_00)
    shop.settle_to_the_bank()
    conversion = uuid4()
    shop.post(
        conversion_entry(
            posting=shop.posting,
            sold_available=shop.seller.available,
            sold_position=real.account("fx_position"),
            bought_currency="EUR",
            bought_available=real.account("seller_available", "EUR"),
            bought_position=real.account("fx_position", "EUR"),
            fx_spread=real.account("fx_spread", "EUR"),
            conversion_id=conversion,
            sold_minor=100_00,
            mid_minor=92_00,
            rates=Rates(mid=Decimal("0.92"), told=Decimal("0.91")),
            spread_minor=1_00,
        )
    )
    assert real.open_keys() == {
        ("fx_position", str(conversion), "USD"): -100_00,
        ("fx_position", str(conversion), "EUR"): 92_00,
    }
    assert rows("SELECT facts FROM ledger_journalentry WHERE source_ref = %s", [str(conversion)]) == [
        ('{"rate": "0.91", "spread": "1.00 EUR", "mid_rate": "0.92"}',)
    ]
    _close(real, conversion, closed_at)
    assert real.open_keys() == {}
    assert real.wallet(real.seller, "EUR")["available"] == 91_00
    assert (real.balance("bank"), real.balance("bank", "EUR")) == (100_00, closed_at)
    assert real.balance("fx_spread", "EUR") == 1_00
    assert real.balance("fx_gain_loss", "EUR") == 92_00 - closed_at, "a gain is a credit"


@pytest.mark.parametrize(
    "rate", [Decimal("NaN"), Decimal(0), Decimal("-1"), Decimal("Infinity"), 0.92, "0.92"]
)
def test_a_rate_is_a_positive_decimal(rate: Any) -> None:
    """A-C5, A-C12."""
    posting = Posting(UUID(int=1), "USD", date(2026, 3, 1))
    with pytest.raises(ValueError, match="not a rate"):
        conversion_entry(
            posting=posting,
            sold_available=1,
            sold_position=2,
            bought_currency="EUR",
            bought_available=3,
            bought_position=4,
            fx_spread=5,
            conversion_id=UUID(int=2),
            sold_minor=100,
            mid_minor=92,
            rates=Rates(mid=Decimal("0.92"), told=rate),
        )


def _close(real: RealBooks, conversion: UUID, bought: int) -> None:
    real.post(
        position_close_entry(
            posting=real.posting("USD"),
            sold_bank=real.account("bank"),
            sold_position=real.account("fx_position"),
            bought_currency="EUR",
            bought_bank=real.account("bank", "EUR"),
            bought_position=real.account("fx_position", "EUR"),
            deal_id=uuid4(),
            positions=[ClosedPosition(conversion, sold_minor=100_00, bought_minor=bought)],
        )
    )
    if bought != 92_00:
        real.post(
            fx_result_entry(
                posting=real.posting("EUR"),
                position=real.account("fx_position", "EUR"),
                fx_gain_loss=real.account("fx_gain_loss", "EUR"),
                conversion_id=conversion,
                gain_minor=bought - 92_00,
            )
        )


def test_captured_in_one_currency_and_settled_in_another(real: RealBooks) -> None:
    """F4, P5 in the other currency, and the deal that buys back what sellers are owed."""
    shop = Shop(real, "USD")
    charge, _ = shop.capture(100_00)
    batch, euro = uuid4(), Shop(real, "EUR")
    shop.post(
        *foreign_settlement_entries(
            posting=shop.posting,
            accounts=ForeignAccounts(
                psp_clearing=shop.account("psp_clearing"),
                fees=shop.fees,
                position=shop.account("fx_position"),
                settled_position=euro.account("fx_position"),
                in_transit=euro.account("psp_settlement_in_transit"),
            ),
            settled_currency="EUR",
            file_ref="file:1",
            batch_id=batch,
            lines=[ForeignLine(charge, gross_minor=100_00, received_minor=89_33, fee_minor=2_90)],
        )
    )
    euro.deposit((batch, 89_33))
    assert real.open_keys() == {
        ("fx_position", str(batch), "USD"): 97_10,
        ("fx_position", str(batch), "EUR"): -89_33,
    }
    shop.post(
        position_close_entry(
            posting=euro.posting,
            sold_bank=euro.account("bank"),
            sold_position=euro.account("fx_position"),
            bought_currency="USD",
            bought_bank=shop.account("bank"),
            bought_position=shop.account("fx_position"),
            deal_id=uuid4(),
            positions=[ClosedPosition(batch, sold_minor=89_33, bought_minor=97_10)],
        )
    )
    assert real.open_keys() == {}
    assert (shop.balance("bank"), euro.balance("bank"), shop.balance("psp_fee")) == (97_10, 0, 2_90)


# ------------------------------------------------------------------ cash, suspense


def test_cash_on_delivery(shop: Shop) -> None:
    """D1 D2 D3: short by 6.00, which the courier pays later."""
    parcel, claim = uuid4(), uuid4()
    transit = shop.account("cod_in_transit")
    shop.post(
        cash_collected_entry(
            posting=shop.posting,
            cod_in_transit=transit,
            accounts=shop.sale,
            parcel_id=parcel,
            orders=[CapturedOrder(shop.seller.pending, split(amount_minor=100_00, terms=TERMS))],
        ),
        *remittance_entries(
            posting=shop.posting,
            bank=shop.account("bank"),
            cod_fee=shop.account("cod_fee"),
            cod_in_transit=transit,
            remittance_id=uuid4(),
            parcels=[Keyed(parcel, 94_00)],
            fee_minor=4_00,
        ),
        courier_claim_entry(
            posting=shop.posting,
            courier_claim=shop.account("courier_claim"),
            cod_in_transit=transit,
            claim_id=claim,
            parcel_id=parcel,
            amount_minor=6_00,
        ),
    )
    assert shop.real.open_keys() == {("courier_claim", str(claim), shop.currency): 6_00}
    shop.post(
        claim_paid_entry(
            posting=shop.posting,
            bank=shop.account("bank"),
            courier_claim=shop.account("courier_claim"),
            claim_id=claim,
            bank_line_id=uuid4(),
            amount_minor=6_00,
        )
    )
    assert shop.real.open_keys() == {}
    assert shop.balance("bank") == 100_00 + 96_00


def test_a_capture_that_nobody_knew_finds_its_order(shop: Shop) -> None:
    """A1 A2 and the settlement of it."""
    line = uuid4()
    shop.post(
        unknown_capture_entry(
            posting=shop.posting,
            psp_clearing=shop.account("psp_clearing"),
            suspense_receipts=shop.account("suspense_receipts"),
            adjustment_id=uuid4(),
            line=Keyed(line, 70_00),
        ),
        suspense_identified_entry(
            posting=shop.posting,
            suspense_receipts=shop.account("suspense_receipts"),
            accounts=shop.sale,
            adjustment_id=uuid4(),
            line_key=line,
            orders=[CapturedOrder(shop.seller.pending, split(amount_minor=70_00, terms=TERMS))],
        ),
    )
    shop.reported.append(SettledLine(line, 70_00))
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert shop.wallet() == (63_00, 90_00, 0, 0)


def test_money_that_nobody_knows_goes_back(shop: Shop) -> None:
    """A8 A3 R2: a credit at the bank, sent back through the PSP."""
    line, refund = uuid4(), uuid4()
    shop.post(
        unidentified_receipt_entry(
            posting=shop.posting,
            bank=shop.account("bank"),
            suspense_receipts=shop.account("suspense_receipts"),
            adjustment_id=uuid4(),
            line=Keyed(line, 42_00),
        ),
        suspense_returned_entry(
            posting=shop.posting,
            suspense_receipts=shop.account("suspense_receipts"),
            refunds_in_transit=shop.account("refunds_in_transit"),
            adjustment_id=uuid4(),
            refund_id=refund,
            line=Keyed(line, 42_00),
        ),
    )
    shop.net(refund, line, 42_00)
    shop.settle_to_the_bank()
    assert shop.real.open_keys() == {}
    assert shop.balance("bank") == 100_00
