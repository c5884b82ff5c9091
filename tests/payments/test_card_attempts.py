"""Cards are not tried out here: attempts are counted by card and by buyer's address, even without Redis."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.ids import public_id
from core.limits.shared import SharedBuckets
from core.models import AttemptBucket, IdempotencyRecord
from payments.api.card_attempts import card_attempt
from payments.models import PaymentEvent
from tests.payments.conftest import Shop, open_shop
from tests.store import error

pytestmark = pytest.mark.database

Limits = Callable[..., None]
AWAY = "redis://127.0.0.1:1/0"


def body(shop: Shop, token: str, ip: str = "") -> dict[str, Any]:
    return shop.body(token=token, buyer_info={"ip": ip} if ip else {})


def post(shop: Shop, content: dict[str, Any], key: str = "") -> Any:
    return shop.store.post("/v1/payments", content, key=key or uuid.uuid4().hex)


def statuses(shop: Shop, *bodies: dict[str, Any]) -> list[int]:
    return [post(shop, each).status_code for each in bodies]


@pytest.fixture(params=["redis", "postgres"])
def place(request: pytest.FixtureRequest, settings: Any) -> str:
    """Where attempts are counted: in Redis, and in PostgreSQL while it is away."""
    if request.param == "postgres":
        settings.REDIS_URL = AWAY
    return str(request.param)


def test_one_card_and_one_address_a_h1(counter: Shop, limits: Limits, place: str) -> None:
    """A-H1: the limit of a card holds whatever else changes, and that of an address for all cards."""
    limits({"card.test": (1, 3600, 2), "buyer_ip.test": (1, 3600, 3)})
    first, second, third = (f"pm_{uuid.uuid4().hex}" for _ in range(3))
    near, far = "2001:db8::1", "203.0.113.9"
    assert statuses(counter, body(counter, first), body(counter, first), body(counter, first)) == [
        201,
        201,
        429,
    ]
    refused = post(counter, body(counter, first, far), key="refused")
    assert error(refused)[:2] == (429, "rate_limited")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert not IdempotencyRecord.objects.filter(key="refused").exists()
    assert PaymentEvent.objects.count() == 2
    # What one limit refused was charged to no other: the address is as new.
    assert statuses(counter, *(body(counter, second, far) for _ in range(2))) == [201, 201]
    assert statuses(counter, body(counter, third, far), body(counter, third, far)) == [201, 429]
    assert statuses(counter, body(counter, third, near)) == [201], "another buyer's address"
    assert AttemptBucket.objects.exists() == (place == "postgres")
    names = " ".join(AttemptBucket.objects.values_list("name", flat=True))
    assert first not in names and far not in names, "digests only"


def test_a_replay_is_no_attempt(counter: Shop, limits: Limits, place: str) -> None:
    """The answer to an accepted request stays to be had, however used up its card is."""
    limits({"card.test": (1, 3600, 1)})
    token, key = f"pm_{uuid.uuid4().hex}", uuid.uuid4().hex
    content = body(counter, token)
    accepted = post(counter, content, key)
    assert statuses(counter, body(counter, token)) == [429]
    for _ in range(3):
        again = post(counter, content, key)
        assert (again.status_code, again.content) == (201, accepted.content)
        assert again.headers["Idempotent-Replayed"] == "true"
    other = post(counter, body(counter, token), key)
    assert error(other)[:2] == (422, "idempotency_key_reused")
    assert error(post(counter, body(counter, token), "not visible"))[:2] == (400, "idempotency_key_invalid")


def test_a_replay_has_the_limit_of_its_key_all_the_same(counter: Shop, limits: Limits) -> None:
    limits({"card.test": (1, 3600, 1), "key.money": (1, 3600, 3)})
    content, key = body(counter, f"pm_{uuid.uuid4().hex}"), uuid.uuid4().hex
    assert [post(counter, content, key).status_code for _ in range(5)] == [201, 201, 201, 429, 429]


def test_a_refused_attempt_is_a_call_all_the_same(counter: Shop, limits: Limits) -> None:
    """Whoever goes on with a card that is used up comes to the end of the key's own limit."""
    limits({"card.test": (1, 3600, 1), "key.money": (1, 7200, 4)})
    token = f"pm_{uuid.uuid4().hex}"
    answers = [post(counter, body(counter, token)) for _ in range(6)]
    assert [each.status_code for each in answers] == [201, 429, 429, 429, 429, 429]
    assert [each.headers["RateLimit-Remaining"] for each in answers] == ["3", "2", "1", "0", "0", "0"]
    waits = [int(each.headers["Retry-After"]) for each in answers[1:]]
    assert all(wait <= 3600 for wait in waits[:3]) and all(wait > 3600 for wait in waits[3:])


