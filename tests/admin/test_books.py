"""Finance reads the books in the console: figures that agree, pages that stay cheap, nothing to change."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.audits import run_audits
from core.ids import public_id
from core.models import AuditResult, AuditRun
from core.verdicts import latest_verdicts
from ledger.services import advance_checkpoints, advance_fence
from merchants.services import create_merchant, create_seller
from tests.admin.people import console, person
from tests.ledger.books import Books, rows

pytestmark = pytest.mark.django_db(transaction=True)
TRIAL = "/admin/ledger/account/trial-balance/"
VERDICTS = "/admin/core/auditrun/latest/"
LISTS = ("/admin/ledger/account/", "/admin/ledger/journalentry/", "/admin/wallet/wallet/")
READERS = ("finance_maker", "finance_checker", "auditor")


@pytest.fixture
def books() -> Iterator[Books]:
    """A store with one seller whose wallet has moved, and what plain accounts do."""
    with transaction.atomic():
        merchant = create_merchant(name="Harbour Market", mode="test")
        seller = create_seller(
            merchant_id=merchant.id,
            seller_account="ann-books",
            name="Ann",
            country="US",
            commission_bps=0,
            tax_bps=0,
            by="user:test",
        )
    shop = Books(merchant_id=merchant.id, seller=seller.id)
    shop.fund(1_234_567, ref="pay_1")
    shop.post(shop.sale(500, ref="pay_1", leg="commission"))
    yield shop
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


@pytest.fixture
def client() -> Client:
    return console(person("fina", "finance_checker"))


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.content.decode())


def text(html: str) -> str:
    """What a person reads of a page's content."""
    body = html[html.index('class="page-title"') :]
    body = re.sub(r"<span[^>]*aria-hidden[^>]*>[^<]*</span>", "", body)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def account_page(account_id: int) -> str:
    return reverse("admin:ledger_account_change", args=[account_id])


def pages_of(books: Books) -> list[str]:
    (entry,) = rows("SELECT max(id) FROM ledger_journalentry")[0]
    (wallet,) = rows("SELECT id FROM wallet_wallet LIMIT 1")[0]
    return [
        TRIAL,
        VERDICTS,
        "/admin/ledger/account/",
        account_page(books.clearing),
        "/admin/ledger/journalentry/",
        reverse("admin:ledger_journalentry_change", args=[entry]),
        "/admin/wallet/wallet/",
        reverse("admin:wallet_wallet_change", args=[wallet]),
    ]


def test_finance_reads_and_nobody_else(books: Books) -> None:
    """A-E3: a page is closed to whoever has no right to it, and the menu does not show it."""
    urls = pages_of(books)
    for role in READERS:
        reader = console(person(role, role))
        assert {reader.get(url).status_code for url in urls} == {200}, role
        assert "Trial balance" in reader.get("/admin/").content.decode()
    for role in ("support", "risk"):
        stranger = console(person(role, role))
        assert {stranger.get(url).status_code for url in urls} == {403}, role
        assert "Trial balance" not in stranger.get("/admin/").content.decode()


def test_every_page_only_shows(books: Books) -> None:
    """A-E9: not even a superuser can send anything to these pages."""
    root = console(person("root", is_superuser=True))
    before = rows("SELECT count(*), sum(amount_minor) FROM ledger_journalline")
    for url in pages_of(books):
        for method in (root.post, root.put, root.delete):
            assert method(url).status_code in (302, 403, 405) or url.endswith(
                ("account/", "entry/", "wallet/")
            )
    assert rows("SELECT count(*), sum(amount_minor) FROM ledger_journalline") == before


def test_the_trial_balance_agrees_and_leads_on(books: Books, client: Client) -> None:
    other = Books(merchant_id=books.merchant_id, currency="JPY")
    other.post(other.sale(12_345_678))
    html = page(client, f"{TRIAL}?merchant={books.merchant_id}")
    shown = text(html)
    assert "Sum in USD 12,350.67 12,350.67" in shown
    assert "Sum in JPY 12,345,678 12,345,678" in shown
    assert shown.count("Balanced") == 2
    assert "asset.psp_clearing:stripe:USD 1 12,350.67" in shown
    assert "liab.seller_available:USD 1 12,345.67" in shown
    assert account_page(books.clearing) in html


