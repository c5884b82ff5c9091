"""How the states of files, statements and days look in the console."""

from reconciliation.sources.standing import Standing

__all__ = ["FILE_LOOKS", "STANDING_LOOKS", "STATEMENT_LOOKS"]

FILE_LOOKS = {
    "RECEIVED": "progress",
    "STAGING": "progress",
    "PROVISIONAL": "waiting",
    "PUBLISHED": "done",
    "DUPLICATE": "over",
    "REFUSED": "failed",
    "SUPERSEDED": "over",
}
STATEMENT_LOOKS = {
    "STAGED": "progress",
    "HELD": "waiting",
    "LIVE": "done",
    "DUPLICATE": "over",
    "SUPERSEDED": "over",
}
STANDING_LOOKS = {
    Standing.COUNTS: "done",
    Standing.OPEN: "progress",
    Standing.PROVISIONAL: "waiting",
    Standing.REFUSED: "failed",
    Standing.MISSING: "neutral",
}
