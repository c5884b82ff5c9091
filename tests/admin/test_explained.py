"""From any number of the books down to what proves it: each step leads to the next and has the same sum."""

import html as markup
import re
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from console.sources.registry import KINDS
from core.ids import public_id
from ledger.selectors import current_place
from ledger.services import advance_fence
from ledger.templates.documentation import PaperBooks
from ledger.templates.registry import THEMES
from tests.admin.people import console, person
from tests.admin.test_books import text
from tests.admin.test_day_desk import address
from tests.admin.test_day_desk import closer as closer
from tests.ledger.books import Books, rows
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.deliveries import deliver, process, told
from tests.reconciliation.closing.conftest import Closer
from tests.reconciliation.conftest import desk as desk
from tests.reconciliation.conftest import plain_formats as plain_formats

__all__ = ["desk", "plain_formats", "provider", "shop"]

TRIAL = "/admin/ledger/account/trial-balance/"
EXPLAIN = "/admin/ledger/account/explain/"
# Of these the console has no page of their own: couriers, conversions, and what people decide by command.
WITHOUT_PAGES = {
    "conversion", "courier_claim", "fx_deal", "parcel", "promotion", "psp_reserve",
    "remittance", "seller_debt",
}  # fmt: skip


def get(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.content.decode())


def link(page: str, pattern: str) -> str:
    found = re.search(rf'href="({pattern})"', page)
    assert found, pattern
    return markup.unescape(found[1])


def test_from_the_trial_balance_to_what_the_provider_said(shop: Shop) -> None:
    """A sale of 100.00 is 100.00 in the role, the account, the key, the line and the provider's answer."""
    paid = shop.pay()
    for event in told(shop, paid["checkout_id"]):
        assert deliver(shop, event) == 200
    process()
    client = console(person("fin", "finance_checker"))
    trial = get(client, f"{TRIAL}?merchant={shop.store.merchant_id}")
    account = link(trial[trial.index("asset.psp_clearing") - 200 :], r"/admin/ledger/account/\d+/change/")
    statement = get(client, account)
    assert "Balance now 100.00 USD Dr" in text(statement)
    role = get(client, link(statement, r"/admin/ledger/account/explain/[^\"]+"))
    assert "Sum of the account 100.00 USD Dr" in text(role)
    assert account in role and TRIAL in role, "and up again"
    keys = get(client, account + "?keys=open")
    assert "Sum of all open keys 100.00 USD Dr" in text(keys)
    key = get(client, account + link(keys, r"\?key=[^\"]+"))
    assert "Balance of the key 100.00 USD Dr" in text(key)
    entry = get(client, link(key, r"/admin/ledger/journalentry/\d+/change/\?line=\d+"))
    assert 'class="marked"' in entry and account in entry
    source_url = link(entry, r"/admin/desks/entries/[^\"]+")
    source = get(client, source_url)
    shown = text(source)
    for words in ("A payment of a buyer", "Posted 100.00 USD", "call confirm", "payment_intent.succeeded"):
        assert words in shown, words
    assert "&quot;amount&quot;" in source and "4242424242424242" not in source
    story = link(source, r"/admin/desks/payments/[^\"]+/")
    assert paid["checkout_id"] in get(client, story)
    get(client, link(source, r"/admin/events/webhookinbox/[^\"]+/change/"))
    evidence_is_for_its_readers(source_url, story)


def evidence_is_for_its_readers(source_url: str, story: str) -> None:
    """Who reads the books and nothing else is told that there is more, and not shown it."""
    clerk = person("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_journalentry"))
    page = get(console(clerk), source_url)
    assert "There is evidence that your role does not show." in text(page)
    assert story not in page and "call confirm" not in page
    assert console(person("sue", "support")).get(source_url).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_long_numbers_are_read_page_by_page_without_gap_or_repeat() -> None:
    """Sixty sellers, two pages: together they are the sum that both pages name."""
    books = Books()
    for number in range(60):
        books.fund(number + 1, seller=None if number == 0 else _seller(number))
    advance_fence(), advance_fence()
    client = console(person("fin", "finance_checker"))
    query = f"?role=seller_available&currency=USD&merchant={books.merchant_id}&side=credit"
    query += f"&from=2026-03-01&until=2026-03-01&known={current_place()}"
    first = get(client, EXPLAIN + query)
    second = get(client, EXPLAIN + link(first, r"\?[^\"]*after=\d+"))
    total = sum(range(1, 61))
    for page in (first, second):
        assert f"Credits {total / 100:.2f} USD" in text(page)
        assert "Sum of all 60 accounts" in text(page)
    ids = [re.findall(r">#(\d+)</a>", page) for page in (first, second)]
    assert [len(each) for each in ids] == [50, 10] and len({*ids[0], *ids[1]}) == 60
    assert 'rel="next"' not in second


