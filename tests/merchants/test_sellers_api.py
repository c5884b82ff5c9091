"""The seller endpoints: shapes, refusals, isolation."""

import json
from typing import Any

import pytest

from core.ids import public_id, uuid7
from core.models import OutboxEvent, StatusChange
from merchants.models import Seller
from tests.store import Store, error, open_store

BODY: dict[str, Any] = {"seller_account": "ada", "name": "Ada's Books", "country": "DE"}
SHAPE = {
    "object",
    "id",
    "seller_account",
    "name",
    "country",
    "kyc_status",
    "commission_bps",
    "settlement_delay_days",
    "payout_schedule",
    "created_at",
}


def create(store: Store, **changes: Any) -> dict[str, Any]:
    response = store.post("/v1/sellers", {**BODY, **changes})
    assert response.status_code == 201, response.content
    body: dict[str, Any] = json.loads(response.content)
    return body


def test_a_seller_is_created_with_defaults_history_and_event(store: Store) -> None:
    seller = create(store)
    assert set(seller) == SHAPE
    assert seller["object"] == "seller"
    assert seller["id"].startswith("sel_")
    assert (seller["kyc_status"], seller["commission_bps"]) == ("UNVERIFIED", 0)
    assert (seller["settlement_delay_days"], seller["payout_schedule"]) == (7, {"interval": "manual"})
    assert seller["created_at"].endswith("Z")
    change = StatusChange.objects.get()
    assert (change.from_state, change.to_state) == ("", "UNVERIFIED")
    event = OutboxEvent.objects.get()
    assert (event.type, event.subject, event.sequence) == ("seller.created", seller["id"], 1)
    assert event.payload == {"object": seller}


def test_the_same_account_again_is_refused(store: Store) -> None:
    create(store)
    assert error(store.post("/v1/sellers", BODY)) == (409, "seller_exists", "seller_account")
    assert create(open_store())["seller_account"] == "ada"


def test_a_seller_is_found_by_account_and_by_id(store: Store) -> None:
    seller = create(store)
    assert json.loads(store.get("/v1/sellers/ada").content) == seller
    assert json.loads(store.get(f"/v1/sellers/{seller['id']}").content) == seller


def test_a_seller_is_changed(store: Store) -> None:
    created = create(store, commission_fixed={"amount": "0.30", "currency": "EUR"})
    changes = {
        "name": "Ada",
        "commission_bps": 250,
        "commission_fixed": None,
        "settlement_delay_days": 2,
        "payout_schedule": {"interval": "weekly", "weekday": 5},
    }
    changed = json.loads(store.patch("/v1/sellers/ada", changes).content)
    assert changed == {**created, **{name: changes[name] for name in changes if name != "commission_fixed"}}
    versions = Seller.objects.get().terms.order_by("version")
    assert [(v.version, v.commission_bps, v.commission_fixed_minor) for v in versions] == [
        (1, 0, 30),
        (2, 250, 0),
    ]
    types = OutboxEvent.objects.order_by("sequence").values_list("type", "sequence")
    assert list(types) == [("seller.created", 1), ("seller.updated", 2)]


def test_a_change_of_nothing_leaves_no_trace(store: Store) -> None:
    create(store)
    assert store.patch("/v1/sellers/ada", {"name": BODY["name"], "commission_bps": 0}).status_code == 200
    assert OutboxEvent.objects.count() == 1
    assert Seller.objects.get().terms.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"seller_account": "a b"}, "invalid_field", "seller_account"),
        ({"seller_account": ""}, "invalid_field", "seller_account"),
        ({"seller_account": "x" * 65}, "invalid_field", "seller_account"),
        ({"seller_account": 5}, "invalid_field", "seller_account"),
        ({"seller_account": None}, "invalid_field", "seller_account"),
        ({"seller_account": "sel_1"}, "invalid_field", "seller_account"),
        ({"seller_account": "pay_1"}, "invalid_field", "seller_account"),
        ({"seller_account": "ada\n"}, "invalid_string", "seller_account"),
        ({"name": " "}, "invalid_field", "name"),
        ({"name": "x" * 201}, "invalid_field", "name"),
        ({"name": ["Ada"]}, "invalid_field", "name"),
        ({"country": "XX"}, "invalid_field", "country"),
        ({"country": "de"}, "invalid_field", "country"),
        ({"country": "DEU"}, "invalid_field", "country"),
        ({"country": {}}, "invalid_field", "country"),
        ({"commission_bps": "5"}, "invalid_field", "commission_bps"),
        ({"commission_bps": True}, "invalid_field", "commission_bps"),
        ({"commission_bps": -1}, "invalid_field", "commission_bps"),
        ({"commission_bps": 10001}, "invalid_field", "commission_bps"),
        ({"commission_bps": 2**63 - 1}, "invalid_field", "commission_bps"),
        ({"tax_bps": 10001}, "invalid_field", "tax_bps"),
        ({"settlement_delay_days": 366}, "invalid_field", "settlement_delay_days"),
        ({"payout_schedule": {"interval": "hourly"}}, "invalid_field", "payout_schedule.interval"),
        ({"payout_schedule": {}}, "missing_field", "payout_schedule.interval"),
        ({"payout_schedule": {"interval": "weekly"}}, "missing_field", "payout_schedule.weekday"),
        ({"payout_schedule": {"interval": "daily", "day": 3}}, "invalid_field", "payout_schedule.day"),
        ({"payout_schedule": {"interval": "daily", "when": 3}}, "unknown_field", "payout_schedule.when"),
        ({"payout_schedule": []}, "invalid_field", "payout_schedule"),
        ({"payout_schedule": None}, "invalid_field", "payout_schedule"),
        (
            {"payout_schedule": {"interval": "threshold", "amount": "10.00"}},
            "missing_field",
            "payout_schedule.currency",
        ),
    ],
)
def test_refused_fields_name_themselves(store: Store, changes: dict[str, Any], code: str, param: str) -> None:
    assert error(store.post("/v1/sellers", {**BODY, **changes})) == (422, code, param)
    assert not Seller.objects.exists()


