"""The stand-alone script and the database hash the same bytes, the script finds forgeries (L6, L14, L15)."""

import copy
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from core.audits import run_audits
from ledger import export as source
from ledger.selectors import balance_minor, chain_root
from tests.database import as_owner, owner_connection
from tests.ledger.books import BY_HAND, Books, rows
from tests.ledger.sealing import SCRIPT, export, findings, seal_all, verifier

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Export = list[dict[str, Any]]


@pytest.fixture
def exported(books: Books) -> Export:
    """Three blocks: sales, movements of a wallet, an entry with facts."""
    books.post(books.sale(100), books.sale(250))
    seal_all()
    books.fund(100)
    books.transfer("seller_available", "seller_payout_hold", 30)
    seal_all()
    books.post(books.sale(7, effective_date=date(2026, 3, 2), facts=(("rate", "1.25 €"),)))
    seal_all()
    return export()


def of(exported: Export, kind: str) -> Export:
    return [row for row in exported if row["type"] == kind]


def test_a_true_export_is_true(exported: Export) -> None:
    assert findings(exported) == []
    assert [block["number"] for block in of(exported, "block")] == ["1", "2", "3"]
    assert len(of(exported, "entry")) == 5
    assert {row["facts"] for row in of(exported, "entry")} == {None, '{"rate": "1.25 €"}'}


def test_the_database_and_the_script_agree_about_any_content(books: Books) -> None:
    """Two implementations, one result, byte for byte: whatever an entry or an account may hold."""
    texts = st.text(
        st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1, max_size=40
    )
    moments = st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year > 999)
    maybe = lambda strategy: st.none() | strategy  # noqa: E731

    @given(
        kind=texts,
        ref=texts,
        key=maybe(texts),
        provider=maybe(texts),
        owner=maybe(st.uuids()),
        merchant=st.uuids(),
        at=moments,
        amounts=st.lists(st.integers(-(2**63), 2**63 - 1).filter(bool), min_size=2, max_size=5),
        group=maybe(st.uuids()),
        facts=maybe(st.dictionaries(texts, texts | st.integers() | st.none(), max_size=3)),
        digest=st.binary(min_size=32, max_size=32),
    )
    def agree(
        kind: str, ref: str, key: str | None, provider: str | None, owner: UUID | None, merchant: UUID,
        at: Any, amounts: list[int], group: UUID | None, facts: Any, digest: bytes,
    ) -> None:  # fmt: skip
        with owner_connection() as owner_session:
            _insert(owner_session, locals())
            account, entry = _read_back(owner_session)
            (root,) = owner_session.execute(
                "SELECT encode(root, 'hex') FROM ledger_seal_root(0, 9007199254740991)"
            ).fetchone() or (None,)
            owner_session.rollback()
        leaves = verifier.entry_hash(entry) + verifier.account_hash(account)
        assert root == hashlib.sha256(leaves).hexdigest()

    agree()


def _insert(session: Any, content: dict[str, Any]) -> None:
    """One account and one entry that no guard has seen; rolled back by the caller."""
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("account", "journalentry", "journalline"):
        session.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
    session.execute("ALTER TABLE ledger_journalline DROP CONSTRAINT ledger_line_account_fk")
    session.execute("DELETE FROM ledger_journalline; DELETE FROM ledger_journalentry")
    (account,) = session.execute(
        "INSERT INTO ledger_account (merchant_id, role, owner, provider, currency, guarded, clearing)"
        " VALUES (%(merchant)s, 'psp_clearing', %(owner)s, %(provider)s, 'KWD', false, true) RETURNING id",
        content,
    ).fetchone()
    size = 1 if content["group"] else None
    facts = None if content["facts"] is None else json.dumps(content["facts"])
    session.execute(
        "INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,"
        " recorded_at, line_count, corrects, digest, group_id, group_size, original_date, facts)"
        " VALUES (77, %(merchant)s, %(kind)s, 'test', %(ref)s, 'main', %(at)s::timestamptz::date, %(at)s,"
        " %(lines)s, NULL, %(digest)s, %(group)s, %(size)s, NULL, %(json)s::jsonb)",
        content | {"lines": len(content["amounts"]), "size": size, "json": facts},
    )
    for number, amount in enumerate(content["amounts"], 1):
        session.execute(
            "INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor,"
            " currency, clearing_key) VALUES (%s, %s, 77, %s, %s, %s, 'KWD', %s)",
            [77 * 1024 + number, content["merchant"], number, account, amount, content["key"]],
        )


