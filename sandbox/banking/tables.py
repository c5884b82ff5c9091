"""The bank's tables in the sandbox's file."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS bank_payee (
    owner TEXT NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL,
    routing TEXT, currency TEXT NOT NULL, country TEXT NOT NULL, payable INTEGER NOT NULL,
    reasons TEXT NOT NULL, frozen TEXT, PRIMARY KEY (owner, ref)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bank_batch (
    owner TEXT NOT NULL, ref TEXT NOT NULL, fingerprint TEXT NOT NULL, created REAL NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (owner, ref)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bank_account (
    owner TEXT NOT NULL, id TEXT NOT NULL, currency TEXT NOT NULL, opening INTEGER NOT NULL,
    fee INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bank_file (
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    content BLOB NOT NULL, received REAL NOT NULL, state TEXT NOT NULL, msg_id TEXT, version TEXT,
    reason TEXT, UNIQUE (owner, name));
CREATE UNIQUE INDEX IF NOT EXISTS bank_file_message ON bank_file (owner, msg_id) WHERE state <> 'refused';
CREATE TABLE IF NOT EXISTS bank_payment (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, owner TEXT NOT NULL, source TEXT NOT NULL,
    batch TEXT NOT NULL, ref TEXT NOT NULL, fingerprint TEXT NOT NULL, file INTEGER, part TEXT,
    together INTEGER NOT NULL DEFAULT 0, payee TEXT, name TEXT NOT NULL, number TEXT NOT NULL,
    debtor TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, remittance TEXT NOT NULL,
    plan TEXT NOT NULL, state TEXT NOT NULL, reason TEXT, submitted REAL NOT NULL, changed REAL NOT NULL,
    paid REAL, returned REAL);
CREATE UNIQUE INDEX IF NOT EXISTS bank_payment_ref ON bank_payment (owner, ref) WHERE source = 'api';
CREATE UNIQUE INDEX IF NOT EXISTS bank_payment_line ON bank_payment (owner, batch, ref) WHERE source = 'file';
CREATE INDEX IF NOT EXISTS bank_payment_file ON bank_payment (file) WHERE file IS NOT NULL;
CREATE INDEX IF NOT EXISTS bank_payment_open ON bank_payment (owner, debtor)
    WHERE state IN ('submitted', 'deferred');
CREATE TABLE IF NOT EXISTS bank_entry (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, owner TEXT NOT NULL, account TEXT NOT NULL,
    kind TEXT NOT NULL, amount INTEGER NOT NULL, payment INTEGER, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bank_entry_account ON bank_entry (owner, account, at);
CREATE TRIGGER IF NOT EXISTS bank_entry_no_update BEFORE UPDATE ON bank_entry
    BEGIN SELECT RAISE(ABORT, 'entries of an account are append-only'); END;
CREATE TRIGGER IF NOT EXISTS bank_entry_no_delete BEFORE DELETE ON bank_entry
    BEGIN SELECT RAISE(ABORT, 'entries of an account are append-only'); END;
CREATE TABLE IF NOT EXISTS bank_report (
    seq INTEGER PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, at REAL NOT NULL,
    content TEXT NOT NULL);
"""

TABLES = (
    "bank_payee", "bank_batch", "bank_account", "bank_file", "bank_payment", "bank_entry", "bank_report",
)  # fmt: skip
