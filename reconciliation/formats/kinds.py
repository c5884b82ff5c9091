"""What a provider's word for a movement means, given its sign: `Kind`, or UNKNOWN.

A format says for each word which kind it is when money comes in, goes out, or neither. A sign that it does
not list makes the line UNKNOWN (F-H8): a refund that adds money, or a charge of nothing, is not what the word
says, and a person has to look at it. The line still counts in the sums of its file.
"""

from collections.abc import Mapping

from reconciliation.formats.contract import Kind

__all__ = ["Signs", "credit", "debit", "either", "kind_of"]

# By the sign of the gross amount: [0] none, [1] comes in, [-1] goes out.
Signs = tuple[Kind, Kind, Kind]

_NOWHERE: Signs = (Kind.UNKNOWN, Kind.UNKNOWN, Kind.UNKNOWN)


def credit(kind: Kind) -> Signs:
    """It only brings money in."""
    return (Kind.UNKNOWN, kind, Kind.UNKNOWN)


def debit(kind: Kind) -> Signs:
    """It only takes money out."""
    return (Kind.UNKNOWN, Kind.UNKNOWN, kind)


def either(comes_in: Kind, goes_out: Kind | None = None, *, zero: bool = False) -> Signs:
    """It may do both, as one kind or as two; with `zero`, also nothing (then it is `comes_in`)."""
    return (comes_in if zero else Kind.UNKNOWN, comes_in, goes_out or comes_in)


def kind_of(words: Mapping[str, Signs], word: str, gross_minor: int) -> Kind:
    """Return the kind of a movement of this amount, UNKNOWN for a word or a sign that is not listed."""
    return words.get(word, _NOWHERE)[(gross_minor > 0) - (gross_minor < 0)]
