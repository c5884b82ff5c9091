"""Settings for a test."""

from typing import Any

from django.db import transaction

from core.settings_store import put_setting

__all__ = ["setting"]


def setting(name: str, value: Any) -> None:
    """Set something for every merchant."""
    with transaction.atomic():
        put_setting(name=name, value=value, actor="user:test", reason="test")
