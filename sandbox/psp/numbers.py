"""The public test card numbers and the token that each stands for.

Only the hosted page reads numbers. It turns a number into its token at once, and from then on there is only
the token: no number is stored or logged. Every other number is refused, so that nobody can type a real card.
"""

from __future__ import annotations

import re

NUMBERS = {
    "4242424242424242": "visa",
    "4000056655665556": "visa_debit",
    "5555555555554444": "mastercard",
    "5200828282828210": "mastercard_debit",
    "5105105105105100": "mastercard_prepaid",
    "371449635398431": "amex",
    "378282246310005": "threeDSecureNotSupported",
    "6011111111111117": "discover",
    "3056930009020004": "diners",
    "3566002020360505": "jcb",
    "6200000000000005": "unionpay",
    "4000000000000077": "bypassPending",
    "4000000000000002": "chargeDeclined",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
    "4000000000009987": "chargeDeclinedLostCard",
    "4000000000009979": "chargeDeclinedStolenCard",
    "4000000000006975": "chargeDeclinedVelocityLimitExceeded",
    "4000000000000069": "chargeDeclinedExpiredCard",
    "4000000000000127": "chargeDeclinedIncorrectCvc",
    "4000000000000119": "chargeDeclinedProcessingError",
    "4000000000000341": "chargeCustomerFail",
    "4000002760003184": "authenticationRequired",
    "4000000000003220": "threeDSecure2Required",
    "4000000000003063": "threeDSecureRequired",
    "4000000000003055": "threeDSecureOptional",
    "4000008400001629": "threeDSecureRequiredChargeDeclined",
    "4000008260003178": "authenticationRequiredChargeDeclinedInsufficientFunds",
    "4000000000000010": "avsFail",
    "4000000000000028": "avsLineOneFail",
    "4000000000000036": "avsZipFail",
    "4000000000000044": "avsUnchecked",
    "4000000000000101": "cvcCheckFail",
    "4000000000009235": "riskLevelElevated",
    "4000000000004954": "riskLevelHighest",
    "4100000000000019": "radarBlock",
    "4000000000000259": "createDispute",
    "4000000000002685": "createDisputeProductNotReceived",
    "4000000000001976": "createDisputeInquiry",
    "4000000000007726": "pendingRefund",
    "4000000000005126": "refundFail",
    # Numbers of this sandbox only, for its own tokens.
    "4000009999069001": "sandboxChargedButTimeout",
    "4000009999059002": "sandboxNotChargedTimeout",
    "4000009999049003": "sandboxConnectionReset",
    "4000009999099008": "sandboxPartialApproval",
    "4000009999069100": "sandboxProcessing",
    "4000009999039400": "sandboxCaptureRefused",
    "4000009999029401": "sandboxCaptureProcessing",
    "4000009999059200": "sandboxReview",
    "4000009999049201": "sandboxReviewFails",
    "4000009999049300": "sandboxRefundPendingFails",
    "4000009999039301": "sandboxRefundRefused",
}

NUMBER_OF = {token: number for number, token in NUMBERS.items()}

BRANDS = (
    ("amex", r"3[47]"),
    ("diners", r"3(?:0[0-5]|[689])"),
    ("jcb", r"35"),
    ("visa", r"4"),
    ("mastercard", r"5[1-5]|2[2-7]"),
    ("discover", r"6(?:011|4[4-9]|5)"),
    ("unionpay", r"62"),
)


def brand_of(number: str) -> str | None:
    """The card scheme that the first digits belong to."""
    return next((brand for brand, pattern in BRANDS if re.match(pattern, number)), None)


def least_digits(number: str) -> int:
    """How many digits a number that begins so has at least."""
    return {"amex": 15, "diners": 14}.get(brand_of(number) or "", 16)


def passes_luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def grouped(number: str) -> str:
    """The number as it is printed on the card."""
    ends = (4, 10, 15) if brand_of(number) == "amex" else (4, 8, 12, 16, 20)
    starts = (0, *ends)
    return " ".join(number[a:b] for a, b in zip(starts, ends, strict=False) if number[a:b])
