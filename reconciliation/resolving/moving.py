"""What a line posts as one movement, another one, or none; and the entry that leads from one to the other.

The effect of a line is asked of posting itself, so that a line that is matched later ends in the books where
it had ended if it had been matched at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.transactions import requires_transaction
from ledger.templates.entry import Leg, signed
from reconciliation.models import Match, SettlementFile, SettlementLine
from reconciliation.posting.chunks import FileToPost, Portion, drafts_of
from reconciliation.posting.reading import Group, PostedLine
from reconciliation.posting.run import file_to_post
from reconciliation.resolving.books import AdjustmentBooks

__all__ = ["Meaning", "legs_between", "meaning_of"]

_Place = tuple[int, str, str | None]


class Meaning:
    """What a line is posted as: the movements that it is, or none; then under the key of `posted_id`."""

    def __init__(self, line: SettlementLine, matches: Sequence[Match], posted_id: int) -> None:
        self.line, self.matches, self.posted_id = line, matches, posted_id

    @property
    def rows(self) -> list[PostedLine]:
        """The line as posting reads it."""
        line = self.line
        said = (
            1, line.kind, line.reference, line.gross_minor, line.fee_minor, line.net_minor,
            line.original_currency, line.original_minor,
        )  # fmt: skip
        if not self.matches:
            return [PostedLine(self.posted_id, *said, None, None, None, None, False)]
        return [
            PostedLine(
                line.id,
                *said,
                each.subject_kind,
                each.subject_id,
                each.clearing_key,
                each.amount_minor,
                place > 0,
            )
            for place, each in enumerate(self.matches)
        ]


def meaning_of(line: SettlementLine, matches: Sequence[Match], *, posted_id: int | None = None) -> Meaning:
    """Return what a line means: these movements, or nothing that we know."""
    return Meaning(line, matches, posted_id or line.id)


@requires_transaction
def legs_between(
    before: Sequence[Meaning], after: Sequence[Meaning], *, file: SettlementFile, books: AdjustmentBooks
) -> list[Leg]:
    """Return what leads from one meaning of lines of a file to another, by account and key."""
    posted = file_to_post(file)
    sums: dict[_Place, int] = {}
    for sign, meanings in ((-1, before), (1, after)):
        for meaning in meanings:
            for place, minor in _effect(posted, meaning, books).items():
                sums[place] = sums.get(place, 0) + sign * minor
    return [
        signed(account_id, minor, key=key, currency=currency)
        for (account_id, currency, key), minor in sorted(sums.items(), key=_order)
        if minor
    ]


def _order(item: tuple[_Place, int]) -> tuple[Any, ...]:
    (account_id, currency, key), _ = item
    return (account_id, currency, key or "")


def _effect(file: FileToPost, meaning: Meaning, books: AdjustmentBooks) -> Mapping[_Place, int]:
    portion = Portion(Group(meaning.line.currency, meaning.line.batch), "moved", meaning.rows)
    sums: dict[_Place, int] = {}
    for draft in drafts_of(file, portion, books=books):
        for line in draft.lines:
            place = (line.account_id, line.currency, line.clearing_key)
            sums[place] = sums.get(place, 0) + line.amount_minor
    return sums
