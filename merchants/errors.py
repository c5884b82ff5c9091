"""What callers of this app may meet."""

from core.errors import DomainError

__all__ = ["InvalidKeyRequest", "SellerExists", "SellerIdentityFixed"]


class SellerExists(DomainError):
    code = "seller_exists"
    status = 409
    message = "A seller with this seller_account exists already."


class SellerIdentityFixed(DomainError):
    code = "seller_identity_fixed"
    status = 409
    message = "Name and country were submitted for verification and cannot change while it stands."


class InvalidKeyRequest(ValueError):
    """An API key was asked for with unknown scopes, a past expiry or an unusable public key."""
