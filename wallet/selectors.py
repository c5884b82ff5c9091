"""How others read wallets."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from core.api.pagination import Page
from core.errors import NotFound
from ledger.selectors import entry_heads, minor_at_role
from ledger.templates.accounts import SellerAccounts
from wallet.entry_moves import moves_of_entries
from wallet.errors import StatementTooLong
from wallet.hold_facts import hold_data, wallet_data
from wallet.models import Hold, Wallet, WalletAccount, WalletOperation
from wallet.purposes import seller_accounts
from wallet.references import reference_of
from wallet.seller_quarters import quarters_of_sellers
from wallet.spans import available_between
from wallet.statement_kinds import FEE_ROLE, category_of, totals_of
from wallet.states import OPEN
from wallet.types import HoldData, OperationData, Statement, WalletData

__all__ = [
    "BUCKETS",
    "WRITE_OFF",
    "accounts_of",
    "available_between",
    "buyer_currencies",
    "debts",
    "find_wallet",
    "get_wallet",
    "moves_of_entries",
    "open_tranches",
    "operations_of",
    "quarters_of_sellers",
    "seller_accounts_of",
    "spendable_of_sellers",
    "statement",
    "wallets_by_id",
    "wallets_of",
]

BUCKETS = ("pending", "available", "held", "receivable")
# The action under which a person asks for a second one's yes to giving up a debt.
WRITE_OFF = "wallet.write_off_debt"
MAX_LINES = 10_000
_MOVED = ("bucket", "role", "delta_minor", "balance_after_minor", "recorded_at")


def wallets_of(*, merchant_id: UUID, owner_type: str, owner_id: UUID) -> list[WalletData]:
    """Return the owner's wallets, by currency and kind."""
    rows = Wallet.objects.filter(merchant_id=merchant_id, owner_type=owner_type, owner_id=owner_id)
    return [wallet_data(row) for row in rows.order_by("currency", "kind")]


def spendable_of_sellers(*, merchant_id: UUID, seller_ids: Collection[UUID]) -> dict[UUID, list[WalletData]]:
    """Return these sellers' wallets of cash that have something available, by seller; by currency each."""
    rows = Wallet.objects.filter(
        merchant_id=merchant_id, owner_type="seller", owner_id__in=seller_ids, kind="cash"
    )
    found: dict[UUID, list[WalletData]] = {}
    for row in rows.filter(available_minor__gt=0).order_by("owner_id", "currency"):
        found.setdefault(row.owner_id, []).append(wallet_data(row))
    return found


def get_wallet(*, merchant_id: UUID, wallet_id: UUID) -> WalletData:
    """Return one wallet of the merchant. Raises NotFound, for another merchant's wallet too."""
    row = Wallet.objects.filter(merchant_id=merchant_id, id=wallet_id).first()
    if row is None:
        raise NotFound()
    return wallet_data(row)


def wallets_by_id(*, merchant_id: UUID, wallet_ids: Collection[UUID]) -> dict[UUID, WalletData]:
    """Return these wallets of the merchant in one query; unknown ones are absent."""
    rows = Wallet.objects.filter(merchant_id=merchant_id, id__in=wallet_ids)
    return {row.id: wallet_data(row) for row in rows}


def find_wallet(*, wallet_id: UUID) -> WalletData | None:
    """Return a wallet by its key alone, for people who see every merchant's; None if there is none."""
    row = Wallet.objects.filter(id=wallet_id).first()
    return wallet_data(row) if row else None


def debts(*, limit: int) -> list[WalletData]:
    """Return wallets whose sellers owe, across merchants, the greatest debts first: at most `limit`."""
    rows = Wallet.objects.filter(receivable_minor__gt=0).order_by("-receivable_minor", "id")
    return [wallet_data(row) for row in rows[:limit]]


def open_tranches(*, wallet_id: UUID, limit: int) -> list[HoldData]:
    """Return what is kept in a wallet's rolling reserve, first what comes back first: at most `limit`."""
    rows = Hold.objects.filter(wallet_id=wallet_id, role="seller_reserve", state=OPEN)
    return [hold_data(row) for row in rows.order_by("expires_at", "id")[:limit]]


def buyer_currencies(*, merchant_id: UUID) -> list[str]:
    """Return the currencies in which any buyer of the merchant has a wallet, in order; points are none."""
    with connection.cursor() as cursor:
        cursor.execute(_CURRENCIES, {"merchant": merchant_id})
        return [currency for (currency,) in cursor.fetchall() if currency != "PTS"]


