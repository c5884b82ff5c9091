"""Secrets that whoever calls may put where we log it: into a path, for one."""

import re

__all__ = ["hide_secrets"]

# Keys of our API keep their prefix, which says whose they are and proves nothing.
_API_KEY = re.compile(r"(sk_(?:test|live)_[0-9a-z]{10}_)[A-Za-z0-9_-]{32}")
_OTHER = re.compile(r"((?:[sr]k_(?:test|live)|whsec)_)[A-Za-z0-9_+/-]{16,}=*")


def hide_secrets(text: str) -> str:
    """Return the text without the secret of any API key, provider's key or webhook secret in it."""
    return _OTHER.sub(r"\1…", _API_KEY.sub(r"\1…", text))
