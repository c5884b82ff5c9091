"""A corrected statement: which of its lines stood in the version before it, and where the books have them."""

from collections import defaultdict
from collections.abc import Iterable

from reconciliation.banking.reading import entries_of
from reconciliation.banking.recognise import by_booking
from reconciliation.banking.types import BankEntry
from reconciliation.models import BankStatement

__all__ = ["first_said_as", "same_bookings"]


def same_bookings(before: Iterable[BankEntry], after: Iterable[BankEntry]) -> dict[int, int]:
    """Return which lines of `after` say, with everything inside them, what lines of `before` said.

    By id of the later line, that of the earlier one; details too. Where a line stands is no part of what it
    says, and of those that say the same the first is the first.
    """
    waiting: dict[object, list[tuple[BankEntry, list[BankEntry]]]] = defaultdict(list)
    for top, details in by_booking(before):
        waiting[_said(top, details)].append((top, details))
    same: dict[int, int] = {}
    for top, details in by_booking(after):
        alike = waiting[_said(top, details)]
        if alike:
            old_top, old_details = alike.pop(0)
            same[top.id] = old_top.id
            pairs = zip(sorted(details, key=_alone), sorted(old_details, key=_alone), strict=True)
            same.update((new.id, old.id) for new, old in pairs)
    return same


def first_said_as(statement: BankStatement) -> dict[int, int]:
    """Return under which id each line of a statement was said first, through all of its versions."""
    entries = entries_of(statement)
    said = {each.id: each.id for each in entries}
    if statement.supersedes is None:
        return said
    earlier = first_said_as(statement.supersedes)
    same = same_bookings(entries_of(statement.supersedes), entries)
    return {key: earlier[same[key]] if key in same else key for key in said}


def _said(top: BankEntry, details: list[BankEntry]) -> object:
    return _alone(top), tuple(sorted(_alone(each) for each in details))


def _alone(entry: BankEntry) -> tuple[str, ...]:
    return tuple(str(value) for value in entry._replace(id=0, line_no=0, parent=None))
