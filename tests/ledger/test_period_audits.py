"""Each audit of corrections, groups, days and periods finds what it is for, and no other fires beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import transaction

from core.audits import NOT_EXERCISED, run_audits
from ledger.period_audits import INVARIANTS
from ledger.services import advance_checkpoints, advance_fence, correct_entries
from ledger.templates.groups import linked
from tests.ledger.books import DAY, Books, rows
from tests.ledger.breakage import broken, violated
from tests.ledger.closing import close
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Owner = psycopg.Connection[Any]
NAMES = {each.name for each in INVARIANTS}
LATER = DAY + timedelta(days=5)


@dataclass
class World:
    """A sale with its correction, a group of two, a plain sale, and another merchant with a closed day.

    All of it is folded; after that one entry more is in the tail.
    """

    books: Books

    def __post_init__(self) -> None:
        books, self.other = self.books, Books()
        (sale,) = books.post(books.sale(100))
        self.sale = sale.id
        with transaction.atomic():
            (correction,) = correct_entries(
                merchant_id=books.merchant_id,
                entry_ids=[self.sale],
                effective_date=DAY,
                reason="wrong",
                actor="user:1",
            )
        self.correction = correction.id
        self.members = [ref.id for ref in books.post(*linked(drafts=[books.sale(1), books.sale(2)]))]
        self.plain = books.post(books.sale(50))[0].id
        self.other.post(self.other.sale(7))
        close(self.other.merchant_id, DAY)
        self.open_sale = self.other.post(self.other.sale(9, effective_date=LATER))[0].id
        ((last,),) = rows("SELECT max(id) FROM ledger_journalentry")
        eventually(lambda: advance_fence() >= last)
        advance_checkpoints()
        books.post(books.sale(3))
        report = run_audits(names=NAMES, store=False)
        assert [each.verdict for each in report.findings] == ["clean"] * len(NAMES)


@pytest.fixture
def world(books: Books) -> World:
    return World(books)


COPY_HEAD = (
    "INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,"
    " recorded_at, line_count, corrects, digest, group_id, group_size)"
    " SELECT {id}, merchant_id, kind, source, 'copy', leg, {date}, recorded_at, line_count,"
    " corrects, digest, group_id, group_size FROM ledger_journalentry WHERE id = %(entry)s"
)
COPY_LINES = (
    "INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency,"
    " clearing_key) SELECT {id} * 1024 + line_no, merchant_id, {id}, line_no, account_id, amount_minor,"
    " currency, clearing_key FROM ledger_journalline WHERE entry_id = %(entry)s"
)


def copy(owner: Owner, entry: int, *, new_id: str, date: str = "effective_date") -> None:
    """The same entry once more, under another key."""
    for statement in (COPY_HEAD, COPY_LINES):
        owner.execute(statement.format(id=new_id, date=date).encode(), {"entry": entry})


TAIL = "(SELECT 1000000 + max(id) FROM ledger_journalentry WHERE source_ref <> 'copy')"


def corrected_twice(world: World, owner: Owner) -> None:
    owner.execute("DROP INDEX ledger_entry_corrected_once")
    copy(owner, world.correction, new_id=TAIL)


def correction_of_another_amount(world: World, owner: Owner) -> None:
    """Every sum of the books and of the days is as before."""
    owner.execute("UPDATE ledger_journalentry SET corrects = %s WHERE corrects IS NOT NULL", [world.plain])


def correction_of_a_correction(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalentry SET corrects = %s WHERE id = %s", [world.correction, world.sale]
    )


def correction_of_nothing(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalentry SET corrects = 1 WHERE id = %s", [world.correction])


def correction_with_another_key(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalline SET clearing_key = 'other' WHERE entry_id = %s AND clearing_key = 'k'",
        [world.correction],
    )


def group_lost_a_member(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalentry SET group_id = NULL, group_size = NULL WHERE id = %s", world.members[:1]
    )


def group_got_a_member(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalentry AS entry SET group_id = other.group_id, group_size = other.group_size"
        " FROM ledger_journalentry AS other WHERE entry.id = %s AND other.id = %s",
        [world.plain, world.members[0]],
    )


def group_disagrees_on_its_size(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalentry SET group_size = 3 WHERE id = %s", world.members[:1])


def appeared_below_the_fence(world: World, owner: Owner) -> None:
    """As if a slow writer had committed late, before the day totals came by: they count it."""
    owner.execute("DELETE FROM ledger_daytotal")
    owner.execute("UPDATE ledger_fence SET day_entry = 0")
    owner.execute("DELETE FROM ledger_accountcheckpoint")
    copy(owner, world.plain, new_id="5")


def vanished(world: World, owner: Owner) -> None:
    owner.execute("DELETE FROM ledger_daytotal")
    owner.execute("UPDATE ledger_fence SET day_entry = 0")
    owner.execute("DELETE FROM ledger_accountcheckpoint")
    for table, column in (("ledger_journalline", "entry_id"), ("ledger_journalentry", "id")):
        owner.execute(f"DELETE FROM {table} WHERE {column} = %s".encode(), [world.plain])


def day_total_off(world: World, owner: Owner) -> None:
    """By as much on both sides: the balance is right, the turnover is not."""
    owner.execute("UPDATE ledger_daytotal SET debit_minor = debit_minor + 1, credit_minor = credit_minor + 1")


def one_side_of_a_day_off(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_daytotal SET debit_minor = debit_minor + 1 WHERE account_id = %s",
        [world.books.clearing],
    )


def day_total_lost(world: World, owner: Owner) -> None:
    owner.execute("DELETE FROM ledger_daytotal WHERE account_id = %s", [world.books.clearing])


def day_total_of_nothing(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_daytotal SET effective_date = effective_date + 100 WHERE account_id = %s",
        [world.books.clearing],
    )


def day_totals_ahead_of_the_fence(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_fence SET day_entry = safe_entry + 1")


def joined_a_closed_day(world: World, owner: Owner) -> None:
    """In the tail, with the date of a closed day."""
    copy(owner, world.open_sale, new_id=TAIL, date=f"date '{DAY}'")


def frozen_total_off(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_closedtotal SET debit_minor = debit_minor + 1")


def frozen_total_lost(world: World, owner: Owner) -> None:
    owner.execute("DELETE FROM ledger_closedtotal WHERE account_id = %s", [world.other.clearing])


def moved_into_a_closed_day(world: World, owner: Owner) -> None:
    """Its day totals were made anew: only what was frozen tells."""
    owner.execute("DELETE FROM ledger_daytotal")
    owner.execute("UPDATE ledger_fence SET day_entry = 0")
    owner.execute(
        "UPDATE ledger_journalentry SET effective_date = %s WHERE effective_date = %s", [DAY, LATER]
    )


def gap_between_periods(world: World, owner: Owner) -> None:
    """Days that nobody closed, without entries; and so without anybody's yes."""
    owner.execute(
        "INSERT INTO ledger_closedperiod (id, merchant_id, first_day, last_day, maker, checker, approval_id,"
        " closed_at) SELECT gen_random_uuid(), merchant_id, last_day + 2, last_day + 3, maker, checker,"
        " approval_id, closed_at FROM ledger_closedperiod"
    )


