"""Every route, with every method, for every kind of key and every kind of id (A-E1, A-E2, A-E3, A-A1).

Generated from the map of URLs: a route that is not in tests/api/table.py fails here.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse

from merchants.scopes import SCOPES
from tests.api.objects import undocumented
from tests.api.routes import known_routes, shape
from tests.api.table import BAD_PATHS, OPERATING, PUBLIC, ROUTES, Route
from tests.api.world import RANDOM, World, expired_key, fingerprint, key_with, open_world, revoked_key
from tests.store import Store

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READS = sorted(scope for scope in SCOPES if scope.endswith(":read"))

pytestmark = pytest.mark.database


@pytest.fixture
def ours(db: None, settings: Any) -> World:
    settings.INLINE_REGISTRATIONS = 0
    return open_world()


@pytest.fixture
def theirs(ours: World) -> World:
    return open_world()


def test_every_route_is_in_the_table() -> None:
    """A-E1, A-E3: nobody can add a route that this file does not ask."""
    listed = {shape(route.pattern) for route in (*ROUTES, *PUBLIC, *OPERATING)}
    known = known_routes()
    missing, gone = sorted(known - listed), sorted(listed - known)
    assert not missing, (
        f"add to ROUTES in tests/api/table.py, with methods, scopes and a good call: {missing}"
    )
    assert not gone, f"tests/api/table.py lists what is no route any more: {gone}"


def call(store: Store, world: World, route: Route, method: str, references: tuple[str, ...]) -> HttpResponse:
    """Send a good request to the route, whoever sends it; an unlisted method without a body."""
    asked = route.calls.get("GET" if method == "HEAD" else method)
    return store.request(
        method,
        route.path(*references),
        asked.body(world) if asked and asked.body else None,
        key="one" if method == "POST" else None,
        query=dict(asked.query) if asked else None,
    )


def said(answer: HttpResponse) -> tuple[int, str]:
    """Return the status and the body, without what is different each time."""
    if not answer.content:
        return answer.status_code, ""
    body = json.loads(answer.content)
    if "error" in body:
        del body["error"]["request_id"]
    return answer.status_code, json.dumps(body)


def code_of(answer: HttpResponse) -> str:
    """Return the code of an error, or nothing for an answer without a body."""
    return str(json.loads(answer.content)["error"]["code"]) if answer.content else ""


def own(world: World, route: Route) -> tuple[str, ...]:
    return tuple(world.ids[kind] for kind in route.ids)


def everywhere() -> Iterator[tuple[Route, str]]:
    return ((route, method) for route in ROUTES for method in METHODS)


def test_no_key_opens_what_it_was_not_made_for_a_a1_a_e3(ours: World, theirs: World) -> None:
    """A-A1, A-E3: without the right key an answer depends on nothing but the key, and changes nothing."""
    live = ours.store.secret.replace("sk_test", "sk_live")
    strangers = {
        "no key": replace(ours.store, secret=""),
        "other mode": replace(ours.store, secret=live),
        "revoked": revoked_key(ours.store),
        "expired": expired_key(ours.store),
    }
    reader = key_with(ours.store, READS)
    lacking = {
        scope: key_with(ours.store, SCOPES - {scope})
        for scope in {c.scope for r in ROUTES for c in r.calls.values()}
    }
    before = fingerprint()
    for route, method in everywhere():
        asked = route.calls.get("GET" if method == "HEAD" else method)
        nothing = tuple(RANDOM[kind] for kind in route.ids)
        # A method that a route does not have is refused before any id is looked at.
        places = {own(ours, route), own(theirs, route), nothing} if asked else {own(ours, route)}
        for name, stranger in strangers.items():
            answers = {said(call(stranger, ours, route, method, place)) for place in places}
            assert len(answers) == 1, (route.pattern, method, name)
            assert answers.pop()[0] == 401, (route.pattern, method, name)
        if asked is None:
            answer = call(ours.store, ours, route, method, own(ours, route))
            assert answer.status_code == 405, (route.pattern, method)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == set(route.calls)
            continue
        closed = [lacking[asked.scope], *([reader] if not asked.scope.endswith(":read") else [])]
        for key in closed:
            answers = {said(call(key, ours, route, method, place)) for place in places}
            assert len(answers) == 1, (route.pattern, method, asked.scope)
            assert answers.pop()[0] == 403, (route.pattern, method, asked.scope)
    assert fingerprint() == before


def test_what_is_others_is_not_there_a_e1_a_e2(ours: World, theirs: World) -> None:
    """A-E1, A-E2: another merchant's id, one that nothing has, and one that is none answer the same.

    Also beside ids that are our own: their card of our buyer, our card of their buyer.
    """
    before = fingerprint()
    for route in ROUTES:
        for method, asked in route.calls.items():
            for kind_at, kind in enumerate(route.ids):
                answers = {}
                for reference in (theirs.ids[kind], RANDOM[kind], *bad(kind)):
                    references = [*own(ours, route)]
                    references[kind_at] = reference
                    answer = call(ours.store, ours, route, method, tuple(references))
                    answers[reference] = said(answer)
                expected = answers[RANDOM[kind]]
                assert expected[0] == asked.unknown, (route.pattern, method, expected)
                assert code_or_empty(expected) in ("not_found", ""), expected
                different = {ref: each for ref, each in answers.items() if each != expected}
                assert not different, (route.pattern, method, different)
    assert fingerprint() == before


def code_or_empty(answer: tuple[int, str]) -> str:
    """Return the code of an error; nothing for a list, which must then be empty."""
    body = json.loads(answer[1])
    if "error" in body:
        return str(body["error"]["code"])
    assert body["data"] == []
    return ""


def bad(kind: str) -> list[str]:
    return [text.format(prefix=kind) for text in BAD_PATHS]


def test_the_right_key_gets_what_is_documented_a_e5(ours: World, theirs: World) -> None:
    """A-E5: a good call succeeds and says only documented fields in their order.

    HEAD, and a key that may only read, are told the same.
    """
    reader = key_with(ours.store, READS)
    for route in ROUTES:
        for method, asked in route.calls.items():
            with Undone():
                answer = call(ours.store, ours, route, method, own(ours, route))
                assert answer.status_code == asked.status, (route.pattern, method, answer.content)
                if answer.content and answer.status_code < 400:
                    assert undocumented(json.loads(answer.content)) == [], (route.pattern, method)
                shows_nothing_of(theirs, answer, route, method)
                # A signing secret is shown by the answer that makes it, and by no other.
                is_made = method == "POST" and route.pattern.endswith(("endpoints", "/secret_rotations"))
                assert (b"whsec_" in answer.content) == is_made, (route.pattern, method)
            if method == "GET":
                seen = call(reader, ours, route, "GET", own(ours, route))
                assert (seen.status_code, seen.content) == (asked.status, answer.content), route.pattern
                head = call(ours.store, ours, route, "HEAD", own(ours, route))
                assert (head.status_code, head.content) == (200, b""), route.pattern


class Undone(transaction.Atomic):
    """What happens inside is rolled back; the services take it for no transaction of theirs."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)
        self._from_testcase = True

    def __exit__(self, *args: Any) -> None:
        transaction.set_rollback(True)
        super().__exit__(*args)


