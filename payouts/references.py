"""What payouts and batches are called at banks and providers: letters and digits that all of them take.

ISO 20022 leaves 35 characters, and SEPA a small Latin set without the underscore of our public ids.
"""

import re
from uuid import UUID

from core.ids import public_id

__all__ = ["attempt_reference", "batch_reference", "payout_reference", "references_in"]

# The alphabet of public ids, of which the first letter stands for the highest bits.
_OURS = re.compile(r"po(?:b[0-7][0-9a-hjkmnp-tv-z]{25}|[0-7][0-9a-hjkmnp-tv-z]{25}-[0-9]{1,3}(?![0-9]))")


def payout_reference(payout_id: UUID) -> str:
    """What a payout is called at the bank and on statements, whichever sending of it they are about."""
    return public_id("po", payout_id).replace("_", "")


def attempt_reference(payout_id: UUID, number: int) -> str:
    """The reference of the nth sending of a payout: the same for every try of it."""
    return f"{payout_reference(payout_id)}-{number}"


def batch_reference(batch_id: UUID) -> str:
    """The reference of a batch, which is the message id of its file."""
    return public_id("pob", batch_id).replace("_", "")


def references_in(text: str) -> list[str]:
    """Return what in a text has the form of our references of sendings and batches, sent or not.

    Banks write in capitals and break long words: letters count in either case, and spaces do not.
    """
    return _OURS.findall("".join(text.split()).lower())
