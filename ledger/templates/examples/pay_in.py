"""Examples of P1 to P7, B1 to B6 and D1 to D3, with the amounts of the books."""

from ledger.templates.bank_lines import (
    ReversedLeg,
    bank_charge_entry,
    bank_opening_entry,
    bank_reversal_entries,
)
from ledger.templates.capture import CaptureAccounts, CapturedOrder, Share, capture_entry
from ledger.templates.cash import (
    cash_collected_entry,
    claim_paid_entry,
    courier_claim_entry,
    remittance_entries,
)
from ledger.templates.cover import Cover, SellerPart
from ledger.templates.entry import Keyed
from ledger.templates.journal import ExampleBooks, Journal, fees, named, sale, seller
from ledger.templates.reserves import release_entry
from ledger.templates.settlement import (
    SettledLine,
    SettlementAccounts,
    SettlementFile,
    deposit_entries,
    fee_accrual_entry,
    fee_recovery_entry,
    psp_reserve_entry,
    psp_reserve_release_entry,
    settlement_entries,
)
from ledger.templates.suspense import (
    identified_charge_entry,
    identified_deposit_entry,
    returned_receipt_entry,
)
from ledger.types import EntryDraft

__all__ = ["BANK", "CASH", "PAY_IN"]

# 10 % commission on 100.00, with 20 % tax inside.
_HUNDRED = Share(seller_net_minor=90_00, commission_minor=8_33, tax_minor=1_67)


def _capture(books: ExampleBooks) -> EntryDraft:
    posting = books.posting()
    return capture_entry(
        merchant_id=posting.merchant_id,
        charge_id=named("charge"),
        currency=posting.currency,
        effective_date=posting.effective_date,
        accounts=CaptureAccounts(
            psp_clearing=books.account("psp_clearing"),
            commission=books.account("commission"),
            tax_payable=books.account("tax_payable"),
        ),
        orders=[CapturedOrder(seller(books).pending, _HUNDRED)],
    )


def _accrual(books: ExampleBooks) -> EntryDraft:
    return fee_accrual_entry(
        posting=books.posting(), accounts=fees(books), charge_id=named("charge"), fee_minor=2_95
    )


def _settlement(books: ExampleBooks, *, accrued_minor: int) -> tuple[EntryDraft, ...]:
    return settlement_entries(
        posting=books.posting(),
        accounts=SettlementAccounts(
            psp_clearing=books.account("psp_clearing"),
            in_transit=books.account("psp_settlement_in_transit"),
            fees=fees(books),
        ),
        file=SettlementFile(file_id=named("file"), version=1, batch_id=named("batch"), net_minor=97_10),
        lines=[SettledLine(named("charge"), 100_00, fee_minor=2_90, accrued_minor=accrued_minor)],
    )


def _recovery(books: ExampleBooks) -> EntryDraft:
    return fee_recovery_entry(
        posting=books.posting(),
        psp_fee_recovered=books.account("psp_fee_recovered"),
        charge_id=named("charge"),
        sellers=[SellerPart(seller(books), Cover(pending_minor=2_90))],
    )


def _deposit(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return deposit_entries(
        posting=books.posting(),
        bank=books.account("bank"),
        bank_fee=books.account("bank_fee"),
        in_transit=books.account("psp_settlement_in_transit"),
        bank_line_id=named("bank line"),
        batches=[Keyed(named("batch"), 97_10)],
        fee_minor=50,
    )


def _charged(books: ExampleBooks) -> EntryDraft:
    return bank_charge_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        bank_fee=books.account("bank_fee"),
        bank_line_id=named("bank line"),
        amount_minor=7_50,
    )


def _bank_reversed(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return bank_reversal_entries(
        posting=books.posting(),
        bank=books.account("bank"),
        bank_line_id=named("bank line"),
        legs=[ReversedLeg(books.account("psp_settlement_in_transit"), -97_10, named("batch"))],
    )


def _brought_in(books: ExampleBooks) -> EntryDraft:
    return bank_opening_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        opening=books.account("opening"),
        statement_ref=named("statement"),
        amount_minor=1_000_00,
    )


def _reserve(books: ExampleBooks) -> EntryDraft:
    return psp_reserve_entry(
        posting=books.posting(),
        psp_reserve_held=books.account("psp_reserve_held"),
        psp_clearing=books.account("psp_clearing"),
        reserve_id=named("reserve"),
        withheld=[Keyed(named("charge"), 5_00)],
    )


def _reserve_release(books: ExampleBooks) -> EntryDraft:
    return psp_reserve_release_entry(
        posting=books.posting(),
        psp_reserve_held=books.account("psp_reserve_held"),
        in_transit=books.account("psp_settlement_in_transit"),
        reserve_id=named("reserve"),
        batch_id=named("later batch"),
        amount_minor=5_00,
    )


def _release(books: ExampleBooks) -> EntryDraft:
    return release_entry(
        posting=books.posting(),
        seller=seller(books),
        release_id=named("order"),
        amount_minor=90_00,
        reserve_minor=9_00,
    )


