"""The one rule by which a part of an amount becomes whole minor units."""

__all__ = ["half_up"]


def half_up(numerator: int, denominator: int) -> int:
    """Return the quotient of two integers, not negative, rounded to the nearest; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)
