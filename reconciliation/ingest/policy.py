"""What people may set about the taking in of files, and what they are told of."""

from datetime import timedelta

from core.alerts import Alert
from core.settings_store import Declared

__all__ = [
    "ALERTS",
    "MAX_BYTES",
    "OLDEST_DAYS",
    "QUARANTINED",
    "REFUSED",
    "SEQUENCE",
    "SETTINGS",
    "STATEMENT",
]

REFUSED, QUARANTINED = "settlement_file_refused", "settlement_lines_quarantined"
SEQUENCE, STATEMENT = "settlement_sequence_gap", "statement_gap"
_GIB = 1024**3

ALERTS = (
    Alert(
        REFUSED,
        "A settlement file was refused",
        "It contradicts itself, or is not what it should be: nothing of it counts until a good one comes.",
        timedelta(hours=8),
    ),
    Alert(
        QUARANTINED,
        "Lines of a settlement file are put aside",
        "They are dated in the future or long ago: they are not matched until a person has looked at them.",
        timedelta(hours=24),
    ),
    Alert(
        SEQUENCE,
        "A numbered settlement file is missing",
        "The provider counts its files, and one is not here. The others are worked on.",
        timedelta(hours=24),
    ),
    Alert(
        STATEMENT,
        "Bank statements do not follow on each other",
        "Nothing of the account counts until the missing statement comes, or two people explain the gap.",
        timedelta(hours=8),
    ),
)


def _bytes(value: int) -> None:
    if not 1 <= value <= 4 * _GIB:
        raise ValueError("between one byte and 4 GiB")


def _days(value: int) -> None:
    if not 1 <= value <= 3_660:
        raise ValueError("between one day and ten years")


MAX_BYTES = Declared(
    "reconciliation.max_file_bytes",
    "How large a settlement file may be, as it comes; what is unpacked from it may be twice as large.",
    int,
    2 * _GIB,
    _bytes,
)
OLDEST_DAYS = Declared(
    "reconciliation.oldest_line_days",
    "Lines of settlement files that are older than so many days are put aside for a person.",
    int,
    400,
    _days,
)
SETTINGS = (MAX_BYTES, OLDEST_DAYS)
