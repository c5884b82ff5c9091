"""What PostgreSQL lets each role do is what config/rights.toml says, line by line and in both directions."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings

from tests.database import as_owner

pytestmark = [pytest.mark.database, pytest.mark.django_db]

MATRIX = Path(settings.BASE_DIR) / "config" / "rights.toml"
ROLES = {"app": "quittance_app", "readonly": "quittance_readonly"}

# Effective rights: granted to the role, to PUBLIC, or through a role that it is in.
TABLES = """
    SELECT c.relname, role.name, wanted.privilege, has_table_privilege(role.name, c.oid, wanted.privilege),
        array(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0
            AND NOT a.attisdropped AND wanted.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            AND has_column_privilege(role.name, c.oid, a.attnum, CASE WHEN wanted.privilege IN
                ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN wanted.privilege ELSE 'SELECT' END)
            ORDER BY a.attname)
    FROM pg_class AS c, unnest(%s::text[]) AS role(name),
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
            WITH ORDINALITY AS wanted(privilege, place)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY c.relname, role.name, wanted.place
"""
SEQUENCES = """
    SELECT c.relname, role.name, wanted.privilege, has_sequence_privilege(role.name, c.oid, wanted.privilege),
        '{}'::text[]
    FROM pg_class AS c, unnest(%s::text[]) AS role(name),
        unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) WITH ORDINALITY AS wanted(privilege, place)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
    ORDER BY c.relname, role.name, wanted.place
"""
# Functions of triggers cannot be called, whoever may execute them.
FUNCTIONS = """
    SELECT p.proname, role.name, 'EXECUTE', has_function_privilege(role.name, p.oid, 'EXECUTE'), '{}'::text[]
    FROM pg_proc AS p, unnest(%s::text[]) AS role(name)
    WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype <> 'trigger'::regtype
    ORDER BY p.proname, role.name
"""
KINDS = {"tables": TABLES, "sequences": SEQUENCES, "functions": FUNCTIONS}


def found_rights(query: str) -> dict[str, dict[str, str]]:
    """By object and short role: the rights as the matrix writes them."""
    short = {long: name for name, long in ROLES.items()}
    rights: dict[str, dict[str, str]] = {}
    for name, role, privilege, whole, columns in as_owner(query, [list(ROLES.values())]):
        granted = rights.setdefault(name, dict.fromkeys(ROLES, ""))
        text = privilege if whole else f"{privilege}({', '.join(columns)})" if columns else ""
        granted[short[role]] = f"{granted[short[role]]} {text}".strip()
    return rights


def line(name: str, granted: dict[str, str]) -> str:
    inside = ", ".join(f'{role} = "{granted.get(role, "")}"' for role in ROLES)
    return f"{name} = {{ {inside} }}"


def lines(names: Iterable[str], rights: dict[str, dict[str, str]]) -> str:
    return "\n".join(line(name, rights[name]) for name in sorted(names))


@pytest.mark.parametrize("kind", KINDS)
def test_the_rights_are_those_of_the_matrix(kind: str) -> None:
    written = tomllib.loads(MATRIX.read_text())[kind]
    found = found_rights(KINDS[kind])
    missing, gone = found.keys() - written.keys(), written.keys() - found.keys()
    assert not missing, f"add to [{kind}] of {MATRIX.name}:\n{lines(missing, found)}"
    assert not gone, f"take out of [{kind}] of {MATRIX.name}:\n{lines(gone, written)}"
    other = {name for name in found if found[name] != written[name]}
    assert not other, (
        f"PostgreSQL grants in [{kind}]:\n{lines(other, found)}\n{MATRIX.name} says:\n{lines(other, written)}"
    )


def test_nobody_creates_in_the_schema_or_is_more_than_an_ordinary_role() -> None:
    roles = as_owner(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,"
        " has_schema_privilege(oid, 'public', 'CREATE'),"
        " EXISTS (SELECT 1 FROM pg_auth_members WHERE member = oid)"
        " FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1",
        [list(ROLES.values())],
    )
    assert roles == [(name, False, False, False) for name in sorted(ROLES.values())]


def test_what_looks_only_does_nothing_else() -> None:
    """The written matrix itself: a readonly line that says more than SELECT is a mistake in the file."""
    matrix = tomllib.loads(MATRIX.read_text())
    assert {granted["readonly"] for granted in matrix["tables"].values()} <= {"SELECT", ""}
    for kind in ("sequences", "functions"):
        assert {granted["readonly"] for granted in matrix[kind].values()} <= {""}, kind


def test_a_new_table_needs_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The control: with one line less the comparison names it, ready to be copied."""
    text = MATRIX.read_text().splitlines()
    (kept,) = [each for each in text if each.startswith("ledger_journalline =")]
    short = tmp_path / "rights.toml"
    short.write_text("\n".join(each for each in text if each != kept))
    monkeypatch.setattr("tests.architecture.test_database_rights.MATRIX", short)
    with pytest.raises(AssertionError) as refusal:
        test_the_rights_are_those_of_the_matrix("tables")
    assert kept in str(refusal.value)
