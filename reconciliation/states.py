"""The transition tables of files and statements."""

from core.fsm import Machine

__all__ = ["FILE", "FILE_LIVE", "FILE_OPEN", "STATEMENT"]

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
