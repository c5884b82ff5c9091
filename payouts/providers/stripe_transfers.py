"""Reading Stripe's Transfers: checked field by field, because money follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe
from payouts.providers.contract import News, NewsKind, PayoutFailure

__all__ = [
    "REFERENCE_KEY",
    "BankPayout",
    "Transfer",
    "Unreadable",
    "find_transfers",
    "news_of",
    "read_bank_payout",
    "read_transfer",
]

# Where our reference stands in a Transfer's metadata.
REFERENCE_KEY = "payout_reference"

_TAKEN_BACK = PayoutFailure("payout_returned", "The transfer to the account was taken back.")


class Unreadable(ValueError):
    """The object is not what its kind must look like."""


@dataclass(frozen=True)
class Transfer:
    """A Transfer in our words; amounts are minor units (ISO 4217).

    `our_reference` is empty where it is none of ours.
    """

    reference: str
    our_reference: str
    account: str
    amount_minor: int
    reversed_minor: int
    currency: str
    created_at: datetime
    reversed_at: datetime | None


@dataclass(frozen=True)
class BankPayout:
    """What a connected account pays to its own bank, as far as it concerns us."""

    reference: str
    amount_minor: int
    currency: str
    failure_code: str


def read_transfer(data: Any) -> Transfer:
    """Return a Transfer. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "transfer":
        raise Unreadable("not a Transfer")
    currency, amount = _money(data, "amount")
    _, taken_back = _money(data, "amount_reversed")
    if taken_back > amount:
        raise Unreadable("more was reversed than was transferred")
    account = data.get("destination")
    return Transfer(
        reference=_text(data, "id"),
        our_reference=_our_reference(data),
        account=_text(account, "id") if isinstance(account, Mapping) else _text(data, "destination"),
        amount_minor=amount,
        reversed_minor=taken_back,
        currency=currency,
        created_at=_moment(data),
        reversed_at=_reversed_at(data) if taken_back else None,
    )


def find_transfers(data: Any, our_reference: str) -> list[Transfer]:
    """Return those of a list that bear our reference. Raises Unreadable: nothing follows from half a list."""
    rows = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(rows, list) or data.get("has_more") is not False:
        raise Unreadable("not a whole list")
    mine = [row for row in rows if isinstance(row, Mapping) and _our_reference(row) == our_reference]
    return [read_transfer(row) for row in mine]


def news_of(transfer: Transfer) -> tuple[News, ...]:
    """Say what a Transfer means for its payout, in the order in which it happened.

    It takes the money out of our balance and into the seller's at once, so that it is PAID. Once it is taken
    back it is RETURNED, with the amount that is back: where that is a part, somebody must look.
    """
    paid = News(
        reference=transfer.our_reference,
        kind=NewsKind.PAID,
        provider_reference=transfer.reference,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        occurred_at=transfer.created_at,
    )
    if not transfer.reversed_minor:
        return (paid,)
    returned = News(
        reference=transfer.our_reference,
        kind=NewsKind.RETURNED,
        provider_reference=transfer.reference,
        amount_minor=transfer.reversed_minor,
        currency=transfer.currency,
        failure=_TAKEN_BACK,
        occurred_at=transfer.reversed_at,
    )
    return (paid, returned)


def read_bank_payout(data: Any) -> BankPayout:
    """Return a Payout of a connected account to its bank. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "payout":
        raise Unreadable("not a Payout")
    currency, amount = _money(data, "amount")
    code = data.get("failure_code")
    return BankPayout(
        reference=_text(data, "id"),
        amount_minor=amount,
        currency=currency,
        failure_code=code[:64] if isinstance(code, str) else "",
    )


def _our_reference(data: Mapping[str, Any]) -> str:
    metadata = data.get("metadata")
    ours = metadata.get(REFERENCE_KEY) if isinstance(metadata, Mapping) else None
    return ours if isinstance(ours, str) else ""


def _money(data: Mapping[str, Any], name: str) -> tuple[str, int]:
    currency, wire = _text(data, "currency").upper(), data.get(name)
    if type(wire) is not int or not 0 <= wire < 10**15:
        raise Unreadable(f"{name} is not an amount")
    try:
        return currency, from_stripe(wire, currency)
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isprintable():
        raise Unreadable(f"{name} is not a text")
    return value


def _moment(data: Mapping[str, Any]) -> datetime:
    created = data.get("created")
    if type(created) is not int or not 0 <= created < 2**33:
        raise Unreadable("created is not a time")
    return datetime.fromtimestamp(created, UTC)


def _reversed_at(data: Mapping[str, Any]) -> datetime | None:
    """The time of the newest reversal, which stands first."""
    reversals = data.get("reversals")
    rows = reversals.get("data") if isinstance(reversals, Mapping) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    return _moment(first) if isinstance(first, Mapping) else None
