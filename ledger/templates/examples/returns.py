"""Examples of R1 to R8 and C1 to C4, with the amounts of the books."""

from ledger.templates.cover import Cover, Restored, SellerPart
from ledger.templates.disputes import (
    DisputeAccounts,
    HeldOrder,
    LostOrder,
    dispute_entries,
    dispute_fee_entry,
    dispute_fee_returned_entry,
    dispute_hold_entry,
    dispute_loss_entry,
    dispute_loss_undone_entry,
    dispute_lost_entry,
    dispute_lost_undone_entry,
    dispute_release_entry,
    dispute_won_entry,
)
from ledger.templates.journal import ExampleBooks, Journal, named, returns, seller
from ledger.templates.refunds import (
    FailedOrder,
    ReturnedOrder,
    overpayment_entry,
    overpayment_refund_entry,
    refund_entry,
    refund_failure_entry,
    refund_netting_entry,
    reversal_entry,
)
from ledger.types import EntryDraft

__all__ = ["DISPUTES", "REFUNDS"]


def _refund(
    books: ExampleBooks, cover: Cover, *, commission_minor: int = 3_33, tax_minor: int = 67
) -> EntryDraft:
    return refund_entry(
        posting=books.posting(),
        accounts=returns(books),
        refunds_in_transit=books.account("refunds_in_transit"),
        refund_id=named("refund"),
        orders=[ReturnedOrder(SellerPart(seller(books), cover), commission_minor, tax_minor)],
    )


def _netting(books: ExampleBooks) -> EntryDraft:
    return refund_netting_entry(
        posting=books.posting(),
        refunds_in_transit=books.account("refunds_in_transit"),
        psp_fee=books.account("psp_fee"),
        psp_clearing=books.account("psp_clearing"),
        refund_id=named("refund"),
        charge_id=named("charge"),
        amount_minor=40_00,
        fee_minor=30,
    )


def _failure(books: ExampleBooks) -> EntryDraft:
    return refund_failure_entry(
        posting=books.posting(),
        accounts=returns(books),
        refunds_in_transit=books.account("refunds_in_transit"),
        refund_id=named("refund"),
        orders=[FailedOrder(seller(books), Restored(receivable_minor=0, available_minor=36_00), 3_33, 67)],
    )


def _overpayment(books: ExampleBooks) -> EntryDraft:
    return overpayment_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        customer_overpayment=books.account("customer_overpayment"),
        charge_id=named("second charge"),
        amount_minor=100_00,
    )


def _overpayment_refund(books: ExampleBooks) -> EntryDraft:
    return overpayment_refund_entry(
        posting=books.posting(),
        customer_overpayment=books.account("customer_overpayment"),
        refunds_in_transit=books.account("refunds_in_transit"),
        charge_id=named("second charge"),
        refund_id=named("refund"),
        amount_minor=100_00,
    )


def _reversal(books: ExampleBooks) -> EntryDraft:
    return reversal_entry(
        posting=books.posting(),
        accounts=returns(books),
        psp_clearing=books.account("psp_clearing"),
        charge_id=named("charge"),
        orders=[ReturnedOrder(SellerPart(seller(books), Cover(pending_minor=90_00)), 8_33, 1_67)],
    )


REFUNDS = (
    Journal(
        "R1",
        "refund_accepted",
        "Partial refund of 40.00 of 100.00, commission and tax pro rata",
        refund_entry,
        lambda books: _refund(books, Cover(available_minor=36_00)),
    ),
    Journal(
        "R2",
        "refund_netted",
        "PSP nets the refund in a settlement, refund fee 0.30",
        refund_netting_entry,
        _netting,
    ),
    Journal("R3", "refund_failed", "Refund rejected by the card scheme", refund_failure_entry, _failure),
    Journal(
        "R4",
        "refund_accepted",
        "Refund when the seller has only 10.00 available",
        refund_entry,
        lambda books: _refund(books, Cover(available_minor=10_00, receivable_minor=26_00)),
    ),
    Journal(
        "R5",
        "refund_accepted",
        "Policy: the commission is not returned",
        refund_entry,
        lambda books: _refund(books, Cover(available_minor=40_00), commission_minor=0, tax_minor=0),
    ),
    Journal(
        "R6",
        "overpayment_received",
        "Money for an order that is closed or covered already",
        overpayment_entry,
        _overpayment,
    ),
    Journal(
        "R7",
        "overpayment_refunded",
        "… refunded automatically; then R2",
        overpayment_refund_entry,
        _overpayment_refund,
    ),
    Journal("R8", "charge_reversed", "Rail takes a capture back after success", reversal_entry, _reversal),
)


def _accounts(books: ExampleBooks) -> DisputeAccounts:
    return DisputeAccounts(
        dispute_receivable=books.account("dispute_receivable"),
        chargeback_fee=books.account("chargeback_fee"),
        psp_clearing=books.account("psp_clearing"),
    )


