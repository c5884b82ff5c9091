"""The text form of API keys: sk_<mode>_<prefix>_<secret>, of which only the prefix and a hash are kept."""

import hashlib
import re
import secrets
from dataclasses import dataclass

__all__ = ["KeyText", "hash_secret", "new_key_text", "read_key_text"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PREFIX_LENGTH = 10
_SECRET_BYTES = 24
_SHAPE = re.compile(r"sk_(test|live)_([0-9a-z]{10})_([A-Za-z0-9_-]{32})")


@dataclass(frozen=True, repr=False)
class KeyText:
    """The parts of a key; never logged, so it has no readable form."""

    mode: str
    prefix: str
    secret: str

    @property
    def text(self) -> str:
        """The whole key, as the store sends it."""
        return f"sk_{self.mode}_{self.prefix}_{self.secret}"

    def hashed(self) -> bytes:
        """What is stored of the secret."""
        return hash_secret(self.secret)


def new_key_text(mode: str) -> KeyText:
    """Make a key with 192 random bits of secret."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
    return KeyText(mode, prefix, secrets.token_urlsafe(_SECRET_BYTES))


def read_key_text(text: str) -> KeyText | None:
    """Return the parts of a key, or None if the text is not one."""
    match = _SHAPE.fullmatch(text)
    return KeyText(*match.groups()) if match else None


def hash_secret(secret: str) -> bytes:
    """Return what is stored. One round of SHA-256 is enough: 192 random bits cannot be tried out."""
    return hashlib.sha256(secret.encode()).digest()
