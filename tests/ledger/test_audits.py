"""Each audit of books and wallets finds what it is for, and the others stay silent."""

from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import ledger.audits
import ledger.period_audits
import wallet.audits
from core.audits import NOT_EXERCISED, run_audits
from ledger.services import advance_checkpoints, advance_fence
from ledger.wire import ENTRY_PLACEHOLDERS
from tests.database import as_owner
from tests.ledger.books import BY_HAND, Books, rows
from tests.ledger.breakage import broken, violated
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Owner = psycopg.Connection[Any]
# Those of corrections, groups, days and periods are broken in test_period_audits.py.
INVARIANTS = {each.name for each in [*ledger.audits.INVARIANTS, *wallet.audits.INVARIANTS]} - {
    each.name for each in ledger.period_audits.INVARIANTS
}


class World:
    """Two sales on plain accounts, a wallet with three buckets in use, checkpoints over all of it."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.first, self.second = (ref.id for ref in books.post(books.sale(100), books.sale(100)))
        books.fund(100)
        books.hold(30)
        last = books.transfer("seller_receivable", "clearing", 10, seller=uuid4()).id
        eventually(lambda: advance_fence() >= last)
        advance_checkpoints()
        report = run_audits(names=INVARIANTS, store=False)
        assert [each.verdict for each in report.findings] == ["clean"] * len(INVARIANTS)


@pytest.fixture
def world(books: Books) -> World:
    return World(books)


def entry_off_but_books_even(world: World, owner: Owner) -> None:
    for entry, shift in ((world.first, 1), (world.second, -1)):
        owner.execute(
            "UPDATE ledger_journalline SET amount_minor = amount_minor + %s"
            " WHERE entry_id = %s AND line_no = 2",
            [shift, entry],
        )


def one_line_only(world: World, owner: Owner) -> None:
    """Zero in sum, by a line of zero; that one also belongs nowhere."""
    owner.execute("DELETE FROM ledger_journalline WHERE entry_id = %s AND line_no = 2", [world.first])
    owner.execute("DELETE FROM ledger_accountcheckpoint")
    owner.execute("UPDATE ledger_journalline SET amount_minor = 0 WHERE entry_id = %s", [world.first])
    owner.execute("UPDATE ledger_journalentry SET line_count = 1 WHERE id = %s", [world.first])


def line_of_another_merchant(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalline SET merchant_id = gen_random_uuid() WHERE entry_id = %s AND line_no = 2",
        [world.first],
    )


def header_announces_more(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalentry SET line_count = 3 WHERE id = %s", [world.first])


def header_without_lines(world: World, owner: Owner) -> None:
    owner.execute(
        "INSERT INTO ledger_journalentry SELECT nextval('ledger_journalentry_seq'), merchant_id, kind,"
        " source, 'hollow', leg, effective_date, recorded_at, 2, NULL, digest"
        " FROM ledger_journalentry WHERE id = %s",
        [world.first],
    )


def lines_in_another_currency(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalline SET currency = 'EUR' WHERE entry_id = %s", [world.first])


def lines_of_no_entry(world: World, owner: Owner) -> None:
    owner.execute("DELETE FROM ledger_journalentry WHERE id = %s", [world.first])


def posted_twice(world: World, owner: Owner) -> None:
    owner.execute("ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_entry_once_per_source")
    found = owner.execute("SELECT nextval('ledger_journalentry_seq')").fetchone()
    assert found
    owner.execute(
        "INSERT INTO ledger_journalentry SELECT %s, merchant_id, kind, source, source_ref, leg,"
        " effective_date, recorded_at, line_count, corrects, digest FROM ledger_journalentry WHERE id = %s",
        [found[0], world.first],
    )
    owner.execute(
        "INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor,"
        " currency, clearing_key) SELECT %(new)s * 1024 + line_no, merchant_id, %(new)s, line_no, account_id,"
        " amount_minor, currency, clearing_key FROM ledger_journalline WHERE entry_id = %(old)s",
        {"new": found[0], "old": world.first},
    )


def no_clearing_key(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalline SET clearing_key = NULL WHERE entry_id = %s", [world.first])


def superfluous_clearing_key(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalline SET clearing_key = 'k' WHERE entry_id = %s", [world.first])


def checkpoint_off(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_accountcheckpoint SET balance_minor = balance_minor + 1 WHERE account_id = %s",
        [world.books.commission],
    )


def checkpoint_above_the_fence(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_fence SET safe_entry = safe_entry - 1")


def right_on_the_table(world: World, owner: Owner) -> None:
    owner.execute("GRANT UPDATE ON ledger_journalline TO quittance_app")


def right_on_a_column(world: World, owner: Owner) -> None:
    owner.execute("GRANT UPDATE (available_minor) ON wallet_wallet TO quittance_app")


def right_of_everybody(world: World, owner: Owner) -> None:
    owner.execute("GRANT DELETE ON ledger_journalentry TO PUBLIC")


def sequence_runs_out(world: World, owner: Owner) -> None:
    owner.execute(
        "DO $$ BEGIN EXECUTE 'ALTER SEQUENCE ledger_account_id_seq MAXVALUE '"
        " || (SELECT last_value + 1 FROM ledger_account_id_seq); END $$"
    )


def account_behind_another_bucket(world: World, owner: Owner) -> None:
    owner.execute("UPDATE wallet_walletaccount SET bucket = 'pending' WHERE role = 'seller_payout_hold'")


def balance_off(world: World, owner: Owner) -> None:
    owner.execute("UPDATE wallet_wallet SET available_minor = available_minor + 1")


def running_balance_off(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE wallet_walletoperation SET balance_after_minor = balance_after_minor + 1"
        " WHERE bucket = 'held'"
    )


def overdrawn(world: World, owner: Owner) -> None:
    """Through the door, with its floors taken out: everything agrees, and is below zero."""
    draft, moves = world.books.move("seller_available", "clearing", 1000)
    (move,) = moves
    owner.execute(
        f"SELECT * FROM wallet_post({ENTRY_PLACEHOLDERS}, %b::int[], %b::int[], %b::bigint[], %b::bigint[])",
        [*world.books.arrays(draft), [move.entry], [move.line], [move.account_id], [move.delta_minor]],
    )


def below_zero_for_a_moment(world: World, owner: Owner) -> None:
    """Through the door, without its floors: spent before it was earned, in one batch."""
    spend, spent = world.books.move("seller_available", "clearing", 1000)
    earn, earned = world.books.move("clearing", "seller_available", 1000)
    moves = [*spent, *(replace(move, entry=2) for move in earned)]
    owner.execute(
        f"SELECT * FROM wallet_post({ENTRY_PLACEHOLDERS}, %b::int[], %b::int[], %b::bigint[], %b::bigint[])",
        [
            *world.books.arrays(spend, earn),
            *(list(column) for column in zip(*(astuple(move) for move in moves), strict=True)),
        ],
    )


def operations_of_each_others_lines(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE wallet_walletoperation SET line_id = ends.low + ends.high - line_id"
        " FROM (SELECT min(line_id) AS low, max(line_id) AS high FROM wallet_walletoperation) AS ends"
        " WHERE line_id IN (ends.low, ends.high)"
    )


def operation_of_no_line(world: World, owner: Owner) -> None:
    """Up and down again in a wallet, without a line: every sum agrees."""
    owner.execute(
        "INSERT INTO wallet_walletoperation (merchant_id, wallet_id, bucket, role, delta_minor,"
        " balance_after_minor, line_id, recorded_at)"
        " SELECT merchant_id, id, 'pending', 'seller_pending', delta, least(1, delta + 1), -delta - 5,"
        " created_at FROM wallet_wallet, unnest(ARRAY[1, -1]) AS delta"
    )


Break = Callable[[World, Owner], None]
# By audit: how to break what it watches, and which audits must then fire with it, because they say more
# generally what this one says.
BREAKS: dict[str, list[tuple[Break, set[str]]]] = {
    "entry_balances": [
        (entry_off_but_books_even, set()),
        (one_line_only, {"line_belongs", "day_totals_are_the_sum"}),
    ],
    "books_balance": [(line_of_another_merchant, {"line_belongs"})],
    "entry_has_its_lines": [(header_announces_more, set()), (header_without_lines, set())],
    "line_belongs": [
        (lines_in_another_currency, set()),
        (lines_of_no_entry, {"knowledge_stays", "day_totals_are_the_sum"}),
    ],
    "one_posting_per_leg": [(posted_twice, set())],
    "clearing_key_where_due": [(no_clearing_key, set()), (superfluous_clearing_key, set())],
    "checkpoint_is_the_sum": [
        (checkpoint_off, set()),
        (checkpoint_above_the_fence, {"day_totals_are_the_sum"}),
    ],
    "books_are_read_only": [
        (right_on_the_table, set()),
        (right_on_a_column, set()),
        (right_of_everybody, set()),
    ],
    "identifier_headroom": [(sequence_runs_out, set())],
    "wallet_is_its_accounts": [
        (account_behind_another_bucket, set()),
        (balance_off, {"wallet_is_its_operations"}),
    ],
    "wallet_is_its_operations": [(running_balance_off, set())],
    "wallet_not_negative": [(overdrawn, {"wallet_never_was_negative"})],
    "wallet_never_was_negative": [(below_zero_for_a_moment, set())],
    "wallet_line_has_its_operation": [
        (operations_of_each_others_lines, set()),
        (operation_of_no_line, set()),
    ],
}
CASES = [(name, each, more) for name, breaks in BREAKS.items() for each, more in breaks]


@pytest.mark.parametrize(
    ("name", "do", "more"), CASES, ids=[f"{name}-{each.__name__}" for name, each, _ in CASES]
)
def test_the_audit_finds_what_it_is_for(world: World, name: str, do: Break, more: set[str]) -> None:
    with broken(tables="^(ledger|wallet)_") as owner:
        assert violated(owner) == set()
        do(world, owner)
        # Those of holds and debts are broken elsewhere.
        assert violated(owner) - BY_HAND == {name} | more


def test_every_audit_of_books_and_wallets_is_broken_here() -> None:
    """An invariant without such a test might never fire."""
    assert set(BREAKS) == INVARIANTS


def test_the_runner_reports_what_the_query_finds(world: World) -> None:
    """Once for real: committed, found by the application's own run, stored with a sample."""
    change = "UPDATE ledger_accountcheckpoint SET balance_minor = balance_minor {} 1 WHERE account_id = %s"
    as_owner(change.format("+"), [world.books.commission])
    report = run_audits()
    as_owner(change.format("-"), [world.books.commission])
    assert not report.is_clean
    (finding,) = report.violated
    assert (finding.name, finding.violations) == ("checkpoint_is_the_sum", 1)
    assert finding.sample == [[str(world.books.commission), "-199", "-200"]]
    assert rows("SELECT is_clean FROM core_auditrun ORDER BY started_at DESC LIMIT 1") == [(False,)]


def test_an_audit_of_nothing_says_so(transactional_db: None) -> None:
    verdicts = {each.name: each.verdict for each in run_audits(names=INVARIANTS, store=False).findings}
    empty = {name for name, verdict in verdicts.items() if verdict == NOT_EXERCISED}
    assert empty == INVARIANTS - {"books_are_read_only", "identifier_headroom"}
