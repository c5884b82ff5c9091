"""A statement as PDF says what the other forms say, whoever's it is, in whatever script."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import lookup
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from pypdf import PdfReader

from core import clock
from core.ids import parse_public_id, public_id
from core.pdf_text import BOLD, SANS, cut_to, runs, width
from merchants.services import ensure_buyer
from tests.ledger.books import Books, rows
from tests.store import Store, error, open_store
from wallet.services import open_wallet
from wallet.statement_pdf import Heading, statement_pdf
from wallet.types import OperationData, Statement, WalletData

TIMES = {"created_gte": "2000-01-01T00:00:00Z", "created_lt": "2100-01-01T00:00:00Z"}
HEADING = Heading("Acme", "live", owner="Ada's Books", account="ada")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def text_of(document: bytes) -> list[str]:
    """The pages as a reader copies them."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(document)).pages]


def written(count: int, *, currency: str = "USD") -> Statement:
    """A statement of so many movements of 1234 minor units."""
    buckets = {"pending": 0, "available": 0, "held": 0, "receivable": 0}
    moved = tuple(
        OperationData(n, "available", "seller_available", 1234, 1234 * n, n, SINCE + timedelta(minutes=n))
        for n in range(1, count + 1)
    )
    wallet = WalletData(uuid4(), uuid4(), "seller", uuid4(), currency, "cash", 0, 1234 * count, 0, 0)
    closing = buckets | {"available": 1234 * count}
    return Statement(wallet, SINCE, SINCE + timedelta(days=30), buckets, moved, closing)


def sold(currency: str, name: str = "Ada's Books") -> tuple[Store, str, dict[str, Any]]:
    """A seller of a store with a wallet in which money moved."""
    store = open_store()
    seller = json.loads(
        store.post("/v1/sellers", {"seller_account": "ada", "name": name, "country": "DE"}).content
    )
    key = parse_public_id(seller["id"], "sel")
    assert key
    books = Books(currency=currency, merchant_id=store.merchant_id, seller=key)
    books.fund(1000)
    books.hold(300)
    ((wallet_id,),) = rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [key])
    return store, public_id("wal", wallet_id), seller


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("currency", "amounts"),
    [
        ("JPY", ["1000", "-300", "700"]),
        ("KWD", ["1.000", "-0.300", "0.700"]),
        ("PTS", ["1000", "-300", "700"]),
    ],
)
def test_it_says_what_the_other_forms_say(currency: str, amounts: list[str]) -> None:
    store, wallet, _ = sold(currency)
    answer = store.get(f"/v1/wallets/{wallet}/statement", format="pdf", **TIMES)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement.pdf"'
    (page,) = text_of(answer.content)
    lines = page.splitlines()
    for said in ("TEST MODE, NO REAL MONEY", "Acme", "Ada's Books", "ada", wallet, f"{currency}, cash"):
        assert said in lines
    body = json.loads(store.get(f"/v1/wallets/{wallet}/statement", **TIMES).content)
    for bucket, closing in body["closing"].items():
        place = lines.index(bucket)
        gained = [each["amount"] for each in body["lines"] if each["bucket"] == bucket]
        assert (lines[place + 1], lines[place + 4]) == (body["opening"][bucket], closing)
        assert set(lines[place + 2 : place + 4]) >= {each for each in gained if len(gained) <= 2}
    for line in body["lines"]:
        assert lines.count(line["entry"]) >= 1
    told = [lines[place + 2 : place + 4] for place, cell in enumerate(lines) if cell == "seller_available"]
    assert told == [[amounts[0], amounts[0]], [amounts[1], amounts[2]]]
    assert "End of the statement. Movements: 3." in lines


@pytest.mark.django_db(transaction=True)
def test_of_a_buyer_it_says_no_more_than_the_account() -> None:
    store = open_store()
    with transaction.atomic():
        buyer = ensure_buyer(
            merchant_id=store.merchant_id, buyer_account="b-7", personal={"name": "Grace Private"}
        )
        wallet_id = open_wallet(
            merchant_id=store.merchant_id, owner_type="buyer", owner_id=buyer.id, currency="KWD", kind="bonus"
        )
    url = f"/v1/wallets/{public_id('wal', wallet_id)}/statement"
    (page,) = text_of(store.get(url, format="pdf", **TIMES).content)
    assert {"b-7", "KWD, bonus", "End of the statement. Movements: 0."} <= set(page.splitlines())
    assert "Grace" not in page
    assert error(open_store().get(url, format="pdf", **TIMES))[0] == 404


