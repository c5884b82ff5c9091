"""Rules about breaks as they are written and read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

__all__ = ["RuleData", "RuleDraft", "RunOverHistory"]


@dataclass(frozen=True)
class RuleDraft:
    """What a version of a rule is to say; caps in minor units of the break's currency.

    `action` is the entry that it names (A1, A5 …), empty for none. In category A it posts that by itself, at
    most `cap_line_minor` for a break and `cap_day_minor` for a business day and currency.
    """

    name: str
    position: int
    break_class: str
    category: str
    note: str
    action: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    cap_line_minor: int = 0
    cap_day_minor: int = 0
    sla_hours: int = 48
    owner_role: str = "finance_maker"


@dataclass(frozen=True)
class RunOverHistory:
    """What a version would have done with the breaks of some days.

    `taken` are those it would have dealt with, `changed` those of them that another rule dealt with, or none.
    `posted` is what it would have posted by itself, by currency; `over_line` and `over_day` are the breaks
    that were over a cap and had gone to people. `samples` are some of those that it changes.
    """

    examined: int
    taken: int
    changed: int
    posted: Mapping[str, int]
    over_line: int
    over_day: int
    samples: tuple[Mapping[str, Any], ...]
    is_whole: bool


@dataclass(frozen=True)
class RuleData:
    """A version of a rule as it stands."""

    id: UUID
    merchant_id: UUID
    version: int
    status: str
    draft: RuleDraft
    created_by: str
    created_at: datetime
    activated_at: datetime | None
    approval_id: UUID | None
    dry_run_at: datetime | None
