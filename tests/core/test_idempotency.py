"""The same request again is the same answer, not the same work again."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse

from config.celery import PERIODIC
from core import clock, failpoints
from core.failpoints import FailpointRaised
from core.history import Changes
from core.idempotency import Answer, AnswerPlace, answer_once, forget, replace_answer, stored_answer
from core.models import IdempotencyRecord, OutboxEvent
from core.tasks import forget_answers
from merchants import services
from merchants.api.views import SellerList
from merchants.models import Seller
from tests.store import Store, error, open_store

pytestmark = pytest.mark.database

BODY = {"seller_account": "ada", "name": "Ada", "country": "DE"}
KEY = "3f0c-1"


def test_the_same_request_again_is_the_same_bytes_f_a4(store: Store) -> None:
    """F-A4: status and body as they were, whatever happened to the object since."""
    first = store.post("/v1/sellers", BODY, key=KEY)
    assert store.patch("/v1/sellers/ada", {"name": "Bob"}).status_code == 200
    again = store.post("/v1/sellers", BODY, key=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert OutboxEvent.objects.filter(type="seller.created").count() == 1


def test_an_answer_is_replaced_once_and_repeated_as_it_is_then(store: Store) -> None:
    """Only by who holds the answer that is stored: a second one that thinks so changes nothing."""
    store.is_described = False
    store.post("/v1/sellers", BODY, key=KEY)
    place = {"merchant_id": store.merchant_id, "key": KEY}
    old = stored_answer(**place)
    with transaction.atomic():
        assert replace_answer(**place, old=old, body=b'{"better": true}')
        assert not replace_answer(**place, old=old, body=b'{"worse": true}')
    assert stored_answer(**place) == Answer(201, b'{"better": true}')
    again = store.post("/v1/sellers", BODY, key=KEY)
    assert (again.status_code, again.content) == (201, b'{"better": true}')


def test_the_same_json_in_another_dress_is_the_same_request_f_b9(store: Store) -> None:
    """F-B9."""
    first = store.post("/v1/sellers", BODY, key=KEY)
    dressed = b'{ "country":"DE",\n"n\\u0061me" : "Ada", "seller_account":"\\u0061da" }'
    assert store.post("/v1/sellers", dressed, key=KEY).content == first.content


@pytest.mark.parametrize(
    "change", [{"name": "Bob"}, {"tax_bps": 0}, {"name": "Ada "}, {"name": "ada"}, {"seller_account": "b"}]
)
def test_another_body_is_refused_f_b2(store: Store, change: dict[str, Any]) -> None:
    """F-B2."""
    store.post("/v1/sellers", BODY, key=KEY)
    response = store.post("/v1/sellers", {**BODY, **change}, key=KEY)
    assert error(response) == (422, "idempotency_key_reused", None)
    assert Seller.objects.count() == 1


def test_the_key_belongs_to_the_merchant_f_b3_a_a10(store: Store) -> None:
    """F-B3, A-A10: another merchant's key is its own; another API key of the same merchant shares it."""
    first = store.post("/v1/sellers", BODY, key=KEY)
    theirs = open_store().post("/v1/sellers", BODY, key=KEY)
    assert theirs.status_code == 201
    assert "Idempotent-Replayed" not in theirs.headers
    assert theirs.content != first.content
    with transaction.atomic():
        second_key = services.create_api_key(merchant_id=store.merchant_id, name="second")
    again = Store(store.merchant_id, second_key.id, second_key.secret).post("/v1/sellers", BODY, key=KEY)
    assert again.content == first.content


def test_a_refused_request_leaves_the_key_free_f_b5(store: Store) -> None:
    """F-B5: refused by the body's check, and refused by the service inside the transaction."""
    assert error(store.post("/v1/sellers", {**BODY, "country": "XX"}, key=KEY))[0] == 422
    store.post("/v1/sellers", {**BODY, "seller_account": "taken"})
    assert error(store.post("/v1/sellers", {**BODY, "seller_account": "taken"}, key=KEY))[0] == 409
    assert not IdempotencyRecord.objects.exists()
    assert store.post("/v1/sellers", BODY, key=KEY).status_code == 201


