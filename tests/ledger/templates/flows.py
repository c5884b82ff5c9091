"""What happens to one payment, payout or wallet, step by step, in the real books."""

from uuid import UUID, uuid4

from ledger.templates.accounts import FeeAccounts, ReturnAccounts, SaleAccounts, SellerAccounts
from ledger.templates.capture import CaptureAccounts, CapturedOrder, Share, Terms, capture_entry, split
from ledger.templates.cover import Cover, SellerPart, decide_cover
from ledger.templates.disputes import DisputeAccounts, dispute_entries
from ledger.templates.entry import Keyed, Posting
from ledger.templates.refunds import ReturnedOrder, refund_entry, refund_netting_entry
from ledger.templates.reserves import release_entry
from ledger.templates.settlement import (
    SettledLine,
    SettlementAccounts,
    SettlementFile,
    deposit_entries,
    settlement_entries,
)
from ledger.types import EntryDraft
from tests.ledger.templates.real_books import RealBooks

__all__ = ["Shop"]

TERMS = Terms(commission_bps=1000, commission_fixed_minor=0, tax_bps=2000)


class Shop:
    """A seller's sales in one currency; what the PSP does with them is settled at the end."""

    def __init__(self, real: RealBooks, currency: str) -> None:
        self.real, self.currency = real, currency
        self.posting: Posting = real.posting(currency)
        self.seller = SellerAccounts(
            *(self.account(f"seller_{name}") for name in ("pending", "available", "reserve")),
            *(self.account(f"seller_{name}") for name in ("dispute_hold", "payout_hold", "receivable")),
        )
        self.sale = SaleAccounts(self.account("commission"), self.account("tax_payable"))
        self.returns = ReturnAccounts(self.account("commission_refunded"), self.account("tax_payable"))
        self.fees = FeeAccounts(self.account("psp_fee"), self.account("psp_fee_accrued"))
        self.disputes = DisputeAccounts(
            self.account("dispute_receivable"), self.account("chargeback_fee"), self.account("psp_clearing")
        )
        self.reported: list[SettledLine] = []

    def account(self, role: str) -> int:
        return self.real.account(role, self.currency)

    def balance(self, role: str) -> int:
        return self.real.balance(role, self.currency)

    def post(self, *drafts: EntryDraft) -> None:
        assert all(ref.is_new for ref in self.real.post(*drafts))

    def wallet(self) -> tuple[int, ...]:
        """Pending, available, held, receivable."""
        return tuple(self.real.wallet(self.real.seller, self.currency).values())

    # -------------------------------------------------------------- a payment

    def capture(self, amount_minor: int, *, fee_minor: int = 0, accrued_minor: int = 0) -> tuple[UUID, Share]:
        """P2; the PSP will report it."""
        charge, share = uuid4(), split(amount_minor=amount_minor, terms=TERMS)
        self.post(
            capture_entry(
                merchant_id=self.posting.merchant_id,
                charge_id=charge,
                currency=self.currency,
                effective_date=self.posting.effective_date,
                accounts=CaptureAccounts(
                    self.account("psp_clearing"), self.sale.commission, self.sale.tax_payable
                ),
                orders=[CapturedOrder(self.seller.pending, share)],
            )
        )
        self.reported.append(SettledLine(charge, amount_minor, fee_minor, accrued_minor))
        return charge, share

    def release(self, amount_minor: int, *, reserve_minor: int = 0) -> None:
        """P7."""
        self.post(
            release_entry(
                posting=self.posting,
                seller=self.seller,
                release_id=uuid4(),
                amount_minor=amount_minor,
                reserve_minor=reserve_minor,
            )
        )

    def cover(self, amount_minor: int, *, pending_minor: int = 0) -> Cover:
        """R4's order, over what the wallet has."""
        return decide_cover(
            amount_minor=amount_minor,
            pending_minor=pending_minor,
            available_minor=self.wallet()[1],
            reserve_minor=self.balance("seller_reserve"),
        )

    def refund(self, parts: Share, cover: Cover) -> UUID:
        """R1, R4."""
        refund = uuid4()
        self.post(
            refund_entry(
                posting=self.posting,
                accounts=self.returns,
                refunds_in_transit=self.account("refunds_in_transit"),
                refund_id=refund,
                orders=[
                    ReturnedOrder(SellerPart(self.seller, cover), parts.commission_minor, parts.tax_minor)
                ],
            )
        )
        return refund

    def net(self, refund: UUID, charge: UUID, amount_minor: int, *, fee_minor: int = 0) -> None:
        """R2; the PSP will report it as a negative line."""
        self.post(
            refund_netting_entry(
                posting=self.posting,
                refunds_in_transit=self.account("refunds_in_transit"),
                psp_fee=self.fees.psp_fee,
                psp_clearing=self.account("psp_clearing"),
                refund_id=refund,
                charge_id=charge,
                amount_minor=amount_minor,
                fee_minor=fee_minor,
            )
        )
        self.reported.append(SettledLine(charge, -amount_minor - fee_minor))

    def dispute(self, charge: UUID, amount_minor: int, fee_minor: int, cover: Cover) -> UUID:
        """C1, C2; the PSP will report what it took."""
        dispute = uuid4()
        self.post(
            *dispute_entries(
                posting=self.posting,
                accounts=self.disputes,
                dispute_id=dispute,
                movement_id=uuid4(),
                charge_id=charge,
                amount_minor=amount_minor,
                fee_minor=fee_minor,
                sellers=[SellerPart(self.seller, cover)],
            )
        )
        self.reported.append(SettledLine(charge, -amount_minor - fee_minor))
        return dispute

    # -------------------------------------------------------------- the PSP's side

    def settle(self) -> tuple[UUID, int]:
        """P4: everything that the PSP has to report comes in one file; returns the batch and what it pays."""
        batch, lines = uuid4(), self.reported
        net = sum(line.gross_minor - line.fee_minor for line in lines)
        self.post(
            *settlement_entries(
                posting=self.posting,
                accounts=SettlementAccounts(
                    self.account("psp_clearing"), self.account("psp_settlement_in_transit"), self.fees
                ),
                file=SettlementFile(file_id=uuid4(), version=1, batch_id=batch, net_minor=net),
                lines=lines,
            )
        )
        self.reported = []
        return batch, net

    def deposit(self, *batches: tuple[UUID, int], fee_minor: int = 0) -> None:
        """P5: the batches reach the bank, on one line of the statement."""
        self.post(
            *deposit_entries(
                posting=self.posting,
                bank=self.account("bank"),
                bank_fee=self.account("bank_fee"),
                in_transit=self.account("psp_settlement_in_transit"),
                bank_line_id=uuid4(),
                batches=[Keyed(batch, minor) for batch, minor in batches],
                fee_minor=fee_minor,
            )
        )

    def settle_to_the_bank(self) -> int:
        """P4 and P5; returns what reached the bank: nothing, where the file nets to zero."""
        batch = self.settle()
        if batch[1]:
            self.deposit(batch)
        return batch[1]
