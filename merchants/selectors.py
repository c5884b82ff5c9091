"""How others read merchants and sellers."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from core import clock
from core.api.pagination import Page
from core.errors import NotFound
from core.ids import parse_public_id
from core.rows import Query, read_together
from merchants.facts import buyer_data, seller_data
from merchants.models import Buyer, Merchant, Seller, SellerTerms
from merchants.types import BuyerData, MerchantData, ScheduledSeller, SellerData, TermsData

__all__ = [
    "find_buyer",
    "find_seller",
    "get_merchant",
    "get_seller",
    "list_merchants",
    "list_sellers",
    "merchant_ids",
    "merchant_names",
    "owner_names",
    "scheduled_sellers",
    "sellers_by_account",
    "sellers_by_id",
    "sellers_named",
    "terms_at",
]

_TERMS = (
    "version",
    "commission_bps",
    "commission_fixed_minor",
    "commission_fixed_currency",
    "tax_bps",
    "settlement_delay_days",
    "reserve_bps",
    "reserve_days",
)
_MOST_MERCHANTS = 1000

_BY_ACCOUNT = """
    SELECT s.id, s.seller_account, s.name, s.country, s.kyc_status, s.payout_schedule, s.created_at,
        t.version, t.commission_bps, t.commission_fixed_minor, t.commission_fixed_currency, t.tax_bps,
        t.settlement_delay_days, t.reserve_bps, t.reserve_days
    FROM merchants_seller s CROSS JOIN LATERAL (
        SELECT * FROM merchants_sellerterms WHERE seller_id = s.id AND effective_at <= %s
        ORDER BY effective_at DESC, version DESC LIMIT 1
    ) t
    WHERE s.merchant_id = %s AND s.seller_account = ANY (%s::text[])
"""


def get_merchant(*, merchant_id: UUID) -> MerchantData:
    """Return one merchant. Raises NotFound."""
    row = Merchant.objects.filter(pk=merchant_id).first()
    if row is None:
        raise NotFound()
    return MerchantData(id=row.pk, name=row.name, mode=row.mode, created_at=row.created_at)


def list_merchants(*, limit: int = 200) -> list[MerchantData]:
    """Return the merchants, by name, to choose one from: at most `limit` of them.

    For what must reach every one of them there is `merchant_ids`.
    """
    rows = Merchant.objects.order_by("name", "mode", "pk")[:limit]
    return [MerchantData(id=row.pk, name=row.name, mode=row.mode, created_at=row.created_at) for row in rows]


def merchant_ids() -> list[UUID]:
    """Return the ids of all merchants, however many there are, the oldest first."""
    return list(Merchant.objects.order_by("pk").values_list("pk", flat=True))


def merchant_names(*, merchant_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return what people call these merchants: name and mode; unknown ones are absent."""
    return {row.pk: str(row) for row in Merchant.objects.filter(pk__in=merchant_ids)}


