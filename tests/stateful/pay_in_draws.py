"""What the random histories of pay-in draw from: cards, faults, and places where a process breaks."""

from typing import Any

from hypothesis import strategies as st

__all__ = ["AMOUNT", "BREAKS", "CARD", "CARDS", "CRASHES", "FAULTS", "PICK"]

# Each card, and what a payment with it may lead to besides being paid.
CARDS: dict[str, set[str]] = {
    "pm_card_visa": set(),
    "pm_card_mastercard": set(),
    "pm_card_chargeDeclined": {"decline"},
    "pm_card_chargeCustomerFail": {"decline"},
    "pm_card_threeDSecure2Required": {"challenge"},
    "pm_card_threeDSecureRequiredChargeDeclined": {"challenge", "decline"},
    "pm_card_sandboxProcessing": {"slow"},
    "pm_card_sandboxConnectionReset": {"trouble"},
    "pm_card_sandboxChargedButTimeout": {"trouble"},
    "pm_card_sandboxNotChargedTimeout": {"trouble"},
    "pm_card_pendingRefund": set(),
    "pm_card_refundFail": {"refund fails"},
    "pm_card_sandboxRefundRefused": {"refund fails"},
    "pm_card_sandboxRefundPendingFails": {"refund fails"},
    "pm_card_sandboxCaptureRefused": {"capture refused"},
    "pm_card_sandboxCaptureProcessing": {"slow"},
}
_LOST: list[dict[str, Any] | None] = [
    {"kind": "connection_reset_after_body"},
    {"kind": "connection_reset_after_body", "effect": False},
    {"kind": "http_500", "effect": True},
    {"kind": "http_500"},
    {"kind": "http_503"},
    {"kind": "http_429"},
    {"kind": "broken_json"},
    {"kind": "truncated_json"},
]
_PLACES = ("before_intent", "after_intent", "after_effect", "before_commit", "after_commit")
FAULTS = st.one_of(
    st.none(),
    st.builds(lambda fault, skip: {**fault, "skip": skip}, st.sampled_from(_LOST), st.integers(0, 2)),
)
CRASHES = st.one_of(
    st.none(),
    st.tuples(st.sampled_from([f"execute.{place}" for place in _PLACES]), st.sampled_from(["die", "raise"])),
)
BREAKS = st.sampled_from(["", "", "", "idem.before_record", "idem.before_commit", "idem.after_commit"])
PICK = st.integers(0, 999)
CARD = st.sampled_from(sorted(CARDS))
AMOUNT = st.integers(100, 20_000)
