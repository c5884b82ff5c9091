"""Who may do what in PostgreSQL: the three roles, the database, and the rights on tables to come.

The owner changes the schema, the app works with the rows and owns nothing, readonly looks. Every statement
here can run again without harm. The statements are built apart from their execution, so that they can be
printed for somebody with more rights than we have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")


class IncompleteLogin(ValueError):
    """A database address lacks the user, the password or the database."""


@dataclass(frozen=True)
class Login:
    """A role's name, its password and the database it connects to."""

    role: str
    password: str
    database: str

    @classmethod
    def from_url(cls, url: str, *, variable: str) -> Login:
        """Read `postgresql://role:password@host/database`. Raises IncompleteLogin naming the variable."""
        parts = conninfo_to_dict(url)
        role, password, database = parts.get("user"), parts.get("password"), parts.get("dbname")
        if not (role and password and database):
            raise IncompleteLogin(f"{variable} must name a user, a password and a database.")
        return cls(role=str(role), password=str(password), database=str(database))


@dataclass(frozen=True)
class RolePlan:
    """The three logins; `owner_creates_databases` is for test servers only."""

    owner: Login
    app: Login
    readonly: Login | None
    owner_creates_databases: bool = False

    @property
    def database(self) -> str:
        """Name of the database that all of them use."""
        return self.owner.database

    def logins(self) -> list[Login]:
        """All of them, the owner first."""
        return [self.owner, self.app, *([self.readonly] if self.readonly else [])]


def role_statements(
    *, plan: RolePlan, existing: Mapping[str, Sequence[str]], passwords: Mapping[str, str]
) -> list[sql.Composed]:
    """Create or correct the roles.

    `existing` holds by role the attributes that it has (SUPERUSER, CREATEDB, …). Only what differs is
    mentioned: a login that may create roles, but is no superuser, may not even repeat NOSUPERUSER.
    `passwords` holds by role what PASSWORD is to be set to.
    """
    statements = []
    for login in plan.logins():
        wanted = {"CREATEDB"} if plan.owner_creates_databases and login is plan.owner else set()
        had = set(existing.get(login.role, ()))
        changes = [*sorted(wanted - had), *(f"NO{attribute}" for attribute in sorted(had - wanted))]
        statements.append(
            sql.SQL("{verb} ROLE {role} LOGIN {changes} PASSWORD {password}").format(
                verb=sql.SQL("ALTER" if login.role in existing else "CREATE"),
                role=sql.Identifier(login.role),
                changes=sql.SQL(" ").join(sql.SQL(change) for change in changes),
                password=sql.Literal(passwords[login.role]),
            )
        )
    if plan.readonly:
        statements.append(
            sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(
                sql.Identifier(plan.readonly.role)
            )
        )
    return statements


def database_statements(*, plan: RolePlan, exists: bool) -> list[sql.Composed]:
    """Create the database when it is missing, and let only our roles in."""
    database, owner = sql.Identifier(plan.database), sql.Identifier(plan.owner.role)
    statements = []
    if not exists:
        statements.append(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(database, owner)
        )
    statements.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    # Bulk loads of the app go through temporary tables.
    statements.append(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            database, sql.Identifier(plan.app.role)
        )
    )
    if plan.readonly:
        statements.append(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(plan.readonly.role))
        )
    return statements


def default_privilege_statements(*, app: str, readonly: str | None) -> list[sql.Composed]:
    """Rights on the tables that the owner will create; run as the owner, in the database itself.

    They hold per database: whoever makes another one (a test database) runs them there before migrating.
    Migrations take single rights away again, table by table.
    """
    app_role = sql.Identifier(app)
    statements = [
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC").format(),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app_role),
        sql.SQL("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}").format(
            app_role
        ),
        sql.SQL("ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {}").format(app_role),
    ]
    if readonly:
        role = sql.Identifier(readonly)
        statements += [
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
            sql.SQL("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {}").format(role),
        ]
    return statements


def printable(*, plan: RolePlan) -> str:
    """The SQL for somebody who may run it, without passwords in it."""
    placeholders = {login.role: f"<password of {login.role}>" for login in plan.logins()}
    lines = ["-- As a role that may create roles and databases:"]
    groups = [
        *role_statements(plan=plan, existing={}, passwords=placeholders),
        *database_statements(plan=plan, exists=False),
    ]
    lines += [f"{statement.as_string(None)};" for statement in groups]
    lines.append(f"-- As {plan.owner.role}, in the database {plan.database}:")
    readonly = plan.readonly.role if plan.readonly else None
    rights = default_privilege_statements(app=plan.app.role, readonly=readonly)
    lines += [f"{statement.as_string(None)};" for statement in rights]
    return "\n".join(lines)


def provision(*, provision_url: str, owner_url: str, plan: RolePlan) -> None:
    """Make the server fit the plan: roles, database, rights. Running it again changes nothing.

    Raises psycopg.errors.InsufficientPrivilege when the login of `provision_url` may not, and
    psycopg.errors.InternalError ("tuple concurrently updated") when two runs meet: run it again then.
    """
    with psycopg.connect(provision_url, autocommit=True) as connection:
        existing = _existing(connection, roles=[login.role for login in plan.logins()])
        verifiers = _verifiers(connection, plan=plan)
        for statement in role_statements(plan=plan, existing=existing, passwords=verifiers):
            connection.execute(statement)
        _drop_memberships(connection, role=plan.app.role)
        _own_database(connection, plan=plan)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        readonly = plan.readonly.role if plan.readonly else None
        for statement in default_privilege_statements(app=plan.app.role, readonly=readonly):
            connection.execute(statement)


def _existing(connection: psycopg.Connection[Any], *, roles: list[str]) -> dict[str, list[str]]:
    """Attributes, beyond logging in, of those roles that exist."""
    rows = connection.execute(
        "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
        "FROM pg_roles WHERE rolname = ANY(%s)",
        [roles],
    )
    return {
        name: [word for word, held in zip(ATTRIBUTES, flags, strict=True) if held] for name, *flags in rows
    }


def _verifiers(connection: psycopg.Connection[Any], *, plan: RolePlan) -> dict[str, str]:
    """SCRAM verifiers made on this side: the passwords appear neither on the wire nor in a server log."""
    return {
        login.role: connection.pgconn.encrypt_password(
            login.password.encode(), login.role.encode(), b"scram-sha-256"
        ).decode()
        for login in plan.logins()
    }


def _drop_memberships(connection: psycopg.Connection[Any], *, role: str) -> None:
    """The app is a member of no role: a membership would be a way around its missing rights."""
    rows = connection.execute(
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid "
        "WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = %s)",
        [role],
    ).fetchall()
    for (granted,) in rows:
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(granted), sql.Identifier(role)))


def _own_database(connection: psycopg.Connection[Any], *, plan: RolePlan) -> None:
    """The database exists and belongs to the owner role."""
    if not connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]:  # type: ignore[index]
        # Only a member may give a database away.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(plan.owner.role)))
    exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [plan.database]).fetchone()
    for statement in database_statements(plan=plan, exists=exists is not None):
        connection.execute(statement)
