"""GET /v1/payments: what it shows, how pages meet, what it refuses, and how little of the table it reads."""

import json
from typing import Any

import pytest
from django.db import connection

from merchants.selectors import find_seller
from payments.selectors import list_payment_orders
from payments.types import OrderFilters
from tests.payments.conftest import Shop, open_shop
from tests.store import error

ROWS = 5_000


def page(shop: Shop, **query: str) -> dict[str, Any]:
    answer = shop.store.get("/v1/payments", **query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def ids(shop: Shop, **query: str) -> list[str]:
    return [order["payment_order_id"] for order in page(shop, **query)["data"]]


def test_orders_are_listed_newest_first_as_they_are_shown_alone(counter: Shop) -> None:
    checkouts = [counter.accept(counter.body()) for _ in range(3)]
    open_shop(None, "http://127.0.0.1:9").accept(counter.body())
    listed = page(counter)
    assert (listed["object"], listed["has_more"], listed["next_cursor"]) == ("list", False, None)
    newest_first = [order["checkout_id"] for order in listed["data"]]
    assert newest_first == [each["checkout_id"] for each in checkouts[::-1] for _ in range(2)]
    wanted = {order["id"] for checkout in checkouts for order in checkout["payment_orders"]}
    assert {order["id"] for order in listed["data"]} == wanted
    for order in listed["data"]:
        alone = counter.store.get(f"/v1/payments/{order['id']}").json()
        del alone["timeline"]
        assert order == alone
        assert list(order) == list(alone)


def test_pages_meet_also_inside_a_checkout(counter: Shop) -> None:
    """The orders of a checkout are as old as each other, so a page may end between them."""
    for _ in range(3):
        counter.accept(counter.body(counter.order(), counter.order(), counter.order()))
    found, query = [], {"limit": "2"}
    while True:
        part = page(counter, **query)
        found += part["data"]
        assert part["has_more"] == (part["next_cursor"] is not None)
        if not part["has_more"]:
            break
        assert len(part["data"]) == 2
        query["cursor"] = part["next_cursor"]
    assert found == page(counter)["data"]
    assert len(found) == 9


def test_filters_choose(counter: Shop) -> None:
    first, second = counter.accept(counter.body()), counter.accept(counter.body(counter.order()))
    ann, bob = (order["payment_order_id"] for order in first["payment_orders"])
    [late] = (order["payment_order_id"] for order in second["payment_orders"])
    counter.store.post(f"/v1/checkouts/{second['id']}/cancellations", {}, key="k")
    since = second["created_at"]
    assert ids(counter, seller_account="ann") == [late, ann]
    assert ids(counter, seller_account="bob") == [bob]
    assert ids(counter, seller_account="nobody") == []
    assert ids(counter, status="CANCELED") == [late]
    assert ids(counter, status="NOT_STARTED", seller_account="bob") == [bob]
    assert ids(counter, status="SUCCESS") == []
    for checkout_id in (first["checkout_id"], first["id"]):
        assert sorted(ids(counter, checkout_id=checkout_id)) == sorted([ann, bob])
    assert ids(counter, checkout_id="nothing") == []
    assert ids(counter, created_gte=since) == [late]
    assert sorted(ids(counter, created_lt=since)) == sorted([ann, bob])


def test_others_checkouts_and_sellers_choose_nothing_a_e2(counter: Shop) -> None:
    """A-E2: a filter on a foreign id is as empty as one on an id that never was."""
    theirs = open_shop(None, "http://127.0.0.1:9").accept(counter.body())
    counter.accept(counter.body())
    for query in ({"checkout_id": theirs["id"]}, {"checkout_id": theirs["checkout_id"]}):
        assert ids(counter, **query) == ids(counter, checkout_id="chk_" + "0" * 26) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "1000000000"),
        ("limit", "-1"),
        ("cursor", "abc"),
        ("cursor", "A" * 38),
        ("status", "success"),
        ("status", ""),
        ("seller_account", "a b"),
        ("checkout_id", "pay_1"),
        ("checkout_id", "x" * 65),
        ("created_gte", "2026-01-01"),
        ("created_lt", "NaN"),
    ],
)
def test_bad_query_values_name_their_parameter_a_f11_a_h9(counter: Shop, name: str, value: str) -> None:
    """A-F11, A-H9."""
    assert error(counter.store.get("/v1/payments", **{name: value})) == (400, "invalid_parameter", name)


@pytest.mark.parametrize(
    "name", ["offset", "order", "merchant_id", "checkout__metadata__startswith", "expand"]
)
def test_unknown_parameters_are_refused_a_f13(counter: Shop, name: str) -> None:
    """A-F13: there is no lookup to inject into."""
    assert error(counter.store.get("/v1/payments", **{name: "1"})) == (400, "unknown_parameter", name)
    head = counter.store.request("HEAD", "/v1/payments", query={name: "1"})
    assert head.status_code == 400


def test_head_is_get_without_the_body(counter: Shop) -> None:
    counter.accept(counter.body())
    head = counter.store.request("HEAD", "/v1/payments", query={"limit": "1"})
    assert (head.status_code, head.content) == (200, b"")


