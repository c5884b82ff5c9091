"""The first page: for each person what they may see, exact, cheap, and leading to what it is made of."""

import html as markup
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from console.today import measures
from core import clock
from core.admin_site import site
from core.figures import keep_figures
from core.models import Figure
from ledger.chart import CHART
from ledger.services import advance_checkpoints, advance_fence
from merchants.services import create_merchant
from tests.admin.people import console, person
from tests.admin.test_books import text
from tests.ledger.books import Books, rows

pytestmark = pytest.mark.django_db(transaction=True)
FIGURES = ("in", "out", "transit", "approval", "unknown", "breaks", "payouts", "audits")
JOBS = (
    "Today", "Payments", "Unknown", "Risk", "Refunds & disputes", "Payouts", "Reconciliation", "Books",
    "Close the day", "Developers", "Settings", "Audit",
)  # fmt: skip
# What each role sees of the eight: that of the pages which it may open.
SEEN = {
    "finance_maker": set(FIGURES),
    "finance_checker": set(FIGURES),
    "auditor": set(FIGURES),
    "support": {"approval", "unknown", "breaks", "payouts"},
    "risk": {"approval", "unknown", "breaks", "payouts"},
    "operator": {"approval", "unknown", "breaks", "payouts", "audits"},
}
LOWEST = "00000000-0000-7000-8000-000000000000"
# Lists that are reached from the page of what they belong to.
UNLISTED = {"events.InboxWork", "merchants.SigningKey", "risk.RiskListEntry"}
# Tables that grow with every payment: none is read from end to end, whoever looks.
GROWING = {
    "core_statuschange", "core_outboxevent", "core_auditrecord", "core_auditresult", "core_figure",
    "ledger_journalline", "ledger_journalentry", "ledger_daytotal", "ledger_openkey", "payments_charge",
    "payments_pspoperation", "payments_paymentorder", "payments_paymentevent", "payouts_payout",
    "reconciliation_discrepancy", "reconciliation_settlementline", "wallet_walletoperation",
}  # fmt: skip


@pytest.fixture
def books() -> Books:
    """A store whose provider owes for what buyers paid today and yesterday."""
    with transaction.atomic():
        merchant = create_merchant(name="Harbour Market", mode="test")
    shop = Books(merchant_id=merchant.id)
    today = clock.today()
    shop.post(shop.sale(12_345, effective_date=today), shop.sale(1_000, effective_date=today))
    shop.post(shop.sale(700, effective_date=today - timedelta(days=1)))
    advance_fence(), advance_fence()
    return shop