@pytest.mark.parametrize("place", ["idem.before_record", "idem.before_commit"])
def test_our_own_failure_leaves_the_key_free_f_b6(store: Store, hooks: Any, place: str) -> None:
    """F-B6: a retry after our failure runs, and nothing of the first try is left."""
    store.raise_errors = False
    failpoints.arm(place, "raise")
    assert error(store.post("/v1/sellers", BODY, key=KEY))[:2] == (500, "internal_error")
    assert not Seller.objects.exists()
    retry = store.post("/v1/sellers", BODY, key=KEY)
    assert retry.status_code == 201
    assert "Idempotent-Replayed" not in retry.headers


def test_an_answer_lost_after_the_commit_is_replayed_f_a4(store: Store, hooks: Any) -> None:
    """F-A4: the first answer never reached the store; the retry gets it."""
    failpoints.arm("idem.after_commit", "raise")
    with pytest.raises(FailpointRaised):
        store.post("/v1/sellers", BODY, key=KEY)
    again = store.post("/v1/sellers", BODY, key=KEY)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert Seller.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "a\x01", "é", "\x7f", "ключ"])
def test_bad_keys_a_a9(store: Store, key: str) -> None:
    """A-A9."""
    response = store.post("/v1/sellers", BODY, key=key.encode().decode("latin-1"))
    assert error(response) == (400, "idempotency_key_invalid", None)
    assert not Seller.objects.exists()


@pytest.mark.parametrize("key", ["a", "x" * 255, '"quoted"', "~!@#$%^&*()"])
def test_good_keys(store: Store, key: str) -> None:
    assert store.post("/v1/sellers", BODY, key=key).status_code == 201


def test_a_missing_key_where_money_moves_a_a9(store: Store, monkeypatch: Any) -> None:
    """A-A9."""
    monkeypatch.setattr(SellerList, "is_key_required", True)
    store.is_described = False
    assert error(store.post("/v1/sellers", BODY)) == (400, "idempotency_key_required", None)
    assert not Seller.objects.exists()
    assert store.post("/v1/sellers", BODY, key=KEY).status_code == 201


def test_old_answers_are_forgotten_in_bounded_steps_f_b8(store: Store) -> None:
    """F-B8: after the promised time the key is free again."""
    for index in range(3):
        store.post("/v1/sellers", {**BODY, "seller_account": f"s{index}"}, key=f"k{index}")
    with transaction.atomic():
        assert [forget(before=clock.now(), limit=2), forget(before=clock.now(), limit=2)] == [2, 1]
    assert error(store.post("/v1/sellers", {**BODY, "seller_account": "s0"}, key="k0"))[1] == "seller_exists"


def test_an_answer_is_kept_for_31_days_and_then_forgotten_f_b8(store: Store, hooks: Any) -> None:
    """F-B8: beat runs this every minute."""
    answer = store.post("/v1/sellers", BODY, key="k").content
    clock.move(seconds=31 * 86_400)
    forget_answers()
    assert store.post("/v1/sellers", BODY, key="k").content == answer
    clock.move(seconds=2 * 86_400)
    forget_answers()
    assert not IdempotencyRecord.objects.exists()
    assert "core.forget_answers" in {task for task, _ in PERIODIC.values()}


