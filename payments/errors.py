"""What a store can meet when it asks for a payment."""

from core.errors import DomainError

__all__ = [
    "CaptureUnsupported",
    "CheckoutExists",
    "CheckoutExpired",
    "DuplicatePaymentOrderId",
    "MixedCurrencyUnsupported",
    "MultiOrderPolicyUnsupported",
    "PaymentMethodConflict",
    "PaymentMethodUnavailable",
    "PaymentOrderExists",
    "ReviewDecided",
    "SellerUnknown",
]


class CheckoutExists(DomainError):
    code = "checkout_exists"
    status = 409
    message = "A checkout with this checkout_id exists already."


class PaymentOrderExists(DomainError):
    code = "payment_order_exists"
    status = 409
    message = "A payment order with this payment_order_id exists already."


class DuplicatePaymentOrderId(DomainError):
    code = "duplicate_payment_order_id"
    status = 422
    message = "Two payment orders of the request carry the same payment_order_id."


class SellerUnknown(DomainError):
    code = "seller_unknown"
    status = 422
    message = "There is no seller with this seller_account."


class MixedCurrencyUnsupported(DomainError):
    code = "mixed_currency_unsupported"
    status = 422
    message = "Orders in different currencies need multi_order_policy best_effort."


class MultiOrderPolicyUnsupported(DomainError):
    code = "multi_order_policy_unsupported"
    status = 422
    message = "This payment method does not support that multi_order_policy."


class PaymentMethodConflict(DomainError):
    code = "payment_method_conflict"
    status = 422
    message = "The payment method and the credentials of the request contradict each other."


class PaymentMethodUnavailable(DomainError):
    code = "payment_method_unavailable"
    status = 422
    message = "This payment method is not available for the merchant, currency or amount."


class CaptureUnsupported(DomainError):
    code = "capture_unsupported"
    status = 422
    message = "Only automatic capture is available for this payment."


class CheckoutExpired(DomainError):
    code = "checkout_expired"
    status = 409
    message = "The time for paying this checkout is over."


class ReviewDecided(DomainError):
    code = "review_decided"
    status = 409
    message = "This payment is not held for review, or not any more. Look at it again."
