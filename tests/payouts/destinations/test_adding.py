"""A seller's account is added: by API, once, encrypted, and told to whom it concerns."""

import re
from typing import Any

import pytest
from django.db import connection

from core.card_data import contains_card_number
from core.models import AuditRecord, Case, IdempotencyRecord, OutboxEvent
from core.settings_store import put_setting
from core.transactions import at_edge
from payouts.models import Destination
from payouts.selectors import name_evidence, twins_of
from tests.payouts.destinations.cast import GERMAN, Sellers, open_sellers
from tests.store import error

pytestmark = pytest.mark.database

PATH = "/v1/sellers/ann/destinations"
BODY = {"kind": "iban", "country": "DE", "currency": "EUR", **GERMAN}
US = {
    "kind": "us_account",
    "country": "US",
    "currency": "USD",
    "holder_name": "Ann Bell",
    "routing_number": "111000025",
    "account_number": "000123456789",
    "account_type": "checking",
}


def test_an_account_is_added_once_and_never_shown(sellers: Sellers) -> None:
    """A-E5: neither the answers nor what is kept of them holds the account or the name."""
    store = sellers.store
    body = BODY | {"holder_name": "Ann Bellamy"}
    answer = store.post(PATH, body, key="k")
    made = answer.json()
    assert answer.status_code == 201
    assert {name: made[name] for name in made if name not in ("id", "usable_from", "created_at")} == {
        "object": "destination",
        "seller_account": "ann",
        "kind": "iban",
        "country": "DE",
        "currency": "EUR",
        "holder_name": "A… B…",
        "last4": "3000",
        "bank": None,
        "is_default": True,
        "status": "UNVERIFIED",
    }
    assert store.post(PATH, body, key="k").content == answer.content
    assert error(store.post(PATH, BODY)) == (409, "destination_exists", None)
    assert Destination.objects.count() == 1
    assert store.get(PATH).json()["data"] == [made]
    assert store.get(f"{PATH}/{made['id']}").json() == made
    told = OutboxEvent.objects.get(type="destination.added")
    assert told.payload["object"] == made
    assert told.subject == made["id"]
    assert bytes(IdempotencyRecord.objects.get().body) == answer.content
    assert all(word not in text for text in _everything() for word in ("Bellamy", GERMAN["iban"]))


def _everything() -> list[str]:
    """What the tables hold that pay-out writes, as a stolen dump would show it."""
    tables = (
        "payouts_destination",
        "core_outboxevent",
        "core_auditrecord",
        "core_idempotencyrecord",
        "core_case",
    )
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t")
            for (text,) in cursor.fetchall():
                found += [text, *_bytes_in(text)]
    return found


def _bytes_in(text: str) -> list[str]:

    return [bytes.fromhex(run).decode("latin-1") for run in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", text)]


def test_the_dump_that_is_searched_holds_what_it_would_show(sellers: Sellers) -> None:
    """The control: what is not encrypted is found by the same look."""
    sellers.store.post(PATH, BODY, key="k")
    assert any('"last4": "3000"' in text for text in _everything())
    assert any('"holder_name":"A' in text for text in _everything())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"iban": "DE88370400440532013000"}, (422, "destination_invalid", "iban")),
        ({"currency": "USD"}, (422, "destination_unsupported", "currency")),
        ({"holder_name": "Ann\u200bBell"}, (422, "destination_invalid", "holder_name")),
        ({"routing_number": "111000025"}, (422, "destination_invalid", "routing_number")),
        ({"status": "VERIFIED"}, (422, "unknown_field", "status")),
        ({"usable_from": "2020-01-01T00:00:00Z"}, (422, "unknown_field", "usable_from")),
        ({"account_number": "4242424242424242"}, (422, "card_data_forbidden", "account_number")),
    ],
)
def test_what_is_refused_leaves_nothing(
    sellers: Sellers, change: dict[str, str], refusal: tuple[Any, ...]
) -> None:
    """A-E4: and the key stays free."""
    store = sellers.store
    assert error(store.post(PATH, BODY | change, key="k")) == refusal
    assert not Destination.objects.exists()
    assert store.post(PATH, BODY, key="k").status_code == 201


@pytest.mark.parametrize(
    ("country", "currency", "number"),
    [
        ("NO", "NOK", "NO4412365737728"),
        ("FI", "EUR", "FI6500012345726415"),
        ("DK", "DKK", "DK3000012345710577"),
        ("BE", "EUR", "BE36012346953881"),
    ],
)
def test_no_account_is_taken_for_a_card(sellers: Sellers, country: str, currency: str, number: str) -> None:
    """The digits of these are those of a card; the letters before them say that they are none."""
    assert contains_card_number(number[2:])
    body = BODY | {"country": country, "currency": currency, "iban": number}
    assert sellers.store.post(PATH, body).status_code == 201