def test_other_merchants_cards_are_others(counter: Shop, limits: Limits) -> None:
    limits({"card.test": (1, 3600, 1)}, scope=public_id("mer", counter.store.merchant_id))
    token = f"pm_{uuid.uuid4().hex}"
    other = open_shop(None, "http://127.0.0.1:9")
    assert statuses(counter, body(counter, token), body(counter, token)) == [201, 429]
    assert statuses(other, body(other, token), body(other, token)) == [201, 201]


def test_a_new_attempt_counts_as_well(counter: Shop, limits: Limits) -> None:
    """The door of attempts is the same door: it is refused before the checkout is looked for."""
    limits({"card.test": (1, 3600, 2)})
    card = {"credit_card_info": {"token": f"pm_{uuid.uuid4().hex}"}}
    path = "/v1/checkouts/none/attempts"
    answers = [counter.store.post(path, card, key=uuid.uuid4().hex).status_code for _ in range(3)]
    assert answers == [404, 404, 429]
    assert counter.store.post(path, {}, key="k").status_code == 404, "there is no card to count"


def test_a_card_payment_is_one_round_trip_to_redis(
    counter: Shop, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits({"card.test": (1, 3600, 9), "buyer_ip.test": (1, 3600, 9)})
    asked: list[int] = []
    take = SharedBuckets.take
    monkeypatch.setattr(
        SharedBuckets, "take", lambda self, buckets: asked.append(len(buckets)) or take(self, buckets)
    )
    with CaptureQueriesContext(connection) as queries:
        assert statuses(counter, body(counter, f"pm_{uuid.uuid4().hex}", "203.0.113.7")) == [201]
    assert asked == [4]
    assert not [each for each in queries if "attemptbucket" in each["sql"]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({}, {}),
        ([], {}),
        (None, {}),
        ({"credit_card_info": "x"}, {}),
        ({"credit_card_info": {"token": 1}}, {}),
        ({"credit_card_info": {"token": ""}, "buyer_info": {"ip": "1.2.3.4"}}, {}),
        ({"credit_card_info": {"token": "t"}, "buyer_info": []}, {"card": "t"}),
        ({"credit_card_info": {"token": "t"}, "buyer_info": {"ip": 7}}, {"card": "t"}),
        ({"credit_card_info": {"token": "t", "payment_method_id": "saved_1"}}, {"card": "saved_1"}),
        (
            {"credit_card_info": {"token": "t"}, "buyer_info": {"ip": " ::ffff:1.2.3.4 "}},
            {"card": "t", "buyer_ip": "1.2.3.4"},
        ),
        (
            {"credit_card_info": {"token": "t"}, "buyer_info": {"ip": "2001:db8::7"}},
            {"card": "t", "buyer_ip": "2001:db8::/64"},
        ),
        (
            {"credit_card_info": {"token": "t"}, "buyer_info": {"ip": "x" * 99}},
            {"card": "t", "buyer_ip": "x" * 45},
        ),
    ],
)
def test_what_an_attempt_is_counted_by(content: Any, found: dict[str, str]) -> None:
    """Of a body that nobody has checked: whatever is in it, it raises nothing."""
    assert card_attempt(content) == found
