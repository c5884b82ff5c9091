"""The sandbox's SQLite file: one connection, one writer at a time.

Every API request is one transaction under one lock: object changes, journal, events, kept idempotency key and
request log commit together, so that a killed sandbox never knows half of a request. WAL with
``synchronous=NORMAL`` loses nothing when the process is killed; only a power cut could.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sandbox.banking import tables
from sandbox.settlement import tables as settlement

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_key (
    key TEXT PRIMARY KEY, account TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, account TEXT NOT NULL, type TEXT NOT NULL,
    created INTEGER NOT NULL, subtype TEXT, payment_intent TEXT, customer TEXT, source TEXT,
    body TEXT NOT NULL, hidden TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_list ON object (account, type, seq) WHERE type <> 'event';
CREATE INDEX IF NOT EXISTS object_intent ON object (payment_intent) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_customer ON object (customer) WHERE customer IS NOT NULL;
CREATE TABLE IF NOT EXISTS kept_key (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    created REAL NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, request_id TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS kept_key_name ON kept_key (account, key);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL,
    payment_intent TEXT, charge TEXT, refund TEXT, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    idempotency_key TEXT, request_id TEXT, operation TEXT, metadata TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal of effects is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal of effects is append-only'); END;
CREATE TABLE IF NOT EXISTS request_log (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, request_id TEXT NOT NULL, account TEXT,
    method TEXT NOT NULL, path TEXT NOT NULL, operation TEXT, idempotency_key TEXT, params TEXT NOT NULL,
    status INTEGER, replayed INTEGER NOT NULL, error_code TEXT, faults TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, type TEXT NOT NULL, object TEXT NOT NULL,
    account TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, error TEXT, after INTEGER, forgery TEXT);
CREATE INDEX IF NOT EXISTS delivery_open ON delivery (state) WHERE state IN ('pending', 'waiting', 'held');
CREATE TABLE IF NOT EXISTS alarm (
    seq INTEGER PRIMARY KEY, due REAL NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    target TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alarm_due ON alarm (due);
CREATE TABLE IF NOT EXISTS assessment (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, reference TEXT NOT NULL, fingerprint TEXT NOT NULL,
    created REAL NOT NULL, due REAL, status TEXT NOT NULL, score INTEGER NOT NULL, reasons TEXT NOT NULL,
    UNIQUE (account, reference)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_secret (secret TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_webhook (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, webhook_id TEXT, timestamp TEXT,
    verified INTEGER NOT NULL, reason TEXT, answered INTEGER NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS store_cart (visitor TEXT PRIMARY KEY, number TEXT NOT NULL, wanted TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_order (
    number TEXT PRIMARY KEY, visitor TEXT NOT NULL, placed_at REAL NOT NULL, lines TEXT NOT NULL,
    total INTEGER NOT NULL, checkout TEXT, look_at REAL, looks INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS store_order_due ON store_order (look_at) WHERE look_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS store_request (
    number TEXT NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL, status INTEGER, answer TEXT, PRIMARY KEY (number, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_call (
    seq INTEGER PRIMARY KEY, number TEXT NOT NULL, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL, response TEXT NOT NULL,
    milliseconds INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS store_call_of_order ON store_call (number, seq);
"""

ALL = SCHEMA + tables.SCHEMA + settlement.SCHEMA

#: Nobody else opens the file, so the locks and the shared memory that would let them are left out.
PRAGMAS = (
    "locking_mode=EXCLUSIVE",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "temp_store=MEMORY",
    "cache_size=-32000",
    "wal_autocheckpoint=8000",
)

TABLES = (
    "setting", "api_key", "object", "kept_key", "journal", "request_log", "delivery", "alarm", "assessment",
    "store_secret", "store_webhook", "store_cart", "store_order", "store_request", "store_call",
    *tables.TABLES, *settlement.TABLES,
)  # fmt: skip


class Database:
    """The one connection of the process. All use of it happens inside ``transaction()`` or holds ``lock``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(ALL)
        if self.one("SELECT 1 FROM movement LIMIT 1") is None:
            self.execute(settlement.BACKFILL)
        self._set_next()

    def _set_next(self) -> None:
        row = self._connection.execute("SELECT coalesce(max(seq), 0) FROM object").fetchone()
        self._next = int(row[0]) + 1

    def new_id(self, prefix: str) -> str:
        """A fresh object id such as ``pi_00000000002a9f…``: its place in the table, then 12 random digits.

        The place saves an index: objects are found by it, and the rest of the id is compared.
        """
        with self.lock:
            place, self._next = self._next, self._next + 1
        return f"{prefix}_{place:012x}{random_digits(48)}"

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and one transaction; an exception rolls it back. Not to be nested."""
        with self.lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def restart(self) -> None:
        """Inside ``transaction()``: throw away what was written so far and go on with a fresh transaction."""
        self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement under the lock."""
        with self.lock:
            return self._connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one query and return its rows as dictionaries."""
        with self.lock:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def one(self, sql: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        """The first row of a query, or ``None``."""
        with self.lock:
            row = self._connection.execute(sql, values).fetchone()
        return None if row is None else dict(row)

    def setting(self, name: str, default: str) -> str:
        """A value kept across restarts."""
        row = self.one("SELECT value FROM setting WHERE name = ?", (name,))
        return default if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Keep a value across restarts."""
        self.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def reset(self) -> None:
        """Empty every table. The journal refuses DELETE, so the tables are dropped and made again."""
        with self.lock:
            drops = "".join(f"DROP TABLE IF EXISTS {table};" for table in TABLES)
            self._connection.executescript(f"BEGIN; {drops} COMMIT;{ALL}")
            self._set_next()

    def close(self) -> None:
        """Close the file; the WAL is folded back into it."""
        with self.lock:
            self._connection.close()


def random_digits(bits: int) -> str:
    """Random hexadecimal digits for an id."""
    return f"{_RANDOM.getrandbits(bits):0{bits // 4}x}"


def place_of(identifier: str) -> int:
    """The place in the table that an object id names; -1, where nothing is, for anything else."""
    digits = identifier.rpartition("_")[2]
    try:
        return int(digits[:12], 16) if len(digits) == 24 else -1
    except ValueError:
        return -1


#: Ids need to be different, not secret: one seed from the system saves a system call for each.
_RANDOM = random.Random(os.urandom(16))  # noqa: S311

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def dump(value: Any) -> str:
    """Compact JSON."""
    return _ENCODER.encode(value)
