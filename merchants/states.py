"""The transition tables of this app."""

from core.fsm import Machine

__all__ = ["SELLER_KYC"]

# Gates payouts, not pay-in: an unverified seller can sell, but no money leaves for it.
SELLER_KYC = Machine(
    "seller_kyc",
    "UNVERIFIED",
    {
        "UNVERIFIED": ("PENDING",),
        "PENDING": ("VERIFIED", "REJECTED"),
        "REJECTED": ("PENDING",),
        "VERIFIED": ("SUSPENDED",),
        "SUSPENDED": ("VERIFIED",),
    },
)
