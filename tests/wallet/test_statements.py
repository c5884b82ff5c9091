"""Movements and statements over the API: opening plus lines is closing, and nobody else sees them."""

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from core.ids import public_id
from tests.ledger.books import Books, rows
from tests.store import Store, error, open_store

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = {"created_gte": "2000-01-01T00:00:00Z", "created_lt": "2100-01-01T00:00:00Z"}


def moved(currency: str) -> tuple[Store, str]:
    store = open_store()
    books = Books(currency=currency, merchant_id=store.merchant_id)
    books.fund(1000)
    books.hold(300)
    ((wallet_id,),) = rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [books.seller])
    return store, f"/v1/wallets/{public_id('wal', wallet_id)}"


@pytest.mark.parametrize(
    ("currency", "whole", "held"), [("JPY", "700", "300"), ("KWD", "0.700", "0.300"), ("PTS", "700", "300")]
)
def test_opening_and_lines_are_closing(currency: str, whole: str, held: str) -> None:
    store, url = moved(currency)
    body = json.loads(store.get(f"{url}/statement", **TIMES).content)
    assert (body["closing"]["available"], body["closing"]["held"]) == (whole, held)
    for bucket, opening in body["opening"].items():
        lines = sum(Decimal(line["amount"]) for line in body["lines"] if line["bucket"] == bucket)
        assert Decimal(opening) + lines == Decimal(body["closing"][bucket])
    later = {"created_gte": "2099-01-01T00:00:00Z", "created_lt": TIMES["created_lt"]}
    after = json.loads(store.get(f"{url}/statement", **later).content)
    assert (after["opening"], after["lines"]) == (body["closing"], [])


def test_a_statement_as_csv() -> None:
    store, url = moved("KWD")
    text = store.get(f"{url}/statement", format="csv", **TIMES).content.decode()
    lines = [line.split(",") for line in text.splitlines()]
    # Header, openings, movements, closings; then what it was for, and opening and closing of all.
    assert len(lines) == 1 + 4 + 3 + 4 + 7 + 2
    assert [line[4:6] for line in lines if line[2] == "seller_available"] == [
        ["1.000", "1.000"],
        ["-0.300", "0.700"],
    ]


def test_no_cell_of_the_csv_is_a_formula_a_f4() -> None:
    """A-F4: no cell begins as a formula does, except amounts, which are numbers and stay numbers."""
    store, url = moved("KWD")
    answer = store.get(f"{url}/statement", format="csv", **TIMES)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    cells = [cell for row in csv.reader(io.StringIO(answer.content.decode())) for cell in row]
    formulas = [cell for cell in cells if cell[:1] in "=+-@\t\r＝＋－＠" and cell]
    assert formulas == ["-0.300"]
    assert all(re.fullmatch(r"-?\d+\.\d{3}", cell) for cell in formulas)


def test_movements_are_listed_newest_first_in_pages() -> None:
    store, url = moved("USD")
    first = json.loads(store.get(f"{url}/operations", limit="2").content)
    assert first["has_more"]
    rest = json.loads(store.get(f"{url}/operations", limit="2", cursor=first["next_cursor"]).content)
    found = [int(each["id"]) for each in first["data"] + rest["data"]]
    assert (len(found), rest["has_more"], found) == (3, False, sorted(found, reverse=True))


def test_what_is_not_asked_well_is_refused() -> None:
    store, url = moved("USD")
    assert error(store.get(f"{url}/statement"))[1:] == ("invalid_parameter", "created_gte")
    swapped = {"created_gte": TIMES["created_lt"], "created_lt": TIMES["created_gte"]}
    assert error(store.get(f"{url}/statement", **swapped))[1:] == ("invalid_parameter", "created_lt")
    assert error(store.get(f"{url}/statement", format="xml", **TIMES))[1:] == ("invalid_parameter", "format")
    assert error(store.get(f"{url}/operations", cursor="x"))[1:] == ("invalid_parameter", "cursor")
    assert error(store.get("/v1/wallets/nobody/operations"))[0] == 404


def test_another_merchant_does_not_see_them() -> None:
    _, url = moved("USD")
    stranger = open_store()
    assert error(stranger.get(f"{url}/operations"))[0] == 404
    assert error(stranger.get(f"{url}/statement", **TIMES))[0] == 404
