"""Every failure code in the words of the back office: what happened, and what to do next.

Buyers and stores are told less: see payments.psp.declines and payments.api.failure_codes. Which codes there
are is settled there, and a test holds that each has its words here.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

__all__ = ["FAILURE_WORDS", "failure_words"]

# A text that is translated when it is shown.
Words = Any
_OTHER_CARD = gettext_lazy("The buyer pays with another card, or asks the bank that issued this one.")
_TYPED = gettext_lazy("The buyer enters the details again, or pays with another card.")
_LATER = gettext_lazy("The store tries again in some minutes; trying again is safe.")
_STORE = gettext_lazy("The store offers another way to pay; the same try would fail again.")

# code: (what happened, the next step)
FAILURE_WORDS: Mapping[str, tuple[Words, Words]] = {
    "card_declined": (
        gettext_lazy("The buyer's bank declined the card without a usable reason."),
        _OTHER_CARD,
    ),
    "insufficient_funds": (
        gettext_lazy("The card had not enough funds."),
        gettext_lazy("The buyer pays with another card, or tries again when there is money on this one."),
    ),
    "card_limit_exceeded": (
        gettext_lazy("The card's limit is used up for now."),
        gettext_lazy("The buyer pays with another card, or asks the bank to raise the limit."),
    ),
    "expired_card": (
        gettext_lazy("The card has expired."),
        gettext_lazy("The buyer pays with another card; a kept card is replaced by the new one."),
    ),
    "incorrect_number": (gettext_lazy("The card number was wrong."), _TYPED),
    "incorrect_cvc": (gettext_lazy("The card's security code was wrong."), _TYPED),
    "incorrect_expiry": (gettext_lazy("The card's expiry date was wrong."), _TYPED),
    "incorrect_address": (gettext_lazy("The billing address did not match the card."), _TYPED),
    "incorrect_pin": (
        gettext_lazy("The PIN was wrong or was tried too often."),
        gettext_lazy("The buyer pays with another card, or asks the bank to unlock this one."),
    ),
    "card_not_supported": (
        gettext_lazy("The card cannot be used for this kind of payment."),
        gettext_lazy(
            "The buyer pays with another card: this one may not be for the web, abroad or this currency."
        ),
    ),
    "authentication_required": (
        gettext_lazy("The bank wanted the buyer to confirm, and the buyer was not there."),
        gettext_lazy("The store asks the buyer to come back and pay in person."),
    ),
    "authentication_failed": (
        gettext_lazy("The buyer did not confirm the payment with the bank."),
        gettext_lazy("The buyer tries again and confirms, or pays in another way."),
    ),
    "issuer_unavailable": (gettext_lazy("The buyer's bank could not be reached."), _LATER),
    "processing_error": (gettext_lazy("The provider could not process the payment."), _LATER),
    "invalid_payment_method": (
        gettext_lazy("The payment method cannot be used any more."),
        gettext_lazy("The buyer pays with another method; a kept one is removed and added again."),
    ),
    "duplicate_transaction": (
        gettext_lazy("The bank saw the same payment a moment before."),
        gettext_lazy("Look for the other payment of this buyer before anything is tried again."),
    ),
    "fraud_suspected": (
        gettext_lazy("The bank or the provider suspects fraud."),
        gettext_lazy("Do not tell the buyer why: only that the card was declined. Ask the risk team."),
    ),
    "amount_not_supported": (gettext_lazy("The provider does not take payments of this amount."), _STORE),
    "currency_not_supported": (gettext_lazy("The provider does not take this currency."), _STORE),
    "rejected_by_provider": (
        gettext_lazy("The provider did not accept the payment, and not because of the card."),
        gettext_lazy(
            "Read the provider's answer below; an operator sees whether the channel is set up right."
        ),
    ),
    "psp_unavailable": (gettext_lazy("The provider could not be reached."), _LATER),
    "payment_canceled": (
        gettext_lazy("The payment was closed at the provider before it was paid."),
        gettext_lazy("The buyer starts again in the store."),
    ),
    "card_attempts_exceeded": (
        gettext_lazy("The same card was tried too often."),
        gettext_lazy(
            "The buyer waits or pays with another card. Many of these at once are worth a look by risk."
        ),
    ),
    "risk_declined": (
        gettext_lazy("Our own risk check refused it, and nothing was sent to the provider."),
        gettext_lazy(
            "Do not tell the buyer why. The decision with its rules is below; risk can put it right."
        ),
    ),
    "balance_too_low": (
        gettext_lazy("The buyer's balance did not cover it."),
        gettext_lazy("The buyer tops up, or pays the rest with another method."),
    ),
    "refund_failed": (
        gettext_lazy("The refund failed at the buyer's bank."),
        gettext_lazy(
            "The seller has the money again: refund to the buyer's wallet, or ask the buyer for another way."
        ),
    ),
}


def failure_words(code: str, *, message: str = "") -> tuple[str, str]:
    """Return what happened and the next step for a `failure.code`; `message` is for one of old times."""
    if code in FAILURE_WORDS:
        happened, then = FAILURE_WORDS[code]
        return str(happened), str(then)
    return message or _("The payment failed."), _("Read the provider's answer below.")
