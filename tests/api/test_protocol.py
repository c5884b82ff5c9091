"""What HTTP itself can be abused for, and what nobody may find out by asking."""

import json
import re
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.card_data import contains_card_number, hide_card_numbers
from tests.api.table import ROUTES
from tests.api.world import RANDOM, World, fingerprint, open_world
from tests.core.test_card_data import logged
from tests.store import error

pytestmark = pytest.mark.database

_LITERAL = re.compile(r"'(?:[^']|'')*'(?:::\w+(?:\[\])?)?")


@pytest.fixture
def ours(db: None, settings: Any) -> World:
    settings.INLINE_REGISTRATIONS = 0
    return open_world()


def asked(world: World, path: str, query: dict[str, str]) -> list[str]:
    """Return the statements that a GET sends to the database, without the values in them."""
    with CaptureQueriesContext(connection) as seen:
        world.store.request("GET", path, query=query)
    return [_LITERAL.sub("?", each["sql"]) for each in seen.captured_queries]


def test_a_foreign_id_takes_the_steps_of_one_that_nothing_has_a_e6(ours: World) -> None:
    """A-E6: the same queries in the same order, so that there is no time to compare; ids hold 74 random bits.

    The statements, and not a stop watch, because a test of times is one that sometimes lies.
    """
    theirs = open_world()
    asked(ours, "/v1/sellers", {})  # The key notes its use once a minute.
    for route in ROUTES:
        if not route.ids or "GET" not in route.calls:
            continue
        query = route.calls["GET"].query
        foreign = asked(ours, route.path(*(theirs.ids[kind] for kind in route.ids)), query)
        nothing = asked(ours, route.path(*(RANDOM[kind] for kind in route.ids)), query)
        assert foreign == nothing, route.pattern
        assert len(foreign) > 1, route.pattern  # The key's, and at least one that looks for the object.


def test_the_method_is_the_one_of_the_request_a_h10(ours: World) -> None:
    """A-H10: a GET that claims to be something else is a GET, and `_method` is a parameter nobody knows."""
    before = fingerprint()
    path = f"/v1/buyers/{ours.ids['buy']}/payment_methods"
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        assert ours.store.request("GET", path, headers={name: "DELETE"}).status_code == 200
    overridden = ours.store.request("GET", path, query={"_method": "DELETE"})
    assert error(overridden) == (400, "unknown_parameter", "_method")
    assert fingerprint() == before


def test_a_stores_key_opens_no_page_of_the_console_a_e3(ours: World) -> None:
    """A-E3: whoever sends the key of a store to the console is asked to sign in, on every page of it."""
    before = fingerprint()
    for path in (
        "/admin/",
        "/admin/core/auditrecord/",
        "/admin/payments/paymentorder/",
        "/admin/desks/unknown/",
    ):
        for method in ("GET", "POST"):
            answer = ours.store.request(method, path)
            assert answer.status_code in (302, 403), (path, method)
            assert answer.status_code == 403 or answer.headers["Location"].startswith("/admin/login/")
    assert fingerprint() == before


def test_no_other_site_may_read_or_ask_a_h10(ours: World) -> None:
    """A-H10: no CORS header is ever sent, so browsers keep the API to servers."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS", "POST"):
        answer = ours.store.request(method, "/v1/payments", headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_paid_is_the_sum_of_the_orders_a_c6_a_h7(ours: World) -> None:
    """A-C6, A-H7, A-C11: there is no total, discount or split that a body could claim beside its orders."""
    before = fingerprint()
    for field in ("total", "amount", "amount_total", "currency", "discount", "splits", "application_fee"):
        body = ours.shop.body() | {field: "0.01"}
        assert error(ours.store.post("/v1/payments", body, key="k")) == (422, "unknown_field", field)
    for field in ("quantity", "price", "discount", "splits", "application_fee"):
        body = ours.shop.body()
        body["payment_orders"][0][field] = "0.01"
        refused = error(ours.store.post("/v1/payments", body, key="k"))
        assert refused == (422, "unknown_field", f"payment_orders[0].{field}")
    assert fingerprint() == before


BAD_ADDRESSES = (
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example/",
    "https:evil.example",
    "https://shop.example@evil.example/",
    "https://shop.example\\@evil.example/",
    "https://evil.example/ https://shop.example/",
    "ftp://shop.example/",
    "/back",
)


def test_buyers_are_sent_to_web_addresses_only_a_h8(ours: World) -> None:
    """A-H8: what is no plain address of a site is refused before anything is stored."""
    before = fingerprint()
    again = {"credit_card_info": {"token": "pm_card_visa"}}
    for url in BAD_ADDRESSES:
        for path, body in (
            ("/v1/payments", ours.shop.body(return_url=url)),
            (f"/v1/checkouts/{ours.ids['chk']}/attempts", again | {"return_url": url}),
        ):
            assert error(ours.store.post(path, body, key="k")) == (422, "invalid_field", "return_url"), url
    assert fingerprint() == before


def test_nothing_is_kept_in_a_form_that_runs_a_f20() -> None:
    """A-F20: no pickle and no YAML in tasks, sessions or caches."""
    assert django_settings.CELERY_TASK_SERIALIZER == "json"
    assert django_settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert django_settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    # Without one of our own, Django would keep pickles in Redis, and run what is found there.
    for alias in caches:
        assert caches[alias]._cache._serializer.loads(b'{"a": [1, "b"]}') == {"a": [1, "b"]}
        with pytest.raises(UnicodeDecodeError):
            caches[alias]._cache._serializer.loads(b"\x80\x04}.")  # A pickle of {}.


def test_the_cache_gives_back_what_it_was_given() -> None:
    caches["default"].set("a-f20", {"n": 7, "texts": ["é", None]}, timeout=5)
    caches["default"].set("a-f20-count", 7, timeout=5)
    assert caches["default"].get("a-f20") == {"n": 7, "texts": ["é", None]}
    assert caches["default"].incr("a-f20-count") == 8
    with pytest.raises(TypeError):
        caches["default"].set("a-f20", object())


def test_a_line_of_the_log_is_one_line_a_f16() -> None:
    """A-F16: line ends, terminal escapes and quotes that a caller sends stay inside a JSON string."""
    for text in (
        "a\nb",
        'a\r\n{"level":"info"}',
        "\x1b[2J\x1b]0;x\x07",
        '"}\n{"event":"paid"}',
        "\u2028\u2029",
    ):
        line = logged("Not Found: %s", text)
        assert "\n" not in line and "\r" not in line and "\x1b" not in line
        assert json.loads(line)["event"] == f"Not Found: {text}"


def test_looking_for_cards_takes_time_in_proportion_a_f14() -> None:
    """A-F14: sixteen times the text takes about sixteen times the time, whatever it is; else far more.

    Judged by the processor time of this thread, and by a factor that no load of the machine brings about.
    """
    for shape in ("4", "4 ", "1a", "４", "4242424242424242a", "4242 ", "0-", "aé1", "00000000-0000-"):
        for judge in (contains_card_number, hide_card_numbers):
            small, large = (_seconds(judge, shape * (size // len(shape))) for size in (2_500, 40_000))
            assert large < 0.05 + small * 16 * 4, (shape, judge, small, large)


def _seconds(judge: Any, text: str) -> float:
    begun = time.thread_time()
    judge(text)
    return time.thread_time() - begun
