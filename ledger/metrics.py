"""What the books tell Prometheus: how far the seals are behind them."""

from collections.abc import Iterator

from core.metrics import Family, Gauges, Sample
from core.prometheus_rules import Rule
from ledger.selectors.seals import sealing_lag

__all__ = ["GAUGES", "RULES"]


def _seals() -> Iterator[Sample]:
    lag = sealing_lag()
    yield Sample("quittance_books_unsealed_seconds", lag.seconds)
    yield Sample("quittance_books_sealed_entry", lag.sealed_entry)
    yield Sample("quittance_books_safe_entry", lag.safe_entry)


GAUGES = (
    Gauges(
        "ledger_seals",
        (
            Family("quittance_books_unsealed_seconds", "Age of the oldest entry without a seal."),
            Family("quittance_books_sealed_entry", "Number of the last sealed entry."),
            Family("quittance_books_safe_entry", "Number up to which no entry can appear any more."),
        ),
        _seals,
    ),
)
RULES = (
    Rule(
        "books_unsealed",
        "max(quittance_books_unsealed_seconds) > 600",
        minutes=5,
        says="Entries of the books have had no seal for ten minutes.",
    ),
)
