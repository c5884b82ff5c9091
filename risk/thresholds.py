"""What a merchant can change about risk while the system runs: versioned, dated and audited settings."""

from typing import Any

from core.settings_store import Declared

__all__ = ["SETTINGS"]


def _score(value: int) -> None:
    if not 1 <= value <= 100_000:
        raise ValueError("a threshold is between 1 and 100000")


def _seconds(value: int) -> None:
    if not 1 <= value <= 86_400:
        raise ValueError("between 1 second and a day")


def _decision(value: Any) -> None:
    if value not in ("approve", "review", "decline"):
        raise ValueError("approve, review or decline")


SETTINGS = (
    Declared("risk.enabled", "Payments are assessed before money moves.", bool, True),
    Declared("risk.review_from", "From this score on, a person looks at a payment.", int, 50, _score),
    Declared("risk.decline_from", "From this score on, a payment is declined.", int, 100, _score),
    Declared("risk.external_check", "Payments that the rules let pass wait for the vendor.", bool, False),
    Declared("risk.external_deadline_seconds", "How long the vendor has for an answer.", int, 120, _seconds),
    Declared(
        "risk.external_failure",
        "What becomes of a payment when the vendor gives no answer in time.",
        str,
        "review",
        _decision,
    ),
)
