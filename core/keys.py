"""Where the keys of encrypted fields come from: an interface, and the provider that reads the environment.

The interface fits a key service as well: a provider that keeps wrapped data keys and has the service
unwrap them answers the same two questions.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

__all__ = ["KEY_BYTES", "EnvironmentKeys", "KeyProvider", "UnknownKey", "parse_keys", "provider"]

KEY_BYTES = 32  # AES-256
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")


class UnknownKey(LookupError):
    """No key has this id: it was removed too early, or the data come from another installation."""


class KeyProvider(Protocol):
    """Answers which key writes now and which bytes belong to a key id."""

    def current_id(self) -> str:
        """Return the id of the key that encrypts from now on."""

    def key(self, key_id: str) -> bytes:
        """Return the 32 bytes of a key. Raises UnknownKey."""


class EnvironmentKeys:
    """Keys from FIELD_KEYS: the first one writes, all of them read."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    @classmethod
    def from_settings(cls) -> "EnvironmentKeys":
        """Read settings.FIELD_KEYS. Raises ImproperlyConfigured, naming the key that is wrong."""
        return cls(parse_keys(settings.FIELD_KEYS))

    def current_id(self) -> str:
        """Return the id of the first key. Raises ImproperlyConfigured if there is none."""
        if not self._keys:
            raise ImproperlyConfigured("FIELD_KEYS is empty, so personal data cannot be stored")
        return next(iter(self._keys))

    def key(self, key_id: str) -> bytes:
        """Return the bytes of a key. Raises UnknownKey."""
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownKey(f"no key in FIELD_KEYS has the id {key_id!r}") from None


def parse_keys(texts: Sequence[str]) -> dict[str, bytes]:
    """Turn ["id:base64 of 32 bytes", …] into id → bytes, in order.

    Raises ImproperlyConfigured for a malformed id, text that is not base64, a wrong length or an id
    used twice. The message never shows the key.
    """
    keys: dict[str, bytes] = {}
    for position, text in enumerate(texts, start=1):
        key_id, _, encoded = text.partition(":")
        if not _KEY_ID.fullmatch(key_id):
            raise ImproperlyConfigured(f"FIELD_KEYS: entry {position} is not of the form id:base64")
        try:
            material = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ImproperlyConfigured(f"FIELD_KEYS: key {key_id} is not base64") from None
        if len(material) != KEY_BYTES:
            raise ImproperlyConfigured(
                f"FIELD_KEYS: key {key_id} has {len(material)} bytes, it must have {KEY_BYTES}"
            )
        if key_id in keys:
            raise ImproperlyConfigured(f"FIELD_KEYS: the id {key_id} is used twice")
        keys[key_id] = material
    return keys


def provider() -> KeyProvider:
    """Return the provider named by settings.FIELD_KEY_PROVIDER, built once per configuration."""
    return _provider(settings.FIELD_KEY_PROVIDER, tuple(settings.FIELD_KEYS))


@lru_cache(maxsize=4)
def _provider(path: str, _: tuple[str, ...]) -> KeyProvider:
    built: KeyProvider = import_string(path).from_settings()
    return built