def test_a_cursor_belongs_to_its_list_its_merchant_and_its_filters(counter: Shop) -> None:
    counter.accept(counter.body(counter.order(), counter.order()))
    cursor = page(counter, limit="1", seller_account="ann")["next_cursor"]
    assert len(ids(counter, limit="5", seller_account="ann", cursor=cursor)) == 1
    other = open_shop(None, "http://127.0.0.1:9")
    for shop, path, query in (
        (counter, "/v1/payments", {}),
        (counter, "/v1/payments", {"seller_account": "bob"}),
        (counter, "/v1/payments", {"seller_account": "ann", "status": "NOT_STARTED"}),
        (counter, "/v1/sellers", {"seller_account": "ann"}),
        (other, "/v1/payments", {"seller_account": "ann"}),
    ):
        answer = shop.store.get(path, cursor=cursor, **query)
        assert error(answer) == (400, "invalid_parameter", "cursor")


def many_orders(shop: Shop) -> None:
    """Orders of ann's, one in a hundred failed, all in one checkout; as plain rows, without their history."""
    checkout = shop.accept(shop.body())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO payments_paymentorder (id, merchant_id, checkout_id, position, payment_order_id,
                    seller_id, seller_account, buyer_account, amount, amount_currency, amount_minor, status,
                    authorized_minor, captured_minor, refunded_minor, refund_reserved_minor,
                    dispute_reserved_minor, reversed_minor, excess_returned_minor, wallet_updated,
                    ledger_updated, created_at, updated_at, event_sequence)
                SELECT gen_random_uuid(), o.merchant_id, o.checkout_id, n %% 30000, 'many-' || n,
                    o.seller_id, o.seller_account, '', 1, 'USD', 100, 'NOT_STARTED',
                    0, 0, 0, 0, 0, 0, 0, false, false, o.created_at - n * interval '1 second', now(), 0
                FROM payments_paymentorder o, generate_series(1, %s) n WHERE o.payment_order_id = %s
                RETURNING id, payment_order_id
            )
            SELECT count(*) FROM made
            """,
            [ROWS, checkout["payment_orders"][0]["payment_order_id"]],
        )
        cursor.execute(
            "UPDATE payments_paymentorder SET status = 'FAILED' WHERE payment_order_id LIKE 'many-%00'"
        )


@pytest.fixture
def crowded(db: None, settings: Any) -> Shop:
    settings.INLINE_REGISTRATIONS = 0
    shop = open_shop(None, "http://127.0.0.1:9")
    many_orders(shop)
    return shop


def test_no_filter_makes_the_list_read_more_than_it_shows_a_h9(crowded: Shop) -> None:
    """A-H9: each walk is along an index, in its order, and ends where the page does."""
    merchant_id = crowded.store.merchant_id
    newest = list_payment_orders(merchant_id=merchant_id, limit=50, filters=OrderFilters())
    assert newest.last is not None
    order = find_seller(merchant_id=merchant_id, reference="ann")
    old = order.created_at
    for filters, after, index in (
        (OrderFilters(), None, "payments_order_list"),
        (OrderFilters(), newest.last, "payments_order_list"),
        (OrderFilters(created_gte=old, created_lt=old), newest.last, "payments_order_list"),
        (OrderFilters(seller_account="ann"), None, "payments_order_of_seller"),
        (OrderFilters(status="FAILED"), None, "payments_order_by_status"),
        (OrderFilters(status="FAILED"), newest.last, "payments_order_by_status"),
        (OrderFilters(status="CANCELED"), None, "payments_order_by_status"),
        (OrderFilters(status="SUCCESS"), None, "payments_order_by_status"),
    ):
        read, used = walked(merchant_id, filters, after)
        assert (read <= 25, used) == (True, {index}), (filters, read, used)


def walked(merchant_id: Any, filters: OrderFilters, after: Any) -> tuple[int, set[str]]:
    """Return how many orders PostgreSQL looked at for one page, and along which indexes; no sort."""
    statements: list[str] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "ORDER BY" in sql and 'FROM "payments_paymentorder"' in sql:
            statements.append(connection.cursor().mogrify(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        list_payment_orders(merchant_id=merchant_id, limit=20, filters=filters, after=after)
    with connection.cursor() as cursor:
        # Nothing knows yet how many rows there are, and a few would be sorted rather than walked along.
        for name in ("sort", "bitmapscan", "seqscan"):
            cursor.execute(f"SET LOCAL enable_{name} = off")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statements[-1])
        [(plan,)] = cursor.fetchall()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    nodes = list(every_node(top))
    assert not {node["Node Type"] for node in nodes} & {"Sort", "Seq Scan", "Bitmap Heap Scan"}, top
    scans = [node for node in nodes if "Index Name" in node]
    read = sum(int(scan["Actual Rows"]) + int(scan.get("Rows Removed by Filter", 0)) for scan in scans)
    return read, {scan["Index Name"] for scan in scans}


def every_node(node: dict[str, Any]) -> Any:
    yield node
    for below in node.get("Plans", []):
        yield from every_node(below)
