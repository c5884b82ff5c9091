"""How destinations are read, and whether money may be sent to one now."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db.models import QuerySet

from core import clock
from core.api.pagination import Page
from core.errors import DomainError, NotFound
from core.fields import DecryptionFailed
from core.ids import parse_public_id
from payouts.destinations.facts import destination_data
from payouts.destinations.fingerprints import Marks, marks_of
from payouts.destinations.names import mixes_scripts
from payouts.destinations.types import DestinationData, NameEvidence, Twin
from payouts.errors import (
    DestinationAltered,
    DestinationCoolingDown,
    DestinationUnknown,
    DestinationUnsupported,
    DestinationUnverified,
)
from payouts.models import Destination

__all__ = [
    "account_details",
    "account_seal",
    "closed_because",
    "get_destination",
    "is_intact",
    "is_usable",
    "list_destinations",
    "name_evidence",
    "opened",
    "twins_of",
    "usable_destination",
]

_GONE = ("REMOVED", "REJECTED")


class _Gate(Protocol):
    """A row or a value: what it takes to say whether it is open."""

    @property
    def status(self) -> str: ...

    @property
    def usable_from(self) -> datetime: ...


def closed_because(destination: _Gate, *, at: datetime) -> DomainError | None:
    """Return why nothing may be sent to a destination at a moment; None when it may (F-F6, A-H3)."""
    if destination.status != "VERIFIED":
        return DestinationUnverified(f"The destination is {destination.status}. Nothing is sent there.")
    return DestinationCoolingDown() if destination.usable_from > at else None


def is_usable(destination: _Gate, *, at: datetime) -> bool:
    """Say whether money may be sent to a destination at a moment: verified, and its cool-down is over."""
    return closed_because(destination, at=at) is None


def usable_destination(
    *, merchant_id: UUID, seller_id: UUID, currency: str, reference: str | None, at: datetime | None = None
) -> DestinationData:
    """Return where a payout of a seller goes: the one that is named, or its default of that currency.

    Where there is no default, the only one there is; there is no falling back to an older one. Raises
    DestinationUnknown, DestinationUnsupported (another currency), DestinationUnverified and
    DestinationCoolingDown.
    """
    rows = _rows(merchant_id).filter(seller_id=seller_id)
    row = _named(rows, reference) if reference is not None else _usual(rows.filter(currency=currency))
    if row.currency != currency:
        raise DestinationUnsupported(f"This destination takes {row.currency}.", param="destination")
    closed = closed_because(row, at=at or clock.now())
    if closed is not None:
        raise closed.at("destination")
    return _data(row)


def get_destination(
    *, merchant_id: UUID, destination_id: UUID, seller_id: UUID | None = None
) -> DestinationData:
    """Return one destination, also one that is gone. Raises NotFound, also for another's."""
    rows = _rows(merchant_id).filter(pk=destination_id)
    row = (rows.filter(seller_id=seller_id) if seller_id else rows).first()
    if row is None:
        raise NotFound()
    return _data(row)


def list_destinations(
    *,
    merchant_id: UUID,
    seller_id: UUID,
    limit: int,
    after: UUID | None = None,
    status: str | None = None,
) -> Page[DestinationData]:
    """Return one page of a seller's destinations, newest first, from behind the one `after`."""
    wanted = {"pk__lt": after, "status": status}
    rows = _rows(merchant_id).filter(
        seller_id=seller_id, **{name: value for name, value in wanted.items() if value is not None}
    )
    found = [_data(row) for row in rows.order_by("-pk")[: limit + 1]]
    page = found[:limit]
    return Page(items=page, last=page[-1].id if len(found) > limit else None)


def account_details(*, merchant_id: UUID, destination_id: UUID) -> Mapping[str, str]:
    """Return the account itself, decrypted, for the instruction that leaves. For nobody's eyes or logs.

    Raises NotFound, DecryptionFailed (the ciphertext is not of this row) and DestinationAltered (the account
    is not the one that was fingerprinted, verified and approved).
    """
    row = _rows(merchant_id).filter(pk=destination_id).first()
    if row is None:
        raise NotFound()
    return opened(row, marks_of(merchant_id=merchant_id))


def opened(row: Destination, marks: Marks) -> Mapping[str, str]:
    """Return the account of a row that was read already. Raises as `account_details`, but for NotFound."""
    details: Mapping[str, str] = row.details
    if not _is_known(row, details, marks):
        raise DestinationAltered(f"{row.public_id} is not the account that it was.")
    return details


def is_intact(row: Destination, marks: Marks) -> bool:
    """Say whether the account that is stored is the one that was added: readable, and of its fingerprint."""
    try:
        return _is_known(row, row.details, marks)
    except DecryptionFailed:
        return False


def account_seal(row: Destination, marks: Marks) -> str:
    """Return what stands in an instruction for the account and its holder's name, in hexadecimal.

    Another name or account in the same row has another one, so that a yes to the one is none to the other. An
    account that does not open has "unreadable", and is not intact.
    """
    try:
        return marks.seal(details=row.details).hex()
    except DecryptionFailed:
        return "unreadable"


def twins_of(*, merchant_id: UUID, destination_id: UUID) -> list[Twin]:
    """Return the other rows with the same account, whosever they are: the same seller's come last."""
    row = _rows(merchant_id).filter(pk=destination_id).first()
    if row is None:
        raise NotFound()
    others = _rows(merchant_id).filter(fingerprint=row.fingerprint).exclude(pk=row.pk).order_by("pk")
    found = [Twin(each.pk, each.seller_id, each.seller.seller_account, each.status) for each in others[:50]]
    return sorted(found, key=lambda twin: twin.seller_id == row.seller_id)


def name_evidence(*, merchant_id: UUID, destination_id: UUID) -> NameEvidence:
    """Return what who verifies an account should know of its holder's name. Raises NotFound."""
    row = _rows(merchant_id).filter(pk=destination_id).first()
    if row is None:
        raise NotFound()
    name = row.details.get("holder_name", "")
    return NameEvidence(name, row.seller.name, row.name_match, mixes_scripts(name))


def _is_known(row: Destination, details: Mapping[str, str], marks: Marks) -> bool:
    return marks.matches(kind=row.kind, details=details, known=bytes(row.fingerprint))


def _rows(merchant_id: UUID) -> QuerySet[Destination]:
    return Destination.objects.filter(merchant_id=merchant_id).select_related("seller")


def _data(row: Destination) -> DestinationData:
    return destination_data(row, row.seller.seller_account)


def _named(rows: QuerySet[Destination], reference: str) -> Destination:
    key = parse_public_id(reference, "dst")
    row = rows.filter(pk=key).exclude(status="REMOVED").first() if key else None
    if row is None:
        raise DestinationUnknown(param="destination")
    return row


def _usual(rows: QuerySet[Destination]) -> Destination:
    there: Collection[Destination] = rows.exclude(status__in=_GONE)
    chosen = [row for row in there if row.is_default] or list(there)
    if len(chosen) != 1:
        raise DestinationUnknown("Name a destination: the seller has no default one.", param="destination")
    return chosen[0]