@pytest.mark.parametrize("name", ["seller_account", "name", "country"])
def test_missing_fields_name_themselves(store: Store, name: str) -> None:
    body = {key: value for key, value in BODY.items() if key != name}
    assert error(store.post("/v1/sellers", body)) == (422, "missing_field", name)


AMOUNTS: list[tuple[Any, str]] = [
    ("0", "invalid_amount"),
    ("-1", "invalid_amount"),
    ("-0", "invalid_amount"),
    ("1.555", "invalid_amount"),
    (None, "invalid_amount"),
    (True, "invalid_amount"),
    ([], "invalid_amount"),
    ({}, "invalid_amount"),
    (1, "invalid_amount"),
    (1.5, "invalid_amount"),
    ("", "invalid_amount"),
    ("1_000", "invalid_amount"),
    ("１００", "invalid_amount"),
    ("١٠٠", "invalid_amount"),
    (" 100 ", "invalid_amount"),
    ("+5", "invalid_amount"),
    ("1e2", "invalid_amount"),
    ("0x10", "invalid_amount"),
    ("01", "invalid_amount"),
    ("1.", "invalid_amount"),
    (".5", "invalid_amount"),
    ("1,5", "invalid_amount"),
    ("NaN", "invalid_amount"),
    ("Infinity", "invalid_amount"),
    ("9" * 31, "invalid_amount"),
    ("999999999999999.99", "amount_too_large"),
    ("10000000000.01", "amount_too_large"),
]


@pytest.mark.parametrize(("amount", "code"), AMOUNTS)
def test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3_a_c4(store: Store, amount: Any, code: str) -> None:
    """A-C1, A-C2, A-C3, A-C4 on the one amount field of a seller."""
    body = {**BODY, "commission_fixed": {"amount": amount, "currency": "EUR"}}
    assert error(store.post("/v1/sellers", body)) == (422, code, "commission_fixed.amount")


@pytest.mark.parametrize("literal", [b"1e400", b"1.5", b"-1.0", b"1" + b"0" * 30, b"1" + b"0" * 5000])
def test_number_literals_are_no_amounts_a_c4(store: Store, literal: bytes) -> None:
    """A-C3, A-C4: whatever number JSON can spell, it is refused as an amount, never computed with."""
    body = json.dumps({**BODY, "commission_fixed": {"currency": "EUR", "amount": "@"}}).encode()
    response = store.post("/v1/sellers", body.replace(b'"@"', literal))
    assert error(response) == (422, "invalid_amount", "commission_fixed.amount")


@pytest.mark.parametrize(("amount", "currency"), [("100.5", "JPY"), ("1.0", "JPY"), ("1.2345", "KWD")])
def test_decimals_follow_the_currency_a_c5(store: Store, amount: str, currency: str) -> None:
    """A-C5: the scale is that of ISO 4217."""
    body = {**BODY, "commission_fixed": {"amount": amount, "currency": currency}}
    assert error(store.post("/v1/sellers", body))[1] == "invalid_amount"
    create(store, commission_fixed={"amount": amount.split(".")[0], "currency": currency})


@pytest.mark.parametrize("currency", ["usd", "ＵＳＤ", "XXX", "DEM", "PTS", "", None, 840, ["EUR"], {}])
def test_currencies_are_active_iso_codes_a_c7(store: Store, currency: Any) -> None:
    """A-C7."""
    body = {**BODY, "commission_fixed": {"amount": "1", "currency": currency}}
    assert error(store.post("/v1/sellers", body)) == (422, "invalid_currency", "commission_fixed.currency")


COLUMNS = sorted({field.attname for field in Seller._meta.concrete_fields} - set(BODY))


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "payout_schedule"])
def test_no_other_column_can_be_set_a_e4(store: Store, column: str) -> None:
    """A-E4: generated from the model, so that a new column is covered by itself."""
    seller = create(store)
    before = Seller.objects.values().get()
    assert error(store.post("/v1/sellers", {**BODY, "seller_account": "b", column: "1"}))[:2] == (
        422,
        "unknown_field",
    )
    assert error(store.patch(f"/v1/sellers/{seller['id']}", {column: "1"})) == (422, "unknown_field", column)
    assert Seller.objects.values().get() == before


