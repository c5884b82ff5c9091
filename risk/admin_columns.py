"""What several pages of risk show in the same way."""

from core.admin_display import state

__all__ = ["decision_word"]

_DECISION_LOOKS = {"approve": "done", "review": "waiting", "decline": "failed"}


def decision_word(word: str) -> str:
    """A decision as word, icon and colour."""
    return state(word, _DECISION_LOOKS[word]) if word else "–"
