"""The API over real sockets: many at once, and clients that leave in the middle."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from core import failpoints
from core.models import IdempotencyRecord
from payments.models import PaymentEvent
from tests.faults.cuts import reset
from tests.faults.shop import Shop, assert_audits_are_clean
from tests.faults.wire import drip, exchange, send_and_keep
from tests.stack import Answer
from tests.waiting import eventually

pytestmark = pytest.mark.processes

AT_ONCE = 50


def test_fifty_at_once_are_one_f_b1(shop: Shop) -> None:
    """F-B1: same key, same body, fifty connections: one execution; the rest wait or get its answer."""
    payment = shop.payment()
    barrier = Barrier(AT_ONCE)

    def send(_: int) -> Answer:
        barrier.wait()
        return shop.post(payment)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, range(AT_ONCE)))
    counts = Counter((each.status, each.headers.get("Idempotent-Replayed")) for each in answers)
    print(f"fifty at once: {dict(counts)}")
    assert counts[(201, None)] == 1, counts
    assert set(counts) <= {(201, None), (201, "true"), (429, None)}, counts
    for each in answers:
        if each.status == 429:
            assert each.json["error"]["code"] == "idempotency_in_progress" and each.headers["Retry-After"]
    assert PaymentEvent.objects.filter(merchant_id=shop.merchant_id).count() == 1
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


def test_same_key_other_body_f_b2(shop: Shop) -> None:
    """F-B2: 429 while the first one runs, whatever the body; 422 once it is committed; no second effect."""
    payment, other = shop.payment(), shop.payment()
    other.key = payment.key
    failpoints.arm("idem.before_commit", "delay", milliseconds="1500")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shop.post, payment)
        eventually(lambda: failpoints.fired("idem.before_commit"), what="the first is held before its commit")
        during = shop.post(other)
        assert (during.status, during.json["error"]["code"]) == (429, "idempotency_in_progress")
        assert first.result().status == 201
    after = shop.post(other)
    assert (after.status, after.json["error"]["code"]) == (422, "idempotency_key_reused")
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    assert PaymentEvent.objects.filter(merchant_id=shop.merchant_id).count() == 1


@pytest.mark.parametrize("place", ["idem.before_record", "idem.after_commit"])
def test_client_leaves_while_we_work_f_a20(shop: Shop, place: str) -> None:
    """F-A20: the work is completed; GET and a replay show it."""
    payment = shop.payment()
    failpoints.arm(place, "delay", milliseconds="300")
    line = send_and_keep(shop, payment)
    eventually(lambda: failpoints.fired(place), what=f"{place} reached")
    reset(line)
    eventually(
        lambda: IdempotencyRecord.objects.filter(merchant_id=shop.merchant_id).exists(), what="committed"
    )
    again = shop.post(payment)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    shown = shop.stack.api("GET", f"/v1/checkouts/{payment.checkout_id}", key=shop.secret)
    assert shown.status == 200 and shown.json["is_payment_done"] is True


def test_client_leaves_in_the_middle_of_the_body_f_a20(shop: Shop) -> None:
    """F-A20: half a request is nothing; the whole one later is a new one."""
    payment = shop.payment()
    half = len(json.dumps(payment.body)) // 2
    reset(send_and_keep(shop, payment, first_bytes=half))
    answer = shop.post(payment)
    assert answer.status == 201 and "Idempotent-Replayed" not in answer.headers
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)


@pytest.mark.parametrize("path", ["/v1/payments/{}", "/v1/sellers?{}=1", "/nowhere/{}", "/psp/{}/webhooks"])
def test_a_card_number_in_the_address_reaches_no_log(shop: Shop, path: str) -> None:
    """A path is logged when it is not found; the number in it is not."""
    card = "4242424242424242"
    answer = shop.stack.api("GET", path.format(card), key=shop.secret)
    assert answer.status in (404, 405, 422)
    assert (answer.status == 422) == path.startswith("/v1/")
    shown = "/v1/sellers" if "?" in path else path.format("[card number]")
    eventually(lambda: f": {shown}" in shop.stack.log("web"), what=f"{shown} logged")
    assert not [name for name in shop.stack.processes if card in shop.stack.log(name)]


HEAD = "POST /v1/sellers HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
SECOND = "GET /v1/sellers HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n"
JSON = "Content-Type: application/json\r\n"
AMBIGUOUS = {
    "two lengths": HEAD + JSON + "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{{}}" + SECOND,
    "a length that is none": HEAD + JSON + "Content-Length: +2\r\n\r\n{{}}" + SECOND,
    "a coding nobody has": HEAD + JSON + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked, but not last": HEAD + JSON + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked twice": HEAD
    + JSON
    + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    + SECOND,
    "length and chunks": HEAD
    + JSON
    + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SECOND,
    "a blank before the colon": HEAD + JSON + "Content-Length : 2\r\n\r\n{{}}" + SECOND,
    "a folded header": HEAD + JSON + "X-Long: a\r\n b\r\nContent-Length: 2\r\n\r\n{{}}" + SECOND,
    "a name with a NUL": HEAD + JSON + "X-\0: a\r\nContent-Length: 2\r\n\r\n{{}}" + SECOND,
    "a header of 64 KB": HEAD + "X-Long: " + "a" * 65536 + "\r\n" + "Content-Length: 2\r\n\r\n{{}}" + SECOND,
    "thousands of headers": HEAD + "X: a\r\n" * 5000 + "Content-Length: 2\r\n\r\n{{}}" + SECOND,
}


def test_requests_that_two_servers_would_read_differently_a_a7_a_h11(shop: Shop) -> None:
    """A-A7, A-H11: one refusal, then the line is closed: what stands behind is never read as a request."""
    host = urlsplit(shop.stack.web_url).netloc
    for case, text in AMBIGUOUS.items():
        raw = text.format(host=host, key=shop.secret).encode()
        answer = exchange(shop.stack.web_url, raw)
        assert answer.count(b"HTTP/1.1 ") == 1, (case, answer[:500])
        # 501 is for a coding that the server does not know.
        assert int(answer[9:12]) in (*range(400, 500), 501), (case, answer[:500])
    assert shop.post(shop.payment()).status == 201


@pytest.mark.parametrize("path", ["/v1/payments", "/psp/{channel}/webhooks"])
def test_a_body_that_drips_in_is_cut_off_a_b13(shop: Shop, path: str) -> None:
    """A-B13: a body of which a byte comes now and then holds its thread for seconds, not for an hour."""
    answer = drip(shop.stack.web_url, path.format(channel=shop.channel), length=20_000, key=shop.secret)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 "), answer[:300]
    assert json.loads(body)["error"]["code"] == "body_too_slow"
    payment = shop.payment()
    assert shop.post(payment).status == 201
