"""A merchant, its accounts by name, and its sellers and buyers with wallets."""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection, transaction

from core import clock
from ledger.services import open_account
from wallet.services import account_of, open_wallet

__all__ = ["BUCKETS", "CURRENCIES", "PLAIN_ROLES", "ROLES", "Account", "Cast", "plain", "rows"]

# No decimals, two, three, and the private unit of points.
CURRENCIES = ("JPY", "EUR", "KWD", "PTS")
PLAIN_ROLES = ("psp_clearing", "commission", "tax_payable")
# Which bucket of the wallet an account is behind, by the kind of its owner.
ROLES = {
    "seller": {
        "seller_pending": "pending",
        "seller_available": "available",
        "seller_payout_hold": "held",
        "seller_dispute_hold": "held",
        "seller_reserve": "held",
        "seller_receivable": "receivable",
    },
    "buyer": {"wallet_pending": "pending", "wallet_available": "available", "wallet_held": "held"},
}
BUCKETS = {role: bucket for roles in ROLES.values() for role, bucket in roles.items()}


class Account(NamedTuple):
    """One account by what it is; `owner` is empty for the marketplace's own."""

    owner: str
    role: str
    currency: str

    @property
    def guarded(self) -> bool:
        """Is it behind a wallet."""
        return self.role in BUCKETS

    @property
    def sign(self) -> int:
        """What a debit of one does to the wallet's bucket: only a debt grows with it."""
        return 1 if self.role == "seller_receivable" else -1


def plain(role: str, currency: str) -> Account:
    """An account of the marketplace's own."""
    return Account("", role, currency)


@dataclass
class Cast:
    """Who and what is there; small enough to be sent to another process."""

    merchant_id: UUID = field(default_factory=uuid4)
    owners: dict[str, UUID] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    ids: dict[Account, int] = field(default_factory=dict)
    wallets: dict[tuple[str, str], UUID] = field(default_factory=dict)
    # The ids of entries that somebody may want to take back.
    entries: dict[str, int] = field(default_factory=dict)
    # When the history began: holds that are over at once ran out just before.
    began: float = field(default_factory=lambda: clock.now().timestamp())

    def owner_id(self, owner: str) -> UUID:
        """The id of a seller or buyer, always the same."""
        return self.owners.setdefault(owner, uuid4())

    def open_plain(self, role: str, currency: str) -> int:
        """Open an account of the marketplace, or find it."""
        with transaction.atomic():
            found = open_account(
                merchant_id=self.merchant_id,
                role=role,
                currency=currency,
                provider="stripe" if role == "psp_clearing" else None,
            )
        self.ids.setdefault(plain(role, currency), found)
        return found

    def open_wallet(self, owner: str, kind: str, currency: str) -> UUID:
        """Open the wallet of a seller or buyer, or find it."""
        self.kinds[owner] = kind
        who = {
            "merchant_id": self.merchant_id,
            "owner_type": kind,
            "owner_id": self.owner_id(owner),
            "currency": currency,
        }
        with transaction.atomic():
            wallet_id = open_wallet(**who)
            for role in ROLES[kind]:
                self.ids[Account(owner, role, currency)] = account_of(role=role, **who)
        self.wallets.setdefault((owner, currency), wallet_id)
        return wallet_id

    def name_of(self, account_id: int) -> Account:
        """The account that has this id."""
        return next(name for name, found in self.ids.items() if found == account_id)


def rows(sql: str, params: list[object]) -> list[tuple[object, ...]]:
    """The rows of one query as the application role."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
