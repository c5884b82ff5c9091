"""Keys of clearing accounts that are over their time: each is in exactly one open break, until it is zero."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from core.ids import public_id
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.services import open_account
from reconciliation.internal import clearing, lateness
from reconciliation.internal.lateness import late_before
from reconciliation.matching.opening import Place, open_breaks
from reconciliation.matching.types import Finding
from reconciliation.models import Discrepancy, Match
from reconciliation.services import age_clearing
from tests.ledger.books import Books
from tests.reconciliation.conftest import Desk

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TODAY = date(2026, 1, 12)  # A Monday.


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    monkeypatch.setattr(clearing.clock, "today", lambda: TODAY)
    return Books()


def put(books: Books, minor: int, *, key: str, days_ago: int, role: str = "psp_clearing") -> None:
    with transaction.atomic():
        account = open_account(
            merchant_id=books.merchant_id, role=role, currency=books.currency, provider="stripe"
        )
    day = TODAY - timedelta(days=days_ago)
    books.post(
        books.draft(
            books.line(account, minor, key=key), books.line(books.commission, -minor), effective_date=day
        )
    )


def age(books: Books) -> tuple[int, int]:
    return at_edge(age_clearing)(merchant_id=books.merchant_id)


def found(books: Books, **columns: Any) -> list[Discrepancy]:
    rows = Discrepancy.objects.filter(merchant_id=books.merchant_id, **columns)
    return list(rows.exclude(status="RESOLVED").order_by("pk"))


def test_a_late_key_is_in_one_break_until_it_is_zero(books: Books) -> None:
    """R1, P3: opened once however often it is looked at; it ends by itself when the key is zero."""
    put(books, 1234, key="chg-old", days_ago=4)
    put(books, 99, key="chg-young", days_ago=3)
    assert age(books) == (1, 0)
    assert age(books) == (0, 0)
    (row,) = found(books)
    assert (row.break_class, row.category, row.clearing_key) == ("LATE", "B", "chg-old")
    assert (row.amount_minor, row.currency, row.business_date) == (
        1234, "USD", TODAY - timedelta(days=4),
    )  # fmt: skip
    assert "12.34 USD" in row.summary and "asset.psp_clearing:stripe" in row.summary
    put(books, -1234, key="chg-old", days_ago=0)
    assert age(books) == (0, 1)
    assert found(books) == []


@pytest.mark.parametrize(
    ("role", "days"),
    [("payouts_in_transit", 3), ("refunds_in_transit", 10), ("payout_returns", 1),
     ("dispute_receivable", 120), ("cod_in_transit", 7), ("customer_overpayment", 3),
     ("suspense_receipts", 2)],
)  # fmt: skip
def test_each_role_has_its_time(books: Books, role: str, days: int) -> None:
    put(books, -50, key="in-time", days_ago=days, role=role)
    put(books, -60, key="late", days_ago=days + 1, role=role)
    age(books)
    assert [row.clearing_key for row in found(books)] == ["late"]


def test_what_a_contract_names_is_never_late(books: Books) -> None:
    put(books, 50, key="reserve", days_ago=400, role="psp_reserve_held")
    assert age(books) == (0, 0)


def test_another_break_about_the_key_is_enough(books: Books) -> None:
    """Exactly one: none is opened beside it, and one that is there ends, unless somebody works on it."""
    put(books, 500, key="chg-1", days_ago=9)
    put(books, 600, key="line:77", days_ago=9)
    age(books)
    first, second = found(books)
    with transaction.atomic():
        open_breaks(
            Place(None, merchant_id=books.merchant_id),
            [
                Finding("AMOUNT_MISMATCH", "line:psp:1:X", "USD", 500, "x", TODAY, clearing_key="chg-1"),
                Finding("UNKNOWN", "line:psp:77:UNKNOWN", "USD", 600, "y", TODAY, line_id=77),
            ],
        )
    assert age(books) == (0, 2)
    assert age(books) == (0, 0)
    assert {row.break_class for row in found(books)} == {"AMOUNT_MISMATCH", "UNKNOWN"}
    first.refresh_from_db()
    other = found(books, clearing_key="chg-1")[0]
    assert first.resolution == f"it is dealt with in {public_id('dsc', other.pk)}"
    assert second.pk not in {row.pk for row in found(books)}


def test_what_a_file_may_still_bring_is_not_late(books: Books) -> None:
    """A difference of timing is a match that waits, and a break only when its time is over."""
    source = Desk(merchant_id=books.merchant_id).source(provider="stripe")
    put(books, 500, key="chg-1", days_ago=6)
    waits = Match.objects.create(
        merchant_id=books.merchant_id, source_id=source.pk, run_id=uuid4(), side="psp",
        subject_kind="charge", subject_id=uuid4(), how="expected", rule="timing", clearing_key="chg-1",
        amount_minor=500, clear_by=TODAY,
    )  # fmt: skip
    assert age(books) == (0, 0)
    Match.objects.filter(pk=waits.pk).update(live=False)
    assert age(books) == (1, 0)
    assert found(books)[0].source_id == source.pk


def test_days_of_the_bank_are_business_days(books: Books) -> None:
    """F-I3: three days of the bank from Wednesday are over on Monday's evening, by the bank's calendar."""
    desk = Desk(merchant_id=books.merchant_id)
    every_day = late_before(merchant_id=books.merchant_id, as_of=TODAY)
    assert every_day["psp_settlement_in_transit"] == TODAY - timedelta(days=3)
    desk.source(kind="bank", calendar="TARGET2")
    by_bank = late_before(merchant_id=books.merchant_id, as_of=TODAY)
    assert by_bank["psp_settlement_in_transit"] == date(2026, 1, 7)
    assert by_bank["psp_clearing"] == every_day["psp_clearing"]


def test_a_merchant_has_its_own_times(books: Books) -> None:
    with transaction.atomic():
        put_setting(
            name="reconciliation.clearing_days", scope=public_id("mer", books.merchant_id),
            value={"psp_clearing": 30}, actor="user:1", reason="slow rail",
        )  # fmt: skip
    put(books, 500, key="chg-1", days_ago=30)
    assert age(books) == (0, 0)
    assert "psp_reserve_held" not in lateness.late_before(merchant_id=books.merchant_id, as_of=TODAY)
