"""The limits as a store meets them: headers, refusals, what they cost, and whom they leave alone."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from core.api import limiting
from core.api.errors import Overloaded
from core.api.limiting import LimitedView
from core.api.views import ApiView, PostOnceView
from core.ids import public_id
from core.limits import failures, policy
from core.limits.load import Load
from core.limits.shared import SharedBuckets
from core.models import Case, IdempotencyRecord
from core.settings_store import put_setting
from core.transactions import at_edge
from merchants.services import create_api_key
from tests.store import Store, error, open_store

pytestmark = pytest.mark.database

HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
Limits = Callable[..., None]


def seller(account: str = "") -> dict[str, str]:
    return {"seller_account": account or uuid.uuid4().hex, "name": "Ada", "country": "DE"}


def address() -> str:
    """A network that no other test, and no earlier run, has called from."""
    parts = (f"{0x1000 + uuid.uuid4().int % 0xE000:x}" for _ in range(2))
    return f"2001:db8:{':'.join(parts)}::1"


def told(response: Any) -> list[str | None]:
    return [response.headers.get(name) for name in HEADERS]


def test_every_answer_of_a_known_caller_says_how_the_limits_stand(store: Store, limits: Limits) -> None:
    limits({"key.list": (1, 3600, 10), "merchant.list": (1, 1800, 4), "key.write": (2, 3600, 8)})
    assert told(store.get("/v1/sellers")) == [
        "4",
        "3",
        "1800",
        '10;w=36000;name="key", 4;w=7200;name="merchant"',
    ]
    assert told(store.get("/v1/sellers", nonsense="1"))[1] == "2", "400"
    assert told(store.request("HEAD", "/v1/sellers"))[1] == "1"
    # Another class of call has its own; so have refusals of every kind.
    created = store.post("/v1/sellers", seller())
    assert (created.status_code, told(created)[:3]) == (201, ["8", "7", "1800"])
    assert told(store.post("/v1/sellers", {}))[1] == "6", "422"
    assert told(store.post("/v1/sellers", b"{"))[1] == "5", "400"
    assert told(store.request("PUT", "/v1/sellers", {}))[1] == "4", "405"
    assert told(store.get("/v1/sellers/none"))[0] == "1000", "404 of a read"


def test_who_is_not_known_is_told_nothing(store: Store) -> None:
    for path in ("/v1/sellers", "/v1/nowhere", "/healthz", "/readyz", "/admin/login/"):
        assert told(Client().get(path)) == [None] * 4, path


def test_too_many_are_refused_and_told_when_to_come_back(store: Store, limits: Limits) -> None:
    limits({"key.list": (1, 3600, 2)})
    assert [store.get("/v1/sellers").status_code for _ in range(3)] == [200, 200, 429]
    refused = store.get("/v1/sellers")
    assert error(refused) == (429, "rate_limited", None)
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert told(refused)[:2] == ["2", "0"]
    assert 7100 < int(told(refused)[2] or 0) <= 7200
    assert store.get("/v1/sellers/none").status_code == 404, "other classes go on"


def test_without_limits_nothing_is_refused_and_nothing_told(store: Store, limits: Limits) -> None:
    limits({"key.list": None, "merchant.list": None})
    answers = [store.get("/v1/sellers") for _ in range(3)]
    assert [(each.status_code, told(each)) for each in answers] == [(200, [None] * 4)] * 3


def test_a_key_without_the_scope_is_limited_too(db: None, limits: Limits) -> None:
    limits({"key.list": (1, 3600, 2)})
    store = open_store(scopes=["payments:read"])
    assert [store.get("/v1/sellers").status_code for _ in range(3)] == [403, 403, 429]


def test_another_key_and_another_merchant_go_on(store: Store, limits: Limits) -> None:
    """One merchant's flood leaves the others alone; of its own keys only what they share is used up."""
    limits({"key.list": (1, 3600, 3), "merchant.list": (1, 3600, 5)})
    second = at_edge(create_api_key)(merchant_id=store.merchant_id, name="second")
    other = Store(store.merchant_id, second.id, second.secret)
    stranger = open_store()
    assert [store.get("/v1/sellers").status_code for _ in range(20)] == [200] * 3 + [429] * 17
    assert [other.get("/v1/sellers").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert [stranger.get("/v1/sellers").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_merchant_has_limits_of_its_own(store: Store, limits: Limits) -> None:
    limits({"key.list": (1, 3600, 1)})
    limits({"key.list": (1, 3600, 4)}, scope=public_id("mer", store.merchant_id))
    assert [store.get("/v1/sellers").status_code for _ in range(5)] == [200] * 4 + [429]
    stranger = open_store()
    assert [stranger.get("/v1/sellers").status_code for _ in range(2)] == [200, 429]


def test_a_refusal_stores_nothing_and_takes_no_replay_away(
    store: Store, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of a refused request stays free; the answer of an accepted one is still there afterwards."""
    limits({"key.write": (1, 3600, 1)})
    accepted = store.post("/v1/sellers", seller("ada"), key="first")
    refused = store.post("/v1/sellers", seller("bob"), key="second")
    again = store.post("/v1/sellers", seller("ada"), key="first")
    assert [accepted.status_code, refused.status_code, again.status_code] == [201, 429, 429]
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["first"]
    limits({"key.write": (1, 3600, 3)})
    late = store.post("/v1/sellers", seller("ada"), key="first")
    assert (late.status_code, late.content) == (201, accepted.content)
    assert late.headers["Idempotent-Replayed"] == "true"
    assert store.post("/v1/sellers", seller("bob"), key="second").status_code == 201


def test_a_limited_call_costs_one_round_trip_and_no_query(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    take = SharedBuckets.take
    monkeypatch.setattr(
        SharedBuckets, "take", lambda self, buckets: asked.append(len(buckets)) or take(self, buckets)
    )
    store.get("/v1/sellers/none")
    with CaptureQueriesContext(connection) as queries:
        assert store.get("/v1/sellers/none").status_code == 404
    assert asked == [2, 2]
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"], "the key, and the seller"


def test_a_flood_does_not_even_read_the_body(
    store: Store, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits({"key.money": (1, 3600, 1)})
    assert store.post("/v1/payments", b"{").status_code == 400, "charged, broken as it is"
    assert store.post("/v1/payments", b"{").status_code == 429

    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr("core.api.parsers.StrictJSONParser.parse", read)
    assert store.post("/v1/payments", b"{").status_code == 429


def test_settings_are_read_once_in_a_while(
    store: Store, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is in production: the common value, the merchant's own, and one query for all requests."""
    put = at_edge(put_setting)
    three, one = ({"calls": 1, "seconds": 3600, "burst": burst} for burst in (3, 1))
    by = {"actor": "user:1", "reason": "a test"}
    scope = public_id("mer", store.merchant_id)
    put(name="limits.key.list", value=one, **by)
    put(name="limits.key.list", value=three, scope=scope, **by)
    put(name="limits.card.test", value={}, **by)
    monkeypatch.setattr(policy, "_seen", None)
    policy.forget()
    with CaptureQueriesContext(connection) as queries:
        answers = [store.get("/v1/sellers").status_code for _ in range(4)]
        strangers = [open_store().get("/v1/sellers").status_code for _ in range(2)]
    assert (answers, strangers) == ([200, 200, 200, 429], [200, 200])
    assert len([each for each in queries if "core_setting" in each["sql"]]) == 1


@pytest.mark.parametrize(
    "value",
    [
        {"calls": 1},
        {"calls": 0, "seconds": 1, "burst": 1},
        {"calls": 1, "seconds": 86_401, "burst": 1},
        {"calls": 1.5, "seconds": 1, "burst": 1},
        {"calls": True, "seconds": 1, "burst": 1},
        {"calls": 1, "seconds": 1, "burst": 1, "more": 1},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"whole number|send"):
        policy._check(value)


# --- Callers without a key -------------------------------------------------------------------------


def stranger(source: str, secret: str = "sk_test_0000000000_" + "A" * 32) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return Client().get("/v1/sellers", headers=headers, REMOTE_ADDR=source)


def test_keys_are_tried_a_a11(store: Store, limits: Limits) -> None:
    """A-A11: 429 after so many failures of a source, one alert; other sources and good keys go on."""
    limits({"failed_keys": (1, 3600, 5)})
    source = address()
    answers = [stranger(source) for _ in range(8)]
    assert [each.status_code for each in answers] == [401] * 5 + [429] * 3
    assert error(answers[-1])[1] == "rate_limited"
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
    # Its neighbours in the same network are the same source; another network is not.
    assert stranger(source[:-1] + "2").status_code == 429
    assert stranger(address()).status_code == 401
    assert stranger(source, store.secret).status_code == 200
    case = Case.objects.get(kind="keys_tried")
    assert case.subject == f"address:{source[:-1]}/64"
    assert case.detail["source"] == f"{source[:-1]}/64"


def test_many_sources_fill_no_table(db: None, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_MOST_OPEN", 3)
    limits({"failed_keys": (1, 3600, 1)})
    for _ in range(6):
        source = address()
        assert [stranger(source).status_code for _ in range(2)] == [401, 429]
    subjects = list(Case.objects.filter(kind="keys_tried").values_list("subject", flat=True))
    assert len(subjects) == 3 + 1
    assert "address:others" in subjects


def test_only_our_own_proxies_are_believed_a_e13(db: None, limits: Limits, settings: Any) -> None:
    """A-E13: whoever makes addresses up is still counted by the one that cannot be made up."""
    limits({"failed_keys": (1, 3600, 3)})
    peer, made_up = address(), iter(lambda: address(), None)

    def ask(**headers: str) -> int:
        return Client().get("/v1/sellers", REMOTE_ADDR=peer, **headers).status_code

    assert [ask(HTTP_X_FORWARDED_FOR=next(made_up)) for _ in range(4)] == [401, 401, 401, 429]
    settings.TRUSTED_PROXIES = 1
    real = address()
    told_by_proxy = [ask(HTTP_X_FORWARDED_FOR=f"{next(made_up)}, {real}") for _ in range(4)]
    assert told_by_proxy == [401, 401, 401, 429]
    assert ask(HTTP_X_FORWARDED_FOR=f"{real}, {address()}") == 401, "what stands before is the caller's"
    settings.TRUSTED_PROXIES = 2
    assert ask(HTTP_X_FORWARDED_FOR=next(made_up)) == 429, "it came past a proxy: the peer counts"
    assert ask(HTTP_X_FORWARDED_FOR="nonsense, 203.0.113.1") == 429


# --- Load ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_flight", "admitted"),
    [
        (5, {"list", "read", "write", "money"}),
        (6, {"read", "write", "money"}),
        (8, {"write", "money"}),
        (9, {"money"}),
        (16, {"money"}),
        (17, set()),
    ],
)
def test_lists_give_way_first_and_money_last(in_flight: int, admitted: set[str]) -> None:
    """By how much a process of eight places has in hand, once that has lasted."""
    now = 0.0
    load = Load(8, now=lambda: now)
    slots = [load.enter("money") for _ in range(in_flight)]
    now = 1.0
    assert _admitted(load) == admitted
    for slot in slots[4:]:
        slot.leave()
    assert _admitted(load) == {"list", "read", "write", "money"}


def test_a_full_house_for_a_moment_is_no_reason() -> None:
    now = 0.0
    load = Load(8, now=lambda: now)
    slots = [load.enter("money") for _ in range(12)]
    now = 0.4
    assert _admitted(load) == {"list", "read", "write", "money"}
    for slot in slots[4:]:
        slot.leave()
    now = 0.8
    slots += [load.enter("money") for _ in range(8)]
    assert _admitted(load) == {"list", "read", "write", "money"}, "counted anew"


def _full(monkeypatch: pytest.MonkeyPatch, *, in_flight: int) -> Load:
    """Let this process have so many requests in hand, for long enough."""
    now = 0.0
    load = Load(8, now=lambda: now)
    for _ in range(in_flight):
        load.enter("money")
    now = 1.0
    monkeypatch.setattr(limiting, "load", lambda: load)
    return load


def test_a_full_process_answers_429_and_still_takes_money(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list is refused before anything is asked of the database; a payment is looked at as ever."""
    load = _full(monkeypatch, in_flight=6)
    with CaptureQueriesContext(connection) as queries:
        refused = store.get("/v1/sellers")
    assert error(refused) == (429, "overloaded", None)
    assert (refused.headers["Retry-After"], len(queries)) == ("1", 0)
    assert store.get("/v1/sellers/none").status_code == 404
    _full(monkeypatch, in_flight=9)
    assert [store.get("/v1/sellers/none").status_code, store.post("/v1/sellers", {}).status_code] == [
        429,
        429,
    ]
    paid = store.post("/v1/payments", {}, key="k")
    assert error(paid)[:2] == (422, "missing_field")
    for path in ("/healthz", "/readyz"):
        assert Client().get(path).status_code == 200, path
    assert load._in_flight == 6, "what ended gave its place back, and so did what was refused"


def test_a_merchant_holds_so_many_places_and_no_more(
    store: Store, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits({"merchant.in_flight": 2})
    load = Load(8)
    monkeypatch.setattr(limiting, "load", lambda: load)
    slots = [load.enter("money") for _ in range(2)]
    for slot in slots:
        slot.hold(merchant_id=store.merchant_id, merchant_most=2, key="key_x", key_most=2)
    refused = store.get("/v1/sellers/none")
    assert (error(refused)[1], refused.headers["Retry-After"]) == ("overloaded", "1")
    assert told(refused)[0] == "1000"
    assert open_store().get("/v1/sellers/none").status_code == 404
    slots.pop().leave()
    assert store.get("/v1/sellers/none").status_code == 404
    slots.pop().leave()
    assert (load._in_flight, load._held) == (0, {})


# --- Every view ------------------------------------------------------------------------------------


def _views() -> dict[str, type[ApiView]]:
    found = {}
    for place in get_resolver().url_patterns:
        for route in getattr(place, "url_patterns", []):
            view = getattr(route.callback, "cls", None)
            if view is not None:
                found[str(route.pattern)] = view
    return found


def test_every_route_of_the_api_is_limited_by_what_it_is() -> None:
    """What needs an Idempotency-Key moves money; what has pages is a list; nothing is without a class."""
    views = _views()
    assert len(views) >= 12
    for route, view in views.items():
        assert issubclass(view, LimitedView), route
        for method in view.scopes:
            is_money = method == "POST" and issubclass(view, PostOnceView) and view.is_key_required
            is_list = method == "GET" and "cursor" in view.query_parameters
            expected = "money" if is_money else "list" if is_list else "read" if method == "GET" else "write"
            known = view.class_of(method)
            assert known == expected or (method, known) == ("GET", "list"), (route, method)
        assert view.class_of("HEAD") == view.class_of("GET")


def test_a_view_that_declares_nothing_has_its_usual_classes() -> None:
    class Pages(ApiView):
        query_parameters = ("limit", "cursor")

    class Paying(PostOnceView):
        is_key_required = True

    found = [(view.class_of("GET"), view.class_of("POST")) for view in (ApiView, Pages, Paying)]
    assert found == [("read", "write"), ("list", "write"), ("read", "money")]
    assert ApiView.class_of("DELETE") == Paying.class_of("PATCH") == "write"


def _admitted(load: Load) -> set[str]:
    found = set()
    for each in policy.CLASSES:
        try:
            load.enter(each).leave()
        except Overloaded:
            continue
        found.add(each)
    return found