def test_a_long_one_loses_no_line_at_the_turn_of_a_page() -> None:
    statement = written(500)
    pages = text_of(statement_pdf(statement, HEADING))
    assert len(pages) > 5
    cells = "\n".join(pages).splitlines()
    assert [cell for cell in cells if cell.startswith("Page ")] == [
        f"Page {n + 1}" for n in range(len(pages))
    ]
    assert cells.count("12.34") == 500 + 1  # the first balance as well
    assert cells.count("6170.00") == 1 + 2  # the last balance, the sum of what came in, and closing
    assert "End of the statement. Movements: 500." in cells
    assert all("Time (UTC)" in page for page in pages)


def test_every_count_of_lines_ends_well() -> None:
    """Also where the last line is the last of its page."""
    for count in range(30, 45):
        pages = text_of(statement_pdf(written(count), HEADING))
        assert f"End of the statement. Movements: {count}." in pages[-1]


def test_the_same_statement_is_the_same_bytes() -> None:
    statement = written(3)
    assert statement_pdf(statement, HEADING) == statement_pdf(statement, HEADING)
    assert "TEST MODE" not in text_of(statement_pdf(statement, HEADING))[0]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Żółta Łąka", ["Żółta Łąka"]),
        ("Книги Ады", ["Книги Ады"]),
        ("Βιβλία", ["Βιβλία"]),
        ("阿达书店", ["阿达书店"]),
        ("にほん書店", ["にほん書店"]),
        ("아다서점", ["아다서점"]),
        ("Ada 阿达", ["Ada ", "阿达"]),
        # What no font has is marked, not left out; the account beside it says who it is.
        ("ไท", ["��"]),
        # A-F19: names are text, whatever they look like.
        ("<b>Ada</b> (\\) ET %s", ["<b>Ada</b> (\\) ET %s"]),
    ],
)
def test_names_in_every_script(name: str, seen: list[str]) -> None:
    lines = text_of(statement_pdf(written(1), replace(HEADING, owner=name)))[0].splitlines()
    place = lines.index("Seller")
    assert lines[place + 1 : place + 1 + len(seen)] == seen


def test_what_is_written_from_the_right_is_drawn_from_the_right() -> None:
    """Hebrew runs backwards on the page; Arabic letters also take the form of their place in the word."""
    assert list(runs("אבג", SANS)) == [(SANS, "גבא")]
    ((font, drawn),) = runs("آدا (12)", SANS)
    letters = ("ALEF ISOLATED", "DAL ISOLATED", "ALEF WITH MADDA ABOVE ISOLATED")
    forms = [lookup(f"ARABIC LETTER {name} FORM") for name in letters]
    assert (font, drawn) == (SANS, f"(12) {''.join(forms)}")


def test_a_name_that_is_too_long_is_cut() -> None:
    kept = cut_to(100, "W" * 200, size=8)
    assert kept.endswith("…")
    assert width(kept, size=8) <= 100 < width("W" * 200, size=8)
    assert cut_to(100, "Ada", size=8) == "Ada"
    assert width("Ada", size=8, font=BOLD) > width("Ada", size=8)


@pytest.mark.django_db(transaction=True)
def test_balances_are_those_of_the_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited for the wallet has an earlier time and stands later; opening and lines still add up."""
    store = open_store()
    books = Books(merchant_id=store.merchant_id)
    for minor, seconds in ((100, 10), (20, 5), (3, 20)):
        monkeypatch.setattr(clock, "now", lambda at=SINCE + timedelta(seconds=seconds): at)
        books.fund(minor)
    monkeypatch.undo()
    ((wallet_id,),) = rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [books.seller])
    url = f"/v1/wallets/{public_id('wal', wallet_id)}/statement"
    times = {"created_gte": "2026-03-01T00:00:07Z", "created_lt": "2026-04-01T00:00:00Z"}
    body = json.loads(store.get(url, **times).content)
    assert body["opening"]["available"] == "0.20"
    assert [line["balance"] for line in body["lines"]] == ["1.20", "1.23"]
    assert body["closing"]["available"] == "1.23"


def test_ten_thousand_lines_are_a_document() -> None:
    """The most that a statement has."""
    assert len(PdfReader(io.BytesIO(statement_pdf(written(10_000), HEADING))).pages) > 100


def test_the_wallet_is_named_by_its_id() -> None:
    statement = written(1)
    wallet = replace(statement.wallet, id=UUID(int=1 << 80))
    (page,) = text_of(statement_pdf(replace(statement, wallet=wallet), HEADING))
    assert page.splitlines().count(public_id("wal", wallet.id)) == 2
