"""A year of every seller as CSV: what it sold, what that cost and what it was paid, by quarter and currency.

For the reports that marketplaces owe about their sellers. In the EU these are of DAC7 (Council Directive
2021/514, annex V), which asks for the consideration, the number of activities, and fees, commissions and
taxes, per quarter.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core.csv_cells import text_cell
from core.ids import public_id
from core.money import format_minor
from core.settings_store import get_setting
from merchants.selectors import get_merchant, list_sellers
from merchants.types import SellerData
from payments.selectors import SalesOfQuarter, sales_of_sellers
from payouts.selectors import paid_to_sellers
from wallet.selectors import quarters_of_sellers

__all__ = ["HEADER", "Year", "year_of", "year_totals_csv"]

HEADER = (
    "seller_account",
    "seller",
    "name",
    "country",
    "currency",
    "quarter",
    "sales",
    "gross_sales",
    "returned",
    "commission",
    "disputes",
    "fees",
    "payouts",
    "paid_out",
)
_ZONE = "payments.business_zone"
_PORTION = 500
Key = tuple[UUID, str, int]


@dataclass(frozen=True)
class Year:
    """A calendar year of a merchant, in the zone of its business."""

    merchant_id: UUID
    year: int
    zone: str

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, 1, 1, tzinfo=ZoneInfo(self.zone))

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime(self.year + 1, 1, 1, tzinfo=ZoneInfo(self.zone))


def year_of(*, merchant_id: UUID, year: int) -> Year:
    """Return the year of a merchant. Raises NotFound, ValueError for a year that no book has."""
    get_merchant(merchant_id=merchant_id)
    if not 2000 <= year <= 2999:
        raise ValueError("a year from 2000 on")
    return Year(merchant_id, year, get_setting(name=_ZONE, scope=public_id("mer", merchant_id)))


def year_totals_csv(year: Year) -> Iterator[str]:
    """Yield the file piece by piece: one line for each seller, currency and quarter in which something moved.

    Amounts are strings with the decimals of their currency. `returned` is what went back to buyers,
    `commission` is with its tax and less what was given back; `disputes` and `fees` are what they cost the
    seller; `paid_out` is what was paid and did not come back. Names are written so that no spreadsheet takes
    them for formulas.
    """
    yield _lines([HEADER])
    after: UUID | None = None
    while True:
        page = list_sellers(merchant_id=year.merchant_id, limit=_PORTION, after=after)
        if rows := _rows(year, page.items):
            yield _lines(rows)
        if page.last is None:
            return
        after = page.last


def _rows(year: Year, sellers: Sequence[SellerData]) -> list[tuple[str, ...]]:
    words: dict[str, Any] = {
        "merchant_id": year.merchant_id,
        "seller_ids": [seller.id for seller in sellers],
        "since": year.since,
        "until": year.until,
        "zone": year.zone,
    }
    sales: dict[Key, SalesOfQuarter] = {
        (each.seller_id, each.currency, each.quarter): each for each in sales_of_sellers(**words)
    }
    moved, paid = quarters_of_sellers(**words), paid_to_sellers(**words)
    by_id = {seller.id: seller for seller in sellers}
    rows = []
    for key in sorted(
        {*sales, *moved, *paid}, key=lambda each: (by_id[each[0]].seller_account, each[1], each[2])
    ):
        sold = sales.get(key) or SalesOfQuarter(*key, 0, 0, 0, 0)
        cost = moved.get(key, {})
        count, minor = paid.get(key, (0, 0))
        amounts = (
            sold.gross_minor,
            sold.returned_minor,
            sold.commission_minor,
            -cost.get("disputes", 0),
            -cost.get("fees", 0),
        )
        rows.append(
            (
                *_seller(by_id[key[0]]),
                key[1],
                f"{year.year}-Q{key[2]}",
                str(sold.sales),
                *(format_minor(each, key[1]) for each in amounts),
                str(count),
                format_minor(minor, key[1]),
            )
        )
    return rows


def _seller(seller: SellerData) -> tuple[str, ...]:
    return (text_cell(seller.seller_account), seller.public_id, text_cell(seller.name), seller.country)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
