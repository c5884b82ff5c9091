"""How each kind of line is posted: pure decisions, no database.

Every line of a batch is posted, because the provider pays the sum of all of them: what we know clears under
its own key, what we do not know under the line's, where it stays until somebody explains it (A1 and others).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.templates.entry import Keyed, Posting
from ledger.templates.fx import ForeignLine
from ledger.templates.payouts import payout_transfer_entry
from ledger.templates.settlement import SettledLine, psp_reserve_entry, psp_reserve_release_entry
from ledger.types import EntryDraft
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.posting.keys import batch_key, carried_key, line_key, reserve_key
from reconciliation.posting.reading import PostedLine

__all__ = ["Context", "Treated", "treat"]

# The books hold what a dispute took together with its fee (C1): the line's net clears it.
_NET_KINDS = frozenset(["dispute", "dispute_reversal"])


@dataclass(frozen=True)
class Context:
    """What is the same for all lines of a group.

    `posting` is in the group's currency; `books` are the provider's accounts in it.
    """

    posting: Posting
    books: ProviderBooks
    source_id: UUID
    batch: str
    rail: str

    @property
    def batch_key(self) -> str:
        """The group's key of what is in transit."""
        return batch_key(source_id=self.source_id, batch=self.batch)


@dataclass
class Treated:
    """What becomes of a portion of lines: `settled` for P4; `foreign` for F4, by the currency that was
    captured; `others` are entries of their own that are posted with them.
    """

    settled: list[SettledLine] = field(default_factory=list)
    foreign: dict[str, list[ForeignLine]] = field(default_factory=dict)
    others: list[EntryDraft] = field(default_factory=list)


def treat(context: Context, rows: Iterable[PostedLine]) -> Treated:
    """Return what is posted for lines in their order; rows of one line stand together."""
    treated = Treated()
    for line, further in _with_parts(rows):
        if line.subject_kind is None:
            _alone(context, line, treated)
        elif line.original_currency and line.original_currency != context.posting.currency:
            _foreign(line, treated)
        else:
            _matched(line, further, treated)
        for part in (line, *further):
            _with_it(context, part, treated)
    return treated


def _with_parts(rows: Iterable[PostedLine]) -> Iterator[tuple[PostedLine, Sequence[PostedLine]]]:
    """Yield each line with its further parts, which stand behind it."""
    line: PostedLine | None = None
    further: Sequence[PostedLine] = ()
    for row in rows:
        if row.is_further:
            further = (*further, row)
            continue
        if line is not None:
            yield line, further
        line, further = row, ()
    if line is not None:
        yield line, further


def _matched(line: PostedLine, further: Sequence[PostedLine], treated: Treated) -> None:
    """Clear the movement's key by what the provider reports, so that a difference stays open under it.

    A line for several movements clears each by its own amount; the fee, and what is left over, are the first
    one's.
    """
    key = str(line.clearing_key)
    if line.kind in _NET_KINDS:
        gross, fee = line.net_minor, 0
    else:
        gross, fee = line.gross_minor, line.fee_minor
    for part in further:
        assert part.matched_minor is not None
        gross -= part.matched_minor
        treated.settled.append(SettledLine(str(part.clearing_key), line.sign * part.matched_minor))
    treated.settled.append(SettledLine(key, line.sign * gross, line.sign * fee))


def _foreign(line: PostedLine, treated: Treated) -> None:
    """F4: the capture's key is cleared in its own currency; the fee is one of the settled currency."""
    assert line.original_minor is not None
    treated.foreign.setdefault(line.original_currency, []).append(
        ForeignLine(str(line.clearing_key), line.sign * line.original_minor, line.sign * line.gross_minor)
    )
    if line.fee_minor:
        treated.settled.append(SettledLine(line_key(line_id=line.id), 0, line.sign * line.fee_minor))


def _alone(context: Context, line: PostedLine, treated: Treated) -> None:
    """Post a line of no movement: some explain themselves, the others wait under a key of their own."""
    if line.kind == "fee":
        treated.settled.append(SettledLine(line_key(line_id=line.id), 0, -line.sign * line.net_minor))
    elif line.kind == "carried":
        key = carried_key(source_id=context.source_id)
        treated.settled.append(SettledLine(key, line.sign * line.net_minor))
    elif line.kind in ("reserve_hold", "reserve_release") and line.sign > 0:
        _reserve(context, line, treated)
    else:
        key = str(line.clearing_key or line_key(line_id=line.id))
        treated.settled.append(SettledLine(key, line.sign * line.gross_minor, line.sign * line.fee_minor))


def _reserve(context: Context, line: PostedLine, treated: Treated) -> None:
    """P6: what the provider keeps back leaves psp_clearing for the reserve; what it releases is paid out."""
    key = reserve_key(source_id=context.source_id, reference=line.reference)
    settlement = context.books.settlement
    if line.net_minor > 0:
        treated.others.append(
            psp_reserve_release_entry(
                posting=context.posting,
                psp_reserve_held=context.books.reserve_held,
                in_transit=settlement.in_transit,
                reserve_id=key,
                batch_id=context.batch_key,
                amount_minor=line.net_minor,
                reason_ref=str(line.id),
            )
        )
        return
    treated.settled.append(SettledLine(key, line.net_minor))
    treated.others.append(
        psp_reserve_entry(
            posting=context.posting,
            psp_reserve_held=context.books.reserve_held,
            psp_clearing=settlement.psp_clearing,
            reserve_id=key,
            withheld=[Keyed(key, -line.net_minor)],
            reason_ref=str(line.id),
        )
    )


def _with_it(context: Context, line: PostedLine, treated: Treated) -> None:
    """O4b: what the line proves of what was in transit. Of a refund, pay-in has booked that (R2)."""
    if line.subject_id is None or line.matched_minor is None:
        return
    if line.subject_kind == "transfer" and line.sign > 0:
        treated.others.append(
            payout_transfer_entry(
                posting=context.posting,
                payouts_in_transit=context.books.payouts_in_transit(context.rail),
                psp_clearing=context.books.settlement.psp_clearing,
                payout_id=line.subject_id,
                amount_minor=-line.matched_minor,
            )
        )
