"""Where the console shows the object that a subject of the audit trail names."""

from collections.abc import Mapping
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from core.ids import parse_public_id

__all__ = ["place_of"]

# The pages of objects, by the prefix of an id: desks take the id as it is shown, other pages the key in it.
_DESKS: Mapping[str, str] = {
    "dp": "console:dispute",
    "chg": "console:unknown-item",
    "re": "console:refund",
    "po": "console:payout",
    "pob": "console:payout-batch",
    "dst": "console:destination",
    "dsc": "console:break",
}
_PAGES: Mapping[str, str] = {
    "chk": "admin:payments_paymentevent_change",
    "pay": "admin:payments_paymentorder_change",
    "top": "admin:payments_topup_change",
    "sel": "admin:merchants_seller_change",
    "key": "admin:merchants_apikey_change",
    "wal": "admin:wallet_wallet_change",
    "grant": "admin:wallet_grant_change",
    "whe": "admin:events_webhookendpoint_change",
    "stl": "admin:reconciliation_settlementfile_change",
}


def place_of(subject: str) -> str:
    """Return the address of the page about an object, empty where there is none."""
    if subject.startswith("user:"):
        return _reversed("admin:core_user_change", subject.removeprefix("user:"))
    prefix = subject.rpartition("_")[0]
    if prefix in _DESKS and parse_public_id(subject, prefix):
        return _reversed(_DESKS[prefix], subject)
    key = parse_public_id(subject, prefix) if prefix in _PAGES else None
    return _reversed(_PAGES[prefix], key) if key else ""


def _reversed(page: str, argument: str | UUID) -> str:
    try:
        return reverse(page, args=[argument])
    except NoReverseMatch:
        return ""
