"""The only way to change merchants, keys, sellers and buyers."""

from merchants.services.authentication import authenticate, forget_nonces
from merchants.services.buyers import ensure_buyer
from merchants.services.keys import create_api_key, create_merchant, revoke_api_key, rotate_api_key
from merchants.services.kyc import reinstate_seller, reject_kyc, submit_kyc, suspend_seller, verify_kyc
from merchants.services.sellers import change_terms, create_seller, update_seller
from merchants.services.signing_keys import add_signing_key, revoke_signing_key
from merchants.services.terms import TERMS, approve_terms, propose_terms, reject_terms

__all__ = [
    "TERMS",
    "add_signing_key",
    "approve_terms",
    "authenticate",
    "change_terms",
    "create_api_key",
    "create_merchant",
    "create_seller",
    "ensure_buyer",
    "forget_nonces",
    "propose_terms",
    "reinstate_seller",
    "reject_kyc",
    "reject_terms",
    "revoke_api_key",
    "revoke_signing_key",
    "rotate_api_key",
    "submit_kyc",
    "suspend_seller",
    "update_seller",
    "verify_kyc",
]