def shows_nothing_of(world: World, answer: HttpResponse, route: Route, method: str) -> None:
    shown = answer.content.decode()
    for secret in (world.store.secret, world.shop.account_key, *world.ids.values()):
        assert secret not in shown, (route.pattern, method)


def test_unknown_query_parameters_are_refused_everywhere_a_f13(ours: World) -> None:
    """A-F13: also on methods that have no parameters at all."""
    before = fingerprint()
    for route in ROUTES:
        for method in (*route.calls, *(["HEAD"] if "GET" in route.calls else [])):
            asked = route.calls["GET" if method == "HEAD" else method]
            answer = ours.store.request(
                method,
                route.path(*own(ours, route)),
                asked.body(ours) if asked.body else None,
                key="two" if method == "POST" else None,
                query={**asked.query, "merchant__id": "1"},
            )
            assert answer.status_code == 400, (route.pattern, method)
            assert code_of(answer) in ("unknown_parameter", ""), (route.pattern, method)
    assert fingerprint() == before


def test_what_is_open_to_everybody_is_the_same_for_everybody_a_e1_a_e5(ours: World, client: Any) -> None:
    """A-E1, A-E5: the description and its pages are read only, and no key changes what they say."""
    before = fingerprint()
    for route in (each for each in PUBLIC if not each.ids and not each.pattern.endswith("z")):
        seen = client.get(route.pattern)
        with_key = client.get(route.pattern, headers={"Authorization": f"Bearer {ours.store.secret}"})
        assert (seen.status_code, with_key.content) == (200, seen.content), route.pattern
        shows_nothing_of(ours, seen, route, "GET")
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
            assert client.generic(method, route.pattern).status_code == 405, (route.pattern, method)
    assert fingerprint() == before


def test_pages_and_webhooks_know_no_strangers_a_e1(ours: World, client: Any) -> None:
    """A-E1: what opens without a key is found by an id that cannot be guessed, or by a signature."""
    pages = [route for route in PUBLIC if route.ids == ("chk",)]
    assert pages
    before = fingerprint()
    for route in pages:
        for method in METHODS:
            own_page = client.generic(method, route.path(ours.ids["chk"]))
            expected = 405 if method not in ("GET", "HEAD") else 303 if "return" in route.pattern else 200
            assert own_page.status_code == expected, (route.pattern, method)
            # The store's own id of the checkout opens nothing: a stranger could guess it.
            for reference in (RANDOM["chk"], ours.ids["pay"], *bad("chk")):
                answer = client.generic(method, route.path(reference))
                assert answer.status_code in ((405,) if expected == 405 else (400, 404)), (
                    route.pattern,
                    reference,
                )
    for name, expected in ((ours.ids["channel"], 401), (RANDOM["channel"], 404)):
        unsigned = client.post(f"/psp/{name}/webhooks", b"{}", content_type="application/json")
        assert unsigned.status_code == expected
        assert client.get(f"/psp/{name}/webhooks").status_code == 405
    assert fingerprint() == before
