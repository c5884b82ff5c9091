"""Why a payment was refused, in our own codes: a contract with the stores, the same for every provider.

The messages are fit for a buyer's eyes. What a bank suspects is not told to the person it suspects, so
those refusals read like any other.
"""

from payments.psp.contract import Decline

__all__ = ["DECLINES", "decline"]

_GENERIC = "The card was declined. Use another card, or ask the bank that issued it."

# code: (message, whether another try can help: later, with another card, or with the buyer present)
DECLINES: dict[str, tuple[str, bool]] = {
    "card_declined": (_GENERIC, True),
    "insufficient_funds": ("The card has insufficient funds.", True),
    "card_limit_exceeded": ("The card's limit is used up for now.", True),
    "expired_card": ("The card has expired.", True),
    "incorrect_number": ("The card number is incorrect.", True),
    "incorrect_cvc": ("The card's security code is incorrect.", True),
    "incorrect_expiry": ("The card's expiry date is incorrect.", True),
    "incorrect_address": ("The billing address does not match the card.", True),
    "incorrect_pin": ("The PIN is incorrect or was tried too often.", True),
    "card_not_supported": ("The card cannot be used for this kind of payment.", True),
    "authentication_required": ("The bank wants the buyer to confirm the payment.", True),
    "authentication_failed": ("The buyer did not confirm the payment with the bank.", True),
    "issuer_unavailable": ("The bank could not be reached. Try again later.", True),
    "processing_error": ("The payment could not be processed. Try again later.", True),
    "invalid_payment_method": ("The payment method cannot be used. Choose another one.", True),
    "duplicate_transaction": ("The same payment was made a moment ago.", False),
    "fraud_suspected": (_GENERIC, False),
    "amount_not_supported": ("The provider does not take payments of this amount.", False),
    "currency_not_supported": ("The provider does not take payments in this currency.", False),
    "rejected_by_provider": ("The payment provider did not accept the payment.", False),
}


def decline(code: str, *, decline_code: str = "") -> Decline:
    """Return the refusal of one of our codes; `decline_code` is the provider's own word for it."""
    message, retryable = DECLINES[code]
    return Decline(code=code, message=message, decline_code=decline_code[:64], retryable=retryable)
