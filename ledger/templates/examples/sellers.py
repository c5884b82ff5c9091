"""Examples of O1 to O6, S1 to S4 and F1 to F4, with the amounts of the books."""

from collections.abc import Callable
from decimal import Decimal

from ledger.templates.entry import Keyed
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
from ledger.templates.journal import ExampleBooks, Journal, fees, named, seller
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
from ledger.types import EntryDraft

__all__ = ["FX", "PAYOUTS", "RESERVES"]


def _held(template: Callable[..., EntryDraft]) -> Callable[[ExampleBooks], EntryDraft]:
    """O1 and O2: the payout and its fee, between available and hold."""
    return lambda books: template(
        posting=books.posting(),
        seller=seller(books),
        payout_id=named("payout"),
        amount_minor=50_00,
        fee_minor=1_00,
    )


def _sent(template: Callable[..., EntryDraft]) -> Callable[[ExampleBooks], EntryDraft]:
    """O3 and O5: the payout in transit, the fee earned."""
    return lambda books: template(
        posting=books.posting(),
        seller=seller(books),
        payouts_in_transit=books.account("payouts_in_transit"),
        payout_fee=books.account("payout_fee"),
        payout_id=named("payout"),
        amount_minor=50_00,
        fee_minor=1_00,
    )


def _paid(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return payout_paid_entries(
        posting=books.posting(),
        payouts_in_transit=books.account("payouts_in_transit"),
        payout_fee_expense=books.account("payout_fee_expense"),
        bank=books.account("bank"),
        bank_line_id=named("bank line"),
        payouts=[Keyed(named("payout"), 50_00)],
        fee_minor=40,
    )


def _transferred(books: ExampleBooks) -> EntryDraft:
    return payout_transfer_entry(
        posting=books.posting(),
        payouts_in_transit=books.account("payouts_in_transit"),
        psp_clearing=books.account("psp_clearing"),
        payout_id=named("payout"),
        amount_minor=50_00,
    )


def _returned(books: ExampleBooks) -> EntryDraft:
    return payout_return_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        payout_returns=books.account("payout_returns"),
        return_id=named("return"),
        amount_minor=50_00,
    )


def _return_credited(books: ExampleBooks) -> EntryDraft:
    return payout_return_credit_entry(
        posting=books.posting(),
        seller=seller(books),
        payout_returns=books.account("payout_returns"),
        payout_fee=books.account("payout_fee"),
        return_id=named("return"),
        amount_minor=50_00,
        fee_minor=2_00,
    )


PAYOUTS = (
    Journal(
        "O1",
        "payout_requested",
        "Payout of 50.00 requested, fee 1.00",
        payout_request_entry,
        _held(payout_request_entry),
    ),
    Journal(
        "O2",
        "payout_cancelled",
        "Payout cancelled, or refused by risk",
        payout_cancel_entry,
        _held(payout_cancel_entry),
    ),
    Journal("O3", "payout_sent", "Payout accepted by the bank", payout_sent_entry, _sent(payout_sent_entry)),
    Journal(
        "O4",
        "payouts_paid",
        "Paid: the statement shows 50.40, of which 0.40 is the bank's fee",
        payout_paid_entries,
        _paid,
    ),
    Journal(
        "O4b",
        "payout_transferred",
        "Paid out of the balance at the PSP: no line at the bank",
        payout_transfer_entry,
        _transferred,
    ),
    Journal(
        "O5",
        "payout_rejected",
        "Rejected before money left",
        payout_rejection_entry,
        _sent(payout_rejection_entry),
    ),
    Journal(
        "O6a", "payout_return_received", "Returned after having been paid", payout_return_entry, _returned
    ),
    Journal(
        "O6b",
        "payout_return_credited",
        "Return identified, fee of 2.00 kept",
        payout_return_credit_entry,
        _return_credited,
    ),
)


