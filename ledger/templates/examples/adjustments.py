"""Examples of A1 to A12, with the amounts of the books."""

from ledger.templates.adjustments import (
    amount_difference_entry,
    denial_undone_entry,
    denied_capture_entry,
    duplicate_charge_entry,
    fee_difference_entry,
    line_reassigned_entry,
    rounding_entry,
    suspense_identified_entry,
    suspense_returned_entry,
    unidentified_payment_entry,
    unidentified_receipt_entry,
    unknown_capture_entry,
)
from ledger.templates.capture import CapturedOrder, Share
from ledger.templates.cover import Cover, Restored, SellerPart
from ledger.templates.entry import Keyed, credit, debit
from ledger.templates.journal import ExampleBooks, Journal, named, returns, sale, seller
from ledger.templates.refunds import FailedOrder, ReturnedOrder
from ledger.types import EntryDraft

__all__ = ["ADJUSTMENTS"]


def _unknown(books: ExampleBooks) -> EntryDraft:
    return unknown_capture_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        suspense_receipts=books.account("suspense_receipts"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("line"), 70_00),
    )


def _identified(books: ExampleBooks) -> EntryDraft:
    return suspense_identified_entry(
        posting=books.posting(),
        suspense_receipts=books.account("suspense_receipts"),
        accounts=sale(books),
        adjustment_id=named("adjustment"),
        line_key=named("line"),
        orders=[CapturedOrder(seller(books).pending, Share(63_00, 5_83, 1_17))],
    )


def _returned(books: ExampleBooks) -> EntryDraft:
    return suspense_returned_entry(
        posting=books.posting(),
        suspense_receipts=books.account("suspense_receipts"),
        refunds_in_transit=books.account("refunds_in_transit"),
        adjustment_id=named("adjustment"),
        refund_id=named("refund"),
        line=Keyed(named("line"), 70_00),
    )


def _denied(books: ExampleBooks) -> EntryDraft:
    return denied_capture_entry(
        posting=books.posting(),
        accounts=returns(books),
        psp_clearing=books.account("psp_clearing"),
        recon_loss=books.account("recon_loss"),
        adjustment_id=named("adjustment"),
        charge_id=named("charge"),
        orders=[ReturnedOrder(SellerPart(seller(books), Cover(pending_minor=90_00)), 8_33, 1_67)],
    )


def _reported_after_all(books: ExampleBooks) -> EntryDraft:
    return denial_undone_entry(
        posting=books.posting(),
        accounts=returns(books),
        psp_clearing=books.account("psp_clearing"),
        recon_loss=books.account("recon_loss"),
        adjustment_id=named("adjustment"),
        charge_id=named("charge"),
        orders=[FailedOrder(seller(books), Restored(20_00, 70_00), 8_33, 1_67)],
    )


def _absorbed(books: ExampleBooks) -> EntryDraft:
    return amount_difference_entry(
        posting=books.posting(),
        recon_difference=books.account("recon_difference"),
        psp_clearing=books.account("psp_clearing"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("charge"), 2_00),
    )


def _duplicate(books: ExampleBooks) -> EntryDraft:
    return duplicate_charge_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        customer_overpayment=books.account("customer_overpayment"),
        adjustment_id=named("adjustment"),
        charge=Keyed(named("second charge"), 100_00),
    )


def _fee(books: ExampleBooks) -> EntryDraft:
    return fee_difference_entry(
        posting=books.posting(),
        psp_fee=books.account("psp_fee"),
        psp_clearing=books.account("psp_clearing"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("charge"), 12),
    )


def _receipt(books: ExampleBooks) -> EntryDraft:
    return unidentified_receipt_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        suspense_receipts=books.account("suspense_receipts"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("bank line"), 42_00),
    )


def _payment(books: ExampleBooks) -> EntryDraft:
    return unidentified_payment_entry(
        posting=books.posting(),
        bank=books.account("bank"),
        suspense_payments=books.account("suspense_payments"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("bank line"), 42_00),
    )


def _rounding(books: ExampleBooks) -> EntryDraft:
    return rounding_entry(
        posting=books.posting(),
        rounding=books.account("rounding"),
        psp_clearing=books.account("psp_clearing"),
        adjustment_id=named("adjustment"),
        line=Keyed(named("charge"), 1),
    )


def _reassigned(books: ExampleBooks) -> EntryDraft:
    clearing = books.account("psp_clearing")
    return line_reassigned_entry(
        posting=books.posting(),
        adjustment_id=named("adjustment"),
        legs=[debit(clearing, 70_00, key=named("line")), credit(clearing, 70_00, key=named("charge"))],
    )


ADJUSTMENTS = (
    Journal(
        "A1",
        "unknown_capture_reported",
        "PSP reports a capture of 70.00 that we do not know",
        unknown_capture_entry,
        _unknown,
    ),
    Journal("A2", "suspense_identified", "… identified as an order", suspense_identified_entry, _identified),
    Journal("A3", "suspense_returned", "… not identified, returned", suspense_returned_entry, _returned),
    Journal("A4", "capture_denied", "We booked a capture that the PSP denies", denied_capture_entry, _denied),
    Journal(
        "A5",
        "amount_difference_absorbed",
        "We 100.00, PSP 98.00: the platform absorbs 2.00",
        amount_difference_entry,
        _absorbed,
    ),
    Journal(
        "A6", "duplicate_charge_reported", "Buyer charged twice; then R7", duplicate_charge_entry, _duplicate
    ),
    Journal("A7", "fee_difference_found", "Fee difference found later", fee_difference_entry, _fee),
    Journal("A8", "unidentified_receipt", "Unidentified bank credit", unidentified_receipt_entry, _receipt),
    Journal("A9", "unidentified_payment", "Unidentified bank debit", unidentified_payment_entry, _payment),
    Journal("A10", "rounding_absorbed", "Rounding by one minor unit", rounding_entry, _rounding),
    Journal(
        "A11",
        "line_reassigned",
        "A reported line of 70.00 turns out to be a payment, or not to be it",
        line_reassigned_entry,
        _reassigned,
    ),
    Journal(
        "A12",
        "capture_denial_undone",
        "The PSP has the capture after all; the seller owed 20.00",
        denial_undone_entry,
        _reported_after_all,
    ),
)