def closed_by_another(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_closedperiod SET checker = 'user:other'")


def closed_without_asking(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_closedperiod SET approval_id = id")


Break = Callable[[World, Owner], None]
BREAKS: dict[str, list[tuple[Break, set[str]]]] = {
    "correction_is_the_inverse": [
        (corrected_twice, set()),
        (correction_of_another_amount, set()),
        (correction_of_a_correction, set()),
        (correction_of_nothing, set()),
        (correction_with_another_key, set()),
    ],
    "group_is_whole": [
        (group_lost_a_member, set()),
        (group_got_a_member, set()),
        (group_disagrees_on_its_size, set()),
    ],
    "knowledge_stays": [(appeared_below_the_fence, set()), (vanished, set())],
    "day_totals_are_the_sum": [
        (day_total_off, set()),
        (day_total_lost, {"every_day_balances"}),
        (day_total_of_nothing, {"every_day_balances"}),
        (day_totals_ahead_of_the_fence, set()),
    ],
    "every_day_balances": [(one_side_of_a_day_off, {"day_totals_are_the_sum"})],
    "closed_days_stay": [
        (joined_a_closed_day, set()),
        (frozen_total_off, set()),
        (frozen_total_lost, set()),
        (moved_into_a_closed_day, set()),
        (gap_between_periods, {"closing_was_approved"}),
    ],
    "closing_was_approved": [(closed_by_another, set()), (closed_without_asking, set())],
}
CASES = [(name, each, more) for name, breaks in BREAKS.items() for each, more in breaks]


@pytest.mark.parametrize(
    ("name", "do", "more"), CASES, ids=[f"{name}-{each.__name__}" for name, each, _ in CASES]
)
def test_the_audit_finds_what_it_is_for(world: World, name: str, do: Break, more: set[str]) -> None:
    with broken(tables="^ledger_") as owner:
        assert violated(owner) == set()
        do(world, owner)
        assert violated(owner) == {name} | more


def test_every_audit_is_broken_here() -> None:
    assert set(BREAKS) == NAMES


def test_an_audit_of_nothing_says_so(transactional_db: None) -> None:
    verdicts = {each.verdict for each in run_audits(names=NAMES, store=False).findings}
    assert verdicts == {NOT_EXERCISED}