def _reserved(template: Callable[..., EntryDraft]) -> Callable[[ExampleBooks], EntryDraft]:
    """S1 and S2: one tranche."""
    return lambda books: template(
        posting=books.posting(), seller=seller(books), tranche_id=named("tranche"), amount_minor=20_00
    )


def _netted(books: ExampleBooks) -> EntryDraft:
    return debt_netting_entry(
        posting=books.posting(), seller=seller(books), netting_id=named("netting"), amount_minor=26_00
    )


def _written_off(books: ExampleBooks) -> EntryDraft:
    return debt_write_off_entry(
        posting=books.posting(),
        seller=seller(books),
        bad_debt=books.account("bad_debt"),
        write_off_id=named("write-off"),
        amount_minor=26_00,
    )


RESERVES = (
    Journal("S1", "reserve_held", "Reserve hold", reserve_hold_entry, _reserved(reserve_hold_entry)),
    Journal(
        "S2",
        "reserve_released",
        "Reserve release on its date",
        reserve_release_entry,
        _reserved(reserve_release_entry),
    ),
    Journal("S3", "debt_netted", "Seller's debt netted on a later sale", debt_netting_entry, _netted),
    Journal(
        "S4",
        "debt_written_off",
        "Seller's debt written off, by two people",
        debt_write_off_entry,
        _written_off,
    ),
)


def _converted(books: ExampleBooks) -> EntryDraft:
    return conversion_entry(
        posting=books.posting(),
        sold_available=books.account("seller_available"),
        sold_position=books.account("fx_position"),
        bought_currency="EUR",
        bought_available=books.account("seller_available", "EUR"),
        bought_position=books.account("fx_position", "EUR"),
        fx_spread=books.account("fx_spread", "EUR"),
        conversion_id=named("conversion"),
        sold_minor=100_00,
        mid_minor=92_00,
        rates=Rates(mid=Decimal("0.92"), told=Decimal("0.91")),
        spread_minor=1_00,
    )


def _closed(books: ExampleBooks) -> EntryDraft:
    return position_close_entry(
        posting=books.posting(),
        sold_bank=books.account("bank"),
        sold_position=books.account("fx_position"),
        bought_currency="EUR",
        bought_bank=books.account("bank", "EUR"),
        bought_position=books.account("fx_position", "EUR"),
        deal_id=named("deal"),
        positions=[ClosedPosition(named("conversion"), sold_minor=100_00, bought_minor=92_30)],
    )


def _result(books: ExampleBooks) -> EntryDraft:
    return fx_result_entry(
        posting=books.posting("EUR"),
        position=books.account("fx_position", "EUR"),
        fx_gain_loss=books.account("fx_gain_loss", "EUR"),
        conversion_id=named("conversion"),
        gain_minor=30,
    )


def _foreign(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return foreign_settlement_entries(
        posting=books.posting(),
        accounts=ForeignAccounts(
            psp_clearing=books.account("psp_clearing"),
            fees=fees(books),
            position=books.account("fx_position"),
            settled_position=books.account("fx_position", "EUR"),
            in_transit=books.account("psp_settlement_in_transit", "EUR"),
        ),
        settled_currency="EUR",
        file_ref=f"{named('file')}:1",
        batch_id=named("batch"),
        lines=[ForeignLine(named("charge"), gross_minor=100_00, received_minor=89_33, fee_minor=2_90)],
    )


FX = (
    Journal(
        "F1",
        "funds_converted",
        "Seller converts 100.00 USD to 91.00 EUR (mid 92.00, spread 1.00)",
        conversion_entry,
        _converted,
    ),
    Journal("F2", "position_closed", "Position closed with the bank at 92.30", position_close_entry, _closed),
    Journal("F3", "fx_result_realised", "Realised gain moved out of the position", fx_result_entry, _result),
    Journal(
        "F4",
        "foreign_settlement_reported",
        "Captured in USD, settled in EUR: 89.33 EUR received",
        foreign_settlement_entries,
        _foreign,
    ),
)
