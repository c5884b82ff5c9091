"""The provider's public test tokens and how each behaves.

A token stands for a test card: ``pm_card_visa`` where a payment method is expected, ``tok_visa`` where a card
token is. Card numbers are never accepted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank says no: the error's code, the bank's own decline code and the sentence for the buyer."""

    code: str
    decline_code: str | None
    message: str
    network_code: str = "05"


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. ``fault`` names a fault that the card arms by itself when it is confirmed."""

    brand: str = "visa"
    last4: str = "4242"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    attaches: bool = True
    authenticates: bool = False
    instant: bool = False
    fault: str | None = None
    asynchronous: bool = False


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", "51")
LOST = Decline("card_declined", "lost_card", "Your card was declined.", "41")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.", "43")
VELOCITY = Decline("card_declined", "card_velocity_exceeded", "Your card exceeded a limit.", "65")
FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.", "59")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "54")
CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "82")
PROCESSING = Decline(
    "processing_error", "processing_error", "An error occurred while processing your card.", "96"
)
AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "This payment needs the cardholder's authentication.",
    "1A",
)

#: Token name without ``pm_card_`` or ``tok_``.
CARDS: dict[str, Card] = {
    "visa": Card(),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card("mastercard", "4444"),
    "mastercard_debit": Card("mastercard", "8210", "debit"),
    "amex": Card("amex", "8431"),
    "discover": Card("discover", "1117"),
    "diners": Card("diners", "0004"),
    "jcb": Card("jcb", "0505", country="JP"),
    "unionpay": Card("unionpay", "0005", country="CN"),
    "bypassPending": Card(last4="0077", instant=True),
    "chargeDeclined": Card(last4="0002", decline=GENERIC, attaches=False),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", decline=INSUFFICIENT, attaches=False),
    "chargeDeclinedLostCard": Card(last4="9987", decline=LOST, attaches=False),
    "chargeDeclinedStolenCard": Card(last4="9979", decline=STOLEN, attaches=False),
    "chargeDeclinedVelocityLimitExceeded": Card(last4="6975", decline=VELOCITY, attaches=False),
    "chargeDeclinedFraudulent": Card(last4="0019", decline=FRAUDULENT, attaches=False),
    "chargeDeclinedExpiredCard": Card(last4="0069", decline=EXPIRED, attaches=False),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", decline=CVC, attaches=False),
    "chargeDeclinedProcessingError": Card(last4="0119", decline=PROCESSING, attaches=False),
    "chargeCustomerFail": Card(last4="0341", decline=GENERIC),
    "authenticationRequired": Card(last4="3184", authenticates=True),
    "threeDSecure2Required": Card(last4="3220", authenticates=True),
    "threeDSecureRequired": Card(last4="3063", authenticates=True),
    "threeDSecureOptional": Card(last4="3055"),
    "threeDSecureNotSupported": Card("amex", "0005"),
    "threeDSecureRequiredChargeDeclined": Card(last4="1629", authenticates=True, decline=GENERIC),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178", authenticates=True, decline=INSUFFICIENT
    ),
    # Names of this sandbox only: cards that arm a fault or keep the outcome open.
    "sandboxChargedButTimeout": Card(last4="9001", fault="charged_but_timeout"),
    "sandboxNotChargedTimeout": Card(last4="9002", fault="not_charged_timeout"),
    "sandboxConnectionReset": Card(last4="9003", fault="connection_reset_after_body"),
    "sandboxProcessing": Card(last4="9100", asynchronous=True),
    "sandboxPartialApproval": Card(last4="9008", fault="partial_approval"),
}

#: Other spellings in use for the same tokens.
ALIASES = {
    "visa_chargeDeclinedExpiredCard": "chargeDeclinedExpiredCard",
    "chargeDeclinedExpired": "chargeDeclinedExpiredCard",
}


def find_card(token: str) -> tuple[str, Card] | None:
    """The card behind ``pm_card_…`` or ``tok_…`` and its plain name; ``None`` when the token is unknown."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            name = token.removeprefix(prefix)
            name = ALIASES.get(name, name)
            if name not in CARDS and name.startswith("visa_"):
                name = name.removeprefix("visa_")
            return (name, CARDS[name]) if name in CARDS else None
    return None
