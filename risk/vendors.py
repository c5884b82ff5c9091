"""The line to a merchant's vendor of slow checks, as people set it up."""

import re
from uuid import UUID

from core import clock
from core.audit_trail import record_audit
from core.transactions import requires_transaction
from merchants.selectors import get_merchant
from risk.errors import VendorInvalid
from risk.locks import lock_vendor
from risk.models import RiskVendor
from risk.policy import forget

__all__ = ["set_vendor"]

_BASE_URL = re.compile(r"(https?://(?:[a-zA-Z0-9.-]{1,120}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?)/?")
_PROVIDERS = ("sandbox",)


@requires_transaction
def set_vendor(*, merchant_id: UUID, provider: str, base_url: str, secret_key: str, by: str) -> None:
    """Set up the vendor, or its address and key anew. Whether it is asked is the setting risk.external_check.

    Plain http is for test merchants only. Errors: NotFound, VendorInvalid.
    """
    merchant = get_merchant(merchant_id=merchant_id)
    if provider not in _PROVIDERS:
        raise VendorInvalid("There is no client for this vendor.", param="provider")
    address = _BASE_URL.fullmatch(base_url)
    if address is None or (merchant.mode != "test" and not base_url.startswith("https://")):
        raise VendorInvalid("An address is https://host[:port] and nothing more.", param="base_url")
    if not secret_key or not secret_key.isascii() or not secret_key.isprintable():
        raise VendorInvalid("A vendor needs its key.", param="secret_key")
    now = clock.now()
    row = lock_vendor(merchant_id=merchant_id)
    if row is None:
        row = RiskVendor(merchant_id=merchant_id, provider=provider, created_at=now)
    elif row.provider != provider:
        raise VendorInvalid("Checks that are open name the vendor they were put to.", param="provider")
    row.base_url, row.credentials, row.updated_at = address[1], {"secret_key": secret_key}, now
    row.save()
    record_audit(
        actor=by,
        action="risk_vendor.set",
        subject=f"risk_vendor:{provider}",
        detail={"base_url": row.base_url},
        merchant_id=merchant_id,
    )
    forget()
