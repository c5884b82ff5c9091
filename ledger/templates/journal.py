"""What is known of one journal beside its template: its number in the books, its name and an example."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid5

from ledger.templates.accounts import (
    BuyerAccounts,
    FeeAccounts,
    ReturnAccounts,
    SaleAccounts,
    SellerAccounts,
)
from ledger.templates.entry import Posting
from ledger.types import EntryDraft

__all__ = [
    "ExampleBooks",
    "Journal",
    "bonus",
    "buyer",
    "fees",
    "named",
    "points",
    "returns",
    "sale",
    "seller",
]

_NAMES = UUID("6f5c2b1e-3a61-4d0c-9d55-5b8a7b1f0c11")


class ExampleBooks(Protocol):
    """Where an example is written: on paper for the documentation, in a real database for the tests."""

    def posting(self, currency: str = "USD") -> Posting:
        """Return whose books, and on which day."""

    def account(self, role: str, currency: str = "USD") -> int:
        """Return the account of a role; of a seller or buyer, always the same one's."""


@dataclass(frozen=True)
class Journal:
    """One journal: `id` is its number in the books, `kind` what its entries are called.

    `example` returns the entries with the amounts of the books; those of another kind (a linked group) are
    shown with their own journal.
    """

    id: str
    kind: str
    title: str
    template: Callable[..., Any]
    example: Callable[[ExampleBooks], EntryDraft | tuple[EntryDraft, ...]]

    def entries(self, books: ExampleBooks) -> tuple[EntryDraft, ...]:
        """Return every entry of the example, those of its linked group too."""
        made = self.example(books)
        return made if isinstance(made, tuple) else (made,)


def named(name: str) -> UUID:
    """Return the id that stands for "the charge", "the refund" and so on in the examples."""
    return uuid5(_NAMES, name)


def seller(books: ExampleBooks, currency: str = "USD") -> SellerAccounts:
    """Return the accounts of the seller of the examples."""
    return SellerAccounts(
        pending=books.account("seller_pending", currency),
        available=books.account("seller_available", currency),
        reserve=books.account("seller_reserve", currency),
        dispute_hold=books.account("seller_dispute_hold", currency),
        payout_hold=books.account("seller_payout_hold", currency),
        receivable=books.account("seller_receivable", currency),
    )


def buyer(books: ExampleBooks) -> BuyerAccounts:
    """Return the cash accounts of the buyer of the examples."""
    return BuyerAccounts(books.account("wallet_available"), books.account("wallet_held"))


def bonus(books: ExampleBooks) -> BuyerAccounts:
    """Return the bonus accounts of the buyer of the examples."""
    return BuyerAccounts(books.account("bonus_available"), books.account("bonus_held"))


def points(books: ExampleBooks) -> BuyerAccounts:
    """Return the points accounts of the buyer of the examples."""
    return BuyerAccounts(books.account("points_available", "PTS"), books.account("points_held", "PTS"))


def sale(books: ExampleBooks) -> SaleAccounts:
    """Return what the marketplace earns with."""
    return SaleAccounts(books.account("commission"), books.account("tax_payable"))


def returns(books: ExampleBooks) -> ReturnAccounts:
    """Return what the marketplace gives back with."""
    return ReturnAccounts(books.account("commission_refunded"), books.account("tax_payable"))


def fees(books: ExampleBooks) -> FeeAccounts:
    """Return the fee accounts of the PSP of the examples."""
    return FeeAccounts(books.account("psp_fee"), books.account("psp_fee_accrued"))