def _seller(number: int) -> UUID:
    return UUID(int=number)


@pytest.mark.django_db(transaction=True)
def test_what_is_no_question_is_not_found_and_strangers_see_nothing() -> None:
    books = Books()
    books.post(books.sale(5))
    advance_fence(), advance_fence()
    client, account = (
        console(person("fin", "finance_checker")),
        f"/admin/ledger/account/{books.clearing}/change/",
    )
    good = f"?role=psp_clearing&currency=USD&merchant={books.merchant_id}"
    assert client.get(EXPLAIN + good).status_code == 200
    for query in (
        "", "?role=nonsense&currency=USD", "?role=bank", "?role=bank&currency=%00%00%00%00",
        f"{good}&side=left", f"{good}&from=x", f"{good}&from=2026-02-30", f"{good}&from=9999-12-31",
        f"{good}&from=2026-03-02&until=2026-03-01", f"{good}&from=2026-03-01&known=x", f"{good}&after=x",
        "?role=bank&currency=USD&merchant=x", f"{good}&mode=odd", f"{good}&after=99999999999999999999",
    ):  # fmt: skip
        assert client.get(EXPLAIN + query).status_code == 404, query
    beyond = get(client, EXPLAIN + f"{good}&from=2026-03-01&known=999999999")
    assert f"Known up to entry #{current_place()}" in text(beyond)
    for query in ("?from=x", "?from=2026-03-01&after=x", "?key=k&after=x", "?from=2026-03-01&after=x.1"):
        assert client.get(account + query).status_code == 404, query
    assert client.get(f"/admin/ledger/account/{books.commission}/change/?keys=open").status_code == 404
    assert client.get("/admin/ledger/account/0/change/?keys=open").status_code == 404
    assert "Nothing was posted to this account under this key" in get(client, account + "?key=%3Cb%3E")
    stranger = console(person("sue", "support"))
    for url in (EXPLAIN + good, account + "?keys=open", account + "?key=k", account + "?from=2026-03-01"):
        assert stranger.get(url).status_code == 403, url
    root = console(person("root", is_superuser=True))
    assert root.post(account + "?keys=open").status_code == 403
    [(entry,)] = rows("SELECT max(id) FROM ledger_journalentry")
    source = get(client, f"/admin/desks/entries/{books.merchant_id}/{entry}/source/")
    assert "Nothing of this console stands behind" in text(source)
    assert client.get(f"/admin/desks/entries/{_seller(1)}/{entry}/source/").status_code == 404


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_figures_of_a_day_lead_to_what_they_are_made_of(closer: Closer) -> None:
    """Each balance of the day's trial balance is that of the page behind it."""
    advance_fence(), advance_fence()
    client = console(person("fin", "finance_checker"))
    page = get(client, address(closer))
    trial = page[page.index('id="part-trial"') : page.index('id="part-totals"')]
    found = re.findall(r"<tr><th[^>]*><a href=\"([^\"]+)\">.*?</tr>", trial, re.DOTALL)
    closings = re.findall(r'data-label="Closing">([^<]+)<', trial)
    assert found and len(found) == len(closings)
    for url, closing in zip(found, closings, strict=True):
        shown = text(get(client, markup.unescape(url)))
        balance = re.search(r"Balance ([\d.,]+) (\w+)(?: (Dr|Cr))?", shown)
        assert balance, shown
        sign = "-" if balance[3] == "Cr" else ""
        assert f"{sign}{balance[1]}" == closing.strip().replace("−", "-"), url
    assert public_id("mer", closer.merchant_id) in page


def test_every_kind_of_entry_has_a_finder_or_is_known_to_have_none() -> None:
    """A new business event that nobody can look behind is noticed here."""
    journals = [journal for theme in THEMES.values() for journal in theme]
    sources = {each.source for journal in journals for each in journal.entries(PaperBooks())}
    assert sources - set(KINDS) == WITHOUT_PAGES
    assert set(KINDS) - sources <= {"correction", "dispute_hold"}