def test_roles_with_many_accounts_lead_to_those_that_they_add_up(books: Books, client: Client) -> None:
    books.fund(100, seller=uuid4())
    html = page(client, f"{TRIAL}?merchant={books.merchant_id}")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+/explain/\?[^"]+)"', html)]
    (available,) = [link for link in links if "role=seller_available" in link]
    shown = text(page(client, available))
    assert "Credit balances 12,346.67 USD" in shown
    assert "Sum of all 2 accounts 12,346.67 USD Cr" in shown
    assert len(re.findall(r'href="/admin/ledger/account/\d+/change/"', page(client, available))) == 2


def test_books_that_do_not_balance_are_shown_so(books: Books, client: Client, owner_sql: Any) -> None:
    """L2: one line altered by a superuser is seen on the page, not hidden by it."""
    (line,) = rows("SELECT max(id) FROM ledger_journalline WHERE amount_minor > 0")[0]
    broken = "ALTER TABLE ledger_journalline {} TRIGGER USER; UPDATE ledger_journalline SET amount_minor ="
    change = broken + " amount_minor + {} WHERE id = {}; ALTER TABLE ledger_journalline ENABLE TRIGGER USER"
    owner_sql(change.format("DISABLE", 1, line))
    shown = text(page(client, f"{TRIAL}?merchant={books.merchant_id}"))
    assert "Out of balance by 0.01 USD" in shown
    assert "Balanced" not in shown
    owner_sql(change.format("DISABLE", -1, line))


def test_an_unknown_merchant_and_empty_books_are_said(client: Client) -> None:
    assert "There is no merchant yet." in text(page(client, TRIAL))
    with transaction.atomic():
        create_merchant(name="New", mode="test")
    assert "This merchant has no accounts yet." in text(page(client, TRIAL))
    for url in (f"{TRIAL}?merchant={uuid4()}", f"{TRIAL}?merchant=nonsense"):
        assert "There is no such merchant." in text(page(client, url))
    for url, says in (
        ("/admin/ledger/account/", "No account has been opened yet."),
        ("/admin/ledger/journalentry/", "Nothing has been posted yet."),
        ("/admin/wallet/wallet/", "Nobody has a wallet yet."),
    ):
        assert says in page(client, url)


def test_a_filter_keeps_one_merchant(books: Books, client: Client) -> None:
    """A merchant that the list of choices has no room for can still be asked for; nonsense finds nothing."""
    other = Books(currency="EUR")
    other.post(other.sale(1))
    for url, wanted, key in (
        ("/admin/ledger/account/?merchant_id__exact=", str(books.merchant_id), "merchant_id"),
        ("/admin/ledger/journalentry/?merchant_id__exact=", str(other.merchant_id), "merchant_id"),
        ("/admin/wallet/wallet/?merchant=", public_id("mer", books.merchant_id), "merchant_id"),
    ):
        found = client.get(url + wanted).context["cl"].result_list
        assert found
        assert len({getattr(row, key) for row in found}) == 1
        assert client.get(url + "nonsense").context["cl"].result_count == 0


def walk(client: Client, url: str, rel: str) -> list[tuple[list[str], str, str]]:
    """Follow the links: the entries of each page with its opening and closing balance."""
    found = []
    while url:
        html = page(client, url)
        shown = text(html)
        opening = re.search(r"Opening balance of this page ([\d.,]+ \w+(?: [DC]r)?)", shown)
        closing = re.search(r"Closing balance.*? ([\d.,]+ USD(?: [DC]r)?) (?:$|⇤|←|\D)", shown)
        assert opening and closing, shown
        found.append((re.findall(r'row"[^>]*><a[^>]*>#(\d+)<', html), opening[1], closing[1]))
        link = re.search(rf'rel="{rel}" href="([^"]+)"', html)
        url = url.partition("?")[0] + link[1].replace("&amp;", "&") if link else ""
    return found


@pytest.mark.parametrize("folded", [True, False])
def test_a_statement_reads_on_without_gap_repeat_or_jump(books: Books, client: Client, folded: bool) -> None:
    """Opening plus lines is closing on every page, in both directions, with and without checkpoints."""
    books.post(*[books.sale(number + 1) for number in range(120)])
    if folded:
        advance_fence(), advance_fence()
        assert advance_checkpoints()
    every = [
        str(key)
        for (key,) in rows(
            "SELECT entry_id FROM ledger_journalline WHERE account_id = %s ORDER BY id", [books.commission]
        )
    ]
    url = account_page(books.commission)
    back = walk(client, url, "prev")
    assert [entry for entries, _, _ in reversed(back) for entry in entries] == every
    assert len(back) == 3
    assert [opening for _, opening, _ in back[:-1]] == [closing for _, _, closing in back[1:]]
    assert (back[-1][1], back[0][2]) == ("0.00 USD", "77.60 USD Cr")
    oldest = re.search(r'href="([^"]+)">⇤', page(client, url))
    assert oldest
    forth = walk(client, url + oldest[1].replace("&amp;", "&"), "next")
    assert [entry for entries, _, _ in forth for entry in entries] == every
    assert [(opening, closing) for _, opening, closing in forth][-1][1] == "77.60 USD Cr"


def test_lines_of_one_entry_on_one_account_are_not_torn(books: Books, client: Client) -> None:
    """A page may end between two lines of the same entry."""
    lines = [books.line(books.clearing, 1, key=f"k{number}") for number in range(99)]
    books.post(books.draft(*lines, books.line(books.commission, -99)))
    back = walk(client, account_page(books.clearing), "prev")
    assert [len(entries) for entries, _, _ in back] == [50, 50, 1]
    assert [opening for _, opening, _ in back[:-1]] == [closing for _, _, closing in back[1:]]


def test_a_balance_in_a_link_cannot_be_made_up(books: Books, client: Client) -> None:
    books.post(*[books.sale(1) for _ in range(120)])
    url = account_page(books.commission)
    link = re.search(r'rel="prev" href="\?at=([^"]+)"', page(client, url))
    assert link
    other = account_page(books.clearing)
    for wrong in (f"{url}?at=nonsense", f"{url}?at={link[1][:-1]}", f"{other}?at={link[1]}"):
        answer = client.get(wrong)
        assert (answer.status_code, answer["Location"]) == (302, wrong.partition("?")[0])


def test_an_entry_shows_what_it_corrects_and_the_rest_of_its_event(books: Books, client: Client) -> None:
    (first,) = books.post(books.sale(7_777, ref="pay_9"))
    fix = books.draft(
        books.line(books.clearing, -7_777),
        books.line(books.commission, 7_777),
        ref="pay_9",
        leg="correction",
        kind="correction",
        corrects=first.id,
    )
    (second,) = books.post(fix)
    html = page(client, reverse("admin:ledger_journalentry_change", args=[second.id]))
    shown = text(html)
    assert f"Corrects #{first.id}" in shown
    assert f"#{second.id} (this one) correction correction" in shown
    assert "Sum 77.77 77.77" in shown
    assert reverse("admin:ledger_journalentry_change", args=[first.id]) in html
    first_page = text(page(client, reverse("admin:ledger_journalentry_change", args=[first.id])))
    assert f"Corrected by #{second.id}" in first_page
    found = client.get("/admin/ledger/journalentry/?q=pay_9").context["cl"].result_list
    assert [row.pk for row in found] == [second.id, first.id]
    assert len(client.get(f"/admin/ledger/journalentry/?q=%23{first.id}").context["cl"].result_list) == 1
    assert client.get("/admin/ledger/journalentry/?q=%00").status_code in (200, 302, 400)


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1,234,567"), ("KWD", "1,234.567"), ("PTS", "1,234,567")]
)
def test_amounts_have_the_decimals_of_their_currency(client: Client, currency: str, shown: str) -> None:
    books = Books(currency=currency)
    books.fund(1_234_567)
    (wallet,) = rows("SELECT id FROM wallet_wallet")[0]
    for url in (
        "/admin/ledger/account/",
        "/admin/ledger/journalentry/",
        account_page(books.clearing),
        "/admin/wallet/wallet/",
        reverse("admin:wallet_wallet_change", args=[wallet]),
    ):
        assert f"{shown} {currency}" in page(client, url), url


