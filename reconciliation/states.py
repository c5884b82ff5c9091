"""The transition tables of reconciliation."""

from core.fsm import Machine

__all__ = [
    "ADJUSTMENT",
    "BREAK_RULE",
    "DAY",
    "DISCREPANCY",
    "FILE",
    "FILE_LIVE",
    "FILE_OPEN",
    "RUN",
    "STATEMENT",
]

FILE = Machine(
    "settlement_file",
    "RECEIVED",
    {
        "RECEIVED": ("STAGING", "REFUSED"),
        # Staged lines are seen by nobody until their file is published, all at once.
        "STAGING": ("PUBLISHED", "PROVISIONAL", "DUPLICATE", "REFUSED"),
        # Its period is not over, so that the provider may still be writing: shown, never matched.
        "PROVISIONAL": ("PUBLISHED", "SUPERSEDED"),
        "PUBLISHED": ("SUPERSEDED",),
        # A person says that it is to be read again: its source was set up wrongly.
        "REFUSED": ("RECEIVED",),
    },
)
# Something is still to be done with it.
FILE_OPEN = ("RECEIVED", "STAGING")
# What it says counts.
FILE_LIVE = ("PUBLISHED", "PROVISIONAL")

STATEMENT = Machine(
    "bank_statement",
    "STAGED",
    {
        # HELD: it adds up, but the statement before it is missing or ends with another balance.
        "STAGED": ("LIVE", "HELD", "DUPLICATE"),
        "HELD": ("LIVE", "DUPLICATE", "SUPERSEDED"),
        "LIVE": ("SUPERSEDED",),
    },
)

RUN = Machine(
    "reconciliation_run",
    "QUEUED",
    # Each step commits by itself and finds what it has done already; FAILED waits for a person. Of a POSTED
    # one, pay-in is still to be told what is proven.
    {
        "QUEUED": ("MATCHED", "FAILED"),
        "MATCHED": ("POSTED", "FAILED"),
        "POSTED": ("DONE", "FAILED"),
        # A statement of a bank's file that was held counts now.
        "DONE": ("QUEUED",),
        "FAILED": ("QUEUED", "MATCHED", "POSTED"),
    },
)

DISCREPANCY = Machine(
    "discrepancy",
    "OPEN",
    {
        "OPEN": ("ASSIGNED", "PROPOSED", "RESOLVED"),
        "ASSIGNED": ("OPEN", "PROPOSED", "RESOLVED"),
        "PROPOSED": ("ASSIGNED", "RESOLVED"),
        "RESOLVED": ("OPEN",),
    },
)

ADJUSTMENT = Machine(
    "adjustment",
    "PROPOSED",
    {"PROPOSED": ("POSTED", "REJECTED"), "POSTED": ("REVERSED",)},
)

BREAK_RULE = Machine("break_rule", "DRAFT", {"DRAFT": ("ACTIVE", "RETIRED"), "ACTIVE": ("RETIRED",)})

DAY = Machine("day_close", "OPEN", {"OPEN": ("PREPARED",), "PREPARED": ("OPEN", "CLOSED")})