class Parked:
    """Holds the first execution of the work until it is let go, and counts all of them."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work, self.started = work, 0
        self.inside, self.go = threading.Event(), threading.Event()
        self._count = threading.Lock()

    def __call__(self, view: Any, **arguments: Any) -> Any:
        with self._count:
            self.started += 1
            is_first = self.started == 1
        if is_first:
            self.inside.set()
            assert self.go.wait(20), "nobody let the first request go"
        return self.work(view, **arguments)


@pytest.fixture
def parked(monkeypatch: Any) -> Iterator[Parked]:
    gate = Parked(SellerList.work)
    monkeypatch.setattr(SellerList, "work", lambda view, **arguments: gate(view, **arguments))
    yield gate
    gate.go.set()


def fifty_at_once(store: Store, parked: Parked) -> list[HttpResponse]:
    """Send the same request 50 times: one is parked inside the work, the others meet it there."""

    def send() -> HttpResponse:
        try:
            return store.post("/v1/sellers", BODY, key=KEY)
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        first = threads.submit(send)
        assert parked.inside.wait(20), "the first request did not start"
        barrier = threading.Barrier(49, timeout=20)

        def together() -> HttpResponse:
            barrier.wait()
            return send()

        rest = [threads.submit(together) for _ in range(49)]
        answers = [future.result(timeout=60) for future in rest]
        parked.go.set()
        return [first.result(timeout=60), *answers]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_one_execution_f_b1(parked: Parked) -> None:
    """F-B1: one runs, the others are told at once that it runs; a retry then gets its answer."""
    store = open_store()
    first, *rest = fifty_at_once(store, parked)
    assert first.status_code == 201
    assert {error(response)[:2] for response in rest} == {(429, "idempotency_in_progress")}
    assert {response.headers["Retry-After"] for response in rest} == {"1"}
    assert parked.started == 1
    assert Seller.objects.count() == 1
    again = store.post("/v1/sellers", BODY, key=KEY)
    assert again.content == first.content


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_work_starts_more_than_once(parked: Parked, monkeypatch: Any) -> None:
    """The control of the test above: it is the advisory lock that keeps the others out."""
    monkeypatch.setattr("core.locks.try_idempotency_key", lambda **_: (True, None))
    store = open_store()
    store.raise_errors = False
    _, *rest = fifty_at_once(store, parked)
    assert parked.started > 1
    assert not any(response.status_code == 429 for response in rest)
    assert Seller.objects.count() == 1, "the unique indexes still hold"


@pytest.mark.django_db(transaction=True)
def test_one_record_per_success_and_none_otherwise() -> None:
    store = open_store()
    store.post("/v1/sellers", BODY, key=KEY)
    store.post("/v1/sellers", {**BODY, "seller_account": "a b"}, key="other")
    record = IdempotencyRecord.objects.get()
    assert (record.key, record.status) == (KEY, 201)
    assert json.loads(bytes(record.body))["seller_account"] == "ada"


@pytest.mark.parametrize("is_early", [True, False])
def test_work_may_store_its_answer_with_its_own_rows(store: Store, is_early: bool) -> None:
    """Stored once either way, and what is told again is what was told first."""
    place = AnswerPlace(merchant_id=store.merchant_id, key=KEY, digest=b"d" * 32)
    answer = Answer(201, b"{}")

    def work() -> Answer:
        if is_early:
            changes = Changes()
            place.store(answer, changes)
            changes.save()
        return answer

    with transaction.atomic():
        assert answer_once(place=place, work=work) is answer
    again = AnswerPlace(merchant_id=store.merchant_id, key=KEY, digest=b"d" * 32)
    with transaction.atomic():
        assert answer_once(place=again, work=lambda: Answer(500, b"")) == Answer(201, b"{}", is_replay=True)
    assert IdempotencyRecord.objects.filter(merchant_id=store.merchant_id).count() == 1


def test_work_that_stores_one_answer_and_tells_another_is_undone(store: Store) -> None:
    place = AnswerPlace(merchant_id=store.merchant_id, key=KEY, digest=b"d" * 32)

    def work() -> Answer:
        changes = Changes()
        place.store(Answer(201, b"{}"), changes)
        changes.save()
        return Answer(201, b"[]")

    with pytest.raises(RuntimeError, match="another answer"), transaction.atomic():
        answer_once(place=place, work=work)
    assert not IdempotencyRecord.objects.exists()
