"""The folder through which tests steer running processes; nothing here works unless TEST_HOOKS is on."""

from pathlib import Path

from django.conf import settings

__all__ = ["hooks_dir"]


def hooks_dir() -> Path | None:
    """Return the folder of armed hooks, or None where hooks are off (always so in production)."""
    if settings.TEST_HOOKS and settings.HOOKS_DIR:
        return Path(settings.HOOKS_DIR)
    return None
