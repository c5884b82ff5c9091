"""Sellers and the versions of their terms."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.history import SYSTEM, Changes, Fact
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants import locks
from merchants.errors import SellerExists, SellerIdentityFixed
from merchants.facts import seller_data, seller_fact
from merchants.models import Seller, SellerTerms
from merchants.selectors import terms_at
from merchants.types import SellerData, TermsData

__all__ = ["change_terms", "create_seller", "update_seller"]

_COLUMNS = ("name", "country", "payout_schedule")
_TERMS = (
    "commission_bps",
    "commission_fixed_minor",
    "commission_fixed_currency",
    "tax_bps",
    "settlement_delay_days",
    "reserve_bps",
    "reserve_days",
)
_IDENTITY = ("name", "country")
_IDENTITY_IS_OPEN = ("UNVERIFIED", "REJECTED")
_MANUAL: Mapping[str, Any] = {"interval": "manual"}


@requires_transaction
def create_seller(
    *,
    merchant_id: UUID,
    seller_account: str,
    name: str,
    country: str,
    commission_bps: int = 0,
    commission_fixed_minor: int = 0,
    commission_fixed_currency: str = "",
    tax_bps: int = 0,
    settlement_delay_days: int = 7,
    payout_schedule: Mapping[str, Any] = _MANUAL,
    reserve_bps: int = 0,
    reserve_days: int = 0,
    by: str = SYSTEM,
) -> SellerData:
    """Open a seller, UNVERIFIED, with the first version of its terms in effect at once.

    Units: basis points of the order's amount (of the commission for tax_bps); the fixed commission in
    minor units of its currency; a rolling reserve has both basis points of what is released and days. Raises
    SellerExists when the account is taken.
    """
    now = clock.now()
    row = Seller(
        merchant_id=merchant_id,
        seller_account=seller_account,
        name=name,
        country=country,
        payout_schedule=dict(payout_schedule),
        created_at=now,
    )
    terms = TermsData(
        version=1,
        commission_bps=commission_bps,
        commission_fixed_minor=commission_fixed_minor,
        commission_fixed_currency=commission_fixed_currency,
        tax_bps=tax_bps,
        settlement_delay_days=settlement_delay_days,
        reserve_bps=reserve_bps,
        reserve_days=reserve_days,
    )
    changes = Changes()
    changes.begin(row, why="created", by=by, fact=seller_fact(row, terms, "seller.created"))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise SellerExists(param="seller_account") from None
    _append(row, terms, effective_at=now, by=by)
    changes.save()
    return seller_data(row, terms)


@requires_transaction
def update_seller(
    *, merchant_id: UUID, seller_id: UUID, changes: Mapping[str, Any], by: str = SYSTEM
) -> SellerData:
    """Change columns and terms of a seller; what is not in `changes` stays.

    `changes` may hold name, country, payout_schedule, and terms as `change_terms` takes them: these make a
    new version, in effect at once. Raises NotFound, SellerIdentityFixed.
    """
    if unknown := set(changes) - {*_COLUMNS, *_TERMS}:
        raise TypeError(f"a seller has no {', '.join(sorted(unknown))}")
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    columns = {
        name: changes[name] for name in _COLUMNS if name in changes and changes[name] != getattr(row, name)
    }
    if row.kyc_status not in _IDENTITY_IS_OPEN and (fixed := [name for name in _IDENTITY if name in columns]):
        raise SellerIdentityFixed(param=fixed[0])
    before = terms_at(merchant_id=merchant_id, seller_id=seller_id, at=clock.now())
    terms = _append_changed(
        row, before, {name: changes[name] for name in _TERMS if name in changes}, clock.now(), by
    )
    for name, value in columns.items():
        setattr(row, name, value)
    if columns:
        row.save(update_fields=list(columns))
    if columns or terms != before:
        _tell(row, seller_fact(row, terms, "seller.updated"))
    return seller_data(row, terms)


@requires_transaction
def change_terms(
    *,
    merchant_id: UUID,
    seller_id: UUID,
    terms: Mapping[str, Any],
    effective_at: datetime | None = None,
    by: str = SYSTEM,
) -> TermsData:
    """Append a version of a seller's terms, from now on or from a later moment; return that version.

    `terms` may hold commission_bps, commission_fixed_minor with commission_fixed_currency, tax_bps,
    settlement_delay_days, and reserve_bps with reserve_days; what is left out stays as it is in effect at
    that moment. Orders accepted before keep theirs, but for the reserve, which is that of the release. If
    nothing would change, the version in effect is returned. Raises NotFound, ValueError for the past.
    """
    if unknown := set(terms) - set(_TERMS):
        raise TypeError(f"terms have no {', '.join(sorted(unknown))}")
    now = clock.now()
    at = effective_at or now
    if at < now:
        raise ValueError("terms cannot change for the past")
    row = locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    before = terms_at(merchant_id=merchant_id, seller_id=seller_id, at=at)
    after = _append_changed(row, before, terms, at, by)
    if after != before and at == now:
        _tell(row, seller_fact(row, after, "seller.updated"))
    return after


def _tell(row: Seller, fact: Fact) -> None:
    changes = Changes()
    changes.emit(row, fact)
    changes.save()


def _append_changed(
    row: Seller, before: TermsData, terms: Mapping[str, Any], effective_at: datetime, by: str
) -> TermsData:
    after = replace(before, **terms)
    if after == before:
        return before
    # Versions are counted under the seller's lock, so that two changes cannot take the same number.
    newest = SellerTerms.objects.filter(seller=row).order_by("-version").values_list("version", flat=True)[0]
    after = replace(after, version=newest + 1)
    _append(row, after, effective_at=effective_at, by=by)
    return after


def _append(row: Seller, terms: TermsData, *, effective_at: datetime, by: str) -> None:
    SellerTerms(
        merchant_id=row.merchant_id,
        seller=row,
        version=terms.version,
        commission_bps=terms.commission_bps,
        commission_fixed_minor=terms.commission_fixed_minor,
        commission_fixed_currency=terms.commission_fixed_currency,
        tax_bps=terms.tax_bps,
        settlement_delay_days=terms.settlement_delay_days,
        reserve_bps=terms.reserve_bps,
        reserve_days=terms.reserve_days,
        effective_at=effective_at,
        actor=by,
        recorded_at=clock.now(),
    ).save(force_insert=True)
