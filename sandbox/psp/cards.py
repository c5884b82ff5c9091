"""The provider's public test tokens and how each behaves.

A token stands for a test card: ``pm_card_visa`` where a payment method is expected, ``tok_visa`` where a card
token is. The API never accepts card numbers; ``numbers`` says what the hosted page makes of the public ones.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank says no: the error's code, the bank's own decline code and the sentence for the buyer.

    ``blocked``: the provider's own risk engine refused the charge, and the bank never saw it.
    """

    code: str
    decline_code: str | None
    message: str
    network_code: str | None = "05"
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. ``fault`` names a fault that the card arms by itself when it is confirmed.

    The checks are what the bank says of the address line, the postal code and the security code; ``None``
    follows what the buyer gave. Without ``fingerprint`` nobody is told which card it is. ``review`` is how
    many seconds of sandbox time a payment stays open and whether it then succeeds. ``refund`` says what
    becomes of its refunds: see ``sandbox.psp.refunds``. ``capture`` is what becomes of a capture after the
    authorisation: ``refused`` by the bank, or ``processing`` until it is settled.
    """

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
    line1_check: str | None = None
    postal_code_check: str | None = None
    cvc_check: str | None = "pass"
    risk_level: str | None = None
    wallet: str | None = None
    fingerprint: bool = True
    review: tuple[int, bool] | None = None
    #: How the buyer's bank disputes the payment as soon as it is captured (``disputes.OPENINGS``).
    dispute: str | None = None
    refund: str | None = None
    capture: str | None = None


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
BLOCKED = Decline("card_declined", "fraudulent", "Your card was declined.", None, blocked=True)
AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "This payment needs the cardholder's authentication.",
    "1A",
)

#: How long the provider looks at a payment under review, in seconds of sandbox time.
REVIEW_SECONDS = 6 * 3600

#: Token name without ``pm_card_`` or ``tok_``.
CARDS: dict[str, Card] = {
    "visa": Card(),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card("mastercard", "4444"),
    "mastercard_debit": Card("mastercard", "8210", "debit"),
    "mastercard_prepaid": Card("mastercard", "5100", "prepaid"),
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
    "avsFail": Card(last4="0010", line1_check="fail", postal_code_check="fail"),
    "avsLineOneFail": Card(last4="0028", line1_check="fail"),
    "avsZipFail": Card(last4="0036", postal_code_check="fail"),
    "avsUnchecked": Card(last4="0044", line1_check="unavailable", postal_code_check="unavailable"),
    "cvcCheckFail": Card(last4="0101", cvc_check="fail"),
    "riskLevelElevated": Card(last4="9235", risk_level="elevated"),
    "riskLevelHighest": Card(last4="4954", risk_level="highest", decline=BLOCKED),
    "createDispute": Card(last4="0259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute="inquiry"),
    "pendingRefund": Card(last4="7726", refund="pending"),
    "refundFail": Card(last4="5126", refund="fails"),
    "radarBlock": Card(last4="0019", risk_level="highest", decline=BLOCKED),
    # Names of this sandbox only: wallets, cards that arm a fault, cards that keep the outcome open.
    "sandboxApplePay": Card(wallet="apple_pay", cvc_check=None),
    "sandboxApplePayDeclined": Card(wallet="apple_pay", cvc_check=None, decline=GENERIC),
    "sandboxGooglePay": Card("mastercard", "4444", wallet="google_pay", cvc_check=None),
    "sandboxGooglePayDeclined": Card(
        "mastercard", "4444", wallet="google_pay", cvc_check=None, decline=GENERIC
    ),
    "sandboxGooglePayUnnamed": Card(
        "mastercard", "4444", wallet="google_pay", cvc_check=None, fingerprint=False
    ),
    "sandboxReview": Card(last4="9200", asynchronous=True, review=(REVIEW_SECONDS, True)),
    "sandboxReviewFails": Card(last4="9201", asynchronous=True, review=(REVIEW_SECONDS, False)),
    "sandboxChargedButTimeout": Card(last4="9001", fault="charged_but_timeout"),
    "sandboxNotChargedTimeout": Card(last4="9002", fault="not_charged_timeout"),
    "sandboxConnectionReset": Card(last4="9003", fault="connection_reset_after_body"),
    "sandboxProcessing": Card(last4="9100", asynchronous=True),
    "sandboxRefundPendingFails": Card(last4="9300", refund="pending_fails"),
    "sandboxRefundRefused": Card(last4="9301", refund="refused"),
    "sandboxCaptureRefused": Card(last4="9400", capture="refused"),
    "sandboxCaptureProcessing": Card(last4="9401", capture="processing"),
    "sandboxPartialApproval": Card(last4="9008", fault="partial_approval"),
}

#: Other spellings in use for the same tokens.
ALIASES = {
    "visa_chargeDeclinedExpiredCard": "chargeDeclinedExpiredCard",
    "chargeDeclinedExpired": "chargeDeclinedExpiredCard",
    "avsLine1Fail": "avsLineOneFail",
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
