"""Passwords and keys of a local run: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.messages import Stop


@dataclass(frozen=True)
class Credentials:
    """Everything random that a run must find again next time."""

    superuser_password: str
    owner_password: str
    app_password: str
    readonly_password: str
    broker_password: str
    secret_key: str
    field_keys: str

    @classmethod
    def generate(cls) -> Credentials:
        """New ones, from the system's random source."""
        return cls(
            superuser_password=secrets.token_urlsafe(24),
            owner_password=secrets.token_urlsafe(24),
            app_password=secrets.token_urlsafe(24),
            readonly_password=secrets.token_urlsafe(24),
            broker_password=secrets.token_urlsafe(24),
            secret_key=secrets.token_urlsafe(48),
            field_keys="k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        )


def load_or_create(path: Path) -> Credentials:
    """The credentials of this data folder. Raises Stop when the file is damaged.

    They are never silently replaced: FIELD_KEYS opens the encrypted columns.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(**known)
    except FileNotFoundError:
        fresh = Credentials.generate()
        write_private(path, json.dumps(asdict(fresh), indent=2) + "\n")
        return fresh
    except (ValueError, TypeError) as error:
        raise Stop(
            f"{path} is damaged ({error}).",
            cure=f"restore it, or remove the whole folder {path.parent} to start with empty data.",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
