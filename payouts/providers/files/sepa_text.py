"""Text as SEPA banks take it: the Latin set of the EPC implementation guidelines, by one rule (letters.toml).

The rule, in this order:

1. Compatibility forms are taken apart (NFKC), so that full-width and styled letters are plain ones.
2. Letters with a usual spelling in Latin are spelled so: German, Nordic and French digraphs (ä ae, ø o, å a,
   ß ss, œ oe, ł l, …), Greek (ELOT 743) and Cyrillic (as Bulgaria writes it).
3. What is left loses its accents (NFD), and punctuation outside the set becomes its nearest neighbour in it
   (& +, _ -, ; comma, [ (, …; EPC 217-08).
4. Whatever is still outside the set is left out; runs of spaces become one.

Bidirectional marks and zero-width characters fall to step 4. Nothing is guessed: a text without a single
letter or digit left is no text, and the caller refuses it.
"""

import re
import tomllib
import unicodedata
from pathlib import Path

__all__ = ["is_sepa_text", "sepa_text"]

_ALLOWED = re.compile(r"[A-Za-z0-9/?:().,'+ -]*")
_OUTSIDE = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
_SAYS_SOMETHING = re.compile(r"[A-Za-z0-9]")


def _table() -> dict[int, str]:
    tables = tomllib.loads(Path(__file__).with_name("letters.toml").read_text(encoding="utf-8"))
    letters = {**tables["latin"], **tables["greek"], **tables["cyrillic"]}
    capitals = {letter.upper(): said.capitalize() for letter, said in letters.items()}
    # A letter whose capital is two, or is itself, needs no other one.
    single = {letter: said for letter, said in capitals.items() if len(letter) == 1}
    return str.maketrans(
        {**tables["punctuation"], **single, **letters, "\N{LATIN CAPITAL LETTER SHARP S}": "SS"}
    )


_TABLE = _table()


def is_sepa_text(text: str) -> bool:
    """Say whether every character is in the set that all SEPA banks take."""
    return _ALLOWED.fullmatch(text) is not None


def sepa_text(text: str, *, longest: int) -> str:
    """Return the text in the SEPA set, cut to so many characters; empty if it cannot be said there."""
    composed = unicodedata.normalize("NFKC", text).translate(_TABLE)
    bare = "".join(
        char for char in unicodedata.normalize("NFD", composed) if not unicodedata.combining(char)
    ).translate(_TABLE)
    said = " ".join(_OUTSIDE.sub("", bare).split())[:longest].strip()
    return said if _SAYS_SOMETHING.search(said) else ""
