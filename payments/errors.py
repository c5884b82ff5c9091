"""What a store can meet when it asks for a payment."""

from core.errors import DomainError
from merchants.errors import SellerUnknown

__all__ = [
    "AttemptInProgress",
    "BuyerAccountRequired",
    "CaptureExceedsAuthorized",
    "CaptureUnsupported",
    "CheckoutExists",
    "CheckoutExpired",
    "ConflictUnproven",
    "CurrencyMismatch",
    "DisputeNotOpen",
    "DivisionInvalid",
    "DuplicatePaymentOrderId",
    "EvidenceFieldUnknown",
    "EvidenceFileInvalid",
    "EvidenceInProgress",
    "EvidenceOverdue",
    "FulfillmentInFuture",
    "MixedCurrencyUnsupported",
    "MultiOrderPolicyUnsupported",
    "OrderAlreadyPaid",
    "OrderSharesCharge",
    "PaymentMethodConflict",
    "PaymentMethodUnavailable",
    "PaymentMethodUnknown",
    "PaymentOrderExists",
    "ReceiptNotTheOrders",
    "RefundDestinationUnavailable",
    "RefundExceedsCaptured",
    "RefundNotInWholePoints",
    "ReviewDecided",
    "SellerUnknown",
    "TopUpUnsupported",
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
    message = "Manual capture of several orders needs multi_order_policy best_effort."


class CaptureExceedsAuthorized(DomainError):
    code = "capture_exceeds_authorized"
    status = 422
    message = "The amount is above what is authorized and not captured."


class CurrencyMismatch(DomainError):
    code = "currency_mismatch"
    status = 422
    message = "The order is in another currency. Captures and refunds are in the currency of their order."


class AttemptInProgress(DomainError):
    code = "attempt_in_progress"
    status = 409
    message = (
        "A payment of this checkout is still in progress. Have the buyer finish it, or wait for its end. "
        "A checkout that you cancel takes no more attempts: send a new one instead."
    )


class OrderAlreadyPaid(DomainError):
    code = "order_already_paid"
    status = 409
    message = "Every order of this checkout is paid."


class CheckoutExpired(DomainError):
    code = "checkout_expired"
    status = 409
    message = "The time to pay this checkout is over. Make a new one."


class OrderSharesCharge(DomainError):
    code = "order_shares_charge"
    status = 409
    message = "One charge pays this order together with others. Cancel the whole checkout."


class ConflictUnproven(DomainError):
    code = "conflict_unproven"
    status = 409
    message = "The provider does not confirm this outcome."


class ReviewDecided(DomainError):
    code = "review_decided"
    status = 409
    message = "This payment is not held for review, or not any more. Look at it again."


class BuyerAccountRequired(DomainError):
    code = "buyer_account_required"
    status = 422
    message = "This is for a buyer who is known. Send buyer_info.buyer_account with the checkout."


class PaymentMethodUnknown(DomainError):
    code = "payment_method_unknown"
    status = 422
    message = "The buyer of this checkout has no such payment method."


class TopUpUnsupported(DomainError):
    code = "top_up_unsupported"
    status = 422
    message = "A buyer's wallet of cash is topped up, in its own currency; no other one is."


class FulfillmentInFuture(DomainError):
    code = "fulfillment_in_future"
    status = 422
    message = "An order is fulfilled when it was delivered. Send this when it is, or leave the time out."


class RefundExceedsCaptured(DomainError):
    code = "refund_exceeds_captured"
    status = 422
    message = "That is more than is left of what was captured of this order."


class RefundDestinationUnavailable(DomainError):
    code = "refund_destination_unavailable"
    status = 422
    message = (
        "The money cannot go back this way. To the instrument it goes only where one was charged, and to a"
        " wallet only for a buyer whose buyer_account the checkout named."
    )


class RefundNotInWholePoints(DomainError):
    code = "refund_not_in_whole_points"
    status = 422
    message = (
        "Of this order points have to come back, and they do not make up that amount in whole points. Refund"
        " what some points are worth, or all that is left."
    )


class DisputeNotOpen(DomainError):
    code = "dispute_not_open"
    status = 409
    message = "This dispute takes no answer any more: it is answered, accepted or decided."


class EvidenceOverdue(DomainError):
    code = "evidence_overdue"
    status = 409
    message = "The time to answer this dispute is over."


class EvidenceInProgress(DomainError):
    code = "evidence_in_progress"
    status = 409
    message = "An answer to this dispute is on its way to the provider. Wait for what becomes of it."


class EvidenceFieldUnknown(DomainError):
    code = "evidence_field_unknown"
    status = 422
    message = "An answer has no part of this name."


class EvidenceFileInvalid(DomainError):
    code = "evidence_file_invalid"
    status = 422
    message = "A file of evidence is a PDF, a PNG or a JPEG of at most 512 KiB, in base64."


class DivisionInvalid(DomainError):
    code = "division_invalid"
    status = 422
    message = "The amounts must be of the dispute's orders, within what each paid, and add up to the dispute."


class ReceiptNotTheOrders(DomainError):
    code = "receipt_not_the_orders"
    status = 422
    message = "This money is not what the order is waiting for."
