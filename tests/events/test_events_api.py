"""The pull feed: every published event once, in order, whatever happens while it is read."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from core import clock
from core.drain import get_drain
from core.ids import first_key, public_id, uuid7
from core.models import OutboxEvent
from core.transactions import at_edge
from events import feed
from events.relay import publish_batch
from tests.events.cast import open_endpoint, record
from tests.racing import race
from tests.store import Store, error, open_store

PATH = "/v1/events"


@pytest.fixture
def store(db: None) -> Store:
    return open_store()


def body(response: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


def publish() -> None:
    get_drain("relay").run()


def told(page: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["subject"], each["sequence"]) for each in page["data"]]


def follow(store: Store, **query: str) -> list[tuple[str, int]]:
    """Read the feed to its end, page by page."""
    seen: list[tuple[str, int]] = []
    while True:
        page = body(store.get(PATH, **query))
        seen += told(page)
        if not page["has_more"]:
            return seen
        query["after"] = page["next_cursor"]


def test_events_come_oldest_first_with_the_ids_of_webhooks(store: Store) -> None:
    keys = record(store.merchant_id, "pay_1", 1, 2)
    record(open_store().merchant_id, "pay_other", 1)
    record(None, "job_1", 1)
    assert body(store.get(PATH)) == {"object": "list", "data": [], "has_more": False, "next_cursor": None}
    publish()
    page = body(store.get(PATH))
    assert [each["id"] for each in page["data"]] == [public_id("evt", key) for key in keys]
    first = page["data"][0]
    assert set(first) == {"object", "id", "type", "sequence", "subject", "occurred_at", "data"}
    assert (first["object"], first["type"], first["data"]["object"]["amount"]) == (
        "event",
        "payment.succeeded",
        "10.00",
    )
    assert body(store.get(f"{PATH}/{first['id']}")) == first


def test_a_reader_goes_on_from_an_event_or_a_cursor(store: Store) -> None:
    record(store.merchant_id, "pay_1", 1, 2, 3)
    publish()
    expected = [("pay_1", 1), ("pay_1", 2), ("pay_1", 3)]
    assert follow(store, limit="1") == follow(store, limit="2") == follow(store) == expected
    page = body(store.get(PATH, limit="2"))
    assert told(body(store.get(PATH, after=page["data"][1]["id"]))) == [("pay_1", 3)]
    end = body(store.get(PATH, after=page["next_cursor"]))
    assert (told(end), end["has_more"]) == ([("pay_1", 3)], False)
    assert body(store.get(PATH, after=end["next_cursor"]))["data"] == []
    record(store.merchant_id, "pay_1", 4)
    publish()
    later = body(store.get(PATH, after=end["next_cursor"]))
    assert told(later) == [("pay_1", 4)], "the cursor of the last page is where what is new begins"


def test_the_order_is_that_of_publication(store: Store) -> None:
    """Not of recording: an event whose transaction was slow comes last, after what a reader has seen."""
    record(store.merchant_id, "pay_b", 1)
    publish()
    seen = body(store.get(PATH))["next_cursor"]
    long_ago = clock.now() - timedelta(days=1)
    OutboxEvent.objects.create(
        id=first_key(long_ago),
        merchant_id=store.merchant_id,
        type="payment.failed",
        subject="pay_a",
        sequence=1,
        payload={"object": {}},
        occurred_at=long_ago,
        recorded_at=long_ago,
    )
    publish()
    assert told(body(store.get(PATH, after=seen))) == [("pay_a", 1)]
    assert follow(store) == [("pay_b", 1), ("pay_a", 1)]


@pytest.mark.parametrize("window", [1, 2, 3, 100])
def test_a_rare_type_is_found_in_portions(store: Store, monkeypatch: Any, window: int) -> None:
    """A page may be empty though there is more; nothing is skipped and nothing comes twice."""
    monkeypatch.setattr(feed, "WINDOW", window)
    merchant = store.merchant_id
    for number in range(1, 8):
        kind = "payment.expired" if number in (3, 7) else "payment.succeeded"
        record(merchant, "pay_1", number, kind=kind)
    publish()
    assert follow(store, type="payment.expired") == [("pay_1", 3), ("pay_1", 7)]
    assert follow(store, type="payment.expired", limit="1") == [("pay_1", 3), ("pay_1", 7)]
    assert len(follow(store, type="payment.succeeded", limit="2")) == 5
    assert follow(store, type="seller.rejected") == []
    # The place moves on although nothing was found, so that the same events are not looked through again.
    page = body(store.get(PATH, type="seller.rejected"))
    assert page["next_cursor"] is not None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_seen_before_it_has_its_place_for_good(store: Store) -> None:
    """A batch that is not committed is invisible, and another relay cannot overtake it."""
    record(store.merchant_id, "pay_1", 1)
    seen: dict[str, Any] = {}

    @at_edge
    def relay_and_look() -> None:
        publish_batch.__wrapped__()  # type: ignore[attr-defined]
        record_more, other, look = race(
            [
                lambda: record(store.merchant_id, "pay_2", 1),
                publish_batch,
                lambda: told(body(store.get(PATH))),
            ]
        )
        assert not isinstance(record_more, Exception)
        seen.update(other=other, look=look)

    relay_and_look()
    assert seen == {"other": None, "look": []}
    assert follow(store) == [("pay_1", 1)]
    publish()
    assert follow(store) == [("pay_1", 1), ("pay_2", 1)]


@pytest.mark.parametrize(
    "query",
    [
        {"after": "evt_zzz"},
        {"after": ""},
        {"after": "x" * 400},
        {"after": public_id("evt", uuid7())},
        {"limit": "101"},
        {"limit": "-1"},
        {"type": ""},
        {"type": "payment.suceeded"},
        {"type": "*"},
    ],
)
def test_what_is_no_place_in_the_feed(store: Store, query: dict[str, str]) -> None:
    [name] = query
    assert error(store.get(PATH, **query)) == (400, "invalid_parameter", name)


def test_other_merchants_and_unpublished_events_are_none(store: Store) -> None:
    """A-E1, A-E2: as a place in the feed, by id, and to be sent again."""
    other = open_store()
    [theirs] = record(other.merchant_id, "pay_theirs", 1)
    publish()
    cursor = body(other.get(PATH))["next_cursor"]
    [waiting] = record(store.merchant_id, "pay_1", 1)
    for key in (theirs, waiting, uuid7()):
        reference = public_id("evt", key)
        assert error(store.get(f"{PATH}/{reference}")) == (404, "not_found", None)
        assert error(store.post(f"{PATH}/{reference}/redeliveries", {})) == (404, "not_found", None)
        assert error(store.get(PATH, after=reference)) == (400, "invalid_parameter", "after")
    assert error(store.get(PATH, after=cursor)) == (400, "invalid_parameter", "after")
    for reference in ("evt_", "%00", "x" * 300, "pay_1"):
        assert error(store.get(f"{PATH}/{reference}")) == (404, "not_found", None)
    endpoint = open_endpoint(other.merchant_id, "https://shop.example.com/").endpoint
    publish()
    mine = f"{PATH}/{public_id('evt', waiting)}/redeliveries"
    for name in (endpoint.public_id, public_id("whe", uuid7()), "x"):
        sent = store.post(mine, {"webhook_endpoint": name})
        assert error(sent) == (404, "not_found", "webhook_endpoint")


def test_a_key_needs_the_scope(db: None) -> None:
    """A-E3."""
    reader, writer = open_store(scopes=["events:read"]), open_store(scopes=["events:write"])
    reference = public_id("evt", uuid7())
    assert error(reader.post(f"{PATH}/{reference}/redeliveries", {}))[:2] == (403, "permission_denied")
    for path in (PATH, f"{PATH}/{reference}"):
        assert error(writer.get(path))[:2] == (403, "permission_denied")
