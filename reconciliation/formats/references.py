"""References as files write them: whole, or not at all."""

from re import ASCII
from re import compile as pattern

from reconciliation.formats.contract import Refused

__all__ = ["MAX_REFERENCE", "check_reference", "is_ours", "was_a_number"]

MAX_REFERENCE = 255

_IN_POWERS_OF_TEN = pattern(r"\d(?:[.,]\d+)?[eE]\+\d+", ASCII).fullmatch


def check_reference(text: str, line_no: int, limit: int = MAX_REFERENCE) -> str:
    """Return a provider's reference. Raises Refused with `reference_too_long`: half of one names another."""
    if len(text) > limit:
        raise Refused("reference_too_long", f"{text[:40]!r}… has more than {limit} characters", line_no)
    return text


def is_ours(text: str) -> bool:
    """Return whether it may be a reference of ours. Others may write there as well, and at any length."""
    return len(text) <= MAX_REFERENCE and not was_a_number(text)


def was_a_number(*references: str) -> bool:
    """Return whether a spreadsheet made a number of one of them, like 1.2302E+22: its digits are lost.

    What it makes of other columns does no harm: amounts and times in its spelling are refused.
    """
    return any("+" in text and _IN_POWERS_OF_TEN(text) for text in references)
