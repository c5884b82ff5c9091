"""POST /v1/payments: what is accepted, what is refused and by what name, and what a refusal leaves behind."""

import json
import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from core.transactions import at_edge
from payments.engine.accept import accept_checkout
from payments.models import PaymentEvent, PaymentOrder, PspOperation
from payments.types import CheckoutRequest, OrderRequest
from tests.payments.conftest import Shop, open_shop
from tests.store import error

CARD = "4242424242424242"
Change = Callable[[dict[str, Any]], object]


def rows() -> dict[str, int]:
    """How many rows each table holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' AND has_table_privilege(oid, 'SELECT')"
        )
        names = sorted(name for (name,) in cursor.fetchall())
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names))
        return dict(cursor.fetchall())


def post(shop: Shop, body: Any, key: str | None = "") -> Any:
    return shop.store.post("/v1/payments", body, key=uuid.uuid4().hex if key == "" else key)


def refusal(shop: Shop, body: Any) -> tuple[int, str, str | None]:
    """Status, code and param of a refusal that left no row anywhere."""
    before = rows()
    answer = error(post(shop, body))
    assert rows() == before
    return answer


def put(path: str, value: Any) -> Change:
    """A change of a body: `put("payment_orders.0.amount", "1")`."""

    def change(body: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = body
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        place[last] = value

    return change


def test_the_answer_shows_every_field(counter: Shop) -> None:
    body = counter.body(
        counter.order("90.00"),
        counter.order("1.500", "bob", currency="KWD"),
        multi_order_policy="best_effort",
    ) | {"metadata": {"cart": "7"}, "buyer_info": {"buyer_account": "b-1", "email": "a@example.com"}}
    checkout = counter.accept(body)

    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(stamp, checkout["created_at"]) and re.fullmatch(stamp, checkout["expires_at"])
    assert re.fullmatch(r"chk_[0-9a-hjkmnp-tv-z]{26}", checkout["id"])

    def order(index: int, amount: str, zero: str) -> dict[str, Any]:
        asked = body["payment_orders"][index]
        shown = checkout["payment_orders"][index]
        assert re.fullmatch(r"pay_[0-9a-hjkmnp-tv-z]{26}", shown["id"])
        names = ("authorized", "captured", "capturable", "refunded", "refund_pending", "disputed", "reversed")
        return {
            "object": "payment_order",
            "id": shown["id"],
            "payment_order_id": asked["payment_order_id"],
            "checkout_id": body["checkout_id"],
            "seller_account": asked["seller_account"],
            "amount": amount,
            "currency": asked["currency"],
            "payment_order_status": "NOT_STARTED",
            **dict.fromkeys(names, zero),
            "wallet_updated": False,
            "ledger_updated": False,
            "cancel_requested": False,
            "failure": None,
            "psp": {"channel": None, "reference": None},
            "created_at": checkout["created_at"],
            "updated_at": checkout["created_at"],
        }

    assert checkout == {
        "object": "checkout",
        "id": checkout["id"],
        "checkout_id": body["checkout_id"],
        "status": "open",
        "is_payment_done": False,
        "is_final": False,
        "payment_method": "card",
        "next_action": None,
        "payment_orders": [order(0, "90.00", "0.00"), order(1, "1.500", "0.000")],
        "risk": {"decision": "approve"},
        "metadata": {"cart": "7"},
        "created_at": checkout["created_at"],
        "expires_at": checkout["expires_at"],
    }


def test_what_was_accepted_can_be_read_by_either_id(counter: Shop) -> None:
    checkout = counter.accept(counter.body())
    order = checkout["payment_orders"][0]
    assert counter.checkout(checkout["id"])["id"] == counter.checkout(checkout["checkout_id"])["id"]
    for reference in (order["id"], order["payment_order_id"]):
        seen = counter.store.get(f"/v1/payments/{reference}").json()
        assert seen["id"] == order["id"]
        assert [line["what"] for line in seen["timeline"]] == [
            "payment_order",
            "charge",
            "operation.register",
        ]


def test_metadata_up_to_its_limits_is_kept_as_it_was_sent(counter: Shop) -> None:
    metadata = {f"{n:02}".ljust(40, "k"): "é" * 500 for n in range(49)} | {"empty": ""}
    accepted = counter.accept(counter.body(metadata=metadata))
    assert accepted["metadata"] == counter.checkout(accepted["id"])["metadata"] == metadata
    assert counter.accept(counter.body())["metadata"] == {}


REFUSED: list[tuple[Change, int, str, str | None]] = [
    (
        put("payment_orders.1.seller_account", "nobody"),
        422,
        "seller_unknown",
        "payment_orders[1].seller_account",
    ),
    (put("payment_orders.1.currency", "EUR"), 422, "mixed_currency_unsupported", "payment_orders"),
    (put("payment_method", "hosted_page"), 422, "payment_method_conflict", "payment_method"),
    (put("payment_method", "balance"), 422, "payment_method_conflict", "payment_method"),
    (
        lambda body: body.pop("credit_card_info") and body.update(payment_method="card"),
        422,
        "missing_field",
        "credit_card_info",
    ),
    (
        lambda body: body.pop("credit_card_info") and body.update(multi_order_policy="best_effort"),
        422,
        "multi_order_policy_unsupported",
        "multi_order_policy",
    ),
    *[
        (
            lambda body, method=method: body.pop("credit_card_info") and body.update(payment_method=method),
            422,
            "payment_method_unavailable",
            "payment_method",
        )
        for method in ("qr", "cash", "bank_transfer")
    ],
    (put("payment_method", "cheque"), 422, "invalid_field", "payment_method"),
    (put("capture", "manual"), 422, "capture_unsupported", "capture"),
    (put("capture", "later"), 422, "invalid_field", "capture"),
    (put("multi_order_policy", "some"), 422, "invalid_field", "multi_order_policy"),
    (put("checkout_id", "chk_1"), 422, "invalid_field", "checkout_id"),
    (put("checkout_id", "a b"), 422, "invalid_field", "checkout_id"),
    (put("checkout_id", "x" * 65), 422, "invalid_field", "checkout_id"),
    (put("checkout_id", None), 422, "invalid_field", "checkout_id"),
    (
        put("payment_orders.0.payment_order_id", "pay_1"),
        422,
        "invalid_field",
        "payment_orders[0].payment_order_id",
    ),
    (put("payment_orders", []), 422, "invalid_field", "payment_orders"),
    (put("payment_orders", {}), 422, "invalid_field", "payment_orders"),
    (put("payment_orders", [None]), 422, "invalid_field", "payment_orders[0]"),
    (lambda body: body.pop("payment_orders"), 422, "missing_field", "payment_orders"),
    (lambda body: body.pop("checkout_id"), 422, "missing_field", "checkout_id"),
    (lambda body: body["payment_orders"][0].pop("amount"), 422, "missing_field", "payment_orders[0].amount"),
    (put("credit_card_info", {}), 422, "missing_field", "credit_card_info.token"),
    (put("credit_card_info.token", ""), 422, "invalid_field", "credit_card_info.token"),
    (put("credit_card_info.token", 7), 422, "invalid_field", "credit_card_info.token"),
    (put("credit_card_info.token", "x" * 256), 422, "invalid_field", "credit_card_info.token"),
    (put("return_url", "javascript:alert(1)"), 422, "invalid_field", "return_url"),
    (put("return_url", "https://shop.example@evil.example/"), 422, "invalid_field", "return_url"),
    (put("return_url", "/back"), 422, "invalid_field", "return_url"),
    (put("return_url", "https://"), 422, "invalid_field", "return_url"),
    (put("return_url", "https:///back"), 422, "invalid_field", "return_url"),
    (put("return_url", "https://shop.example:99999/"), 422, "invalid_field", "return_url"),
    (put("buyer_info", []), 422, "invalid_field", "buyer_info"),
    (put("buyer_info.email", 5), 422, "invalid_field", "buyer_info.email"),
    *(
        (put("buyer_info.ip", ip), 422, "invalid_field", "buyer_info.ip")
        for ip in ("999.1.1.1", "1.2.3", "10.0.0.0/8", "1.2.3.4:80", " 1.2.3.4", "fe80::1%eth0", "", 7)
    ),
    (put("buyer_info.billing_address", "Main St"), 422, "invalid_field", "buyer_info.billing_address"),
    (put("metadata", {f"k{n}": "v" for n in range(51)}), 422, "invalid_field", "metadata"),
    (put("metadata", {"k" * 41: "v"}), 422, "invalid_field", "metadata"),
    (put("metadata", {"": "v"}), 422, "invalid_field", "metadata"),
    (put("metadata", {"k": "v" * 501}), 422, "invalid_field", "metadata"),
    (put("metadata", {"k": 5}), 422, "invalid_field", "metadata"),
    (put("metadata", {"k": None}), 422, "invalid_field", "metadata"),
    (put("metadata", []), 422, "invalid_field", "metadata"),
]


@pytest.mark.parametrize(("change", "status", "code", "param"), REFUSED)
def test_a_refusal_names_the_field_and_leaves_nothing(
    counter: Shop, change: Change, status: int, code: str, param: str | None
) -> None:
    body = counter.body()
    change(body)
    assert refusal(counter, body) == (status, code, param)


@pytest.mark.parametrize(
    "column", ["status", "merchant_id", "id", "created_at", "is_payment_done", "risk_decision"]
)
def test_no_other_column_can_be_set_a_e4(counter: Shop, column: str) -> None:
    assert refusal(counter, counter.body() | {column: "x"}) == (422, "unknown_field", column)
    for other in (column, "captured_minor", "wallet_updated", "position"):
        body = counter.body(counter.order(**{other: "1"}))
        assert refusal(counter, body) == (422, "unknown_field", f"payment_orders[0].{other}")


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0", "USD", "invalid_amount"),
        ("0.00", "USD", "invalid_amount"),
        ("-1.00", "USD", "invalid_amount"),
        ("+1.00", "USD", "invalid_amount"),
        ("01.00", "USD", "invalid_amount"),
        ("1.", "USD", "invalid_amount"),
        (".5", "USD", "invalid_amount"),
        ("1.001", "USD", "invalid_amount"),
        ("1e2", "USD", "invalid_amount"),
        ("1_000", "USD", "invalid_amount"),
        (" 1.00", "USD", "invalid_amount"),
        ("１.00", "USD", "invalid_amount"),
        ("NaN", "USD", "invalid_amount"),
        (1, "USD", "invalid_amount"),
        (1.5, "USD", "invalid_amount"),
        (None, "USD", "invalid_amount"),
        (True, "USD", "invalid_amount"),
        ([], "USD", "invalid_amount"),
        ("100.0", "JPY", "invalid_amount"),
        ("100.", "JPY", "invalid_amount"),
        ("1.0001", "KWD", "invalid_amount"),
        ("10000000000.01", "USD", "amount_too_large"),
        ("1000000000001", "JPY", "amount_too_large"),
        ("1000000000.001", "KWD", "amount_too_large"),
        ("999999999999999", "USD", "amount_too_large"),
        ("9" * 400, "USD", "invalid_amount"),
    ],
)
def test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3(
    counter: Shop, amount: Any, currency: str, code: str
) -> None:
    body = counter.body(counter.order(amount, currency=currency))
    assert refusal(counter, body) == (422, code, "payment_orders[0].amount")


@pytest.mark.parametrize(
    "currency", ["usd", "ＵＳＤ", "XXX", "DEM", "US", "", None, 840, "PTS", "BTC", "XAU"]
)
def test_currencies_are_active_iso_codes_a_c7(counter: Shop, currency: Any) -> None:
    status, code, param = refusal(counter, counter.body(counter.order(currency=currency)))
    assert (status, code, param) == (422, "invalid_currency", "payment_orders[0].currency")


@pytest.mark.parametrize(
    ("amount", "currency", "shown", "minor"),
    [
        ("1", "USD", "1.00", 100),
        ("0.1", "USD", "0.10", 10),
        ("10000000000.00", "USD", "10000000000.00", 10**12),
        ("100", "JPY", "100", 100),
        ("1.234", "KWD", "1.234", 1234),
        ("0.5", "KWD", "0.500", 500),
    ],
)
def test_decimals_follow_the_currency_a_c5_a_c13(
    counter: Shop, amount: str, currency: str, shown: str, minor: int
) -> None:
    checkout = counter.accept(counter.body(counter.order(amount, currency=currency)))
    assert checkout["payment_orders"][0]["amount"] == shown
    assert PaymentOrder.objects.get().amount_minor == PspOperation.objects.get().amount_minor == minor


def test_a_hundred_orders_of_the_largest_amount_are_the_most_there_can_be(counter: Shop) -> None:
    orders = [counter.order("10000000000.00") for _ in range(100)]
    assert len(counter.accept(counter.body(*orders))["payment_orders"]) == 100
    assert refusal(counter, counter.body(*orders, counter.order("1.00"))) == (
        422,
        "invalid_field",
        "payment_orders",
    )


def test_a_total_over_the_limit_is_refused_a_c14(counter: Shop) -> None:
    """No request can be this large, so the service is asked directly."""
    order = OrderRequest(payment_order_id="o", seller_account="ann", amount_minor=10**14 + 1, currency="USD")
    request = CheckoutRequest(checkout_id="c", orders=(order,), payment_method="card", token="pm_card_visa")
    with pytest.raises(Exception, match="amount") as caught:
        at_edge(accept_checkout)(merchant_id=counter.store.merchant_id, request=request, actor="test")
    assert (caught.value.code, caught.value.param) == ("amount_too_large", "payment_orders")  # type: ignore[attr-defined]


def test_ids_of_the_store_are_used_once(counter: Shop) -> None:
    first = counter.body()
    counter.accept(first)
    same_checkout = counter.body() | {"checkout_id": first["checkout_id"]}
    assert refusal(counter, same_checkout) == (409, "checkout_exists", "checkout_id")
    same_order = counter.body(counter.order(), first["payment_orders"][0])
    assert refusal(counter, same_order) == (409, "payment_order_exists", "payment_orders")
    twice = counter.order()
    assert refusal(counter, counter.body(twice, counter.order(), twice)) == (
        422,
        "duplicate_payment_order_id",
        "payment_orders[2].payment_order_id",
    )
    other = open_shop(None, "http://127.0.0.1:9")
    assert other.accept(first)["checkout_id"] == first["checkout_id"]


PLACES: list[Change] = [
    put("credit_card_info.token", CARD),
    put("credit_card_info.number", CARD),
    put("checkout_id", CARD),
    put("payment_orders.0.payment_order_id", CARD),
    put("payment_orders.0.seller_account", CARD),
    put("payment_orders.0.amount", CARD),
    put("buyer_info.name", f"Ann {CARD}"),
    put("buyer_info.phone", "4242 4242 4242 4242"),
    put("buyer_info.billing_address", {"line1": {"deep": [f"x {CARD}"]}}),
    put("metadata", {"note": "4242-4242-4242-4242"}),
    put("metadata", {CARD: "v"}),
    put("return_url", f"https://shop.example/?card={CARD}"),
    put(CARD, "v"),
]


@pytest.mark.parametrize("change", PLACES)
def test_card_numbers_are_refused_wherever_they_stand(
    counter: Shop, change: Change, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    body = counter.body()
    change(body)
    caplog.set_level(logging.DEBUG)
    before = rows()
    answer = post(counter, body)
    assert error(answer)[:2] == (422, "card_data_forbidden")
    assert rows() == before
    out, err = capfd.readouterr()
    for text in (answer.content.decode(), caplog.text, out, err):
        assert CARD not in re.sub(r"[ -]", "", text)


def test_a_card_number_is_no_key_either(counter: Shop) -> None:
    assert error(post(counter, counter.body(), CARD))[:2] == (422, "card_data_forbidden")


def test_foreign_payments_do_not_exist_a_e1(counter: Shop) -> None:
    ours = counter.accept(counter.body())
    other = open_shop(None, "http://127.0.0.1:9")
    order = ours["payment_orders"][0]
    for path in (
        f"/v1/payments/{order['id']}",
        f"/v1/payments/{order['payment_order_id']}",
        f"/v1/checkouts/{ours['id']}",
        f"/v1/checkouts/{ours['checkout_id']}",
        f"/v1/checkouts/{order['id']}",
        f"/v1/payments/{ours['id']}",
        "/v1/payments/pay_" + "0" * 26,
    ):
        assert error(other.store.get(path)) == (404, "not_found", None)


@pytest.mark.parametrize(
    "reference", ["pay_", "%00", "x" * 2000, "%f0%28", "pay_" + "z" * 26, "a%2Fb", "é", "..."]
)
def test_any_text_may_stand_in_the_path(counter: Shop, reference: str) -> None:
    for path in ("payments", "checkouts"):
        assert counter.store.get(f"/v1/{path}/{reference}").status_code in (400, 404)


def test_the_key_is_required(counter: Shop) -> None:
    before = rows()
    assert error(post(counter, counter.body(), None))[:2] == (400, "idempotency_key_required")
    assert rows() == before


def test_the_same_request_again_gets_the_same_bytes(counter: Shop) -> None:
    body = counter.body()
    first = post(counter, body, "k")
    before = rows()
    again = post(counter, dict(reversed(body.items())), "k")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert rows() == before


def test_another_body_under_the_same_key_is_refused_f_b2(counter: Shop) -> None:
    body = counter.body()
    counter.accept(body, "k")
    before = rows()
    assert error(post(counter, body | {"metadata": {"a": "b"}}, "k"))[:2] == (422, "idempotency_key_reused")
    assert rows() == before


def test_another_endpoint_under_the_same_key_is_refused_f_b4(counter: Shop) -> None:
    body = counter.body()
    counter.accept(body, "k")
    seller = {"seller_account": "eve", "name": "Eve", "country": "US"}
    for sent in (seller, body):
        answer = counter.store.post("/v1/sellers", sent, key="k")
        assert answer.status_code == 422
    assert error(counter.store.post("/v1/sellers", seller, key="k"))[:2] == (422, "idempotency_key_reused")


def test_a_refused_request_does_not_use_up_its_key_f_b5(counter: Shop) -> None:
    bad = counter.body(counter.order(seller="nobody"))
    assert error(post(counter, bad, "k"))[1] == "seller_unknown"
    bad["payment_orders"][0]["seller_account"] = "ann"
    assert post(counter, bad, "k").status_code == 201


@pytest.mark.parametrize("where", ["idem.before_record", "idem.before_commit"])
def test_a_failure_of_ours_does_not_use_up_the_key_f_b6(counter: Shop, hooks: Any, where: str) -> None:
    from core.failpoints import arm

    counter.store.raise_errors = False
    body = counter.body()
    before = rows()
    arm(where, "raise")
    assert post(counter, body, "k").status_code == 500
    assert rows() == before
    assert post(counter, body, "k").status_code == 201
    assert PaymentEvent.objects.count() == 1


def test_without_a_channel_no_method_is_available(counter: Shop) -> None:
    from tests.store import open_store

    lone = open_shop(None, "http://127.0.0.1:9")
    empty = Shop(open_store(), None, "", "", None)
    before = rows()
    assert error(post(empty, lone.body())) == (422, "payment_method_unavailable", "payment_method")
    assert rows() == before


def test_a_key_without_the_scope_cannot_pay(counter: Shop) -> None:
    from tests.store import open_store

    reader = Shop(open_store(scopes=["payments:read"]), None, "", "", None)
    assert error(post(reader, counter.body()))[:2] == (403, "permission_denied")


def test_sent_bytes_that_are_no_object_are_malformed(counter: Shop) -> None:
    for body in (
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"checkout_id": 1, "checkout_id": 2}',
        json.dumps("x").encode(),
    ):
        assert post(counter, body).status_code in (400, 422)
