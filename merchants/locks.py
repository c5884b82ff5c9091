"""Row locks of this app."""

from uuid import UUID

from core.errors import NotFound
from core.transactions import requires_transaction
from merchants.models import ApiKey, Buyer, Seller, SigningKey

__all__ = [
    "lock_buyer",
    "lock_idle_key",
    "lock_idle_signing_key",
    "lock_key",
    "lock_seller",
    "lock_signing_key",
]


@requires_transaction
def lock_seller(*, merchant_id: UUID, seller_id: UUID) -> Seller:
    """Return the merchant's seller, locked. Raises NotFound."""
    row = (
        Seller.objects.select_for_update(no_key=True, of=("self",))
        .filter(merchant_id=merchant_id, pk=seller_id)
        .first()
    )
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_buyer(*, merchant_id: UUID, buyer_account: str) -> Buyer:
    """Return the merchant's buyer, locked. Raises NotFound."""
    row = (
        Buyer.objects.select_for_update(no_key=True, of=("self",))
        .filter(merchant_id=merchant_id, buyer_account=buyer_account)
        .first()
    )
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_key(*, merchant_id: UUID, key_id: UUID) -> ApiKey:
    """Return the merchant's API key, locked. Raises NotFound."""
    row = (
        ApiKey.objects.select_for_update(no_key=True, of=("self",))
        .filter(merchant_id=merchant_id, pk=key_id)
        .first()
    )
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_idle_key(*, key_id: UUID) -> ApiKey | None:
    """Return the key, locked, or None if anybody else holds it: noting its use is not worth waiting for."""
    return ApiKey.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=key_id).first()


@requires_transaction
def lock_signing_key(*, merchant_id: UUID, signing_key_id: UUID) -> SigningKey:
    """Return the merchant's signing key, locked after the API key that it belongs to. Raises NotFound."""
    rows = SigningKey.objects.filter(merchant_id=merchant_id, pk=signing_key_id)
    found = rows.values_list("api_key_id", flat=True).first()
    if found is None:
        raise NotFound()
    lock_key(merchant_id=merchant_id, key_id=found)
    return rows.select_for_update(no_key=True, of=("self",)).get()


@requires_transaction
def lock_idle_signing_key(*, signing_key_id: UUID) -> SigningKey | None:
    """Return the signing key, locked, or None if anybody else holds it: see `lock_idle_key`."""
    rows = SigningKey.objects.select_for_update(no_key=True, skip_locked=True)
    return rows.filter(pk=signing_key_id).first()
