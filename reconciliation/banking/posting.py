"""Posting the statements of a run: booking by booking, each once, resumable at any point.

A booking's entries are made in one transaction and found by its id: whoever comes a second time finds them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from core import clock
from core.drain import Claim
from core.failpoints import failpoint
from core.history import SYSTEM, move
from core.transactions import at_edge, forbids_transaction, requires_transaction
from ledger.selectors import entries_of_event, get_entry
from ledger.services import correct_entries, land_entries, post_entries
from ledger.templates.bank_lines import ReversedLeg, bank_opening_entry
from ledger.templates.entry import Posting
from payouts.selectors import MOVEMENTS
from reconciliation.banking.accounts import BankBooks
from reconciliation.banking.reading import entries_of, providers_of
from reconciliation.banking.recognise import by_booking
from reconciliation.banking.run import booked_statements
from reconciliation.banking.treatment import Context, Paid, draft_line
from reconciliation.banking.types import BankEntry, Part
from reconciliation.banking.versions import first_said_as, same_bookings
from reconciliation.breaks import Side
from reconciliation.ingest.chain import place_of
from reconciliation.locks import lock_run, lock_statement
from reconciliation.matching.sql import rows
from reconciliation.models import BankLine, BankStatement, Match, ReconciliationRun

__all__ = ["post_bank_run"]

# Statements among which the first one is: those of its day.
_FIRST = 100
# Bookings of one transaction; a collective one has hundreds of payouts by itself.
_PORTION = 50
_CHANNELS = f"SELECT subject_id, channel_id FROM {MOVEMENTS} WHERE subject_id = ANY(%(sendings)s)"  # noqa: S608
_Booking = tuple[BankEntry, list[BankEntry]]


@forbids_transaction
def post_bank_run(claim: Claim) -> str:
    """Post the statements of a MATCHED run, and move it to POSTED; return its state."""
    run = ReconciliationRun.objects.select_related("source").get(pk=claim.id)
    if run.status != "MATCHED":
        return run.status
    for statement in booked_statements(run, matched=True):
        if statement.posted_at is None:
            _post_statement(run, statement, claim.fence)
    return at_edge(_finish)(claim)


def _finish(claim: Claim) -> str:
    run = lock_run(run_id=claim.id)
    if run.fence == claim.fence and run.status == "MATCHED":
        now = clock.now()
        move(run, run.to_posted, why="its statements are in the books", posted_at=now, due_at=now)
    return run.status


def _post_statement(run: ReconciliationRun, statement: BankStatement, fence: int) -> None:
    entries = entries_of(statement)
    said_first = first_said_as(statement)
    if statement.supersedes is not None:
        for gone in _portions(_gone(statement, entries)):
            at_edge(_take_back)(run, statement, gone)
    for bookings in _portions(by_booking(entries)):
        if not at_edge(_post)(run, statement, said_first, bookings, fence):
            return
    at_edge(_is_posted)(run, statement)


def _portions(items: Sequence[_Booking]) -> Iterator[Sequence[_Booking]]:
    for start in range(0, len(items), _PORTION):
        yield items[start : start + _PORTION]


def _gone(statement: BankStatement, entries: Sequence[BankEntry]) -> list[_Booking]:
    """The bookings of the version before that the new one does not have any more."""
    assert statement.supersedes is not None
    before = entries_of(statement.supersedes)
    kept = set(same_bookings(before, entries).values())
    said_first = first_said_as(statement.supersedes)
    # As they were said first: that is how the books have them.
    return [
        (top._replace(id=said_first[top.id]), details)
        for top, details in by_booking(before)
        if top.id not in kept
    ]


def _take_back(run: ReconciliationRun, statement: BankStatement, gone: Sequence[_Booking]) -> None:
    """Correct what was posted for bookings that the bank says otherwise now."""
    for top, _ in gone:
        for entry_id in _entry_ids(run.merchant_id, top.id):
            posted = get_entry(merchant_id=run.merchant_id, entry_id=entry_id)
            if posted.corrected_by is not None:
                continue
            correct_entries(
                merchant_id=run.merchant_id,
                entry_ids=[entry_id],
                # Where the day was closed the entry stands on a later one.
                effective_date=max(top.booked_on, posted.effective_date),
                reason=f"version {statement.version} of statement {statement.document[:60]} says otherwise",
                actor=SYSTEM,
            )


def _post(
    run: ReconciliationRun,
    statement: BankStatement,
    said_first: Mapping[int, int],
    bookings: Sequence[_Booking],
    fence: int,
) -> bool:
    if ReconciliationRun.objects.values_list("fence", flat=True).get(pk=run.id) != fence:
        return False
    books = BankBooks(merchant_id=run.merchant_id, source_name=run.source.name, currency=statement.currency)
    context = Context(run.merchant_id, books, said_first)
    parts = _parts(run, bookings, books)
    for top, details in bookings:
        if _entry_ids(run.merchant_id, context.ref(top.id)):
            continue
        mine = [paid for each in (top, *details) for paid in parts.get(each.id, ())]
        legs = _legs_taken_back(run, top, mine)
        drafts = draft_line(context, top, details, mine, reversed_legs=legs)
        if drafts:
            post_entries(drafts=land_entries(drafts=drafts))
    transaction.on_commit(lambda: failpoint("reconciliation.bank_portion_posted"))
    return True


def _parts(
    run: ReconciliationRun, bookings: Sequence[_Booking], books: BankBooks
) -> Mapping[int, Sequence[Paid]]:
    """What lines are matched to, with whose it is."""
    ids = [each.id for top, details in bookings for each in (top, *details)]
    matches = list(
        Match.objects.filter(line_id__in=ids, side=Side.BANK, live=True).order_by("line_id", "line_part")
    )
    sendings = [row.subject_id for row in matches if row.subject_kind.startswith("sending")]
    channels = dict(rows(_CHANNELS, {"sendings": sendings}))
    providers = {each.id.hex[-12:]: each.in_books for each in providers_of(run.merchant_id)}
    names: dict[str, Callable[[Match], str]] = {
        "batch": lambda row: providers[row.clearing_key.partition(":")[0]],
        "sending": lambda row: books.rail(channels[row.subject_id]),
        "sending_return": lambda row: books.rail(channels[row.subject_id]),
    }
    found: dict[int, list[Paid]] = defaultdict(list)
    for row in matches:
        assert row.line_id is not None
        name = names[row.subject_kind](row) if row.subject_kind in names else ""
        found[row.line_id].append(Paid(_part(row), name))
    return found


def _part(row: Match) -> Part:
    return Part(
        row.line_id or 0,
        row.subject_kind,
        row.subject_id,
        row.clearing_key,
        row.amount_minor,
        row.difference_minor,
        row.rule,
        row.group_key,
        row.line_part,
        row.movement_part,
    )


def _legs_taken_back(run: ReconciliationRun, top: BankEntry, mine: Sequence[Paid]) -> list[ReversedLeg]:
    """Return the legs of the line that this one takes back, where they are in the books already."""
    reversal = next((each.part for each in mine if each.part.subject_kind == "bank_reversal"), None)
    if reversal is None or reversal.movement_part == 0:
        return []
    original_id = int(reversal.clearing_key.partition(":")[2])
    original = BankLine.objects.get(pk=original_id)
    home = BankStatement.objects.select_related("file", "supersedes__file").get(pk=original.statement_id)
    posted = _entry_ids(run.merchant_id, first_said_as(home)[original_id])
    return [
        ReversedLeg(line.account_id, line.debit_minor - line.credit_minor, line.clearing_key)
        for entry_id in posted
        for line in get_entry(merchant_id=run.merchant_id, entry_id=entry_id).lines
        if line.role != "bank"
    ]


def _entry_ids(merchant_id: UUID, ref: int) -> list[int]:
    """Return the entries of a booking: they are numbered without gaps."""
    found: list[int] = []
    number = 1
    while posted := entries_of_event(
        merchant_id=merchant_id, source="bank_line", source_ref=f"{ref}:{number}"
    ):
        found += [row[0] for row in posted]
        number += 1
    return found


def _is_posted(run: ReconciliationRun, statement: BankStatement) -> None:
    row = lock_statement(statement_id=statement.id)
    if row.posted_at is not None:
        return
    _bring_in(run, row)
    row.posted_at = clock.now()
    row.save(update_fields=["posted_at"])


@requires_transaction
def _bring_in(run: ReconciliationRun, statement: BankStatement) -> None:
    """Bring in what the account held before its first statement (B3).

    A statement from before that one, or a corrected first one, brings in the difference: the books then hold
    what they would if it had come first.
    """
    live = list(
        BankStatement.objects.filter(
            source_id=statement.source_id,
            account=statement.account,
            currency=statement.currency,
            kind="statement",
            status="LIVE",
            posted_at__isnull=False,
        ).order_by("period_to", "sequence")[:_FIRST]
    )
    corrected = statement.supersedes
    known = [*live, *([corrected] if corrected is not None and corrected.posted_at else [])]
    opening = _opening([*live, statement]) - (_opening(known) if known else 0)
    if not opening:
        return
    books = BankBooks(merchant_id=run.merchant_id, source_name=run.source.name, currency=statement.currency)
    draft = bank_opening_entry(
        posting=Posting(run.merchant_id, statement.currency, statement.period_from),
        bank=books.bank,
        opening=books.of("opening"),
        statement_ref=statement.id,
        amount_minor=opening,
    )
    post_entries(drafts=land_entries(drafts=[draft]))


def _opening(statements: Sequence[BankStatement]) -> int:
    return min(statements, key=place_of).opening_minor or 0
