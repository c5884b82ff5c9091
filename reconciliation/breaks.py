"""What can be wrong with a line or a movement, and who deals with it."""

from enum import StrEnum

__all__ = ["BreakClass", "Category", "How", "Side"]


class BreakClass(StrEnum):
    """Every class of break. What is only early or late is no break until its time is over."""

    MISSING_INTERNAL = "MISSING_INTERNAL"
    MISSING_EXTERNAL = "MISSING_EXTERNAL"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    FEE_DIFFERENCE = "FEE_DIFFERENCE"
    FX_DIFFERENCE = "FX_DIFFERENCE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    STATUS_MISMATCH = "STATUS_MISMATCH"
    DUPLICATE_EXTERNAL = "DUPLICATE_EXTERNAL"
    DUPLICATE_INTERNAL = "DUPLICATE_INTERNAL"
    REFERENCE_COLLISION = "REFERENCE_COLLISION"
    BATCH_TOTAL_MISMATCH = "BATCH_TOTAL_MISMATCH"
    BALANCE_MISMATCH = "BALANCE_MISMATCH"
    SEQUENCE_GAP = "SEQUENCE_GAP"
    LATE = "LATE"
    UNKNOWN = "UNKNOWN"


class Category(StrEnum):
    """Who deals with a break: a rule, finance with a prepared entry, or somebody who first finds out."""

    AUTOMATED = "A"
    BY_HAND = "B"
    UNCLASSIFIED = "C"


class How(StrEnum):
    """How a line and a movement were found to be the same."""

    EXACT = "exact"
    GROUP = "group"
    TOLERANCE = "tolerance"
    EXPECTED = "expected"  # no line yet: due until `clear_by`
    BY_HAND = "by_hand"


class Side(StrEnum):
    """Which lines: of a provider's settlement file, or of a bank statement."""

    PSP = "psp"
    BANK = "bank"
