"""Stripe's refusals in our codes. Source: the provider's public lists of error and decline codes."""

from collections.abc import Mapping
from typing import Any

from payments.psp.contract import Decline
from payments.psp.declines import decline

__all__ = ["decline_of", "rejection_of"]

_BY_CODE: dict[str, tuple[str, ...]] = {
    "insufficient_funds": ("insufficient_funds",),
    "card_limit_exceeded": ("card_velocity_exceeded", "withdrawal_count_limit_exceeded"),
    "expired_card": ("expired_card",),
    "incorrect_number": ("incorrect_number", "invalid_number"),
    "incorrect_cvc": ("incorrect_cvc", "invalid_cvc"),
    "incorrect_expiry": ("invalid_expiry_month", "invalid_expiry_year"),
    "incorrect_address": ("incorrect_address", "incorrect_zip"),
    "incorrect_pin": (
        "incorrect_pin",
        "invalid_pin",
        "pin_try_exceeded",
        "offline_pin_required",
        "online_or_offline_pin_required",
    ),
    "card_not_supported": (
        "card_not_supported",
        "not_permitted",
        "service_not_allowed",
        "transaction_not_allowed",
        "restricted_card",
    ),
    "authentication_required": ("authentication_required", "mobile_device_authentication_required"),
    "authentication_failed": ("payment_intent_authentication_failure", "authentication_not_handled"),
    "issuer_unavailable": ("issuer_not_available", "try_again_later", "reenter_transaction"),
    "processing_error": ("processing_error",),
    "duplicate_transaction": ("duplicate_transaction",),
    "fraud_suspected": (
        "fraudulent",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "security_violation",
        "stolen_card",
    ),
    "amount_not_supported": ("invalid_amount", "amount_too_large", "amount_too_small"),
    "currency_not_supported": ("currency_not_supported",),
    "invalid_payment_method": (
        "payment_method_unactivated",
        "payment_method_invalid_parameter",
        "payment_method_unexpected_state",
        "payment_method_currency_mismatch",
        "payment_method_customer_decline",
    ),
}
_OURS = {theirs: ours for ours, many in _BY_CODE.items() for theirs in many}
_METHOD_PARAMS = ("payment_method", "payment_method_data", "customer")


def decline_of(error: Mapping[str, Any]) -> Decline:
    """Return the refusal that an error tells of; a word we do not know is a plain decline."""
    theirs, code = str(error.get("decline_code") or ""), str(error.get("code") or "")
    ours = _OURS.get(theirs) or _OURS.get(code) or "card_declined"
    return decline(ours, decline_code=theirs or code)


def rejection_of(error: Mapping[str, Any]) -> Decline:
    """Return the refusal of a request that was turned away before anything was tried."""
    code, param = str(error.get("code") or ""), str(error.get("param") or "")
    if code in _OURS:
        ours = _OURS[code]
    elif param == "currency":
        ours = "currency_not_supported"
    elif param == "amount":
        ours = "amount_not_supported"
    elif param.startswith(_METHOD_PARAMS) or "PaymentMethod" in str(error.get("message")):
        ours = "invalid_payment_method"
    else:
        ours = "rejected_by_provider"
    return decline(ours, decline_code=code)
