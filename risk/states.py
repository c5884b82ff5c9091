"""The transition tables of risk."""

from core.fsm import Machine

__all__ = ["RISK_CHECK", "RISK_RULE"]

RISK_RULE = Machine(
    "risk_rule",
    "DRAFT",
    {
        "DRAFT": ("SHADOW", "ACTIVE", "RETIRED"),
        "SHADOW": ("ACTIVE", "RETIRED"),
        "ACTIVE": ("SHADOW", "RETIRED"),
    },
)
# What somebody outside is asked about a payment. DROPPED: a person, or the clock, was faster.
RISK_CHECK = Machine("risk_check", "WAITING", {"WAITING": ("ANSWERED", "DEGRADED", "DROPPED")})
