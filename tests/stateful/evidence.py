"""What the database holds, read behind the back of the services, and what must follow from it."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, LiteralString
from typing import cast as cast_to

import psycopg
from django.db import connection, transaction

from core.audits import registered, run_audits
from ledger.types import EntryDraft, LineDraft
from tests.database import as_owner, truncate_everything
from tests.ledger.books import BY_HAND
from tests.stateful.cast import BUCKETS, Account, Cast, rows
from wallet.services import post
from wallet.types import WalletMove

__all__ = ["audits_are_clean", "begin", "contents", "keys", "nothing_changes", "rederived", "replayed"]

# Audits read everything that earlier examples left, so begin anew when that has become much.
_TOO_MANY_LINES = 1500
_OF_THE_BOOKS = re.compile(r"\b(ledger|wallet)_")


def begin() -> Cast:
    """A new merchant, in a database that is not yet full of others."""
    ((lines,),) = rows("SELECT count(*) FROM ledger_journalline", [])
    if int(str(lines)) > _TOO_MANY_LINES:
        audits_are_clean(everything=True)
        truncate_everything()
    return Cast()


def audits_are_clean(*, everything: bool = False, by_hand: bool = True) -> None:
    """No invariant of books and wallets is violated; with `everything` the runner asks all there are.

    Where nothing was posted `by_hand` those that only the services of holds keep are asked too.
    """
    left_out = frozenset(BY_HAND if by_hand else ())
    if everything or _violated(left_out):
        report = run_audits(names={each.name for each in registered()} - left_out, store=False)
        assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def _violated(left_out: frozenset[str]) -> list[str]:
    """The queries of books and wallets in one statement, planned once, because every step asks them."""
    with psycopg.Cursor(_session()) as cursor:
        cursor.execute(_all_queries(left_out), prepare=True)
        return [name for (name,) in cursor.fetchall()]


def _session() -> Any:
    connection.ensure_connection()
    return connection.connection


@cache
def _all_queries(left_out: frozenset[str]) -> LiteralString:
    asked = [each for each in registered() if _OF_THE_BOOKS.search(each.sql) and each.name not in left_out]
    parts = [f"SELECT '{each.name}' WHERE EXISTS ({each.sql})" for each in asked]
    return cast_to(LiteralString, " UNION ALL ".join(parts))


@cache
def _tables() -> list[tuple[str, bool]]:
    """Every table of books and wallets, and whether its rows say whose they are."""
    return [
        (str(name), bool(has_merchant))
        for name, has_merchant in as_owner(
            "SELECT tablename, EXISTS (SELECT 1 FROM information_schema.columns"
            "   WHERE table_name = tablename AND column_name = 'merchant_id')"
            " FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(ledger|wallet)_' ORDER BY 1"
        )
    ]


def contents(cast: Cast) -> dict[str, list[str]]:
    """Every row of the merchant in books and wallets, and every row that belongs to no merchant."""
    found = {}
    for table, has_merchant in _tables():
        where, params = ("WHERE merchant_id = %s", [cast.merchant_id]) if has_merchant else ("", [])
        query = f"SELECT t::text FROM {table} AS t {where} ORDER BY 1"
        found[table] = [str(text) for (text,) in rows(query, list(params))]
    return found


@contextmanager
def nothing_changes(cast: Cast) -> Iterator[None]:
    """What is refused leaves every row as it was (L10)."""
    before = contents(cast)
    yield
    assert contents(cast) == before


def keys(cast: Cast) -> set[str]:
    """The key of every entry of the merchant; a key that is there twice is an error."""
    found = rows(
        "SELECT coalesce('correction of ' || original.source_ref, entry.source_ref)"
        " FROM ledger_journalentry AS entry LEFT JOIN ledger_journalentry AS original"
        " ON original.id = entry.corrects WHERE entry.merchant_id = %s",
        [cast.merchant_id],
    )
    assert len(found) == len(set(found))
    return {str(key) for (key,) in found}


@dataclass
class Derived:
    """Everything that follows from lines alone, or that is kept beside them."""

    accounts: dict[Account, int] = field(default_factory=dict)
    buckets: dict[tuple[str, str, str], int] = field(default_factory=dict)
    operations: dict[tuple[str, str, str], list[tuple[int, int]]] = field(default_factory=dict)
    checkpoints: dict[Account, int] = field(default_factory=dict)


def _lines(cast: Cast) -> list[tuple[Account, int, int, int]]:
    """Account, amount, entry and line number of every line, in order."""
    names = {account_id: name for name, account_id in cast.ids.items()}
    return [
        (names[account_id], amount, entry, number)
        for account_id, amount, entry, number in rows(
            "SELECT account_id, amount_minor, entry_id, line_no FROM ledger_journalline"
            " WHERE merchant_id = %s ORDER BY id",
            [cast.merchant_id],
        )
    ]


def rederived(cast: Cast) -> tuple[Derived, Derived]:
    """L3, L7: what the lines say, and what is stored; the two are to be equal."""
    marks = dict(
        rows(
            "SELECT account_id, entry_id FROM ledger_accountcheckpoint WHERE account_id = ANY (%s)",
            [list(cast.ids.values())],
        )
    )
    balances: Counter[Account] = Counter()
    buckets: Counter[tuple[str, str, str]] = Counter()
    operations: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    checkpoints: Counter[Account] = Counter({cast.name_of(account_id): 0 for account_id in marks})
    for account, amount, entry, _ in _lines(cast):
        balances[account] += amount
        if entry <= marks.get(cast.ids[account], 0):
            checkpoints[account] += amount
        if account.guarded:
            where = account.owner, account.currency, BUCKETS[account.role]
            buckets[where] += account.sign * amount
            operations[where].append((account.sign * amount, buckets[where]))
    accounts = {account: minor for account, minor in balances.items() if minor}
    said = Derived(accounts, {k: v for k, v in buckets.items() if v}, dict(operations), dict(checkpoints))
    return said, _stored(cast, accounts)


def _stored(cast: Cast, accounts: dict[Account, int]) -> Derived:
    owners = {owner_id: name for name, owner_id in cast.owners.items()}
    buckets = {}
    for owner, currency, *values in rows(
        "SELECT owner_id, currency, pending_minor, available_minor, held_minor, receivable_minor"
        " FROM wallet_wallet WHERE merchant_id = %s",
        [cast.merchant_id],
    ):
        for bucket, minor in zip(("pending", "available", "held", "receivable"), values, strict=True):
            if minor:
                buckets[owners[owner], currency, bucket] = minor
    operations: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for owner, currency, bucket, delta, balance in rows(
        "SELECT owner_id, currency, bucket, delta_minor, balance_after_minor"
        " FROM wallet_walletoperation AS done JOIN wallet_wallet AS wallet ON wallet.id = wallet_id"
        " WHERE done.merchant_id = %s ORDER BY done.id",
        [cast.merchant_id],
    ):
        operations[owners[owner], currency, bucket].append((delta, balance))
    checkpoints = {
        cast.name_of(account_id): balance
        for account_id, balance in rows(
            "SELECT account_id, balance_minor FROM ledger_accountcheckpoint WHERE account_id = ANY (%s)",
            [list(cast.ids.values())],
        )
    }
    return Derived(accounts, buckets, dict(operations), checkpoints)


def replayed(cast: Cast) -> Cast:
    """L14: post every entry of the merchant again, in order, into the empty books of a new one."""
    copy = Cast()
    for owner, role, currency in cast.ids:
        if not owner:
            copy.open_plain(role, currency)
    for owner, currency in cast.wallets:
        copy.open_wallet(owner, cast.kinds[owner], currency)
    by_entry: dict[int, list[tuple[int, Account, int]]] = defaultdict(list)
    for account, amount, entry, number in _lines(cast):
        by_entry[entry].append((number, account, amount))
    heads = rows(
        "SELECT id, group_id, kind, source, source_ref, leg, effective_date, corrects, original_date, facts"
        " FROM ledger_journalentry WHERE merchant_id = %s ORDER BY id",
        [cast.merchant_id],
    )
    again: dict[int, int] = {}
    for entry, group, *_ in heads:
        if entry not in again:
            # A group comes whole, or not at all.
            batch = [head for head in heads if head[0] == entry or (group and head[1] == group)]
            drafts = [_draft_again(copy, head, by_entry[head[0]], again) for head in batch]
            with transaction.atomic():
                refs = post(drafts=drafts, moves=_moves_again(copy, drafts))
            assert all(ref.is_new for ref in refs)
            again |= {head[0]: ref.id for head, ref in zip(batch, refs, strict=True)}
    return copy


def _draft_again(
    copy: Cast, head: Any, lines: list[tuple[int, Account, int]], again: dict[int, int]
) -> EntryDraft:
    _, group, kind, source, ref, leg, effective_date, corrects, original_date, facts = head
    return EntryDraft(
        copy.merchant_id,
        kind,
        source,
        ref,
        leg,
        effective_date,
        tuple(
            LineDraft(
                copy.ids[account],
                amount,
                account.currency,
                clearing_key="again" if account.role == "psp_clearing" else None,
            )
            for _, account, amount in sorted(lines)
        ),
        corrects=again[corrects] if corrects else None,
        group_id=group,
        original_date=original_date,
        facts=tuple(json.loads(facts).items()) if isinstance(facts, str) else tuple((facts or {}).items()),
    )


def _moves_again(copy: Cast, drafts: list[EntryDraft]) -> list[WalletMove]:
    names = {account_id: name for name, account_id in copy.ids.items()}
    return [
        WalletMove(order, number, line.account_id, names[line.account_id].sign * line.amount_minor)
        for order, draft in enumerate(drafts, 1)
        for number, line in enumerate(draft.lines, 1)
        if names[line.account_id].guarded
    ]