def test_foreign_sellers_do_not_exist_a_e1(store: Store) -> None:
    """A-E1: another merchant's seller answers exactly as one that never was, on every verb."""
    theirs = create(open_store())
    random_id = public_id("sel", uuid7())
    for method, body in (("GET", None), ("PATCH", {"name": "Mine"})):
        answers = {
            (error(store.request(method, f"/v1/sellers/{reference}", body)))
            for reference in (theirs["id"], "ada", random_id, "nobody")
        }
        assert answers == {(404, "not_found", None)}
    assert Seller.objects.get().name == BODY["name"]


@pytest.mark.parametrize("reference", ["%00", "sel_%00", "x" * 500, "sel_zzz", "%F0%9F%92%A9", "a%20b"])
def test_any_text_may_stand_in_the_path(store: Store, reference: str) -> None:
    """A-F11: nothing in a path can break the query."""
    assert error(store.get(f"/v1/sellers/{reference}"))[:2] == (404, "not_found")


def test_a_read_only_key_cannot_write_a_e3(db: None) -> None:
    """A-E3."""
    reader = open_store(scopes=["sellers:read"])
    assert error(reader.post("/v1/sellers", BODY))[:2] == (403, "permission_denied")
    assert error(reader.patch("/v1/sellers/ada", {}))[:2] == (403, "permission_denied")
    assert reader.get("/v1/sellers").status_code == 200


def test_lists_are_newest_first_and_pages_meet(store: Store) -> None:
    created = [create(store, seller_account=f"s{index}") for index in range(5)]
    create(open_store())
    first = json.loads(store.get("/v1/sellers", limit="2").content)
    second = json.loads(store.get("/v1/sellers", limit="2", cursor=first["next_cursor"]).content)
    third = json.loads(store.get("/v1/sellers", limit="2", cursor=second["next_cursor"]).content)
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert first["data"] + second["data"] + third["data"] == created[::-1]
    assert third["next_cursor"] is None


def test_lists_are_filtered(store: Store) -> None:
    one, two = create(store, seller_account="one"), create(store, seller_account="two")

    def found(**query: str) -> list[str]:
        return [seller["id"] for seller in json.loads(store.get("/v1/sellers", **query).content)["data"]]

    assert found(seller_account="one") == [one["id"]]
    assert found(status="VERIFIED") == []
    assert found(status="UNVERIFIED") == [two["id"], one["id"]]
    assert found(created_gte=two["created_at"]) == [two["id"]]
    assert found(created_lt=two["created_at"]) == [one["id"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", ""),
        ("limit", "abc"),
        ("limit", "１０"),
        ("limit", "9" * 400),
        ("cursor", ""),
        ("cursor", "abc"),
        ("cursor", "é"),
        ("cursor", "A" * 38),
        ("status", "verified"),
        ("seller_account", "a b"),
        ("created_gte", "yesterday"),
        ("created_gte", "2026-02-30T00:00:00Z"),
        ("created_gte", "2026-01-01T00:00:00"),
        ("created_lt", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_bad_query_values_name_their_parameter_a_f11(store: Store, name: str, value: str) -> None:
    """A-F11."""
    assert error(store.get("/v1/sellers", **{name: value})) == (400, "invalid_parameter", name)


def test_a_nul_in_a_query_value_a_f11(store: Store) -> None:
    assert error(store.get("/v1/sellers", seller_account="\0")) == (422, "invalid_string", "seller_account")


@pytest.mark.parametrize("name", ["id", "ordering", "merchant__keys__secret_hash__startswith", "api_key"])
def test_unknown_query_parameters_are_refused_a_f13(store: Store, name: str) -> None:
    """A-F13: there is no lookup to inject into."""
    assert error(store.get("/v1/sellers", **{name: "1"})) == (400, "unknown_parameter", name)
    assert error(store.request("POST", "/v1/sellers", BODY, query={name: "1"}))[1] == "unknown_parameter"


def test_a_cursor_belongs_to_one_merchant(store: Store) -> None:
    other = open_store()
    for index in range(2):
        create(other, seller_account=f"s{index}")
    cursor = json.loads(other.get("/v1/sellers", limit="1").content)["next_cursor"]
    assert error(store.get("/v1/sellers", cursor=cursor)) == (400, "invalid_parameter", "cursor")


def test_a_cursor_belongs_to_its_filters(store: Store) -> None:
    for index in range(2):
        create(store, seller_account=f"s{index}")
    query = {"status": "UNVERIFIED", "limit": "1"}
    cursor = json.loads(store.get("/v1/sellers", **query).content)["next_cursor"]
    assert store.get("/v1/sellers", status="UNVERIFIED", cursor=cursor).status_code == 200
    for other in ({}, {"status": "VERIFIED"}, {"status": "UNVERIFIED", "created_lt": "2100-01-01T00:00:00Z"}):
        answer = store.get("/v1/sellers", cursor=cursor, **other)
        assert error(answer) == (400, "invalid_parameter", "cursor")