def home(client: Client, query: str = "") -> str:
    answer = client.get(f"/admin/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """Every statement and its parameters."""
    found: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def test_each_role_sees_the_figures_of_its_pages(books: Books) -> None:
    for role, wanted in SEEN.items():
        shown = home(console(person(role, role)))
        assert set(re.findall(r'id="figure-(\w+)"', shown)) == wanted, role
        links = re.findall(r'class="today-value" href="([^"]+)"', shown)
        client = console(person(f"{role}-2", role))
        for link in links:
            assert client.get(markup.unescape(link)).status_code == 200, (role, link)
    nobody = home(console(person("eve")))
    assert "figure-" not in nobody and "You have no role yet" in nobody


def test_money_is_what_its_page_breaks_down(books: Books) -> None:
    """The figure, the accounts behind it, the lines of one of them: the same number at each step."""
    client = console(person("fin", "finance_checker"))
    shown = home(client)
    into = shown[shown.index('id="figure-in"') :]
    value = re.search(r'class="today-value" href="([^"]+)">([^<]+)<', into)
    assert value and value[2] == "133.45 USD"
    books.post(books.sale(99, effective_date=clock.today()))
    advance_fence(), advance_fence(), advance_checkpoints()
    page = client.get(markup.unescape(value[1])).content.decode()
    assert "Debits 133.45 USD" in text(page), "the link says what the figure said, whatever came since"
    account = re.search(r'<a href="(/admin/ledger/account/\d+/change/\?from=[^"]+)"', page)
    assert account
    lines = client.get(markup.unescape(account[1])).content.decode()
    assert "Debits 133.45 USD" in text(lines)
    entries = re.findall(r'href="(/admin/ledger/journalentry/\d+/change/\?line=1)"', lines)
    assert len(entries) == 2
    entry = client.get(entries[0]).content.decode()
    assert 'class="marked"' in entry and "Account #" in text(entry)


def test_what_is_in_transit_is_the_balance_of_its_page(books: Books) -> None:
    client = console(person("fin", "finance_checker"))
    shown = home(client)
    transit = shown[shown.index('id="figure-transit"') :]
    value = re.search(r'class="today-value" href="([^"]+)">([^<]+)<', transit)
    assert value and value[2] == "140.45 USD", "yesterday's as well"
    books.post(books.sale(99, effective_date=clock.today()))
    advance_fence(), advance_fence()
    page = client.get(markup.unescape(value[1])).content.decode()
    assert "Balance 140.45 USD Dr" in text(page)


def test_live_and_test_money_are_never_added_up(books: Books) -> None:
    client = console(person("fin", "finance_checker"))
    assert "money of test merchants" in home(client)
    with transaction.atomic():
        live = create_merchant(name="Harbour Market", mode="live")
    real = Books(merchant_id=live.id)
    real.post(real.sale(5, effective_date=clock.today()))
    advance_fence(), advance_fence()
    Figure.objects.all().delete()
    shown = home(client)
    assert "money of live merchants" in shown
    assert "0.05 USD" in shown and "133.45" not in shown


def test_figures_are_kept_for_a_minute_and_without_a_cache(books: Books, settings: Any) -> None:
    """What others have looked at is not read again, with no Redis anywhere."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    client, other = console(person("fin", "finance_checker")), console(person("ada", "auditor"))
    with asked() as first:
        home(client)
    with asked() as second:
        home(other)
    heavy = ("ledger_daytotal", "payments_charge", "ledger_journalline")
    assert any(table in sql for sql, _ in first for table in heavy)
    assert not any(table in sql for sql, _ in second for table in heavy)
    assert len(second) <= 45, len(second)


def test_no_growing_table_is_read_from_end_to_end(books: Books) -> None:
    """Each of the page's statements has an index to go by: ten million rows cost as much as ten."""
    keep_figures()
    Figure.objects.all().delete()
    client = console(person("fin", "finance_checker"))
    with asked() as statements:
        home(client)
        keep_figures(seconds=0.5)
    reads = [
        (sql, params) for sql, params in statements if sql.lstrip().upper().startswith(("SELECT", "WITH"))
    ]
    assert len({table for table in GROWING for sql, _ in reads if table in sql}) >= 6
    for sql, params in reads:
        if any(table in sql for table in GROWING):
            assert scanned(sql, params) == [], sql


def scanned(sql: str, params: Any) -> list[str]:
    """Return the growing tables that the statement can only read whole."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Small tables are read whole because it is cheaper: what has no other way shows when that is dear.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    partial = {
        name for (name,) in rows("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
    }
    return list(_whole(json.loads(plan)[0]["Plan"] if isinstance(plan, str) else plan[0]["Plan"], partial))


def _whole(node: dict[str, Any], partial: set[str], is_limited: bool = False) -> Iterator[str]:
    is_limited = is_limited or node["Node Type"] == "Limit"
    if node.get("Relation Name") in GROWING:
        # A bitmap says below itself by which index it goes.
        ways = [node, *node.get("Plans", ())] if node["Node Type"] == "Bitmap Heap Scan" else [node]
        has_way = any("Index Cond" in way or way.get("Index Name") in partial for way in ways)
        by_order = is_limited and node["Node Type"].startswith("Index")
        if not (has_way or by_order):
            yield f"{node['Node Type']} {node['Relation Name']}"
    for each in node.get("Plans", ()):
        yield from _whole(each, partial, is_limited)


def test_the_guard_sees_a_table_that_is_read_whole() -> None:
    assert scanned("SELECT count(*) FROM payments_charge WHERE status = %s", ["CAPTURED"])
    assert scanned("SELECT max(amount_minor) FROM ledger_journalline", [])
    assert not scanned("SELECT count(*) FROM payments_charge WHERE id >= %s", [LOWEST])


def test_charts_are_plain_drawings_with_their_numbers_beside_them(books: Books) -> None:
    shown = home(console(person("fin", "finance_checker")))
    charts = re.findall(r"<figure class=\"drawing\".*?</figure>", shown, re.DOTALL)
    assert len(charts) == 4
    drawn = [chart for chart in charts if "<svg" in chart]
    assert drawn
    for chart in drawn:
        assert "<title id=" in chart and "<desc id=" in chart
        assert "style=" not in chart and "<script" not in chart
    for chart in charts:
        assert '<th scope="col"' in chart and '<th scope="row"' in chart
    money = next(chart for chart in charts if "chart-money" in chart)
    bars = re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"', money)
    assert [label.rpartition(": ")[2] for _url, label in bars] == ["7.00", "133.45"]
    table = text('<i class="page-title">' + money[money.index("<table") :])
    assert f"{clock.today():%m-%d} 133.45 0.00" in table


def test_the_currency_of_the_chart_is_in_the_address(books: Books) -> None:
    other = Books(merchant_id=books.merchant_id, currency="JPY")
    other.post(other.sale(5_000, effective_date=clock.today()))
    advance_fence(), advance_fence()
    client = console(person("fin", "finance_checker"))
    assert "by the day, USD" in home(client)
    assert "by the day, JPY" in home(client, "?currency=JPY")
    assert "by the day, USD" in home(client, "?currency=%3Cb%3E")


def test_the_menu_is_ordered_by_job_and_reaches_every_list() -> None:
    root = console(person("root", is_superuser=True))
    shown = root.get("/admin/").context["sidebar_navigation"]
    assert [str(group["title"]) for group in shown] == list(JOBS)
    links = {str(item["link"]) for group in shown for item in group["items"]}
    assert len(links) == sum(len(group["items"]) for group in shown), "no page is in two places"
    for link in links:
        assert root.get(link).status_code == 200, link
    missing = {
        admin.opts.label
        for admin in site._registry.values()
        if reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist") not in links
    }
    assert missing <= UNLISTED, missing


def test_the_roles_of_the_figures_are_in_the_chart() -> None:
    for role in (*measures.IN_ROLES, *measures.OUT_ROLES, *measures.COMING, *measures.LEAVING):
        assert CHART[role].clearing
