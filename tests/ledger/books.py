"""A merchant with accounts and wallets, and the contents of every table that a posting may touch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from ledger.services import open_account, post_entries
from ledger.types import EntryDraft, EntryRef, LineDraft
from ledger.wire import columns
from wallet.selectors import wallets_of
from wallet.services import account_of, post, try_hold
from wallet.types import HoldData, WalletMove

__all__ = ["BY_HAND", "TABLES", "Books", "contents", "door_call", "nothing_changes", "rows", "run"]

# What only the services keep: postings by hand move held money without a hold, need nobody's approval, credit
# returns of payouts that there are not, and are of adjustments that nobody proposed.
BY_HAND = {
    "adjustment_is_its_entry",
    "held_is_its_open_holds",
    "held_is_covered",
    "debt_is_netted",
    "write_off_had_two_people",
    "payout_return_credited",
}

DAY = date(2026, 3, 1)
TABLES = (
    "ledger_account",
    "ledger_journalentry",
    "ledger_journalline",
    "ledger_accountcheckpoint",
    "ledger_closedperiod",
    "ledger_closedtotal",
    "ledger_daytotal",
    "ledger_fence",
    "ledger_fencemark",
    "ledger_openkey",
    "ledger_seal",
    "wallet_hold",
    "wallet_wallet",
    "wallet_walletaccount",
    "wallet_walletoperation",
)


def run(sql: str, params: Sequence[Any] = ()) -> None:
    """One statement as the application role, in a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def rows(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of one query as the application role."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall()


def contents() -> dict[str, list[str]]:
    """Every row of every table of books and wallets."""
    return {
        table: [text for (text,) in rows(f"SELECT t::text FROM {table} AS t ORDER BY 1")] for table in TABLES
    }


@contextmanager
def nothing_changes() -> Iterator[None]:
    """A refused posting leaves every table as it was (L10)."""
    before = contents()
    yield
    assert contents() == before


def door_call(door: str, arrays: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Call a function of the database with arrays that no Python has checked."""
    kinds = ["uuid", "text", "text", "text", "text", "date", "timestamptz", "int", "bigint", "bytea"]
    kinds += ["uuid", "int", "date", "text"]
    kinds += ["int", "int", "bigint", "text", "bigint", "text", "int", "int", "bigint", "bigint"]
    marks = ", ".join(f"%s::{kind}[]" for kind in kinds[: len(arrays)])
    with transaction.atomic():
        return rows(f"SELECT * FROM {door}({marks})", list(arrays))


@dataclass
class Books:
    """One merchant; `clearing`, `commission` and `tax` are plain accounts, sellers have wallets."""

    currency: str = "USD"
    merchant_id: UUID = field(default_factory=uuid4)
    seller: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        with transaction.atomic():
            shared = {"merchant_id": self.merchant_id, "currency": self.currency}
            self.clearing = open_account(role="psp_clearing", provider="stripe", **shared)
            self.commission = open_account(role="commission", **shared)
            self.tax = open_account(role="tax_payable", **shared)

    def account(self, role: str, *, seller: UUID | None = None) -> int:
        """The account behind a role of a seller's wallet, opened if need be."""
        with transaction.atomic():
            return account_of(
                merchant_id=self.merchant_id,
                owner_type="seller",
                owner_id=seller or self.seller,
                currency=self.currency,
                role=role,
            )

    def line(
        self, account: int, minor: int, *, currency: str | None = None, key: str | None = None
    ) -> LineDraft:
        """One line; a line on the clearing account has a key unless told otherwise."""
        if account == self.clearing and key is None:
            key = "k"
        return LineDraft(account, minor, currency or self.currency, clearing_key=key or None)

    def draft(self, *lines: LineDraft, ref: str = "", **other: Any) -> EntryDraft:
        """One entry; a fresh key unless `ref` is given."""
        content = {"kind": "test", "source": "test", "leg": "main", "effective_date": DAY} | other
        return EntryDraft(
            merchant_id=self.merchant_id, source_ref=ref or uuid4().hex, lines=tuple(lines), **content
        )

    def sale(self, minor: int = 100, *, ref: str = "", **other: Any) -> EntryDraft:
        """An entry on plain accounts: the provider owes, the marketplace has earned."""
        return self.draft(
            self.line(self.clearing, minor), self.line(self.commission, -minor), ref=ref, **other
        )

    def post(self, *drafts: EntryDraft) -> list[EntryRef]:
        """Post and commit entries that touch no wallet."""
        with transaction.atomic():
            return post_entries(drafts=drafts)

    def move(
        self, debit: str, credit: str, minor: int, *, ref: str = "", seller: UUID | None = None
    ) -> tuple[EntryDraft, list[WalletMove]]:
        """An entry between two of a seller's accounts; "clearing" is the provider's."""
        accounts = [
            self.clearing if role == "clearing" else self.account(role, seller=seller)
            for role in (debit, credit)
        ]
        amounts = (minor, -minor)
        draft = self.draft(
            *(self.line(account, amount) for account, amount in zip(accounts, amounts, strict=True)), ref=ref
        )
        moves = [
            WalletMove(1, number, account, amount if role == "seller_receivable" else -amount)
            for number, (role, account, amount) in enumerate(
                zip((debit, credit), accounts, amounts, strict=True), 1
            )
            if role != "clearing"
        ]
        return draft, moves

    def transfer(self, *args: Any, **other: Any) -> EntryRef:
        """Post and commit one `move`."""
        draft, moves = self.move(*args, **other)
        with transaction.atomic():
            return post(drafts=[draft], moves=moves)[0]

    def fund(self, minor: int, *, role: str = "seller_available", **other: Any) -> EntryRef:
        """Give the seller money."""
        return self.transfer("clearing", role, minor, **other)

    def hold(self, minor: int, *, purpose: str = "payout", subject: str = "held") -> HoldData:
        """Set some of the seller's money aside."""
        self.account("seller_available")
        with transaction.atomic():
            wallets = wallets_of(merchant_id=self.merchant_id, owner_type="seller", owner_id=self.seller)
            return try_hold(
                merchant_id=self.merchant_id,
                wallet_id=wallets[0].id,
                purpose=purpose,
                subject=subject,
                amount_minor=minor,
            )

    def wallet(self, *, seller: UUID | None = None) -> dict[str, int]:
        """What the seller's wallet shows."""
        (row,) = rows(
            "SELECT pending_minor, available_minor, held_minor, receivable_minor FROM wallet_wallet"
            " WHERE merchant_id = %s AND owner_id = %s AND currency = %s",
            [self.merchant_id, seller or self.seller, self.currency],
        )
        return dict(zip(("pending", "available", "held", "receivable"), row, strict=True))

    def arrays(self, *drafts: EntryDraft) -> list[list[Any]]:
        """The arrays of a batch, to be spoiled."""
        return columns(drafts)
