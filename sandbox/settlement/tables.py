"""Tables of settlement in the sandbox's file.

A ``movement`` is a balance transaction again, in columns: what a payout settles and what reports list is
found by it. ``file_chunk`` is the content of files that the provider makes, under the id of what
made them.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS movement (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, account TEXT NOT NULL, currency TEXT NOT NULL,
    created INTEGER NOT NULL, available INTEGER NOT NULL, gross INTEGER NOT NULL, fee INTEGER NOT NULL,
    net INTEGER NOT NULL, category TEXT NOT NULL, source TEXT NOT NULL, payout TEXT, settled_at INTEGER);
CREATE INDEX IF NOT EXISTS movement_created ON movement (account, created, seq);
CREATE INDEX IF NOT EXISTS movement_open ON movement (account, currency, available) WHERE payout IS NULL;
CREATE INDEX IF NOT EXISTS movement_payout ON movement (payout, seq) WHERE payout IS NOT NULL;
CREATE TABLE IF NOT EXISTS settlement_account (
    account TEXT PRIMARY KEY, interval TEXT NOT NULL, owner TEXT, places TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bank_settlement (
    entry INTEGER PRIMARY KEY, account TEXT NOT NULL, payout TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file_chunk (
    file TEXT NOT NULL, n INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (file, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settlement_fault (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, seed TEXT NOT NULL,
    count INTEGER NOT NULL, options TEXT NOT NULL, drawn INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS settlement_change (
    seq INTEGER PRIMARY KEY, fault INTEGER NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL,
    line INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS settlement_change_line ON settlement_change (account, line);
"""

#: Fills the movements of a file that an earlier version of the sandbox wrote.
BACKFILL = """
INSERT INTO movement (seq, id, account, currency, created, available, gross, fee, net, category, source)
SELECT seq, id, account, json_extract(body, '$.currency'), created, json_extract(body, '$.available_on'),
       json_extract(body, '$.amount'), json_extract(body, '$.fee'), json_extract(body, '$.net'),
       json_extract(body, '$.reporting_category'), coalesce(source, '')
FROM object WHERE type = 'balance_transaction'
"""

TABLES = (
    "movement", "settlement_account", "bank_settlement", "file_chunk", "settlement_fault",
    "settlement_change",
)  # fmt: skip
