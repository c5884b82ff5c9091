"""Database functions, triggers and rights: SQL lives in `<app>/sql/`, migrations load it from there."""

from importlib.resources import files

from django.db.migrations import RunSQL

__all__ = ["append_only", "guard_state", "read_sql", "restrict", "run_sql"]

APP_ROLE = "quittance_app"
_DEFAULT_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"


def read_sql(app: str, name: str) -> str:
    """Return the text of `<app>/sql/<name>.sql`."""
    return (files(app) / "sql" / f"{name}.sql").read_text()


def run_sql(app: str, name: str, *, reverse: str) -> RunSQL:
    """Return the migration operation that runs `<app>/sql/<name>.sql`; `reverse` undoes it."""
    return _whole(read_sql(app, name), reverse)


def restrict(table: str, *, allow: str) -> RunSQL:
    """Leave the application role only these rights on a table (for example "SELECT, INSERT")."""
    return _whole(
        f"REVOKE ALL ON {table} FROM {APP_ROLE}; GRANT {allow} ON {table} TO {APP_ROLE};",
        f"REVOKE ALL ON {table} FROM {APP_ROLE}; GRANT {_DEFAULT_RIGHTS} ON {table} TO {APP_ROLE};",
    )


def append_only(table: str) -> RunSQL:
    """Make a table grow only: rights of the application role, and a trigger that even the owner meets."""
    return _whole(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();"
        f"REVOKE ALL ON {table} FROM {APP_ROLE}; GRANT SELECT, INSERT ON {table} TO {APP_ROLE};",
        f"DROP TRIGGER {table}_append_only ON {table};"
        f"REVOKE ALL ON {table} FROM {APP_ROLE}; GRANT {_DEFAULT_RIGHTS} ON {table} TO {APP_ROLE};",
    )


def guard_state(table: str, *, initial: str, edges: str, column: str = "status") -> RunSQL:
    """Make PostgreSQL refuse any other first state and any other change.

    The edges are written out ("A>B,B>C") because a migration is history: a later table is a later
    migration. A test compares the triggers with the tables of today.
    """
    return _whole(
        f"CREATE TRIGGER {table}_{column}_guard BEFORE INSERT OR UPDATE OF {column} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION core_fsm_guard('{column}', '{initial}', '{edges}');",
        f"DROP TRIGGER {table}_{column}_guard ON {table};",
    )


def _whole(sql: str, reverse: str) -> RunSQL:
    # A list of one is passed on as it is, without splitting function bodies at semicolons.
    return RunSQL(sql=[sql], reverse_sql=[reverse])
