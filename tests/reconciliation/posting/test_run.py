"""Posting files that were matched: what the books have afterwards, whatever happened meanwhile."""

import threading
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection

from reconciliation.drains import RunDrain
from reconciliation.matching.runs import match_run
from reconciliation.models import ReconciliationRun
from reconciliation.posting import chunks, run
from reconciliation.posting.keys import batch_key
from reconciliation.posting.run import post_file
from tests.months import month
from tests.reconciliation.seeded import Played, at_day, play

pytestmark = pytest.mark.django_db(transaction=True)

_IN_TRANSIT = """
    SELECT line.clearing_key, sum(line.amount_minor) FROM ledger_journalline AS line
    JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.merchant_id = %s AND account.role = 'psp_settlement_in_transit' GROUP BY 1
"""
_REPORTED = """
    SELECT batch, sum(net_minor) FROM reconciliation_settlementline
    WHERE merchant_id = %s AND kind NOT IN ('payout', 'payout_reversal') GROUP BY 1
"""
_BY_ROLE = """
    SELECT account.role, sum(line.amount_minor), count(*) FROM ledger_journalline AS line
    JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.merchant_id = %s GROUP BY 1 ORDER BY 1
"""
_ACCOUNTS = "SELECT id FROM ledger_account WHERE merchant_id = %s AND role = 'psp_settlement_in_transit'"
_ENTRIES = "SELECT count(*) FROM ledger_journalentry WHERE merchant_id = %s"


def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def first_files(played: Played, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for file in list(played.month.psp_files())[:count]:
        at_day(monkeypatch, file.day + timedelta(days=1))
        body = BytesIO()
        file.write(body)
        played.take(file.name, body.getvalue())


def test_what_is_in_transit_is_what_the_files_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """P4, by batch and to the cent: also the lines that nobody knows are part of what the provider pays."""
    played = play(month(seed=11, size=1_000, month="2026-10"))
    first_files(played, monkeypatch, 6)
    assert set(ReconciliationRun.objects.values_list("status", flat=True)) == {"DONE"}
    reported = {
        batch_key(source_id=played.source.id, batch=batch): net
        for batch, net in ask(_REPORTED, played.merchant_id)
        if net
    }
    assert reported
    assert dict(ask(_IN_TRANSIT, played.merchant_id)) == reported


def test_the_first_span_opens_the_accounts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever came beside it would wait for them until all of it is written: longer than a lock may take."""
    really, abreast, most = run._post, set[int](), list[tuple[int, bool]]()

    def watched(*args: Any) -> None:
        me = threading.get_ident()
        abreast.add(me)
        most.append((len(abreast), bool(ask(_ACCOUNTS, args[0].merchant_id))))
        really(*args)
        abreast.discard(me)

    monkeypatch.setattr(chunks, "SPAN", 10)
    monkeypatch.setattr(run, "_post", watched)
    played = play(month(seed=14, size=1_000, month="2026-10"))
    first_files(played, monkeypatch, 2)
    assert most[0] == (1, False) and len(most) > 4
    assert all(is_there for _, is_there in most[1:])
    assert max(together for together, _ in most) == run.ABREAST


class Broke(Exception):
    pass


def test_posting_that_broke_goes_on_and_posts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks at every second portion, again and again; the books are as if it never had."""
    made = month(seed=12, size=1_000, month="2026-10")
    undisturbed = play(made)
    first_files(undisturbed, monkeypatch, 1)
    monkeypatch.setattr(RunDrain, "steps", (match_run,))
    broken = play(made)
    monkeypatch.setattr(chunks, "SPAN", 10)
    first_files(broken, monkeypatch, 1)
    waiting = ReconciliationRun.objects.get(merchant_id=broken.merchant_id)
    assert waiting.status == "MATCHED"
    really, calls = run._post, iter(range(10**6))

    def break_now_and_then(*args: Any) -> None:
        really(*args)
        if next(calls) % 2:
            raise Broke

    monkeypatch.setattr(run, "_post", break_now_and_then)
    monkeypatch.setattr(run, "_NOTE_EVERY", 2)
    failures = 0
    while waiting.status == "MATCHED":
        try:
            post_file(run_id=waiting.id, fence=waiting.fence, abreast=1)
        except Broke:
            failures += 1
            assert failures < 500
        waiting.refresh_from_db()
        if failures == 5:
            monkeypatch.setattr(run, "_post", really)
    assert failures >= 5
    assert ask(_IN_TRANSIT, broken.merchant_id)[0][1] == ask(_IN_TRANSIT, undisturbed.merchant_id)[0][1]
    by_role = {role: minor for role, minor, _ in ask(_BY_ROLE, broken.merchant_id)}
    assert by_role == {role: minor for role, minor, _ in ask(_BY_ROLE, undisturbed.merchant_id)}


def test_a_claim_that_was_lost_leaves_the_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was too slow may have posted, which is posted once; the run is moved by its new claimer."""
    monkeypatch.setattr(RunDrain, "steps", (match_run,))
    played = play(month(seed=13, size=200, month="2026-10"))
    first_files(played, monkeypatch, 1)
    waiting = ReconciliationRun.objects.get(merchant_id=played.merchant_id)
    post_file(run_id=waiting.id, fence=waiting.fence - 1)
    waiting.refresh_from_db()
    assert waiting.status == "MATCHED"
    entries = ask(_ENTRIES, played.merchant_id)
    post_file(run_id=waiting.id, fence=waiting.fence)
    waiting.refresh_from_db()
    assert waiting.status == "POSTED"
    assert ask(_ENTRIES, played.merchant_id) == entries
