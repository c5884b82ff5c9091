"""Keys: UUIDv7 inside (RFC 9562, so that indexes grow at one end), opaque prefixed ids outside."""

import os
import time
from datetime import datetime
from uuid import UUID

__all__ = ["PREFIXES", "first_key", "is_reserved", "parse_public_id", "public_id", "uuid7"]

PREFIXES = frozenset(
    [
        "mer",
        "sel",
        "buy",
        "chk",
        "pay",
        "chg",
        "op",
        "re",
        "dp",
        "wal",
        "hold",
        "po",
        "pob",
        "evt",
        "whe",
        "stl",
        "dsc",
        "case",
        "top",
        "saved",
        "apr",
        "key",
        "rel",
        "dst",
    ]
)
# Crockford's base 32: no letters that are mistaken for digits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {char: index for index, char in enumerate(_ALPHABET)}


def uuid7() -> UUID:
    """Return a new time-ordered UUID: 48 bits of milliseconds, 74 random bits."""
    stamp = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (stamp & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= ((random >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random & (2**62 - 1)
    return UUID(int=value)


def first_key(at: datetime) -> UUID:
    """Return what no key that was made at this moment or later is below: rows since then, by primary key."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def public_id(prefix: str, key: UUID) -> str:
    """Return the id shown outside, for example pay_01j9…: the prefix and 26 characters."""
    value = key.int
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])}"


def parse_public_id(text: str, prefix: str) -> UUID | None:
    """Return the key of a public id, or None if the text is not one with that prefix."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != 26 or tail[0] > "7":
        return None
    value = 0
    for char in tail:
        if char not in _VALUES:
            return None
        value = value << 5 | _VALUES[char]
    return UUID(int=value)


def is_reserved(text: str) -> bool:
    """Say whether a store's own string begins like one of our ids, which would make it ambiguous."""
    head, separator, _ = text.partition("_")
    return bool(separator) and head in PREFIXES
