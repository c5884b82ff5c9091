"""What must agree inside, as the audits say it: one verdict for each thing that is compared.

The queries are the registered audits of the apps that own the data; here they are only put together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.audits import CLEAN, FAILED, NOT_EXERCISED, VIOLATED, registered
from core.verdicts import NEVER, Verdict, latest_verdicts

__all__ = ["CHECKS", "Check", "audits_of_checks", "internal_checks"]

# What is compared, and the beginnings of the names of the audits that compare it.
CHECKS: dict[str, tuple[str, ...]] = {
    "wallets and books": (
        "wallet_is_", "wallet_line_", "wallet_not_negative", "wallet_never_", "debt_is_netted",
        "pending_is_what_waits", "points_",
    ),
    "orders and entries": (
        "order_", "capture_", "captured_", "refund_", "refunded_", "reversal_", "dispute_", "success_is_",
        "share_is_", "returned_parts_", "balance_", "top_up_", "overpayment_", "cash_", "late_money_",
        "release_", "released_",
    ),
    "charges and lines": ("charge_", "line_follows_", "never_more_back_", "authorized_"),
    "payouts and entries": ("payout_",),
    "holds": ("hold_", "held_", "tombstone_", "reserve_"),
    "events out": ("outbox_", "event_sequences_", "break_is_told"),
    "trial balance": (
        "books_balance", "entry_", "one_posting_", "every_day_", "day_totals_", "closed_days_", "checkpoint_",
        "currency_is_", "correction_", "group_is_",
    ),
    "files and statements": ("settlement_", "bank_statement"),
    "matching": ("line_has_one_end", "movement_has_", "match_", "difference_has_"),
    "clearing": ("clearing_",),
    "days": ("signed_day_", "closing_was_"),
}  # fmt: skip
_WORST = (VIOLATED, FAILED, NEVER, NOT_EXERCISED, CLEAN)


@dataclass(frozen=True)
class Check:
    """One comparison: the worst verdict of its audits, how many there are, and when the oldest was asked.

    `bad` are the audits that are violated or could not be asked.
    """

    name: str
    verdict: str
    audits: int
    asked_at: datetime | None
    bad: tuple[Verdict, ...]

    def is_older_than(self, age: timedelta, *, now: datetime) -> bool:
        """Say whether one of its audits was asked so long ago, or never."""
        return self.asked_at is None or now - self.asked_at > age


def audits_of_checks() -> dict[str, str]:
    """Return, for the name of each audit that belongs to a comparison, which one that is."""
    found = {}
    for each in registered():
        for check, beginnings in CHECKS.items():
            if each.name.startswith(beginnings):
                found[each.name] = check
                break
    return found


def internal_checks() -> list[Check]:
    """Return what the last run of the audits said of every comparison."""
    belongs = audits_of_checks()
    verdicts: dict[str, list[Verdict]] = {name: [] for name in CHECKS}
    for verdict in latest_verdicts():
        if verdict.name in belongs:
            verdicts[belongs[verdict.name]].append(verdict)
    return [_check(name, found) for name, found in verdicts.items() if found]


def _check(name: str, verdicts: list[Verdict]) -> Check:
    known = [each.at for each in verdicts if each.at]
    return Check(
        name=name,
        # What had nothing to examine says nothing against the rest.
        verdict=min((_known(each.verdict, verdicts) for each in verdicts), key=_WORST.index),
        audits=len(verdicts),
        asked_at=min(known) if len(known) == len(verdicts) else None,
        bad=tuple(each for each in verdicts if each.verdict in (VIOLATED, FAILED)),
    )


def _known(verdict: str, verdicts: list[Verdict]) -> str:
    is_anything_clean = any(each.verdict == CLEAN for each in verdicts)
    return CLEAN if verdict == NOT_EXERCISED and is_anything_clean else verdict
