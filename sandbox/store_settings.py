"""Where the store's payment system is, and the key with which the store calls it.

Told by the control API (``POST /_sandbox/store/settings``) or by ``STORE_API_URL`` and ``STORE_API_KEY``.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from sandbox.database import Database

NAMES = ("api_url", "api_key")


class SettingError(ValueError):
    """A setting that cannot be right."""


class StoreSettings:
    """The two settings of the store, kept across restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def api_url(self) -> str:
        """Address of the payment system, without a path."""
        return self._read("api_url").rstrip("/")

    @property
    def api_key(self) -> str:
        """The store's secret key."""
        return self._read("api_key")

    @property
    def is_connected(self) -> bool:
        """Whether the store can take money at all."""
        return bool(self.api_url and self.api_key)

    def change(self, given: dict[str, str]) -> None:
        """Keep what is given; raises SettingError for what cannot be right."""
        for name, value in given.items():
            if name not in NAMES or not isinstance(value, str):
                raise SettingError(f"the settings of the store are {' and '.join(NAMES)}, both texts")
            if name == "api_url" and urlsplit(value).scheme not in ("http", "https"):
                raise SettingError("api_url is an http(s) address")
        for name, value in given.items():
            self._database.set_setting(f"store.{name}", value)

    def describe(self) -> dict[str, str | bool]:
        """The settings, the key by its end alone."""
        return {"api_url": self.api_url, "api_key": mask(self.api_key), "is_connected": self.is_connected}

    def _read(self, name: str) -> str:
        return self._database.setting(f"store.{name}", os.environ.get(f"STORE_{name.upper()}", ""))


def mask(key: str) -> str:
    """A secret key as it may be shown."""
    return f"{key[:8]}…{key[-4:]}" if len(key) > 16 else "…" if key else ""
