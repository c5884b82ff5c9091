"""From rows to the values that cross, and to the events that tell of them."""

from core.history import Fact
from merchants.models import Buyer, Seller
from merchants.types import BuyerData, SellerData, TermsData

__all__ = ["buyer_data", "seller_data", "seller_fact"]


def buyer_data(row: Buyer) -> BuyerData:
    """Return the value of a row, decrypted."""
    return BuyerData(
        id=row.pk,
        merchant_id=row.merchant_id,
        buyer_account=row.buyer_account,
        personal=row.personal or {},
        created_at=row.created_at,
    )


def seller_data(row: Seller, terms: TermsData) -> SellerData:
    """Return the value of a row, with the terms in effect."""
    return SellerData(
        id=row.pk,
        merchant_id=row.merchant_id,
        seller_account=row.seller_account,
        name=row.name,
        country=row.country,
        kyc_status=row.kyc_status,
        payout_schedule=row.payout_schedule,
        created_at=row.created_at,
        terms=terms,
    )


def seller_fact(row: Seller, terms: TermsData, event_type: str) -> Fact:
    """Return the event about a seller, with the object as it is after the change."""
    return Fact(
        type=event_type,
        subject=row.public_id,
        data=lambda: {"object": seller_data(row, terms).as_object()},
    )
