"""What the lists of sellers and of keys give as files: what the console shows, and of keys no proof."""

from operator import attrgetter
from typing import Any

from core.export_columns import Column, column, columns, id_column
from core.money import format_minor

__all__ = ["API_KEYS", "SELLERS", "SIGNING_KEYS"]


def _of_terms(name: str) -> Column:
    """A column of the terms that hold now; empty before the first ones do."""
    read = attrgetter(name)
    return column(name, lambda row: read(row.terms_now) if row.terms_now else None)


def _fixed(row: Any) -> str | None:
    terms = row.terms_now
    if terms is None or not terms.commission_fixed_currency:
        return None
    return format_minor(terms.commission_fixed_minor, terms.commission_fixed_currency)


SELLERS = (
    id_column("seller", "sel"),
    column("seller_account"),
    column("merchant", lambda row: str(row.merchant)),
    *columns("name", "country", "kyc_status"),
    _of_terms("commission_bps"),
    column("commission_fixed", _fixed),
    *map(_of_terms, ("commission_fixed_currency", "tax_bps", "settlement_delay_days", "reserve_bps")),
    *map(_of_terms, ("reserve_days", "effective_at")),
    column("created_at"),
)

API_KEYS = (
    id_column("key", "key"),
    *columns("name", "prefix"),
    column("merchant", lambda row: str(row.merchant)),
    *columns(
        "mode", "scopes", "must_sign", "created_at", "not_before", "expires_at", "revoked_at", "last_used_at"
    ),
)
SIGNING_KEYS = (
    column("serial"),
    column("api_key", lambda row: str(row.api_key)),
    *columns("algorithm", "created_at", "not_before", "expires_at", "revoked_at", "last_used_at"),
)
