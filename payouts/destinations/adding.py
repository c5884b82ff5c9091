"""A seller's account is added: checked, encrypted, fingerprinted, and not usable for a while."""

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit
from core.history import Changes
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants.selectors import find_seller, owner_names
from payouts.destinations.accounts import checked_account
from payouts.destinations.facts import destination_data, destination_fact
from payouts.destinations.fingerprints import fingerprint
from payouts.destinations.names import compare
from payouts.destinations.notices import notice_added
from payouts.destinations.policy import policy_of
from payouts.destinations.types import DestinationData, Twin
from payouts.errors import DestinationExists, TooManyDestinations
from payouts.locks import lock_destinations
from payouts.models import Destination

__all__ = ["add_destination"]


@requires_transaction
def add_destination(
    *,
    merchant_id: UUID,
    seller: str,
    kind: str,
    currency: str,
    country: str,
    details: Mapping[str, str],
    by: str,
    make_default: bool | None = None,
) -> DestinationData:
    """Add an account to a seller, given by its seller_account or sel_… id: UNVERIFIED, cooling down.

    `details` holds what `accounts.FIELDS` says of the kind. The first destination of a currency becomes the
    default of that currency, unless `make_default` says otherwise. The same account at another seller is let
    in, and people are told. Raises NotFound, DestinationInvalid, DestinationUnsupported, DestinationExists,
    TooManyDestinations.
    """
    owner = find_seller(merchant_id=merchant_id, reference=seller)
    account = checked_account(kind=kind, country=country, currency=currency, details=details)
    cool_down, most = policy_of(merchant_id)
    others = lock_destinations(merchant_id=merchant_id, seller_id=owner.id)
    now = clock.now()
    row = Destination(
        merchant_id=merchant_id,
        seller_id=owner.id,
        kind=kind,
        country=country,
        currency=currency,
        details=dict(account.details),
        last4=account.last4,
        bank=account.bank,
        fingerprint=fingerprint(merchant_id=merchant_id, kind=kind, details=account.details),
        name_match=compare(account.holder_name, owner.name) if account.holder_name else "none",
        added_by=by,
        usable_from=now + cool_down,
        created_at=now,
        updated_at=now,
    )
    if any(_is_same(row, other) for other in others):
        raise DestinationExists
    if len(others) >= most:
        raise TooManyDestinations(f"The seller has {most} destinations. Remove one first.")
    _take_default(row, [each for each in others if each.currency == currency], make_default)
    changes = Changes()
    changes.begin(row, why="added", by=by, fact=destination_fact(row, owner.seller_account, "added"))
    _insert(row)
    changes.save()
    record_audit(
        actor=by,
        action="destination.add",
        subject=row.public_id,
        detail={"seller": owner.public_id, "kind": kind, "last4": row.last4, "name_match": row.name_match},
        merchant_id=merchant_id,
    )
    notice_added(row, owner, _elsewhere(row))
    return destination_data(row, owner.seller_account)


def _is_same(row: Destination, other: Destination) -> bool:
    return row.currency == other.currency and row.fingerprint == bytes(other.fingerprint)


def _take_default(row: Destination, others: list[Destination], wanted: bool | None) -> None:
    before = [each for each in others if each.is_default]
    row.is_default = not before if wanted is None else wanted
    if row.is_default:
        for each in before:
            each.is_default = False
            each.save(update_fields=["is_default"])


def _insert(row: Destination) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise DestinationExists from None


def _elsewhere(row: Destination) -> list[Twin]:
    found = Destination.objects.filter(merchant_id=row.merchant_id, fingerprint=row.fingerprint)
    rows = list(found.exclude(seller_id=row.seller_id).order_by("pk")[:20])
    names = owner_names(owner_ids=[each.seller_id for each in rows])
    return [Twin(each.pk, each.seller_id, names[each.seller_id], each.status) for each in rows]
