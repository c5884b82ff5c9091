"""Where the figures of the first page lead: what each is made of."""

from collections.abc import Collection
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

__all__ = ["money_url"]


def money_url(
    *,
    mode: str,
    roles: Collection[str],
    currency: str,
    side: str,
    place: int,
    day: str = "",
) -> str:
    """Return the page that breaks a figure of the books down to accounts, as they were known at a place.

    `side` is debit or credit of the day, or balance, which needs no day.
    """
    asked: list[tuple[str, str | int]] = [("mode", mode), *(("role", role) for role in roles)]
    asked += [("currency", currency), ("side", side), ("known", place)]
    if day:
        asked += [("from", date.fromisoformat(day).isoformat()), ("until", day)]
    return f"{reverse('admin:ledger_account_explain')}?{urlencode(asked)}"
