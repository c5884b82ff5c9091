"""What a page of the console shows of one wallet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from wallet.models import Hold, WalletOperation

__all__ = [
    "BUCKETS",
    "AccountBehind",
    "Bucket",
    "HoldRow",
    "OperationPage",
    "OperationRow",
    "buckets",
    "open_holds",
    "operations",
]

BUCKETS = ("pending", "available", "held", "receivable")
# Line ids are the entry's id times this, plus the number of the line.
_LINES_PER_ENTRY = 1024
# A receivable is the marketplace's asset; everything else is owed to the owner of the wallet.
_ASSETS = ("seller_receivable",)


@dataclass(frozen=True)
class AccountBehind:
    """One account of the books behind a bucket; `balance_minor` in the bucket's sense, so that both agree."""

    account_id: int
    role: str
    bucket: str
    balance_minor: int


@dataclass(frozen=True)
class Bucket:
    """One bucket of a wallet, in minor units, and the accounts of the books that must add up to it."""

    name: str
    balance_minor: int
    accounts: Sequence[AccountBehind]

    @property
    def difference_minor(self) -> int:
        """What the wallet says more than the books do; anything but zero is a violation."""
        return self.balance_minor - sum(each.balance_minor for each in self.accounts)


@dataclass(frozen=True)
class HoldRow:
    """Money that is set aside, for what and until when."""

    created_at: datetime
    purpose: str
    subject: str
    amount_minor: int
    expires_at: datetime | None


@dataclass(frozen=True)
class OperationRow:
    """One movement of one bucket, and what the bucket held after it."""

    id: int
    recorded_at: datetime
    bucket: str
    role: str
    delta_minor: int
    balance_after_minor: int
    entry_id: int


@dataclass(frozen=True)
class OperationPage:
    """Operations, newest first, and the ids behind which the neighbouring pages begin."""

    operations: Sequence[OperationRow]
    older_than: int | None
    newer_than: int | None


# The wallet and its accounts in one statement: a posting between two would look like a difference.
_BUCKETS = """
    SELECT wallet.pending_minor, wallet.available_minor, wallet.held_minor, wallet.receivable_minor,
        behind.account_id, behind.role, behind.bucket,
        coalesce(mark.balance_minor, 0) + coalesce((
            SELECT sum(line.amount_minor) FROM ledger_journalline AS line
            WHERE line.account_id = behind.account_id AND line.entry_id > coalesce(mark.entry_id, 0)), 0)
    FROM wallet_wallet AS wallet
    LEFT JOIN wallet_walletaccount AS behind ON behind.wallet_id = wallet.id
    LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = behind.account_id
    WHERE wallet.id = %s ORDER BY behind.role
"""


def buckets(*, wallet_id: UUID) -> list[Bucket]:
    """Return the four buckets of a wallet, each with the accounts of the books behind it."""
    with connection.cursor() as cursor:
        cursor.execute(_BUCKETS, [wallet_id])
        rows = cursor.fetchall()
    accounts = [
        AccountBehind(
            account_id=account_id,
            role=role,
            bucket=bucket,
            balance_minor=int(balance) * (1 if role in _ASSETS else -1),
        )
        for *_, account_id, role, bucket, balance in rows
        if account_id is not None
    ]
    return [
        Bucket(
            name=name,
            balance_minor=rows[0][place],
            accounts=[each for each in accounts if each.bucket == name],
        )
        for place, name in enumerate(BUCKETS)
    ]


def open_holds(*, wallet_id: UUID, limit: int = 100) -> list[HoldRow]:
    """Return what is held in a wallet now, the oldest first."""
    rows = Hold.objects.filter(wallet_id=wallet_id, state="OPEN").order_by("id")[:limit]
    return [
        HoldRow(row.created_at, row.purpose, row.subject, row.amount_minor, row.expires_at) for row in rows
    ]


def operations(
    *, wallet_id: UUID, older_than: int | None = None, newer_than: int | None = None, size: int = 25
) -> OperationPage:
    """Return one page of a wallet's operations: the newest, or those next to one of them."""
    rows = WalletOperation.objects.filter(wallet_id=wallet_id)
    if newer_than is not None:
        found = list(rows.filter(id__gt=newer_than).order_by("id")[: size + 1])
        page = found[:size][::-1]
        has_newer, has_older = len(found) > size, bool(page)
    else:
        found = list((rows.filter(id__lt=older_than) if older_than else rows).order_by("-id")[: size + 1])
        page = found[:size]
        has_newer, has_older = bool(older_than and page), len(found) > size
    return OperationPage(
        operations=[
            OperationRow(
                id=row.id,
                recorded_at=row.recorded_at,
                bucket=row.bucket,
                role=row.role,
                delta_minor=row.delta_minor,
                balance_after_minor=row.balance_after_minor,
                entry_id=row.line_id // _LINES_PER_ENTRY,
            )
            for row in page
        ],
        older_than=page[-1].id if has_older else None,
        newer_than=page[0].id if has_newer else None,
    )
