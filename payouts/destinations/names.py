"""Holders' names: what may be one, how it compares with the seller's, and what is shown of it."""

import unicodedata
from difflib import SequenceMatcher

from payouts.errors import DestinationInvalid

__all__ = ["LONGEST", "compare", "holder_name", "masked", "mixes_scripts"]

# ISO 20022 leaves 140 characters for a name, and the SEPA rulebooks 70 of them.
LONGEST = 70
_CLOSE = 0.85
# What firms write behind their names in one place and not in another.
_SUFFIXES = (
    "ag bv co company corp corporation eg eu gbr gmbh inc incorporated kg kgaa limited llc llp ltd nv ohg oy "
    "plc pte pty sa sarl sas se sl spa srl ug"
)
_FORMS = frozenset(_SUFFIXES.split())
# Letters of these are mistaken for each other's. Who writes Japanese mixes four scripts; no harm is in it.
_LOOK_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")


def holder_name(text: str) -> str:
    """Return a holder's name in one spelling (NFC, single blanks), its letters as they are.

    Raises DestinationInvalid for one that is empty or too long, has no letter, or holds characters that
    nobody sees: direction marks, joiners, private ones (A-F17).
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= LONGEST or not any(char.isalpha() for char in name):
        raise DestinationInvalid(f"A holder's name has 1 to {LONGEST} characters.", param="holder_name")
    if any(unicodedata.category(char)[0] == "C" for char in name):
        raise DestinationInvalid("The holder's name has characters that nobody sees.", param="holder_name")
    return name


def compare(holder: str, seller: str) -> str:
    """Say how a holder's name compares with the seller's: exact, close or no.

    Exact is the same letters, whatever their case, accents and punctuation. Close is the same words in
    another order or without a legal form, or a letter or two of difference.
    """
    ours, theirs = _words(holder), _words(seller)
    if not ours or not theirs:
        return "no"
    if ours == theirs:
        return "exact"
    if _core(ours) == _core(theirs):
        return "close"
    ratio = SequenceMatcher(None, " ".join(_core(ours)), " ".join(_core(theirs)), autojunk=False).ratio()
    # Letters of another alphabet that look like ours are no letters of ours.
    return "close" if ratio >= _CLOSE and not mixes_scripts(holder + seller) else "no"


def mixes_scripts(text: str) -> bool:
    """Say whether a text has letters of several alphabets that are mistaken for each other."""
    names = (unicodedata.name(char, "") for char in text if char.isalpha())
    return len({script for name in names for script in _LOOK_ALIKE if name.startswith(f"{script} ")}) > 1


def masked(name: str) -> str:
    """Return what is shown of a name: the first letter of each word."""
    return " ".join(f"{word[0]}…" for word in name.split())


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (char for char in plain if not unicodedata.combining(char) and char not in "'’.")
    return "".join(char if char.isalnum() else " " for char in kept).split()


def _core(words: list[str]) -> list[str]:
    return sorted(word for word in words if word not in _FORMS) or sorted(words)