def _read_back(session: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """As the export reads."""

    def fetch(sql: str, *params: int) -> list[dict[str, Any]]:
        cursor = session.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    (entry,) = fetch(source._ENTRIES, 0, 9007199254740991)
    entry["lines"] = fetch(source._LINES, 0, 9007199254740991)
    (account,) = [row for row in fetch(source._ACCOUNTS, 0) if row["id"] == entry["lines"][0]["account_id"]]
    return json.loads(json.dumps(account)), json.loads(json.dumps(entry))


def reseal(exported: Export) -> None:
    """Forge: give every block the root, the previous hash and the hash that its content asks for."""
    books = verifier.Books()
    for row in exported[1:]:
        if row["type"] == "block":
            chain = books.ledger
            leaves = [books.hashes[key] for key in sorted(books.used)]
            row["root"] = verifier.hashlib.sha256(b"".join([*chain.leaves, *leaves])).hexdigest()
            row["number"], row["previous"] = str(chain.blocks + 1), chain.hash
            row["first_entry"], row["last_entry"] = str(chain.ids[0]), str(chain.ids[-1])
            row["entry_count"], row["line_count"] = str(len(chain.ids)), str(books.lines_in_block)
            said = b"ledger block 1;" + b"".join(verifier.token(row[name]) for name in chain.fields)
            row["hash"] = verifier.hashlib.sha256(said).hexdigest()
        books.read(row)


def amount_altered(exported: Export) -> None:
    for line, change in zip(of(exported, "entry")[0]["lines"], (1, -1), strict=True):
        line["amount_minor"] = str(int(line["amount_minor"]) + change)


def amount_of_one_line_altered(exported: Export) -> None:
    of(exported, "entry")[0]["lines"][0]["amount_minor"] = "101"


def account_altered(exported: Export) -> None:
    of(exported, "account")[0]["provider"] = "adyen"


def time_altered(exported: Export) -> None:
    of(exported, "entry")[1]["recorded_at"] = "2026-01-01T00:00:00.000000Z"


def null_instead_of_nothing(exported: Export) -> None:
    of(exported, "entry")[1]["facts"] = ""


def entry_dropped(exported: Export) -> None:
    exported.remove(of(exported, "entry")[0])


def entry_twice(exported: Export) -> None:
    exported.insert(exported.index(of(exported, "block")[0]), of(exported, "entry")[1])


def entries_reordered(exported: Export) -> None:
    one, two = (exported.index(row) for row in of(exported, "entry")[:2])
    exported[one], exported[two] = exported[two], exported[one]


def block_dropped(exported: Export) -> None:
    """With its entries, and an end that counts what is left."""
    first, second = (exported.index(block) for block in of(exported, "block")[:2])
    del exported[first + 1 : second + 1]
    recount(exported)


def blocks_reordered(exported: Export) -> None:
    first, second, third = (exported.index(block) for block in of(exported, "block"))
    exported[first + 1 : third + 1] = exported[second + 1 : third + 1] + exported[first + 1 : second + 1]


def cut_off(exported: Export) -> None:
    del exported[-1]


def cut_off_behind_the_first_block(exported: Export) -> None:
    del exported[exported.index(of(exported, "block")[0]) + 1 :]


def checkpoint_altered(exported: Export) -> None:
    mark = of(exported, "checkpoint")[0]
    mark["balance_minor"] = str(int(mark["balance_minor"]) + 1)


def recount(exported: Export) -> None:
    end = exported[-1]
    for kind in ("entry", "block"):
        end[kind] = str(len(of(exported, kind)))
    end["line"] = str(sum(len(row["lines"]) for row in of(exported, "entry")))


FORGERIES: list[Callable[[Export], None]] = [
    amount_altered, amount_of_one_line_altered, account_altered, time_altered, null_instead_of_nothing,
    entry_dropped, entry_twice, entries_reordered, block_dropped, blocks_reordered, cut_off,
    cut_off_behind_the_first_block, checkpoint_altered,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_the_verifier_finds(exported: Export, forge: Callable[[Export], None]) -> None:
    forged = copy.deepcopy(exported)
    forge(forged)
    assert forged != exported
    assert findings(forged)


@pytest.mark.parametrize(
    "forge", [amount_altered, time_altered, block_dropped], ids=lambda forge: forge.__name__
)
def test_a_chain_forged_to_the_end_is_found_by_an_earlier_root(
    exported: Export, forge: Callable[[Export], None]
) -> None:
    """Somebody who may write everything makes a chain that is true in itself, but not that of yesterday."""
    kept = chain_root()
    assert kept is not None
    root = {"chain": "ledger", "block": str(kept.block), "hash": kept.hash}
    assert findings(exported, [root]) == []
    forged = [row for row in copy.deepcopy(exported) if row["type"] != "checkpoint"]
    forged[-1]["checkpoint"] = "0"
    forge(forged)
    reseal(forged)
    assert findings(forged) == []
    (found,) = findings(forged, [root])
    assert "does not extend" in found


def test_a_tail_that_was_cut_off_whole_is_found_by_an_earlier_root(exported: Export) -> None:
    kept = {"chain": "ledger", "block": "3", "hash": of(exported, "block")[2]["hash"]}
    short = [row for row in copy.deepcopy(exported) if row["type"] != "checkpoint"]
    short[-1]["checkpoint"] = "0"
    second, third = (short.index(block) for block in of(short, "block")[1:])
    del short[second + 1 : third + 1]
    recount(short)
    assert findings(short) == []
    assert "no such block" in findings(short, [kept])[0]


def test_a_longer_export_extends_an_earlier_root(books: Books, exported: Export) -> None:
    kept = {"chain": "ledger", "block": "3", "hash": of(exported, "block")[2]["hash"]}
    books.post(books.sale(9))
    seal_all()
    assert findings(export(), [kept]) == []


def test_replaying_gives_the_balances(books: Books, exported: Export) -> None:
    """L14: the lines alone, added up by the script in an empty world, are the balances of the books."""
    replayed = verifier.verify([json.dumps(row) for row in exported]).balances
    assert replayed
    assert {key: balance_minor(account_id=key) for key in replayed} == dict(replayed)
    marks = dict(rows("SELECT account_id, balance_minor FROM ledger_accountcheckpoint"))
    assert marks == dict(replayed)


def test_one_altered_line_is_found_by_script_and_audit(
    books: Books, exported: Export, tmp_path: Path
) -> None:
    """As a superuser: guards off, one line altered, guards on again. What was derived before it tells."""
    change = (
        "ALTER TABLE ledger_journalline DISABLE TRIGGER USER;"
        " UPDATE ledger_journalline SET clearing_key = '{}' WHERE clearing_key = '{}';"
        " ALTER TABLE ledger_journalline ENABLE TRIGGER USER"
    )
    as_owner(change.format("forged", "k"))
    report = run_audits(store=False)
    call_command("export_books", str(tmp_path / "books.jsonl"), stdout=StringIO())
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(tmp_path / "books.jsonl"), "--json"],
        capture_output=True, text=True, cwd=tmp_path, env={}, check=False,
    )  # fmt: skip
    as_owner(change.format("k", "forged"))
    found = {each.name for each in report.violated} - BY_HAND
    assert found == {"sealed_blocks_hold", "entry_has_its_digest", "open_keys_are_the_sum"}
    assert done.returncode == 1, done.stderr
    assert "block 1: root is" in json.loads(done.stdout)["findings"][0]


def test_the_commands_work_together(books: Books, exported: Export, tmp_path: Path, capsys: Any) -> None:
    """Seal, keep the roots, export, verify against the roots: exit code 0; a file that is none: 2."""
    with (tmp_path / "roots.jsonl").open("w") as roots:
        call_command("seal", stdout=roots)
    call_command("export_books", str(tmp_path / "books.jsonl"), stdout=StringIO())
    script = [sys.executable, "-I", str(SCRIPT)]
    kept = ["--root", str(tmp_path / "roots.jsonl")]
    done = subprocess.run(
        [*script, str(tmp_path / "books.jsonl"), *kept], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("true\n")
    for content in ("", "{}", "no json", '{"type": "books", "format": 2}'):
        (tmp_path / "broken").write_text(content)
        done = subprocess.run(
            [*script, str(tmp_path / "broken")], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, ""), content