def _opened(books: ExampleBooks) -> tuple[EntryDraft, ...]:
    return dispute_entries(
        posting=books.posting(),
        accounts=_accounts(books),
        dispute_id=named("dispute"),
        movement_id=named("movement"),
        charge_id=named("charge"),
        amount_minor=100_00,
        fee_minor=15_00,
        sellers=[SellerPart(seller(books), Cover(available_minor=90_00))],
    )


def _won(books: ExampleBooks) -> EntryDraft:
    return dispute_won_entry(
        posting=books.posting(),
        accounts=_accounts(books),
        dispute_id=named("dispute"),
        movement_id=named("movement"),
        charge_id=named("charge"),
        amount_minor=100_00,
    )


def _released(books: ExampleBooks) -> EntryDraft:
    return dispute_release_entry(
        posting=books.posting(), dispute_id=named("dispute"), orders=[HeldOrder(seller(books), 90_00)]
    )


def _lost(books: ExampleBooks) -> EntryDraft:
    return dispute_lost_entry(
        posting=books.posting(),
        accounts=returns(books),
        dispute_receivable=books.account("dispute_receivable"),
        dispute_id=named("dispute"),
        orders=[LostOrder(HeldOrder(seller(books), 90_00), commission_minor=8_33, tax_minor=1_67)],
    )


def _fee(books: ExampleBooks) -> EntryDraft:
    return dispute_fee_entry(
        posting=books.posting(),
        chargeback_fee_recovered=books.account("chargeback_fee_recovered"),
        dispute_id=named("dispute"),
        sellers=[SellerPart(seller(books), Cover(available_minor=15_00))],
    )


def _loss(books: ExampleBooks) -> EntryDraft:
    return dispute_loss_entry(
        posting=books.posting(),
        chargeback_loss=books.account("chargeback_loss"),
        dispute_receivable=books.account("dispute_receivable"),
        dispute_id=named("dispute"),
        amount_minor=100_00,
    )


def _held_again(books: ExampleBooks) -> EntryDraft:
    return dispute_hold_entry(
        posting=books.posting(),
        dispute_id=named("dispute"),
        sellers=[SellerPart(seller(books), Cover(available_minor=90_00))],
        dispute_round=3,
    )


def _lost_undone(books: ExampleBooks) -> EntryDraft:
    return dispute_lost_undone_entry(
        posting=books.posting(),
        accounts=returns(books),
        dispute_receivable=books.account("dispute_receivable"),
        dispute_id=named("dispute"),
        orders=[LostOrder(HeldOrder(seller(books), 90_00), commission_minor=8_33, tax_minor=1_67)],
        dispute_round=2,
    )


def _fee_returned(books: ExampleBooks) -> EntryDraft:
    return dispute_fee_returned_entry(
        posting=books.posting(),
        chargeback_fee_recovered=books.account("chargeback_fee_recovered"),
        dispute_id=named("dispute"),
        orders=[HeldOrder(seller(books), 15_00)],
        dispute_round=2,
    )


def _loss_undone(books: ExampleBooks) -> EntryDraft:
    return dispute_loss_undone_entry(
        posting=books.posting(),
        chargeback_loss=books.account("chargeback_loss"),
        dispute_receivable=books.account("dispute_receivable"),
        dispute_id=named("dispute"),
        amount_minor=100_00,
        dispute_round=2,
    )


DISPUTES = (
    Journal(
        "C1",
        "dispute_opened",
        "Chargeback opened: the PSP takes 100.00 and a fee of 15.00",
        dispute_entries,
        _opened,
    ),
    Journal(
        "C2", "dispute_held", "Seller's share is put on hold; one group with C1", dispute_entries, _opened
    ),
    Journal("C3a", "dispute_won", "Won: the PSP returns the money", dispute_won_entry, _won),
    Journal("C3b", "dispute_hold_released", "Won: the hold is released", dispute_release_entry, _released),
    Journal(
        "C4a",
        "dispute_lost",
        "Lost: the seller bears it, the commission is returned",
        dispute_lost_entry,
        _lost,
    ),
    Journal(
        "C4b", "dispute_fee_recovered", "Lost: the fee is recharged to the seller", dispute_fee_entry, _fee
    ),
    Journal(
        "C4c",
        "dispute_loss_borne",
        "Lost: the platform bears it; the hold goes by C3b",
        dispute_loss_entry,
        _loss,
    ),
    Journal(
        "C2b",
        "dispute_held_again",
        "Held without a movement: lost after it was won, or assigned to other orders",
        dispute_hold_entry,
        _held_again,
    ),
    Journal(
        "C5a",
        "dispute_lost_undone",
        "Won after it was lost: C4a is undone, C3b follows",
        dispute_lost_undone_entry,
        _lost_undone,
    ),
    Journal(
        "C5b",
        "dispute_fee_returned",
        "Won after it was lost: the seller gets the fee back",
        dispute_fee_returned_entry,
        _fee_returned,
    ),
    Journal(
        "C5c",
        "dispute_loss_undone",
        "Won after the platform had borne the loss",
        dispute_loss_undone_entry,
        _loss_undone,
    ),
)