# From one currency to the next along the index, however many wallets there are of each.
_CURRENCIES = """
    WITH RECURSIVE each AS (
        SELECT min(currency) AS currency FROM wallet_wallet
        WHERE merchant_id = %(merchant)s AND owner_type = 'buyer'
        UNION ALL
        SELECT (SELECT min(currency) FROM wallet_wallet
            WHERE merchant_id = %(merchant)s AND owner_type = 'buyer' AND currency > each.currency)
        FROM each WHERE each.currency IS NOT NULL
    ) SELECT currency FROM each WHERE currency IS NOT NULL
"""


def accounts_of(*, merchant_id: UUID, wallet_id: UUID) -> dict[str, int]:
    """Return the accounts behind a wallet by role. Raises NotFound, for another merchant's wallet too."""
    found = dict(
        WalletAccount.objects.filter(merchant_id=merchant_id, wallet_id=wallet_id).values_list(
            "role", "account_id"
        )
    )
    if not found:
        raise NotFound()
    return found


def seller_accounts_of(*, merchant_id: UUID, wallet_id: UUID) -> SellerAccounts:
    """Return the accounts of a seller's wallet by what they are for. Raises as `accounts_of`."""
    return seller_accounts(accounts=accounts_of(merchant_id=merchant_id, wallet_id=wallet_id))


def operations_of(
    *, merchant_id: UUID, wallet_id: UUID, limit: int, after: UUID | None = None
) -> Page[OperationData]:
    """Return one page of a wallet's movements, newest first, from behind `after`. Raises NotFound."""
    get_wallet(merchant_id=merchant_id, wallet_id=wallet_id)
    rows = WalletOperation.objects.filter(wallet_id=wallet_id).order_by("-id")
    if after is not None:
        rows = rows.filter(id__lt=after.int)
    found = [_operation(row) for row in rows[: limit + 1]]
    page = _named(merchant_id, found[:limit])
    # Cursors carry a key of 128 bits; the number of a movement is one of them.
    return Page(items=page, last=UUID(int=page[-1].id) if len(found) > limit else None)


def statement(*, merchant_id: UUID, wallet_id: UUID, since: datetime, until: datetime) -> Statement:
    """Return what moved from `since` until before `until`, in order, with the balances before and after.

    The time of a movement is taken before it waits for the wallet, so two that meet may stand in the order
    of the wallet and not of their times. The balance beside each line is therefore that of the statement:
    opening and the lines so far. Raises NotFound, StatementTooLong above ten thousand movements.
    """
    wallet = get_wallet(merchant_id=merchant_id, wallet_id=wallet_id)
    rows = WalletOperation.objects.filter(wallet_id=wallet_id)
    within = rows.filter(recorded_at__gte=since, recorded_at__lt=until).order_by("id")
    moved = [_operation(row) for row in within[: MAX_LINES + 1]]
    if len(moved) > MAX_LINES:
        raise StatementTooLong(param="created_lt")
    # Sums, not the balance of the last movement: movements at midnight are not numbered in order of time.
    opening = dict.fromkeys(BUCKETS, 0)
    sums = rows.filter(recorded_at__lt=since).values_list("bucket").annotate(total=Sum("delta_minor"))
    opening |= {bucket: int(total) for bucket, total in sums}
    closing, lines = dict(opening), []
    for line in moved:
        closing[line.bucket] += line.delta_minor
        lines.append(replace(line, balance_after_minor=closing[line.bucket]))
    named = _named(merchant_id, lines)
    fees = minor_at_role(merchant_id=merchant_id, role=FEE_ROLE, entry_ids=_payouts(named))
    totals = totals_of(named, owner_type=wallet.owner_type, fees=fees)
    return Statement(wallet, since, until, opening, tuple(named), closing, totals)


def _named(merchant_id: UUID, lines: Sequence[OperationData]) -> list[OperationData]:
    """The movements with what each was about, for which the books are asked once."""
    heads = entry_heads(merchant_id=merchant_id, entry_ids={line.entry_id for line in lines})
    return [
        replace(
            line,
            what=heads[line.entry_id].kind,
            reference=reference_of(
                source=heads[line.entry_id].source, source_ref=heads[line.entry_id].source_ref
            ),
        )
        for line in lines
    ]


def _payouts(lines: Sequence[OperationData]) -> set[int]:
    return {line.entry_id for line in lines if category_of(line.what) in ("payouts", "returns")}


def _operation(row: WalletOperation) -> OperationData:
    moved: dict[str, Any] = {name: getattr(row, name) for name in _MOVED}
    return OperationData(id=row.id, entry_id=row.line_id // 1024, **moved)