def _collected(books: ExampleBooks) -> EntryDraft:
    return cash_collected_entry(
        posting=books.posting(),
        cod_in_transit=books.account("cod_in_transit"),
        accounts=sale(books),
        parcel_id=named("parcel"),
        orders=[CapturedOrder(seller(books).pending, _HUNDRED)],
    )


def _remitted(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return remittance_entries(
        posting=books.posting(),
        bank=books.account("bank"),
        cod_fee=books.account("cod_fee"),
        cod_in_transit=books.account("cod_in_transit"),
        remittance_id=named("remittance"),
        parcels=[Keyed(named("parcel"), 100_00)],
        fee_minor=4_00,
    )


def _claimed(books: ExampleBooks) -> EntryDraft:
    return courier_claim_entry(
        posting=books.posting(),
        courier_claim=books.account("courier_claim"),
        cod_in_transit=books.account("cod_in_transit"),
        claim_id=named("claim"),
        parcel_id=named("parcel"),
        amount_minor=6_00,
    )


def _claim_paid(books: ExampleBooks) -> EntryDraft:
    return claim_paid_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        courier_claim=books.account("courier_claim"),
        claim_id=named("claim"),
        bank_line_id=named("bank line"),
        amount_minor=6_00,
    )


PAY_IN = (
    Journal(
        "P2",
        "payment_captured",
        "Payment captured, 10 % commission, 20 % tax inside the commission",
        capture_entry,
        _capture,
    ),
    Journal(
        "P3", "psp_fee_accrued", "PSP fee estimated at capture (optional policy)", fee_accrual_entry, _accrual
    ),
    Journal(
        "P4a",
        "settlement_reported",
        "PSP settlement line, fee now known, nothing was accrued",
        settlement_entries,
        lambda books: _settlement(books, accrued_minor=0),
    ),
    Journal(
        "P4b",
        "settlement_reported",
        "The same, 2.95 was accrued",
        settlement_entries,
        lambda books: _settlement(books, accrued_minor=2_95),
    ),
    Journal("P4c", "psp_fee_recovered", "Fee passed on to the seller", fee_recovery_entry, _recovery),
    Journal(
        "P5",
        "settlement_deposited",
        "Settlement deposit reaches the bank, which keeps 0.50",
        deposit_entries,
        _deposit,
    ),
    Journal("P6a", "psp_reserve_withheld", "PSP withholds a rolling reserve", psp_reserve_entry, _reserve),
    Journal(
        "P6b",
        "psp_reserve_released",
        "PSP releases it in a later batch",
        psp_reserve_release_entry,
        _reserve_release,
    ),
    Journal("P7", "funds_released", "Funds become available, 10 % rolling reserve", release_entry, _release),
)


def _deposit_identified(books: ExampleBooks) -> EntryDraft:
    return identified_deposit_entry(
        posting=books.posting(),
        suspense=books.account("suspense_receipts"),
        bank_fee=books.account("bank_fee"),
        in_transit=books.account("psp_settlement_in_transit"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("bank line"), 96_60),
        batch=Keyed(named("batch"), 97_10),
    )


def _charge_identified(books: ExampleBooks) -> EntryDraft:
    return identified_charge_entry(
        posting=books.posting(),
        suspense=books.account("suspense_payments"),
        bank_fee=books.account("bank_fee"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("bank line"), -7_50),
    )


def _went_back(books: ExampleBooks) -> EntryDraft:
    return returned_receipt_entry(
        posting=books.posting(),
        suspense_receipts=books.account("suspense_receipts"),
        suspense_payments=books.account("suspense_payments"),
        adjustment_id=named("adjustment"),
        receipt=Keyed(named("bank line"), 42_00),
        payment=Keyed(named("second bank line"), 42_00),
    )


BANK = (
    Journal("B1", "bank_charge", "The bank takes 7.50 for the account", bank_charge_entry, _charged),
    Journal(
        "B2",
        "bank_line_reversed",
        "The bank takes an earlier line back, here the deposit of a batch",
        bank_reversal_entries,
        _bank_reversed,
    ),
    Journal(
        "B3",
        "bank_balance_brought_in",
        "What an account held before its first statement",
        bank_opening_entry,
        _brought_in,
    ),
    Journal(
        "B4",
        "deposit_identified",
        "An unknown receipt of 96.60 is a batch of 97.10, less the bank's fee",
        identified_deposit_entry,
        _deposit_identified,
    ),
    Journal(
        "B5",
        "bank_charge_identified",
        "An unknown debit of 7.50 is the bank's own charge",
        identified_charge_entry,
        _charge_identified,
    ),
    Journal(
        "B6",
        "suspense_offset",
        "An unknown receipt of 42.00 went back",
        returned_receipt_entry,
        _went_back,
    ),
)

CASH = (
    Journal(
        "D1", "cash_collected", "Cash on delivery collected by the courier", cash_collected_entry, _collected
    ),
    Journal("D2", "cash_remitted", "Courier remits, net of a fee of 4.00", remittance_entries, _remitted),
    Journal("D3", "courier_claimed", "Courier is short by 6.00: a claim", courier_claim_entry, _claimed),
    Journal("D3 end", "courier_claim_paid", "Courier pays the claim", claim_paid_entry, _claim_paid),
)
