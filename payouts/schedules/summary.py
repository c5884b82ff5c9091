"""What a run of payouts says when it is done: what was asked for, what was not, and why."""

from collections import Counter, defaultdict
from typing import Any

from payouts.schedules.asking import Asked, Failed, Refused, Wish

__all__ = ["Summary"]

# So many sellers are named for each reason; the rest is counted.
_NAMED = 50


class Summary:
    """The answers of one pass over the sellers."""

    def __init__(self) -> None:
        self.failed: list[tuple[Wish, str]] = []
        self._unreadable: list[str] = []
        self._skipped: Counter[str] = Counter()
        self._named: dict[str, list[str]] = defaultdict(list)

    def note(self, wish: Wish, answer: Asked | Refused | Failed) -> None:
        """Keep what came of a wish."""
        if isinstance(answer, Failed):
            self.failed.append((wish, answer.error))
        elif isinstance(answer, Refused):
            self._skipped[answer.code] += 1
            if len(self._named[answer.code]) < _NAMED:
                self._named[answer.code].append(f"{wish.seller_account} {wish.currency}")

    def cannot_read(self, seller_account: str, error: str) -> None:
        """Keep that nobody knows when a seller is to be paid."""
        self._unreadable.append(f"{seller_account}: {error}"[:200])

    def as_json(self, *, asked: dict[str, dict[str, int]]) -> dict[str, Any]:
        """Return all of it for the job's row; `asked` is what the database has of the run, by currency."""
        return {
            "asked": asked,
            "skipped": {
                code: {"count": count, "sellers": self._named[code]}
                for code, count in sorted(self._skipped.items())
            },
            "unreadable": self._unreadable[:_NAMED],
            "failed": [f"{wish.seller_account} {wish.currency}: {error}" for wish, error in self.failed],
        }