def test_accounts_of_a_seller_are_limited(sellers: Sellers) -> None:
    at_edge(put_setting)(name="payouts.destinations_per_seller", value=1, actor="user:1", reason="few")
    sellers.add()
    refusal = error(sellers.store.post(PATH, US))
    assert refusal == (409, "too_many_destinations", None)
    made = sellers.store.get(PATH).json()["data"][0]
    assert sellers.store.request("DELETE", f"{PATH}/{made['id']}").json()["status"] == "REMOVED"
    assert sellers.store.post(PATH, US).status_code == 201


def test_one_default_of_each_currency(sellers: Sellers) -> None:
    first, dollars = sellers.add(), sellers.store.post(PATH, US).json()
    second = sellers.add(details=GERMAN | {"iban": "DE75512108001245126199"}, make_default=True)
    third = sellers.add(details=GERMAN | {"iban": "DE02120300000000202051"})
    found = {each["id"]: each["is_default"] for each in sellers.store.get(PATH).json()["data"]}
    assert found == {
        first.public_id: False,
        dollars["id"]: True,
        second.public_id: True,
        third.public_id: False,
    }


def test_pages_and_states_of_a_list(sellers: Sellers) -> None:
    made = [sellers.add().public_id, sellers.store.post(PATH, US).json()["id"]]
    sellers.add("bob")
    page = sellers.store.get(PATH, limit="1").json()
    rest = sellers.store.get(PATH, limit="1", cursor=page["next_cursor"]).json()
    assert [each["id"] for each in page["data"] + rest["data"]] == made[::-1]
    sellers.store.request("DELETE", f"{PATH}/{made[0]}")
    assert [each["id"] for each in sellers.store.get(PATH, status="REMOVED").json()["data"]] == made[:1]
    assert error(sellers.store.get(PATH, status="gone")) == (400, "invalid_parameter", "status")
    assert error(sellers.store.get("/v1/sellers/bob/destinations", cursor=page["next_cursor"]))[0] == 400


def test_an_account_is_the_seller_s_who_has_it(sellers: Sellers) -> None:
    """A-E1: through another seller it is not there, and nobody removes it."""
    made = sellers.add()
    path = f"/v1/sellers/bob/destinations/{made.public_id}"
    assert error(sellers.store.get(path)) == (404, "not_found", None)
    assert error(sellers.store.request("DELETE", path)) == (404, "not_found", None)
    assert Destination.objects.get().status == "UNVERIFIED"


def test_the_same_account_at_two_sellers_is_let_in_and_flagged(sellers: Sellers) -> None:
    first = sellers.add(details=GERMAN | {"bic": "COBADEFF"})
    second = sellers.add("bob")
    assert first.fingerprint == second.fingerprint
    assert [
        (each.seller_account, each.id)
        for each in twins_of(merchant_id=sellers.merchant_id, destination_id=second.id)
    ] == [("ann", first.id)]
    case = Case.objects.get(kind="payout_destination_shared")
    assert (case.subject, case.detail["sellers"]) == (second.public_id, ["ann"])
    evidence = name_evidence(merchant_id=sellers.merchant_id, destination_id=second.id)
    assert (evidence.match, second.name_match, first.name_match) == ("no", "no", "exact")
    assert (evidence.holder_name, evidence.seller_name) == ("Ann Bell", "Bob's Books Ltd")


def test_merchants_have_nothing_in_common(sellers: Sellers) -> None:
    ours, theirs = sellers.add(), open_sellers().add()
    assert ours.fingerprint != theirs.fingerprint
    assert not Case.objects.exists()


def test_people_hear_of_an_account_that_replaces_another(sellers: Sellers) -> None:
    """A-H3: a seller that was paid before wants its money somewhere else."""
    first = sellers.add()
    assert not Case.objects.exists()
    sellers.payout(first)
    second = sellers.add(details=GERMAN | {"iban": "DE75512108001245126199"})
    case = Case.objects.get(kind="payout_destination_changed")
    assert (case.subject, case.status, case.detail["last4"]) == (second.public_id, "OPEN", "6199")
    sellers.verify(second)
    case.refresh_from_db()
    assert case.status == "CLOSED"


def test_the_trail_says_who_added_it(sellers: Sellers) -> None:
    sellers.store.post(PATH, BODY)
    record = AuditRecord.objects.get(action="destination.add")
    assert record.actor.startswith("key_")
    assert record.detail["last4"] == "3000"
