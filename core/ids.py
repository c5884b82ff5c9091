"""Keys: UUIDv7 inside (RFC 9562, so that indexes grow at one end), opaque prefixed ids outside."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

__all__ = ["PREFIXES", "as_uuid", "first_key", "is_reserved", "parse_public_id", "public_id", "uuid7"]

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
_SECOND = 1000 << 12


_lock = threading.Lock()
_last = 0


def _forget_lock() -> None:
    """A fork may come while another thread holds the lock, and that thread is not in the child."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


def uuid7() -> UUID:
    """Return a new time-ordered UUID: milliseconds, 12 bits of their fraction, 62 random bits.

    Above every one that this process made before, also within a millisecond, so that what one request
    creates is in the order in which it was created (RFC 9562 section 6.2, methods 3 and 1).
    """
    stamp = _next_stamp()
    value = (stamp >> 12 & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= (stamp & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    return UUID(int=value)


def _next_stamp() -> int:
    """The time in 4096ths of a millisecond; one more than the last when that is not over yet."""
    global _last
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    now = milliseconds << 12 | (rest << 12) // 1_000_000
    with _lock:
        # A clock that was put right by more than a second is believed, or keys would stay ahead of it.
        _last = now if now > _last or _last - now > _SECOND else _last + 1
        return _last


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


def as_uuid(text: str) -> UUID | None:
    """Return the key that a text writes out, or None if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def is_reserved(text: str) -> bool:
    """Say whether a store's own string begins like one of our ids, which would make it ambiguous."""
    head, separator, _ = text.partition("_")
    return bool(separator) and head in PREFIXES