def owner_names(*, owner_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the stores' own names of these sellers and buyers; unknown ones are absent."""
    sellers = Seller.objects.filter(pk__in=owner_ids).values_list("pk", "seller_account")
    buyers = Buyer.objects.filter(pk__in=owner_ids).values_list("pk", "buyer_account")
    return dict(sellers) | dict(buyers)


def get_seller(*, merchant_id: UUID, seller_id: UUID) -> SellerData:
    """Return one seller of the merchant, with the terms in effect now. Raises NotFound."""
    row = _sellers(merchant_id, clock.now()).filter(pk=seller_id).first()
    if row is None:
        raise NotFound()
    return _annotated(row)


def find_seller(*, merchant_id: UUID, reference: str) -> SellerData:
    """Return the seller by its seller_account or its sel_… id. Raises NotFound, also for others' sellers."""
    condition = _by_reference(reference, prefix="sel", column="seller_account")
    row = _sellers(merchant_id, clock.now()).filter(**condition).first()
    if row is None:
        raise NotFound()
    return _annotated(row)


def find_buyer(*, merchant_id: UUID, reference: str) -> BuyerData:
    """Return the buyer by its buyer_account or its buy_… id. Raises NotFound, also for others' buyers."""
    condition = _by_reference(reference, prefix="buy", column="buyer_account")
    row = Buyer.objects.filter(merchant_id=merchant_id, **condition).first()
    if row is None:
        raise NotFound()
    return buyer_data(row)


def sellers_by_account(
    *, merchant_id: UUID, accounts: Collection[str], at: datetime | None = None
) -> Mapping[str, SellerData]:
    """Return the merchant's sellers that have these accounts, in one query; unknown ones are absent.

    The terms are those in effect at `at` (now, if not given).
    """
    # Plain SQL, because every accepted payment asks this and the ORM makes it several times as long.
    [rows] = read_together(Query(_BY_ACCOUNT, [at or clock.now(), merchant_id, list(accounts)]))
    return {row[1]: _from_columns(merchant_id, row) for row in rows}


def sellers_named(*, seller_account: str, limit: int = 200) -> list[UUID]:
    """Return the keys of the sellers that stores call so, whichever the store: at most `limit`."""
    # The unique index begins with the merchant; of those there are few.
    merchants = list(Merchant.objects.values_list("pk", flat=True)[:_MOST_MERCHANTS])
    named = Seller.objects.filter(merchant_id__in=merchants, seller_account=seller_account)
    return list(named.values_list("pk", flat=True)[:limit])


def sellers_by_id(*, merchant_id: UUID, seller_ids: Collection[UUID]) -> Mapping[UUID, SellerData]:
    """Return these of the merchant's sellers, with the terms in effect now; unknown ones are absent."""
    rows = _sellers(merchant_id, clock.now()).filter(pk__in=seller_ids)
    return {row.pk: _annotated(row) for row in rows}


def list_sellers(
    *,
    merchant_id: UUID,
    limit: int,
    after: UUID | None = None,
    seller_account: str | None = None,
    status: str | None = None,
    created_gte: datetime | None = None,
    created_lt: datetime | None = None,
) -> Page[SellerData]:
    """Return one page of the merchant's sellers, newest first, from behind the seller `after`."""
    wanted = {
        "pk__lt": after,
        "seller_account": seller_account,
        "kyc_status": status,
        "created_at__gte": created_gte,
        "created_at__lt": created_lt,
    }
    rows = _sellers(merchant_id, clock.now()).filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    found = [_annotated(row) for row in rows.order_by("-pk")[: limit + 1]]
    page = found[:limit]
    return Page(items=page, last=page[-1].id if len(found) > limit else None)


def scheduled_sellers(*, merchant_id: UUID, limit: int, after: UUID | None = None) -> list[ScheduledSeller]:
    """Return the merchant's sellers who are paid out without asking, by id from behind `after`."""
    rows = Seller.objects.filter(merchant_id=merchant_id).exclude(payout_schedule__interval="manual")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    columns = rows.order_by("pk").values_list("pk", "seller_account", "payout_schedule")
    return [ScheduledSeller(*row) for row in columns[:limit]]


def terms_at(*, merchant_id: UUID, seller_id: UUID, at: datetime) -> TermsData:
    """Return the terms of a seller that were in effect at a moment. Raises NotFound."""
    row = (
        SellerTerms.objects.filter(merchant_id=merchant_id, seller_id=seller_id, effective_at__lte=at)
        .order_by("-effective_at", "-version")
        .values(*_TERMS)
        .first()
    )
    if row is None:
        raise NotFound()
    return TermsData(**row)


def _by_reference(reference: str, *, prefix: str, column: str) -> dict[str, Any]:
    if "\x00" in reference:
        raise NotFound()  # PostgreSQL cannot even be asked for it.
    key = parse_public_id(reference, prefix)
    return {column: reference} if key is None else {"pk": key}


def _sellers(merchant_id: UUID, at: datetime) -> QuerySet[Seller]:
    in_effect = (
        SellerTerms.objects.filter(seller=OuterRef("pk"), effective_at__lte=at)
        .order_by("-effective_at", "-version")
        .values(data=JSONObject(**{name: name for name in _TERMS}))
    )
    return Seller.objects.filter(merchant_id=merchant_id).annotate(terms_in_effect=Subquery(in_effect[:1]))


def _annotated(row: Any) -> SellerData:
    return seller_data(row, TermsData(**row.terms_in_effect))


def _from_columns(merchant_id: UUID, row: tuple[Any, ...]) -> SellerData:
    schedule = row[5]
    return SellerData(
        id=row[0],
        merchant_id=merchant_id,
        seller_account=row[1],
        name=row[2],
        country=row[3],
        kyc_status=row[4],
        payout_schedule=json.loads(schedule) if isinstance(schedule, str) else schedule,
        created_at=row[6],
        terms=TermsData(*row[7:]),
    )