def test_a_wallet_stands_beside_its_accounts_and_operations(books: Books, client: Client) -> None:
    for number in range(30):
        books.fund(100, ref=f"w{number}")
    (wallet,) = rows("SELECT id FROM wallet_wallet")[0]
    url = reverse("admin:wallet_wallet_change", args=[wallet])
    html = page(client, url)
    assert "Available Can be spent or paid out 12,375.67 USD" in text(html)
    assert text(html).count("Agrees with the books") == 4
    assert "+1.00 USD 12,375.67 USD" in text(html)
    older = re.search(r'rel="next" href="([^"]+)"', html)
    assert older
    rest = text(page(client, url + older[1]))
    assert "+12,345.67 USD 12,345.67 USD" in rest
    assert client.get(url + "?older_than=nonsense").status_code == 302
    assert client.get(f"/admin/wallet/wallet/?q={public_id('wal', wallet)}").context["cl"].result_count == 1
    assert (
        client.get(f"/admin/wallet/wallet/?q={public_id('sel', books.seller)}").context["cl"].result_count
        == 1
    )
    assert client.get("/admin/wallet/wallet/?q=nonsense").context["cl"].result_count == 0


def test_a_wallet_that_differs_from_its_books_is_shown_so(
    books: Books, client: Client, owner_sql: Any
) -> None:
    """L3."""
    (wallet,) = rows("SELECT id FROM wallet_wallet")[0]
    url = reverse("admin:wallet_wallet_change", args=[wallet])
    owner_sql("UPDATE wallet_wallet SET pending_minor = pending_minor + 5")
    assert "Differs from the books by 0.05 USD" in text(page(client, url))
    owner_sql("UPDATE wallet_wallet SET pending_minor = pending_minor - 5")


