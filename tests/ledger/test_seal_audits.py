"""Each audit of seals and guards finds what it is for, as a superuser breaks it (L5, L6, L8, L15, L16, L17)."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from core.audits import NOT_EXERCISED, registered, run_audits
from ledger.audits import ENTRIES
from ledger.seal_audits import INVARIANTS, NOTICE_ANY_CHANGE
from ledger.tasks import DAILY_ROOT
from tests.database import as_owner
from tests.ledger.books import Books, rows
from tests.ledger.breakage import broken, violated
from tests.ledger.sealing import seal_all

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Owner = psycopg.Connection[Any]
NAMES = {each.name for each in INVARIANTS}


class World:
    """Three blocks of sales and wallet movements, and a daily root of the second."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.entries = []
        for _ in range(3):
            self.entries += [ref.id for ref in books.post(books.sale(100), books.sale(200))]
            books.fund(10)
            seal_all()
        as_owner(
            "INSERT INTO core_jobrun (id, job, scope, business_date, started_at, finished_at, leased_until,"
            " attempts, summary) SELECT gen_random_uuid(), %s, 'all', '2026-03-01', now(), now(), now(), 1,"
            " jsonb_build_object('ledger', jsonb_build_object('block', number, 'hash', encode(hash, 'hex')))"
            " FROM ledger_seal WHERE number = 2",
            [DAILY_ROOT],
        )
        report = run_audits(names=NAMES, store=False)
        assert [each.verdict for each in report.findings] == ["clean"] * len(NAMES), report.findings


@pytest.fixture
def world(books: Books) -> World:
    return World(books)


