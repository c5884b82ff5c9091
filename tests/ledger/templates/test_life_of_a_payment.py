"""A basket of several sellers, refunded in any sizes and order, some of it failing: the books end at zero."""

from collections import defaultdict
from datetime import date
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from ledger.templates.accounts import FeeAccounts, ReturnAccounts, SellerAccounts
from ledger.templates.capture import CaptureAccounts, CapturedOrder, Share, Terms, capture_entry, split
from ledger.templates.cover import SellerPart, decide_cover, decide_restored
from ledger.templates.entry import Posting
from ledger.templates.refunds import (
    FailedOrder,
    ReturnedOrder,
    refund_entry,
    refund_failure_entry,
    refund_netting_entry,
)
from ledger.templates.settlement import SettledLine, SettlementAccounts, SettlementFile, settlement_entries
from ledger.templates.splits import refund_share
from ledger.types import EntryDraft

CHARGE = UUID(int=1)
CLEARING, COMMISSION, TAX, RETURNED, REFUNDS, FEE, ACCRUED, TRANSIT = range(1, 9)
# Cents, yen, fils and points: what is tried is integers, the currency only names them.
currencies = st.sampled_from(["USD", "JPY", "KWD", "PTS"])
orders = st.lists(
    st.tuples(
        st.integers(1, 10**6),
        st.builds(Terms, st.integers(0, 10_000), st.integers(0, 50), st.integers(0, 3_000)),
    ),
    min_size=1,
    max_size=4,
)
# Of which order, how much, and whether the scheme rejects it.
steps = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**6), st.booleans()), max_size=15)


class Life:
    """The books of one charge: balances by account and key, and what each order has given back."""

    def __init__(self, currency: str, basket: list[tuple[int, Terms]]) -> None:
        self.posting = Posting(UUID(int=9), currency, date(2026, 3, 1))
        self.shares = [split(amount_minor=amount, terms=terms) for amount, terms in basket]
        self.returned = [Share(0, 0, 0) for _ in basket]
        self.sellers = [SellerAccounts(*range(100 * n, 100 * n + 6)) for n in range(1, len(basket) + 1)]
        self.books: dict[tuple[int, str | None], int] = defaultdict(int)
        self.report: list[SettledLine] = [SettledLine(CHARGE, sum(amount for amount, _ in basket))]
        self.count = 0

    def post(self, *drafts: EntryDraft) -> None:
        for draft in drafts:
            for line in draft.lines:
                self.books[line.account_id, line.clearing_key] += line.amount_minor

    def capture(self) -> None:
        self.post(
            capture_entry(
                merchant_id=self.posting.merchant_id,
                charge_id=CHARGE,
                currency=self.posting.currency,
                effective_date=self.posting.effective_date,
                accounts=CaptureAccounts(CLEARING, COMMISSION, TAX),
                orders=[
                    CapturedOrder(seller.pending, share)
                    for seller, share in zip(self.sellers, self.shares, strict=True)
                ],
            )
        )

    def refund(self, at: int, amount: int, *, fails: bool) -> None:
        at %= len(self.shares)
        amount = min(amount, self.shares[at].amount_minor - self.returned[at].amount_minor)
        if not amount:
            return
        self.count += 1
        refund = uuid5(CHARGE, str(self.count))
        parts = refund_share(share=self.shares[at], returned=self.returned[at], amount_minor=amount)
        seller = self.sellers[at]
        cover = decide_cover(
            amount_minor=parts.seller_net_minor,
            pending_minor=-self.books[seller.pending, None],
            available_minor=-self.books[seller.available, None],
        )
        marketplace = (parts.commission_minor, parts.tax_minor)
        self.post(
            refund_entry(
                posting=self.posting,
                accounts=ReturnAccounts(RETURNED, TAX),
                refunds_in_transit=REFUNDS,
                refund_id=refund,
                orders=[ReturnedOrder(SellerPart(seller, cover), *marketplace)],
            )
        )
        if fails:
            restored = decide_restored(
                amount_minor=parts.seller_net_minor, receivable_minor=self.books[seller.receivable, None]
            )
            self.post(
                refund_failure_entry(
                    posting=self.posting,
                    accounts=ReturnAccounts(RETURNED, TAX),
                    refunds_in_transit=REFUNDS,
                    refund_id=refund,
                    orders=[FailedOrder(seller, restored, *marketplace)],
                )
            )
            return
        before = self.returned[at]
        self.returned[at] = Share(
            before.seller_net_minor + parts.seller_net_minor,
            before.commission_minor + parts.commission_minor,
            before.tax_minor + parts.tax_minor,
        )
        self.post(
            refund_netting_entry(
                posting=self.posting,
                refunds_in_transit=REFUNDS,
                psp_fee=FEE,
                psp_clearing=CLEARING,
                refund_id=refund,
                charge_id=CHARGE,
                amount_minor=amount,
            )
        )
        self.report.append(SettledLine(CHARGE, -amount))

    def settle(self) -> int:
        net = sum(line.gross_minor for line in self.report)
        self.post(
            *settlement_entries(
                posting=self.posting,
                accounts=SettlementAccounts(CLEARING, TRANSIT, FeeAccounts(FEE, ACCRUED)),
                file=SettlementFile("file", 1, "batch", net),
                lines=self.report,
            )
        )
        return net


@given(currencies, orders, steps)
def test_a_payment_refunded_in_any_way(
    currency: str, basket: list[tuple[int, Terms]], refunds: list[tuple[int, int, bool]]
) -> None:
    """P2, F-G3, F-G7: per order the three parts always sum to what is left of it, and close to zero."""
    life = Life(currency, basket)
    life.capture()
    for at, amount, fails in refunds:
        life.refund(at, amount, fails=fails)
        gone = sum(one.amount_minor for one in life.returned)
        assert sum(minor for (account, _), minor in life.books.items() if account == CLEARING) == (
            sum(share.amount_minor for share in life.shares) - gone
        )
    for at, share in enumerate(life.shares):
        life.refund(at, share.amount_minor, fails=False)
    assert life.returned == life.shares
    assert life.settle() == 0
    assert life.books.pop((COMMISSION, None), 0) == -life.books.pop((RETURNED, None), 0)
    assert {place: minor for place, minor in life.books.items() if minor} == {}


@given(currencies, orders, steps)
def test_a_payment_refunded_in_part(
    currency: str, basket: list[tuple[int, Terms]], refunds: list[tuple[int, int, bool]]
) -> None:
    """I38: the clearing accounts are zero, and the batch pays what the buyer did not get back."""
    life = Life(currency, basket)
    life.capture()
    for at, amount, fails in refunds:
        life.refund(at, amount, fails=fails)
    net = life.settle()
    open_keys = {place: minor for place, minor in life.books.items() if place[1] and minor}
    assert open_keys == ({(TRANSIT, "batch"): net} if net else {})
    assert net == sum(
        share.amount_minor - gone.amount_minor for share, gone in zip(life.shares, life.returned, strict=True)
    )
