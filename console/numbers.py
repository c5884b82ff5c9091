"""Where a number of the books is taken apart, step by step down to what proves it."""

from collections.abc import Collection
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

__all__ = ["number_url"]


def number_url(
    *,
    roles: Collection[str],
    currency: str,
    side: str,
    merchant_id: UUID | None = None,
    mode: str = "",
    provider: str | None = None,
    day: str = "",
    place: int | None = None,
) -> str:
    """Return the page of the accounts that a number is the sum of: of a merchant, or of all of one mode.

    `side` is debit or credit of the day (ISO), or balance: at the end of the day, or now. `provider` is ""
    for accounts without one, None for all. At a `place` of the fence the page says the same for ever.
    """
    asked: list[tuple[str, object]] = [("role", role) for role in roles]
    asked += [("currency", currency), ("side", side)]
    asked += [("merchant", merchant_id)] if merchant_id else []
    asked += [("mode", mode)] if mode else []
    asked += [("provider", provider)] if provider is not None else []
    asked += [("from", day), ("until", day)] if day else []
    asked += [("known", place)] if place is not None else []
    return f"{reverse('admin:ledger_account_explain')}?{urlencode(asked)}"
