"""How others read the books."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Max

from core import clock
from ledger.models import Fence, JournalEntry, Seal
from ledger.types import AccountBalance, AccountLine, ChainRoot, SealingLag

__all__ = ["account_lines", "balance_minor", "chain_root", "sealing_lag", "trial_balance"]

# The checkpoint, plus every line after it: exact at any moment, and cheap however long the account is.
_BALANCE = """
    coalesce(mark.balance_minor, 0) + coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line
        WHERE line.account_id = account.id AND line.entry_id > coalesce(mark.entry_id, 0)), 0)
"""


def balance_minor(*, account_id: int) -> int:
    """Return debits minus credits of one account, in minor units."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_BALANCE} FROM ledger_account AS account"  # noqa: S608
            " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
            " WHERE account.id = %s",
            [account_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def trial_balance(*, merchant_id: UUID) -> list[AccountBalance]:
    """Return the balance of every account of a merchant; per currency they add up to zero."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id, account.role, account.owner, account.provider, account.currency,"  # noqa: S608
            f" {_BALANCE} FROM ledger_account AS account"
            " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
            " WHERE account.merchant_id = %s ORDER BY account.currency, account.role, account.id",
            [merchant_id],
        )
        return [
            AccountBalance(
                account_id=account_id,
                role=role,
                owner=owner,
                provider=provider,
                currency=currency,
                balance_minor=int(balance),
            )
            for account_id, role, owner, provider, currency, balance in cursor.fetchall()
        ]


def account_lines(*, account_id: int, after_line: int = 0, limit: int = 100) -> list[AccountLine]:
    """Return up to `limit` lines of one account, oldest first, that come after the line `after_line`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line.id, entry.id, entry.kind, entry.source, entry.source_ref, entry.effective_date,"
            " entry.recorded_at, line.amount_minor, line.currency, line.clearing_key"
            " FROM ledger_journalline AS line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id"
            # By entry for the index, by line for the place within the entry.
            " WHERE line.account_id = %s AND line.entry_id >= %s AND line.id > %s"
            " ORDER BY line.entry_id, line.id LIMIT %s",
            [account_id, after_line // 1024, after_line, limit],
        )
        return [AccountLine(*row) for row in cursor.fetchall()]


def chain_root(*, day: date | None = None) -> ChainRoot | None:
    """Return the newest block of the chain, or the last one sealed by the end of a day (UTC).

    Whoever keeps its hash somewhere else can show later that the books only grew since. None without a block.
    """
    blocks = Seal.objects.all()
    if day is not None:
        blocks = blocks.filter(sealed_at__lt=datetime.combine(day + timedelta(days=1), time.min, UTC))
    row = blocks.order_by("-number").first()
    if row is None:
        return None
    return ChainRoot(
        block=row.number, last_entry=row.last_entry, hash=bytes(row.hash).hex(), sealed_at=row.sealed_at
    )


def sealing_lag() -> SealingLag:
    """Return how far the seals are behind the books: what an alert looks at."""
    sealed = Seal.objects.aggregate(last=Max("last_entry"))["last"] or 0
    safe = Fence.objects.get().safe_entry
    oldest = JournalEntry.objects.filter(id__gt=sealed).order_by("id").only("id", "recorded_at").first()
    if oldest is None:
        return SealingLag(sealed_entry=sealed, safe_entry=safe, seconds=0.0, waits_for="nothing")
    return SealingLag(
        sealed_entry=sealed,
        safe_entry=safe,
        seconds=max(0.0, (clock.now() - oldest.recorded_at).total_seconds()),
        waits_for="sealer" if oldest.id <= safe else "fence",
    )
