"""What all reports about one order say of each payment in it, taken together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from payouts.providers.contract import Instruction, News, NewsKind, PayoutFailure
from payouts.providers.files.pain002 import StatusReport, TransactionStatus
from payouts.providers.files.reasons import failure_of

__all__ = ["Reading", "read_together"]

# ACSC and ACCC say that it is settled, which is the evidence that PAID needs. Everything else that is good
# says no more than that the bank works on it.
_SETTLED = frozenset(["ACSC", "ACCC"])
_WORKED_ON = frozenset(
    ["ACTC", "ACCP", "ACSP", "ACWC", "ACFC", "ACWP", "PDNG", "PART", "PATC", "RCVD", "BLCK"]
)
_REFUSED = frozenset(["RJCT", "CANC"])
# What the bank found when it compared the name with the account: evidence for people, and no state.
_PAYEE_CHECKED = frozenset(["RCVC", "RVNM", "RVMC", "RVNA", "RVCM"])
# The bank has it already, which is good news about the first one.
_DUPLICATE = "AM05"

_START = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Reading:
    """News of each payment in the order in which things happened; `refusal` is of the whole order.

    `problems` are what the bank says and we cannot follow: it changes nothing, and somebody should look.
    """

    news: tuple[News, ...]
    refusal: PayoutFailure | None
    problems: tuple[str, ...]


def read_together(instructions: Iterable[Instruction], reports: Iterable[StatusReport]) -> Reading:
    """Return what the reports about an order say. They may come in any order.

    There is no news of a payment of which nothing is said. One that was refused after it was settled is
    RETURNED, and its news tells both. A later report is never undone by an earlier one.
    """
    fold = _Fold({item.reference: item for item in instructions})
    for report in sorted(reports, key=lambda report: report.created_at or _START):
        fold.take(report)
    return fold.reading()


class _Fold:
    def __init__(self, instructions: Mapping[str, Instruction]) -> None:
        self._sum = Decimal(sum(item.amount_minor for item in instructions.values())).scaleb(-2)
        self._latest: dict[str, News | None] = dict.fromkeys(instructions)
        self._settled: dict[str, News] = {}
        self._refusal: PayoutFailure | None = None
        self._problems: list[str] = []

    def take(self, report: StatusReport) -> None:
        """Take in one report, the next one in time."""
        for status in report.transactions:
            self._one(report, status)
        if report.whole is not None and report.whole.status and self._is_of_this_order(report):
            self._all(report, report.whole.status, report.whole.reasons)

    def reading(self) -> Reading:
        """Return what came of it."""
        news: list[News] = []
        for reference, latest in self._latest.items():
            if latest is not None and latest.kind is NewsKind.RETURNED:
                news.append(self._settled[reference])
            if latest is not None:
                news.append(latest)
        unpaid = all(item and item.kind is NewsKind.REFUSED for item in self._latest.values())
        return Reading(tuple(news), self._refusal if unpaid else None, tuple(self._problems))

    def _is_of_this_order(self, report: StatusReport) -> bool:
        count, total = report.original_count, report.original_sum
        if count not in (None, len(self._latest)) or total not in (None, self._sum):
            self._problems.append(
                f"report {report.message_id[:35]} is of {count} payments and a sum of {total}"
            )
            return False
        return True

    def _all(self, report: StatusReport, status: str, reasons: tuple[str, ...]) -> None:
        if status in _REFUSED and _DUPLICATE not in reasons:
            self._refusal = failure_of(reasons)
        for reference in self._latest:
            # What was settled does not come back because a file is refused.
            if not (status in _REFUSED and reference in self._settled):
                self._one(report, TransactionStatus(reference, status, reasons, None, None, None))

    def _one(self, report: StatusReport, status: TransactionStatus) -> None:
        reference = status.end_to_end_id
        if reference not in self._latest:
            if status.status not in _PAYEE_CHECKED:
                self._problems.append(
                    f"report {report.message_id[:35]} names a payment that was not in the order"
                )
            return
        latest = self._latest[reference] or News(reference, NewsKind.ACCEPTED)
        kind = self._kind(latest.kind, status)
        if kind is None:
            return
        said = News(
            reference=reference,
            kind=kind,
            provider_reference=status.bank_reference or latest.provider_reference,
            amount_minor=latest.amount_minor if status.amount_minor is None else status.amount_minor,
            currency=status.currency or latest.currency,
            failure=failure_of(status.reasons) if kind in (NewsKind.REFUSED, NewsKind.RETURNED) else None,
            occurred_at=report.created_at,
        )
        if kind is latest.kind:
            # Said again: the first time counts, and what it adds is kept.
            said = replace(said, occurred_at=latest.occurred_at or said.occurred_at)
        if kind is NewsKind.PAID:
            self._settled.setdefault(reference, said)
        self._latest[reference] = said

    def _kind(self, before: NewsKind, status: TransactionStatus) -> NewsKind | None:
        """Return what a payment is after this status; None where it says nothing."""
        code = status.status
        if code in _SETTLED:
            if before is NewsKind.REFUSED:
                self._problems.append(f"payment {status.end_to_end_id} was refused, and is settled")
            return None if before is NewsKind.RETURNED else NewsKind.PAID
        if code in _REFUSED and _DUPLICATE not in status.reasons:
            returned = before in (NewsKind.PAID, NewsKind.RETURNED)
            return NewsKind.RETURNED if returned else NewsKind.REFUSED
        if code in _WORKED_ON or code in _REFUSED:
            return NewsKind.ACCEPTED if before is NewsKind.ACCEPTED else None
        if code not in _PAYEE_CHECKED:
            self._problems.append(f"payment {status.end_to_end_id} has the unknown status {code or 'none'}")
        return None
