"""Recognise card numbers, so that none is ever accepted, stored or logged.

A number is taken for a card number when it has 13 to 19 digits (single blanks or dashes between them
do not hide it), passes the Luhn check, and its first digits and length belong to a card scheme. A random
number can pass all three, so what is plainly machine-made (a UUID, a digest, a token) is left out, and so is
a text that is an IBAN and nothing else: of a hundred Norwegian accounts one has the digits of a card.
"""

import re
import unicodedata
from collections.abc import Iterator

from core.errors import DomainError
from core.ibans import compact_iban

__all__ = ["CardDataForbidden", "contains_card_number", "hide_card_numbers", "passes_luhn"]


class CardDataForbidden(DomainError):
    code = "card_data_forbidden"
    status = 422
    message = "Card numbers are not accepted anywhere. Send a token made by the payment provider."


_ENOUGH_DIGITS = re.compile(r"(?:\d[^\d]?){12}\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_SEPARATOR = r"[ \-\u2010-\u2015\u2212]"
_RUN = re.compile(rf"[0-9]+(?:{_SEPARATOR}[0-9]+)*")
_WORDS = re.compile(r"[A-Za-z]+")
_TOKEN = re.compile(r"[0-9A-Za-z]+")
# A number of 19 digits, each of which stands alone.
_MOST_GROUPS = 19
# How far around a number it is looked whether a machine made it.
_NEAR = 64

# (first digits from, to, lengths): the ranges that the schemes publish.
_RANGES = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),
    (6011, 6011, (16, 17, 18, 19)),  # Discover
    (644, 659, (16, 17, 18, 19)),
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (300, 305, (14, 16, 17, 18, 19)),  # Diners Club
    (3095, 3095, (14, 16, 17, 18, 19)),
    (36, 36, (14, 15, 16, 17, 18, 19)),
    (38, 39, (14, 16, 17, 18, 19)),
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (81, 81, (16, 17, 18, 19)),
    (50, 50, (16, 17, 18, 19)),  # Maestro; its rare shorter numbers look like barcodes
    (56, 58, (16, 17, 18, 19)),
    (60, 60, (16,)),  # RuPay
    (6304, 6304, (16, 17, 18, 19)),  # Maestro
    (67, 67, (16, 17, 18, 19)),
    (2200, 2204, (16, 17, 18, 19)),  # Mir
)


# The digits of every second place count twice, and as the sum of their two digits then.
_TWICE = bytes.maketrans(b"0123456789", b"0246813579")
_ZERO = ord("0")


def passes_luhn(digits: str) -> bool:
    """Say whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    raw = digits.encode("ascii")
    total = sum(raw[-1::-2]) + sum(raw[-2::-2].translate(_TWICE))
    return (total - _ZERO * len(raw)) % 10 == 0


def contains_card_number(text: str) -> bool:
    """Say whether the text holds something that looks like a card number, whatever surrounds it."""
    if not _ENOUGH_DIGITS.search(text) or compact_iban(text) is not None:
        return False
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = _UUID.sub(" | ", text)
    return any(_holds_a_card(run) for run in _RUN.finditer(text))


def hide_card_numbers(text: str) -> str:
    """Return the text with `[card number]` in place of whatever `contains_card_number` would find."""
    if not contains_card_number(text):
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    kept, hidden = 0, []
    for uuid in [*_UUID.finditer(text), None]:
        end = uuid.start() if uuid else len(text)
        hidden += [_RUN.sub(_hide, text[kept:end]), uuid[0] if uuid else ""]
        kept = uuid.end() if uuid else end
    return "".join(hidden)


def _hide(run: re.Match[str]) -> str:
    return "[card number]" if _holds_a_card(run) else run[0]


def _holds_a_card(run: re.Match[str]) -> bool:
    return any(map(_is_card, _candidates(run[0]))) and not _is_machine_made(run.string, run)


def _candidates(run: str) -> Iterator[str]:
    # "4242 4242 4242 4242 12 27" is a card number with something behind it, so every stretch of whole
    # groups is looked at; a group itself is never cut.
    groups = re.split(_SEPARATOR, run)
    for start in range(len(groups)):
        digits = ""
        for group in groups[start : start + _MOST_GROUPS]:
            digits += group
            if len(digits) > 19:
                break
            if len(digits) >= 13:
                yield digits


def _is_machine_made(text: str, run: re.Match[str]) -> bool:
    for token in _TOKEN.finditer(text, *_surroundings(text, run)):
        if len(_WORDS.findall(token[0])) > 2:
            return True
    return False


def _surroundings(text: str, run: re.Match[str]) -> tuple[int, int]:
    # Not beyond what tells enough: who sends a megabyte of runs must not have each of them look at all of it.
    start, end = run.span()
    first, last = max(0, start - _NEAR), min(len(text), end + _NEAR)
    while start > first and text[start - 1].isalnum():
        start -= 1
    while end < last and text[end].isalnum():
        end += 1
    return start, end


def _is_card(digits: str) -> bool:
    return _SCHEMES[len(digits)].match(digits) is not None and passes_luhn(digits)


def _schemes(length: int) -> re.Pattern[str]:
    """What the first digits of a card number of this length may be."""
    first = [
        str(low + n) for low, high, lengths in _RANGES if length in lengths for n in range(high - low + 1)
    ]
    return re.compile("|".join(first))


_SCHEMES = {length: _schemes(length) for length in range(13, 20)}
