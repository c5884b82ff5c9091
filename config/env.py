"""Typed reads of environment variables: a typo or a missing value stops the start, not a payment."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = [
    "ConfigurationError",
    "database_from_url",
    "env_bool",
    "env_float",
    "env_int",
    "env_list",
    "env_str",
]


class ConfigurationError(Exception):
    """An environment variable is missing or not what it must be."""


def env_str(name: str, default: str | None = None) -> str:
    """Return the variable, or the content of the file named by NAME_FILE (for mounted secrets).

    An empty value counts as not set, wherever it comes from: a copy of .env.example changes nothing.
    """
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    if value := os.environ.get(name):
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set; .env.example says what it is for")
    return default


def env_bool(name: str, default: bool = False) -> bool:
    """Return a boolean; only True, False, 1 and 0 are accepted."""
    value = env_str(name, str(default))
    if value in ("True", "1"):
        return True
    if value in ("False", "0"):
        return False
    raise ConfigurationError(f"{name} must be True or False, not {value!r}")


def env_int(name: str, default: int | None = None) -> int:
    """Return an integer."""
    value = env_str(name, None if default is None else str(default))
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(f"{name} must be a whole number, not {value!r}") from None


def env_float(name: str, default: float) -> float:
    """Return a number of seconds or a ratio; never used for money."""
    value = env_str(name, str(default))
    try:
        return float(value)
    except ValueError:
        raise ConfigurationError(f"{name} must be a number, not {value!r}") from None


def env_list(name: str, default: str = "") -> list[str]:
    """Return the comma-separated parts, without blanks."""
    return [part.strip() for part in env_str(name, default).split(",") if part.strip()]


def database_from_url(url: str) -> dict[str, Any]:
    """Turn postgresql://user:password@host:port/name?option=value into Django's dictionary.

    Raises ConfigurationError for any other scheme: the books need PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ConfigurationError(f"the database must be postgresql://…, not {parts.scheme}://…")
    return {
        "ENGINE": "core.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
