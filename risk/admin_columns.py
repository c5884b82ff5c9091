"""What several pages of risk show in the same way."""

from core.admin_display import state

__all__ = ["decision_word", "masked"]

_DECISION_LOOKS = {"approve": "done", "review": "waiting", "decline": "failed"}


def decision_word(word: str) -> str:
    """A decision as word, icon and colour."""
    return state(word, _DECISION_LOOKS[word]) if word else "–"


def masked(key_kind: str, value: str) -> str:
    """Return as much of a value as tells it from others; what names no person is shown whole."""
    if key_kind in ("country", "card_country", "bin", "seller"):
        return value
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return value if len(value) <= 4 else f"{value[:2]}…{value[-2:]}"
