"""A provider's accounts on paper, and lines of files as posting reads them."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from ledger.types import EntryDraft
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.posting.reading import PostedLine

NAMES = UUID("0b8a3f1e-5f60-4a0f-9a53-7d0c6a5f7e01")
MERCHANT, SOURCE, FILE = (uuid5(NAMES, name) for name in ("merchant", "source", "file"))


class PaperBooks(ProviderBooks):
    """Accounts that are numbers: nothing is opened."""

    numbers: dict[tuple[str, str | None, str], int] = {}
    _next = count(1)

    def __init__(self, currency: str) -> None:
        super().__init__(merchant_id=MERCHANT, provider="stripe", currency=currency)
        self.currency = currency

    def in_currency(self, currency: str) -> "PaperBooks":
        return PaperBooks(currency)

    def _open(self, role: str, provider: str | None) -> int:
        key = (role, provider, self.currency)
        if key not in self.numbers:
            self.numbers[key] = next(self._next)
        return self.numbers[key]

    @cached_property
    def clearing(self) -> int:
        return self.of_provider("psp_clearing")


def line(number: int, kind: str, gross: int, fee: int = 0, **changes: Any) -> PostedLine:
    """A line that belongs to nothing, unless `changes` say otherwise."""
    values = {
        "id": number,
        "sign": 1,
        "kind": kind,
        "reference": f"ref_{number}",
        "gross_minor": gross,
        "fee_minor": fee,
        "net_minor": gross - fee,
        "original_currency": "",
        "original_minor": None,
        "subject_kind": None,
        "subject_id": None,
        "clearing_key": None,
        "matched_minor": None,
        "is_further": False,
    }
    return PostedLine(**(values | changes))


def matched(number: int, kind: str, gross: int, fee: int = 0, **changes: Any) -> PostedLine:
    """A line that was matched to a movement of its own, exactly."""
    subject = uuid5(NAMES, f"subject {number}")
    charge = subject if kind in ("charge", "transfer") else uuid5(NAMES, f"charge of {number}")
    return line(
        number,
        kind,
        gross,
        fee,
        **(
            {
                "subject_kind": kind,
                "subject_id": subject,
                "clearing_key": str(charge),
                "matched_minor": gross,
            }
            | changes
        ),
    )


def sums(drafts: Iterable[EntryDraft]) -> dict[tuple[int, str | None], int]:
    """What entries come to by account and clearing key; what comes to nothing is left out."""
    totals: dict[tuple[int, str | None], int] = defaultdict(int)
    for draft in drafts:
        for each in draft.lines:
            totals[each.account_id, each.clearing_key] += each.amount_minor
    return {key: minor for key, minor in totals.items() if minor}
