"""A backup, and the way back: all rows, rights and guards are there, and the books prove it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from core.provisioning import Login, RolePlan, provision
from core.transactions import at_edge
from ledger.services import post_entries
from ops.backup import back_up, restore
from ops.messages import Progress, Stop
from ops.postgres import Binaries, find_binaries
from ops.venv import VirtualEnvironment
from tests.architecture.test_database_rights import KINDS, ROLES
from tests.ledger.plain_books import open_books
from tests.ledger.sealing import seal_all

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parent.parent.parent
PROVISION_URL = os.environ.get("PROVISION_URL", "")
needs_superuser = pytest.mark.skipif(not PROVISION_URL, reason="PROVISION_URL is not set")
TABLES = (
    "SELECT c.relname::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)


def _at(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find_binaries(venv=VirtualEnvironment(Path(sys.prefix)))


@pytest.fixture
def source() -> str:
    """The suite's database, as its owner."""
    return _at(settings.DATABASE_OWNER_URL, connection.settings_dict["NAME"])


@pytest.fixture
def empty() -> Iterator[str]:
    """A new database with the roles in it, made as an operator makes one."""
    name = f"restored_{secrets.token_hex(4)}"
    owner_url = _at(settings.DATABASE_OWNER_URL, name)
    plan = RolePlan(
        owner=Login.from_url(owner_url, variable="owner"),
        app=Login.from_url(_at(settings.DATABASE_URL, name), variable="app"),
        readonly=Login("quittance_readonly", _readonly_password(), name),
        owner_creates_databases=True,
    )
    provision(provision_url=PROVISION_URL, owner_url=owner_url, plan=plan)
    yield name
    with psycopg.connect(PROVISION_URL, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _readonly_password() -> str:
    return urlsplit(settings.READONLY_URL).password or secrets.token_hex(8)


def _contents(url: str) -> dict[str, tuple[int, str]]:
    """By table: how many rows, and one digest of all of them."""
    found = {}
    with psycopg.connect(url) as owner:
        for (table,) in owner.execute(TABLES).fetchall():
            found[table] = owner.execute(
                sql.SQL(
                    "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')"
                    " FROM {} t"
                ).format(sql.Identifier(table))
            ).fetchone()
    return found


def _rights(url: str) -> list[list[Any]]:
    with psycopg.connect(url) as owner:
        return [owner.execute(query, [list(ROLES.values())]).fetchall() for query in KINDS.values()]


def _guards(url: str) -> list[Any]:
    with psycopg.connect(url) as owner:
        return owner.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger"
            " WHERE NOT tgisinternal ORDER BY 1, 2"
        ).fetchall()


@needs_superuser
def test_what_was_backed_up_comes_back_and_proves_itself(
    source: str, empty: str, binaries: Binaries, tmp_path: Path
) -> None:
    """Rows, rights, guards; then a full audit of the restored books, seals among them."""
    books = open_books()
    at_edge(post_entries)(drafts=[books.draft(f"backed_up_{number}") for number in range(3)])
    assert seal_all() > 0
    file = tmp_path / "books.dump"
    back_up(binaries=binaries, owner_url=source, target=file, progress=Progress())
    assert file.stat().st_mode & 0o777 == 0o600
    target = _at(settings.DATABASE_OWNER_URL, empty)
    restore(binaries=binaries, owner_url=target, source=file, progress=Progress())
    assert _contents(target) == _contents(source)
    assert _contents(target)["ledger_seal"][0] > 0
    assert _rights(target) == _rights(source)
    assert _guards(target) == _guards(source)
    audit = subprocess.run(
        [sys.executable, "manage.py", "audit", "--full", "--no-store"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": _at(settings.DATABASE_URL, empty)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert "sealed_blocks_hold" in audit.stdout
    with pytest.raises(Stop, match="holds tables"):
        restore(binaries=binaries, owner_url=target, source=file, progress=Progress())


def test_a_backup_is_never_written_over(binaries: Binaries, tmp_path: Path) -> None:
    file = tmp_path / "old.dump"
    file.write_bytes(b"precious")
    with pytest.raises(Stop, match="exists already"):
        back_up(binaries=binaries, owner_url="postgresql://x@127.0.0.1:1/x", target=file, progress=Progress())
    assert file.read_bytes() == b"precious"


def test_a_dump_that_fails_leaves_no_file_and_tells_no_password(binaries: Binaries, tmp_path: Path) -> None:
    file = tmp_path / "never.dump"
    with pytest.raises(Stop) as refused:
        back_up(
            binaries=binaries,
            owner_url="postgresql://owner:topsecret@127.0.0.1:1/none",
            target=file,
            progress=Progress(),
        )
    assert list(tmp_path.iterdir()) == []
    assert "topsecret" not in f"{refused.value}{refused.value.evidence}"


@pytest.mark.parametrize("damage", ["altered", "no sum"])
def test_a_file_that_was_altered_is_not_loaded(damage: str, binaries: Binaries, tmp_path: Path) -> None:
    file = tmp_path / "books.dump"
    file.write_bytes(b"PGDMP and more")
    if damage == "altered":
        (tmp_path / "books.dump.sha256").write_text("0" * 64 + "  books.dump\n")
    with pytest.raises(Stop, match=r"not what was written|can't be read"):
        restore(binaries=binaries, owner_url="postgresql://x@127.0.0.1:1/x", source=file, progress=Progress())


@needs_superuser
def test_a_server_of_another_version_needs_its_own_programs(
    source: str, binaries: Binaries, tmp_path: Path
) -> None:
    """pg_restore 18 sets what PostgreSQL 15 does not know; found out before anything is written."""
    strange = Binaries(folder=binaries.folder, major=binaries.major + 1)
    server = connection.cursor().connection.info.server_version // 10_000
    own = Path(f"/usr/lib/postgresql/{server}/bin/pg_restore").exists()
    if own:
        back_up(binaries=strange, owner_url=source, target=tmp_path / "own.dump", progress=Progress())
        return
    with pytest.raises(Stop, match=f"the server is PostgreSQL {server}"):
        back_up(binaries=strange, owner_url=source, target=tmp_path / "own.dump", progress=Progress())
    assert list(tmp_path.iterdir()) == []
