"""What a page of the console shows of one wallet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.selectors import balance_minor
from wallet.models import WalletAccount, WalletOperation

__all__ = ["BUCKETS", "AccountBehind", "OperationPage", "OperationRow", "accounts_behind", "operations"]

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


def accounts_behind(*, wallet_id: UUID) -> list[AccountBehind]:
    """Return the accounts of one wallet with their balances in the books, by bucket and role."""
    rows = WalletAccount.objects.filter(wallet_id=wallet_id)
    found = [
        AccountBehind(
            account_id=row.account_id,
            role=row.role,
            bucket=row.bucket,
            balance_minor=balance_minor(account_id=row.account_id) * (1 if row.role in _ASSETS else -1),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (BUCKETS.index(each.bucket), each.role))


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