def line_altered(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalline SET clearing_key = 'other' WHERE clearing_key = 'k'")


def header_altered(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalentry SET recorded_at = recorded_at + interval '1 us' WHERE id = %s",
        [world.entries[0]],
    )


def entry_gone(world: World, owner: Owner) -> None:
    """With its lines, as if it had never been."""
    owner.execute("DELETE FROM ledger_journalline WHERE entry_id = %s", [world.entries[0]])
    owner.execute("DELETE FROM ledger_journalentry WHERE id = %s", [world.entries[0]])


def amounts_doubled(world: World, owner: Owner) -> None:
    """The entry still balances."""
    owner.execute(
        "UPDATE ledger_journalline SET amount_minor = 2 * amount_minor WHERE entry_id = %s",
        [world.entries[0]],
    )


def account_altered(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_account SET provider = 'adyen' WHERE provider = 'stripe'")


def block_altered(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_seal SET sealed_at = sealed_at + interval '1 us' WHERE number = 3")


def block_gone(world: World, owner: Owner) -> None:
    owner.execute("DELETE FROM ledger_seal WHERE number = 1")


def chain_cut(world: World, owner: Owner) -> None:
    """The hash of the block before it, and its own hash made anew: only the link is wrong."""
    owner.execute("UPDATE ledger_seal SET previous = sha256('x') WHERE number = 3")
    owner.execute("UPDATE ledger_seal AS seal SET hash = ledger_seal_hash(seal) WHERE number = 3")


def blocks_overlap(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_seal SET first_entry = (SELECT last_entry FROM ledger_seal WHERE number = 1)"
        " WHERE number = 2"
    )


def blocks_out_of_time(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_seal SET sealed_at = sealed_at - interval '1 day' WHERE number = 3")


def sealed_above_the_fence(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_fence SET safe_entry = 0")


def chain_made_anew(world: World, owner: Owner) -> None:
    """Every block again, with another time: true in itself, and not what was written down."""
    previous = bytes(32)
    for number in (1, 2, 3):
        found = owner.execute(
            "UPDATE ledger_seal SET previous = %s, sealed_at = sealed_at + interval '1 s' WHERE number = %s"
            " RETURNING ledger_seal_hash(ledger_seal)",
            [previous, number],
        ).fetchone()
        assert found
        previous = found[0]
        owner.execute("UPDATE ledger_seal SET hash = %s WHERE number = %s", [previous, number])


def digest_altered(world: World, owner: Owner) -> None:
    owner.execute(
        "UPDATE ledger_journalentry SET digest = sha256('x') WHERE id = %s", [world.entries[0]]
    )


def kind_altered(world: World, owner: Owner) -> None:
    owner.execute("UPDATE ledger_journalentry SET kind = 'gift' WHERE id = %s", [world.entries[0]])


def an_amount_becomes_a_float(world: World, owner: Owner) -> None:
    owner.execute("ALTER TABLE wallet_walletoperation ALTER COLUMN delta_minor TYPE double precision")


def an_amount_becomes_short(world: World, owner: Owner) -> None:
    owner.execute("ALTER TABLE wallet_walletoperation ALTER COLUMN delta_minor TYPE integer")


def unknown_currency(world: World, owner: Owner) -> None:
    owner.execute(
        "INSERT INTO ledger_account (merchant_id, role, currency, guarded, clearing)"
        " VALUES (gen_random_uuid(), 'commission', 'QQQ', false, false)"
    )


def trigger_off(world: World, owner: Owner) -> None:
    owner.execute("ALTER TABLE ledger_seal DISABLE TRIGGER ledger_seal_append_only")


def trigger_gone(world: World, owner: Owner) -> None:
    owner.execute("DROP TRIGGER ledger_journalline_balanced ON ledger_journalline")


def trigger_for_replicas_only(world: World, owner: Owner) -> None:
    owner.execute(
        "ALTER TABLE ledger_journalentry ENABLE REPLICA TRIGGER ledger_journalentry_append_only"
    )


Break = Callable[[World, Owner], None]
# By audit: how to break what it watches.
BREAKS: dict[str, list[Break]] = {
    "sealed_blocks_hold": [line_altered, header_altered, entry_gone, amounts_doubled, account_altered],
    "seal_chain_unbroken": [block_altered, block_gone, chain_cut],
    "blocks_in_order": [blocks_overlap, blocks_out_of_time],
    "seals_below_the_fence": [sealed_above_the_fence],
    "daily_roots_stand": [chain_made_anew],
    "entry_has_its_digest": [digest_altered, kind_altered, line_altered],
    "money_is_whole_numbers": [an_amount_becomes_a_float, an_amount_becomes_short],
    "currency_is_known": [unknown_currency],
    "guards_are_armed": [trigger_off, trigger_gone, trigger_for_replicas_only],
}
CASES = [(name, each) for name, breaks in BREAKS.items() for each in breaks]
# What only these audits say of the case: nothing else of this file fires.
ALONE = {
    (header_altered, "sealed_blocks_hold"),
    (chain_made_anew, "daily_roots_stand"),
    (unknown_currency, "currency_is_known"),
    (an_amount_becomes_a_float, "money_is_whole_numbers"),
    (chain_cut, "seal_chain_unbroken"),
}


@pytest.mark.parametrize(("name", "do"), CASES, ids=[f"{name}-{each.__name__}" for name, each in CASES])
def test_the_audit_finds_what_it_is_for(world: World, name: str, do: Break) -> None:
    with broken(tables="^(ledger|wallet)_") as owner:
        # Whoever breaks the data has switched the guards off, which is a finding of its own.
        silent = frozenset({"guards_are_armed"})
        if name in silent:
            silent = frozenset()
            for table in ("account", "journalentry", "journalline", "seal"):
                owner.execute(f"ALTER TABLE ledger_{table} ENABLE TRIGGER USER")
        assert violated(owner, silent=silent) == set()
        do(world, owner)
        found = violated(owner, silent=silent)
        assert name in found
        if (do, name) in ALONE:
            assert found & NAMES == {name}


def test_every_audit_is_broken_here() -> None:
    """An invariant without such a test might never fire."""
    assert set(BREAKS) == NAMES
    assert NOTICE_ANY_CHANGE <= NAMES


def test_nobody_else_could_tell(world: World) -> None:
    """The control: an altered time of record is found by the seal, and by nothing else."""
    with broken(tables="^ledger_") as owner:
        header_altered(world, owner)
        assert violated(owner, silent=frozenset({"guards_are_armed"})) == {"sealed_blocks_hold"}


def test_an_incremental_run_examines_only_new_blocks(world: World) -> None:
    """Named as what it is: an old block that is altered later is found by the next full run."""
    run_audits()
    alter = (
        "ALTER TABLE ledger_journalentry DISABLE TRIGGER USER;"
        " UPDATE ledger_journalentry SET recorded_at = recorded_at {} interval '1 us' WHERE id = {};"
        " ALTER TABLE ledger_journalentry ENABLE TRIGGER USER"
    )
    as_owner(alter.format("+", world.entries[0]))
    quick = run_audits(names=["sealed_blocks_hold"], full=False)
    whole = run_audits(names=["sealed_blocks_hold"])
    again = run_audits(names=["sealed_blocks_hold"], full=False)
    as_owner(alter.format("-", world.entries[0]))
    mended = run_audits(names=["sealed_blocks_hold"], full=False)
    assert [report.findings[0].verdict for report in (quick, whole, again, mended)] == [
        NOT_EXERCISED,
        "violated",
        "violated",
        "clean",
    ]


def test_portions_find_what_the_whole_finds(world: World) -> None:
    """Piece by piece, one entry at a time, every rule along the entries says what it says in one query."""
    rules = [each for each in registered() if each.scale == ENTRIES]
    assert len(rules) >= 6
    first, last = rows("SELECT min(id), max(id) FROM ledger_journalentry")[0]
    with broken(tables="^ledger_") as owner:
        owner.execute("UPDATE ledger_journalline SET amount_minor = 1 + amount_minor WHERE line_no = 1")
        owner.execute("UPDATE ledger_journalline SET clearing_key = 'k' WHERE line_no = 2")
        owner.execute("UPDATE ledger_journalentry SET line_count = 3")
        for each in rules:
            assert each.incremental_sql is not None
            whole = {row[0] for row in owner.execute(each.sql.encode()).fetchall()}
            pieces = {
                row[0]
                for number in range(first, last + 1)
                for row in owner.execute(
                    each.incremental_sql.format(after=number - 1, through=number).encode()
                ).fetchall()
            }
            assert whole == pieces, each.name
