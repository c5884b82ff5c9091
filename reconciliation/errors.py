"""What callers of reconciliation may meet."""

from collections.abc import Sequence
from typing import Any

from core.errors import DomainError

__all__ = [
    "AdjustmentInvalid",
    "BreakRuleInvalid",
    "BreakRuleStateConflict",
    "BreakStateConflict",
    "DayBlocked",
    "DayChanged",
    "DayNotPrepared",
    "DayOutOfOrder",
    "FileRefused",
    "FileTooLarge",
    "RuleDryRunMissing",
    "SourceExists",
    "SourceInvalid",
    "SourceUnknown",
]


class SourceUnknown(DomainError):
    code = "settlement_source_unknown"
    status = 404
    message = "The merchant has no such source of settlement files."


class SourceExists(DomainError):
    code = "settlement_source_exists"
    status = 409
    message = "The merchant has a source of this name already."


class SourceInvalid(DomainError):
    code = "settlement_source_invalid"
    status = 422
    message = "A source cannot be set up like this."


class FileTooLarge(DomainError):
    code = "settlement_file_too_large"
    status = 413
    message = "The file is larger than a settlement file may be."


class FileRefused(DomainError):
    """`reason` is stable, as the codes of refused files are: digest_mismatch."""

    code = "settlement_file_refused"
    status = 422
    message = "The file cannot be taken."

    def __init__(self, message: str | None = None, *, reason: str = "", param: str | None = None) -> None:
        self.reason = reason
        super().__init__(message, param=param)


class BreakStateConflict(DomainError):
    code = "discrepancy_state_conflict"
    status = 409
    message = "The break is not in a state in which this can be done."


class AdjustmentInvalid(DomainError):
    code = "adjustment_invalid"
    status = 422
    message = "This entry does not fit this break."


class BreakRuleInvalid(DomainError):
    code = "break_rule_invalid"
    status = 422
    message = "A rule about breaks cannot be like this."


class BreakRuleStateConflict(DomainError):
    code = "break_rule_state_conflict"
    status = 409
    message = "This version of the rule is not in a state in which this can be done."


class RuleDryRunMissing(DomainError):
    code = "break_rule_dry_run_missing"
    status = 409
    message = "Run this version over history first; a run is good for a day."


class DayOutOfOrder(DomainError):
    code = "day_out_of_order"
    status = 409
    message = "Days are closed one after the other: the day after the last closed one is next."


class DayNotPrepared(DomainError):
    code = "day_not_prepared"
    status = 409
    message = "Nobody has prepared this day, or it is closed."


class DayChanged(DomainError):
    code = "day_changed"
    status = 409
    message = "The day has changed since it was prepared. Prepare it again."


class DayBlocked(DomainError):
    """`obstacles` says one by one what stands in the way."""

    code = "day_blocked"
    status = 409
    message = "Something stands in the way of closing the day."

    def __init__(self, obstacles: Sequence[Any] = ()) -> None:
        self.obstacles = tuple(obstacles)
        said = " ".join(str(each.says) for each in self.obstacles[:5])
        super().__init__(f"{self.message} {said}".strip() if said else None)
