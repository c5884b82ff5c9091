"""Roles and rights on a real server: made, made again, refused."""

import os
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from core.provisioning import IncompleteLogin, Login, RolePlan, printable, provision

pytestmark = pytest.mark.database

PROVISION_URL = os.environ.get("PROVISION_URL", "")
needs_superuser = pytest.mark.skipif(not PROVISION_URL, reason="PROVISION_URL is not set")


def with_login(role: str, password: str, database: str) -> str:
    """The server of PROVISION_URL, seen by another role."""
    parts = urlsplit(PROVISION_URL)
    host = f"{parts.hostname}:{parts.port}"
    return urlunsplit((parts.scheme, f"{role}:{password}@{host}", f"/{database}", "", ""))


class Cast:
    """Three roles and a database with names of their own, so that the suite's are left alone."""

    def __init__(self) -> None:
        self.tag = f"prov_{secrets.token_hex(4)}"
        self.password = 'it\'s "quoted" %s'  # quoting must hold
        self.owner, self.app, self.readonly = (f"{self.tag}_{part}" for part in ("owner", "app", "readonly"))

    def plan(self) -> RolePlan:
        return RolePlan(
            owner=Login(self.owner, self.password, self.tag),
            app=Login(self.app, self.password, self.tag),
            readonly=Login(self.readonly, self.password, self.tag),
        )

    def url(self, role: str) -> str:
        return with_login(role, quote(self.password, safe=""), self.tag)

    def provision(self, *, provision_url: str = PROVISION_URL) -> None:
        provision(provision_url=provision_url, owner_url=self.url(self.owner), plan=self.plan())


@pytest.fixture
def cast() -> Iterator[Cast]:
    cast = Cast()
    yield cast
    with psycopg.connect(PROVISION_URL, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(cast.tag))
        )
        for role in (cast.app, cast.readonly, cast.owner):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@needs_superuser
def test_each_role_may_do_what_it_is_for_and_no_more(cast: Cast) -> None:
    cast.provision()
    with psycopg.connect(cast.url(cast.owner), autocommit=True) as owner:
        owner.execute("CREATE TABLE money (id bigserial, minor bigint)")
    with psycopg.connect(cast.url(cast.app), autocommit=True) as app:
        app.execute("INSERT INTO money (minor) VALUES (1)")
        app.execute("CREATE TEMPORARY TABLE load (x int)")
        for forbidden in ("DROP TABLE money", "TRUNCATE money", "CREATE TABLE mine (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(cast.owner)))
    with psycopg.connect(cast.url(cast.readonly), autocommit=True) as readonly:
        assert readonly.execute("SELECT minor FROM money").fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            readonly.execute("DELETE FROM money")
        readonly.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            readonly.execute("DELETE FROM money")


@needs_superuser
def test_a_second_run_takes_back_what_somebody_gave_the_app(cast: Cast) -> None:
    cast.provision()
    with psycopg.connect(PROVISION_URL, autocommit=True) as superuser:
        app, owner = sql.Identifier(cast.app), sql.Identifier(cast.owner)
        superuser.execute(sql.SQL("ALTER ROLE {} SUPERUSER CREATEDB CREATEROLE BYPASSRLS").format(app))
        superuser.execute(sql.SQL("GRANT {} TO {}").format(owner, app))
    cast.provision()
    with psycopg.connect(cast.url(cast.app), autocommit=True) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles "
            "WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(cast.owner)))


@needs_superuser
def test_a_login_that_is_no_superuser_may_provision_twice(cast: Cast) -> None:
    """As on a managed server, where nobody gets the superuser."""
    creator = f"{cast.tag}_creator"
    with psycopg.connect(PROVISION_URL, autocommit=True) as superuser:
        superuser.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD 'p'").format(sql.Identifier(creator))
        )
    try:
        for _ in range(2):
            cast.provision(provision_url=with_login(creator, "p", "postgres"))
        with psycopg.connect(cast.url(cast.owner), autocommit=True) as owner:
            owner.execute("CREATE TABLE money (minor bigint)")
        with psycopg.connect(cast.url(cast.app), autocommit=True) as app:
            app.execute("INSERT INTO money VALUES (1)")
    finally:
        with psycopg.connect(PROVISION_URL, autocommit=True) as superuser:
            database, role = sql.Identifier(cast.tag), sql.Identifier(creator)
            superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            for name in (cast.app, cast.readonly, cast.owner):
                superuser.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
            superuser.execute(sql.SQL("DROP ROLE {}").format(role))


@needs_superuser
def test_a_changed_password_is_set(cast: Cast) -> None:
    cast.provision()
    before = cast.url(cast.app)
    cast.password = "another"
    cast.provision()
    with psycopg.connect(cast.url(cast.app)):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before)


@needs_superuser
def test_a_login_that_may_not_create_roles_gets_the_sql_and_code_3(
    cast: Cast, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.provision()
    settings.DATABASE_URL = cast.url(cast.app)
    settings.DATABASE_OWNER_URL = cast.url(cast.owner)
    settings.PROVISION_URL = cast.url(cast.app)
    settings.READONLY_URL = ""
    with pytest.raises(CommandError) as refusal:
        call_command("provision_roles")
    assert refusal.value.returncode == 3
    assert f'CREATE ROLE "{cast.app}"' in capsys.readouterr().out


def test_the_printed_sql_holds_no_password() -> None:
    cast = Cast()
    cast.password = "do-not-print-me"
    text = printable(plan=cast.plan())
    assert "do-not-print-me" not in text
    assert f'CREATE DATABASE "{cast.tag}" OWNER "{cast.owner}"' in text
    assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{cast.app}"' in text


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgresql://u:p@h", "postgresql://h/d"])
def test_a_login_without_user_password_or_database_is_refused(url: str) -> None:
    with pytest.raises(IncompleteLogin, match="READONLY_URL"):
        Login.from_url(url, variable="READONLY_URL")
