"""Working days, statements and the year of sellers in the console: who may, and what the pages say."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from core.ids import public_id
from core.models import AuditRecord
from payouts.models import PayoutSchedule
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payouts.conftest import Payer
from tests.payouts.conftest import payer as payer
from tests.payouts.test_schedule_runs import MONDAY, Calendar

__all__ = ["payer"]

LIST = "/admin/payouts/payoutschedule/"
YEARS = "/admin/desks/year-totals/"


def put(who: Client, url: str, **changes: str) -> Any:
    """Send the form of working days."""
    days = {"timezone": "Europe/Berlin", "cut_off": "15:00", "calendar": "TARGET2", "is_enabled": "on"}
    return who.post(url, days | {"reason": "our bank's hours"} | changes)


def test_working_days_are_set_and_changed_by_whoever_may(payer: Payer) -> None:
    """With a reason, in the audit trail; what the service refuses is said beside the field."""
    maker, support = console(person("mia", "finance_maker")), console(person("sam", "support"))
    merchant = public_id("mer", payer.merchant_id)
    assert "Set the first working days" in text(maker.get(LIST))
    assert support.get(f"{LIST}put/").status_code == 403
    assert put(support, f"{LIST}put/", merchant=merchant).status_code == 403
    refused = put(maker, f"{LIST}put/", merchant=merchant, timezone="Europe/Nowhere")
    assert "Name a time zone" in text(refused) and not PayoutSchedule.objects.exists()

    assert put(maker, f"{LIST}put/", merchant=merchant).status_code == 302
    row = PayoutSchedule.objects.get()
    page = text(support.get(f"{LIST}{row.pk}/change/"))
    for said in ("Europe/Berlin", "TARGET2", "Enabled", "The next business days", "No run yet"):
        assert said in page
    assert "/put/" not in support.get(f"{LIST}{row.pk}/change/").content.decode()
    assert put(maker, f"{LIST}{row.pk}/put/", is_enabled="", reason="holiday").status_code == 302
    row.refresh_from_db()
    assert not row.is_enabled and "Disabled" in text(support.get(LIST))
    trail = AuditRecord.objects.filter(action="payout_schedule.put", subject=merchant).order_by("seq")
    assert [each.reason for each in trail] == ["our bank's hours", "holiday"]
    assert put(maker, f"{LIST}{row.pk}/put/", reason=" ").status_code == 200


def test_a_run_says_who_was_not_paid_and_why(payer: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the page of the working days."""
    from payouts.services import run_schedules

    calendar = Calendar(payer, monkeypatch)
    payer.seller("bob", money=500, is_verified=False)
    for account in payer.sellers:
        calendar.pays(account, interval="daily")
    calendar.at(MONDAY, "15:00")
    run_schedules()
    auditor = console(person("ada", "auditor"))
    page = text(auditor.get(f"{LIST}{PayoutSchedule.objects.get().pk}/change/"))
    for said in (f"{MONDAY}", "1,000.00 EUR", "seller_unverified : 1 bob EUR"):
        assert said in page.replace("seller_unverified:", "seller_unverified :")


def test_a_statement_is_downloaded_from_the_wallet(payer: Payer) -> None:
    """As PDF and as CSV, for the days that were asked for."""
    payer.ask(5_000)
    auditor = console(person("ada", "auditor"))
    url = f"/admin/wallet/wallet/{payer.wallet().id}/"
    assert f"{url}statement/" in auditor.get(f"{url}change/").content.decode()
    assert "Through" in text(auditor.get(f"{url}statement/"))
    days = {"first": "2020-01-01", "last": "2099-12-31"}
    sheet = auditor.get(f"{url}statement/", days | {"form": "csv"})
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="statement.csv"'
    cells = list(csv.DictReader(io.StringIO(sheet.content.decode())))
    assert [row["balance"] for row in cells if row["bucket"] == "all" and row["account"] == "closing"] == [
        "1000.00"
    ]
    assert auditor.get(f"{url}statement/", days | {"form": "pdf"}).content.startswith(b"%PDF")
    swapped = auditor.get(f"{url}statement/", {"first": "2026-02-01", "last": "2026-01-01", "form": "csv"})
    assert "The end comes after the beginning" in text(swapped)
    assert auditor.post(f"{url}statement/", days | {"form": "csv"}).status_code == 403
    assert Client().get(f"{url}statement/").status_code == 302


def test_the_year_of_sellers_is_taken_out_with_a_reason(payer: Payer) -> None:
    """Who, why and which year are in the audit trail; the file is streamed."""
    payer.ask(5_000)
    auditor = console(person("ada", "auditor"))
    merchant = public_id("mer", payer.merchant_id)
    assert auditor.post(YEARS, {"merchant": merchant, "year": "2026"}).status_code == 200
    assert not AuditRecord.objects.filter(action="year_totals.export").exists()
    answer = auditor.post(YEARS, {"merchant": merchant, "year": "2026", "reason": "DAC7"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer.streaming_content).startswith(b"seller_account,seller,name,country")
    [told] = AuditRecord.objects.filter(action="year_totals.export")
    assert (told.reason, told.detail) == ("DAC7", {"year": 2026})
    assert console(person("eve")).get(YEARS).status_code == 403
