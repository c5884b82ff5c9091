"""Queries that hide what they do, and writes to another app's tables."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import dotted, last, nodes, strings
from ..tree import APPS, in_product, is_migration, may_use, top

_TABLE = rf"\"?(?P<app>{'|'.join(APPS)})_[a-z]\w*"
WRITES = re.compile(
    rf"(?i)\b(?:insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|truncate(?:\s+table)?|merge\s+into|copy)\s+{_TABLE}"
)
REFERENCES = re.compile(rf"(?i)\b(?:from|join|into|update|references|select|perform|table)\s+{_TABLE}")
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def _python_of_product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path) and not is_migration(path)


def _may_hold_sql(path: PurePosixPath) -> bool:
    return in_product(path) and path.suffix in (".py", ".sql")


def _sql_texts(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if path.suffix == ".sql":
        yield 1, SQL_COMMENT.sub(lambda found: "\n" * found.group().count("\n"), source)
        return
    for node in strings(tree):
        yield node.lineno, node.value


def _foreign_writes(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for line, text in _sql_texts(path, tree, source):
        for found in WRITES.finditer(text):
            if found["app"].lower() != top(path):
                yield (
                    line + text[: found.start()].count("\n"),
                    f"{found.group()!r} writes a table of {found['app']}",
                )


def _upward_sql(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for line, text in _sql_texts(path, tree, source):
        for found in REFERENCES.finditer(text):
            if not may_use(top(path), found["app"].lower()):
                yield (
                    line + text[: found.start()].count("\n"),
                    f"{found.group()!r} reaches up to {found['app']}",
                )


def _hidden(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if not isinstance(node.func, ast.Attribute):
            continue
        name, chain = last(node.func), dotted(node.func)
        if name == "update_or_create" or name == "aupdate_or_create":
            yield node.lineno, "update_or_create changes a row without lock, transition or history"
        if name == "raw" and ".objects" in chain:
            yield node.lineno, "objects.raw hides a query behind models"
        if name == "extra" and ("objects" in chain or "()" in chain):
            yield node.lineno, ".extra( hides SQL in a queryset"


RULES = (
    Rule(
        name="writes-only-own-tables",
        cure="call the owning app's service (or its SQL function)",
        applies=_may_hold_sql,
        find=_foreign_writes,
        bad=(
            ("payments/services.py", "cursor.execute('UPDATE wallet_wallet SET available_minor = 0')\n"),
            ("payments/services.py", "cursor.execute(f'insert into ledger_line values {row}')\n"),
            ("wallet/sql/wallet_post.sql", "-- post\nINSERT INTO ledger_entry VALUES (1);\n"),
        ),
        good=(
            ("ledger/posting.py", "cursor.execute('INSERT INTO ledger_line VALUES (1)')\n"),
            (
                "wallet/services.py",
                "'''May say: update ledger_line.'''\ncursor.execute('SELECT * FROM ledger_post(%b)')\n",
            ),
            (
                "wallet/sql/wallet_post.sql",
                "-- never INSERT INTO ledger_entry here\nSELECT ledger_post(1);\n",
            ),
        ),
    ),
    Rule(
        name="sql-reaches-down-only",
        cure="move the query to the higher app, or record a fact that it reads",
        applies=_may_hold_sql,
        find=_upward_sql,
        bad=(
            ("ledger/sql/audit.sql", "SELECT 1 FROM wallet_wallet;\n"),
            ("core/audits.py", "SQL = 'select 1 from a join payments_charge c on true'\n"),
        ),
        good=(
            ("wallet/sql/audit.sql", "SELECT 1 FROM wallet_wallet JOIN ledger_line ON true;\n"),
            ("ledger/audits.py", "SQL = 'select 1 from ledger_line'\n"),
        ),
    ),
    Rule(
        name="no-hidden-queries",
        cure="lock in locks.py and create or change the row in a service; run SQL with a cursor",
        applies=_python_of_product,
        find=_hidden,
        bad=(
            ("wallet/services.py", "Wallet.objects.update_or_create(pk=1, defaults={})\n"),
            ("wallet/selectors.py", "Wallet.objects.raw('select 1')\n"),
            ("wallet/selectors.py", "Wallet.objects.filter(pk=1).extra(select={'a': '1'})\n"),
        ),
        good=(
            ("wallet/services.py", "Wallet.objects.create(pk=1)\n"),
            ("wallet/selectors.py", "log.info('read', extra={'a': 1})\nrequest.raw(1)\n"),
        ),
    ),
)
