"""Whether the books have what the bank says: the balance of an account against its last statement."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from ledger.selectors import account_of, balance_minor
from reconciliation.banking.types import BankPosition
from reconciliation.errors import SourceUnknown
from reconciliation.ingest.chain import place_of
from reconciliation.models import BankStatement, SettlementSource

__all__ = ["bank_position", "positions"]


def bank_position(*, source_id: UUID, day: date | None = None) -> list[BankPosition]:
    """Return what a bank source's accounts hold at the end of a day, or now, by currency.

    It is that of the last statements that count up to the day. Where days of the books were closed before a
    statement came, its lines stand on a later day, and are missing from the figure of their own. Raises
    SourceUnknown.
    """
    source = SettlementSource.objects.filter(pk=source_id, kind="bank").first()
    if source is None:
        raise SourceUnknown()
    return [found for _, found in sorted(positions(source, day=day).items())]


def positions(source: SettlementSource, *, day: date | None = None) -> dict[str, BankPosition]:
    """Return the position of each currency of a source."""
    by_currency: dict[str, list[BankStatement]] = defaultdict(list)
    rows = BankStatement.objects.filter(source_id=source.id, kind="statement", status="LIVE")
    for statement in rows if day is None else rows.filter(period_to__lte=day):
        by_currency[statement.currency].append(statement)
    return {currency: _position(source, currency, found, day) for currency, found in by_currency.items()}


def _position(
    source: SettlementSource, currency: str, statements: list[BankStatement], day: date | None
) -> BankPosition:
    last: dict[str, BankStatement] = {}
    for each in sorted(statements, key=place_of):
        last[each.account] = each
    account_id = account_of(
        merchant_id=source.merchant_id, role="bank", currency=currency, provider=source.name
    )
    newest = max(each.period_to for each in last.values())
    return BankPosition(
        source_id=source.id,
        account=", ".join(sorted(last)),
        currency=currency,
        day=day or newest,
        statement_day=newest,
        closing_minor=sum(each.closing_minor or 0 for each in last.values()),
        books_minor=balance_minor(account_id=account_id, effective_until=day) if account_id else 0,
        is_posted=all(each.posted_at is not None for each in statements),
    )