def test_verdicts_show_the_last_of_each_rule_the_worst_first(client: Client) -> None:
    assert "Never checked" in text(page(client, VERDICTS))
    run_audits()
    shown = text(page(client, VERDICTS))
    assert "Never checked" not in shown
    assert "Not exercised" in shown
    last = AuditRun.objects.latest("started_at")
    later = AuditRun.objects.create(started_at=last.finished_at, finished_at=last.finished_at, is_clean=False)
    AuditResult.objects.create(
        run=later,
        name="entry_balances",
        verdict="violated",
        violations=2,
        sample=[["12", "USD", "<b>100</b>", "2"], ["19", "USD", "-5", "3"]],
        milliseconds=7,
    )
    html = page(client, VERDICTS)
    first = text(html)[text(html).index("Took ") :]
    assert first.startswith("Took Violated Every entry adds up to zero"), first[:200]
    assert "2 rows that break it" in first
    assert "<b>100" not in html
    assert "Violated 1 " in text(html)


def test_a_run_with_nothing_new_leaves_the_verdict_and_a_failed_one_is_shown(
    books: Books, client: Client
) -> None:
    last = AuditRun.objects.create(
        started_at=datetime.now(UTC), finished_at=datetime.now(UTC), is_clean=True, is_full=False
    )
    shown = {"violations": 0, "milliseconds": 1, "run": last}
    for verdict in ("clean", "not_exercised"):
        AuditResult.objects.create(
            name="entry_balances",
            verdict=verdict,
            examined_after=7,
            examined_through=7,
            clean_through=7,
            **shown,
        )
    AuditResult.objects.create(name="books_balance", verdict="failed", sample=[["broke off"]], **shown)
    verdicts = {each.name: each.verdict for each in latest_verdicts()}
    assert (verdicts["entry_balances"], verdicts["books_balance"]) == ("clean", "failed")
    assert "Could not be examined" in text(page(client, VERDICTS))


def queries(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        page(client, url)
    return [query["sql"] for query in captured]


def test_pages_neither_count_nor_skip_nor_ask_row_by_row(books: Books, client: Client) -> None:
    """What a page costs does not depend on how much the books hold."""
    few = {url: len(queries(client, url)) for url in pages_of(books)}
    for number in range(40):
        books.fund(100, seller=uuid4() if number < 20 else None)
    books.post(*[books.sale(1) for _ in range(60)])
    for url in list(few):
        asked = queries(client, url)
        assert len(asked) == few[url], (url, asked)
        for sql in asked:
            assert "OFFSET" not in sql
            assert "COUNT(" not in sql
    assert max(few.values()) <= 16, few


def test_tables_name_their_columns_and_rows(books: Books, client: Client) -> None:
    """Each header of a table says what it heads; each table and each control has a name."""
    for url in pages_of(books):
        html = page(client, url)
        for table in re.findall(r'<table class="sheet.*?</table>', html, re.DOTALL):
            assert "<th>" not in table
            assert 'scope="col"' in table
            assert 'scope="row"' in table
        for frame in re.findall(r'<div class="sheet-frame"[^>]*>', html):
            assert "aria-label" in frame
            assert 'tabindex="0"' in frame
        for control in re.findall(r'<select[^>]*name="merchant"[^>]*id="(\w+)"', html):
            assert f'for="{control}"' in html
