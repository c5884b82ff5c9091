"""However a file is cut into spans: the books are the same, and no span waits for another one's accounts."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import BytesIO
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from core.drain import get_drain
from reconciliation.ingest.receive import DRAIN as FILES
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.models import LineChange, ReconciliationRun, SettlementFile
from reconciliation.posting import chunks
from reconciliation.posting.accounts import ProviderBooks
from reconciliation.services import receive_file
from tests.months import File, month
from tests.reconciliation.seeded import Played, at_day, play
from tests.store import open_store
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

# Keys of batches begin with the source, those of charges are of this play alone.
_BOOKS = """
    SELECT account.role, account.currency, entry.effective_date,
        CASE account.role WHEN 'psp_settlement_in_transit' THEN split_part(line.clearing_key, ':', 2) END,
        sum(line.amount_minor)
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    WHERE account.merchant_id = %s GROUP BY 1, 2, 3, 4
"""
_REPORTED = """
    SELECT currency, batch, sum(net_minor) FROM reconciliation_settlementline
    WHERE file_id = %s AND kind NOT IN ('payout', 'payout_reversal') GROUP BY 1, 2
"""


def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def books(played: Played) -> Counter[tuple[Any, ...]]:
    return Counter(ask(_BOOKS, played.merchant_id))


def body_of(file: File) -> bytes:
    out = BytesIO()
    file.write(out)
    return out.getvalue()


def take_month(played: Played, file: File) -> None:
    """Take in a file about all of October, match and post it."""
    received = receive_file(
        source_id=played.source.id,
        name=file.name,
        body=BytesIO(body_of(file)),
        origin="upload",
        by="user:mia",
        asked_from=date(2026, 10, 1),
        asked_to=date(2026, 10, 31),
    )
    get_drain(FILES).run()
    get_drain(RUNS).run()
    taken = SettlementFile.objects.get(pk=received.file_id)
    assert taken.status == "PUBLISHED", (taken.status, taken.refusal)
    assert ReconciliationRun.objects.get(file_id=received.file_id).status == "DONE"


def test_the_books_do_not_tell_how_a_file_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and currencies of a month stand in one file, and spans end in the middle of them."""
    made = month(seed=21, size=400, month="2026-10", per="month")
    [file] = made.psp_files()
    at_day(monkeypatch, date(2026, 11, 1))
    whole, cut = play(made), play(made)
    take_month(whole, file)
    monkeypatch.setattr(chunks, "SPAN", 7)
    take_month(cut, file)
    assert len({row[3] for row in books(whole)}) > 10
    assert books(cut) == books(whole)


def test_a_correction_of_many_spans_leaves_what_it_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third line is gone: what stood for it is taken back, range by range, and nothing else is."""
    made = month(seed=22, size=1_000, month="2026-10")
    file = next(iter(made.psp_files()))
    at_day(monkeypatch, file.day + timedelta(days=1))
    monkeypatch.setattr(chunks, "SPAN", 2)
    played = play(made)
    lines = body_of(file).splitlines(keepends=True)
    first = played.take(file.name, b"".join(lines))
    corrected = played.take(
        file.name, b"".join(line for number, line in enumerate(lines) if number % 3 or not number)
    )
    assert (corrected.supersedes_id, corrected.version) == (first.id, 2)
    assert LineChange.objects.filter(file=corrected, before__isnull=False).count() > 3 * chunks.SPAN
    in_transit: Counter[tuple[str, str]] = Counter()
    for role, currency, _day, batch, minor in ask(_BOOKS, played.merchant_id):
        if role == "psp_settlement_in_transit":
            in_transit[currency, batch] += minor
    reported = {
        (currency, batch): int(net) for currency, batch, net in ask(_REPORTED, corrected.id) if batch and net
    }
    assert len(reported) >= 1
    assert {key: int(minor) for key, minor in in_transit.items() if minor} == reported
    assert SettlementFile.objects.get(pk=first.id).status == "SUPERSEDED"


def test_a_thread_that_waits_for_an_account_keeps_nobody_from_opening_theirs() -> None:
    """It waits in the database for the commit of the other, who must come to it."""
    merchant_id = open_store().merchant_id
    opened, waits = Event(), Event()

    def of(currency: str) -> ProviderBooks:
        return ProviderBooks(merchant_id=merchant_id, provider="stripe", currency=currency)

    def wait_for_it() -> int:
        try:
            assert opened.wait(10)
            with transaction.atomic():
                waits.set()
                return of("EUR").settlement.psp_clearing
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            account_id = of("EUR").of_provider("psp_clearing")
            waiting = pool.submit(wait_for_it)
            opened.set()
            assert waits.wait(10)
            until_locked()
            assert of("USD").settlement.psp_clearing != account_id
        assert waiting.result(timeout=10) == account_id


def until_locked() -> None:
    """Wait until a session of this database waits for a transaction."""
    sql = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    eventually(lambda: bool(ask(sql)), within=60, what="the other thread waits for the account")
