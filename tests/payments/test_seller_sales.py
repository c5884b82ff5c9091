"""What sellers sold in a year, and the file that says so."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from console.year_totals import HEADER, year_of, year_totals_csv
from core import clock
from core.ids import public_id
from core.models import AuditRecord
from core.settings_store import put_setting
from merchants.services import create_seller
from tests.payments.conftest import Shop, open_shop
from tests.payments.refunding import ask, paid


def rows(shop: Shop, year: int | None = None) -> list[dict[str, str]]:
    """The file of a year, this one unless it is given."""
    wanted = year_of(merchant_id=shop.store.merchant_id, year=year or clock.today().year)
    return list(csv.DictReader(io.StringIO("".join(year_totals_csv(wanted)))))


def test_what_was_sold_less_what_went_back(shop: Shop, hooks: Any, tmp_path: Path) -> None:
    """Two sales and a refund, with their commission; nobody who sold nothing, and no other merchant's."""
    first = paid(shop, "100.00")
    paid(shop, "50.00")
    paid(shop, "8.00", "bob")
    paid(open_shop(shop.provider, shop.provider.url), "9.00")
    assert ask(shop, first, "30.00").status_code == 201
    shop.work()
    quarter = (clock.today().month + 2) // 3
    ann, bob = rows(shop)
    assert {name: ann[name] for name in HEADER if name not in ("seller", "name")} == {
        "seller_account": "ann",
        "country": "US",
        "currency": "USD",
        "quarter": f"{clock.today().year}-Q{quarter}",
        "sales": "2",
        "gross_sales": "150.00",
        "returned": "30.00",
        "commission": "12.00",
        "disputes": "0.00",
        "fees": "0.00",
        "payouts": "0",
        "paid_out": "0.00",
    }
    assert (bob["seller_account"], bob["gross_sales"], bob["commission"]) == ("bob", "8.00", "0.00")
    assert rows(shop, clock.today().year - 1) == []

    target = tmp_path / "year.csv"
    merchant = public_id("mer", shop.store.merchant_id)
    call_command("export_year_totals", merchant, str(clock.today().year), str(target))
    assert list(csv.DictReader(io.StringIO(target.read_bytes().decode()))) == rows(shop)
    assert AuditRecord.objects.filter(action="year_totals.export", subject=merchant).count() == 1


def test_names_are_no_formulas_a_f4(shop: Shop) -> None:
    """A-F4: a seller who calls itself a formula is text in the spreadsheet."""
    with transaction.atomic():
        create_seller(
            merchant_id=shop.store.merchant_id,
            seller_account="-2",
            name='=HYPERLINK("http://evil")',
            country="US",
            by="user:test",
        )
    paid(shop, "8.00", "-2")
    [row] = rows(shop)
    assert (row["seller_account"], row["name"]) == ("'-2", '\'=HYPERLINK("http://evil")')


def test_a_year_is_one_of_the_merchants_zone(counter: Shop) -> None:
    """In Auckland it begins thirteen hours sooner."""
    scope = public_id("mer", counter.store.merchant_id)
    with transaction.atomic():
        put_setting(
            name="payments.business_zone",
            value="Pacific/Auckland",
            actor="user:1",
            reason="test",
            scope=scope,
        )
    year = year_of(merchant_id=counter.store.merchant_id, year=2026)
    assert year.since == datetime(2025, 12, 31, 11, tzinfo=UTC)
    assert year.until == datetime(2026, 12, 31, 11, tzinfo=UTC)
    with pytest.raises(ValueError, match="year"):
        year_of(merchant_id=counter.store.merchant_id, year=26)
    with pytest.raises(CommandError, match="mer_"):
        call_command("export_year_totals", "nobody", "2026", "-")
