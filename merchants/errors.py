"""What callers of this app may meet."""

from core.api.errors import SignatureInvalid
from core.errors import DomainError

__all__ = [
    "InvalidKeyRequest",
    "InvalidTerms",
    "NonceReplayed",
    "SellerExists",
    "SellerIdentityFixed",
    "SellerUnknown",
    "SignatureExpired",
    "SignatureInvalid",
    "SignatureRequired",
    "UnknownKey",
]


class SellerExists(DomainError):
    code = "seller_exists"
    status = 409
    message = "A seller with this seller_account exists already."


class SellerIdentityFixed(DomainError):
    code = "seller_identity_fixed"
    status = 409
    message = "Name and country were submitted for verification and cannot change while it stands."


class SellerUnknown(DomainError):
    code = "seller_unknown"
    status = 422
    message = "There is no seller with this seller_account."


class InvalidKeyRequest(DomainError):
    code = "invalid_key_request"
    status = 422
    message = "A key cannot be issued or changed like this."


class InvalidTerms(DomainError):
    code = "invalid_terms"
    status = 422
    message = "Terms of a seller cannot be these."


class SignatureRequired(DomainError):
    code = "signature_required"
    status = 401
    message = "This key only accepts signed requests."


class SignatureExpired(DomainError):
    code = "signature_expired"
    status = 401
    message = "Signature-Timestamp is more than 300 seconds from our time. Check your clock and sign again."


class NonceReplayed(DomainError):
    code = "nonce_replayed"
    status = 401
    message = "This Signature-Nonce was used before. Sign again with a new one."


class UnknownKey(DomainError):
    code = "unknown_key"
    status = 401
    message = "This API key has no valid signing key with that Signature-Serial."
