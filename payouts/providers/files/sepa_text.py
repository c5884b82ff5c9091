"""Text as SEPA banks take it: the Latin set of the EPC implementation guidelines, by one written rule.

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
import unicodedata

__all__ = ["is_sepa_text", "sepa_text"]

_ALLOWED = re.compile(r"[A-Za-z0-9/?:().,'+ -]*")
_OUTSIDE = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
_SAYS_SOMETHING = re.compile(r"[A-Za-z0-9]")

_LATIN = {
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "å": "a", "þ": "th", "ð": "d",
    "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ĸ": "k", "ŋ": "n", "ŧ": "t", "ə": "e",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k",
    "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t",
    "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i",
    "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ы": "y", "ь": "y",
    "э": "e", "ю": "yu", "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ј": "j", "љ": "lj", "њ": "nj",
    "ћ": "c", "ђ": "dj", "џ": "dz", "ѕ": "dz",
}  # fmt: skip
_PUNCTUATION = {
    "&": "+", "_": "-", ";": ",", "[": "(", "]": ")", "{": "(", "}": ")", "<": "(", ">": ")", "|": "/",
    "\\": "/", "~": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", '"': "'", "`": "'", "´": "'",
    "‘": "'", "’": "'", "“": "'", "”": "'", "„": "'", "«": "'", "»": "'", "·": ".", "•": ".", "!": ".",
    "#": ".", "%": ".", "*": ".", "=": ".", "@": ".", "^": ".", "$": ".", "\t": " ", "\n": " ", "\r": " ",
}  # fmt: skip
_LETTERS = _LATIN | _GREEK | _CYRILLIC
_CAPITALS = {letter.upper(): text.capitalize() for letter, text in _LETTERS.items() if letter.islower()}
_TABLE = str.maketrans(
    {**_PUNCTUATION, **{key: text for key, text in _CAPITALS.items() if len(key) == 1}, **_LETTERS, "ẞ": "SS"}
)


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
