"""The store's receiver of the product's webhooks: Standard Webhooks, and bad behaviour on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

import pytest
import requests

BODY = b'{"type":"payment.succeeded","data":{"id":"pay_1"}}'


def headers(
    secret: str, *, body: bytes = BODY, at: float | None = None, identifier: str = "msg_1"
) -> dict[str, str]:
    """Sign as the specification says, independently of the sandbox's own code."""
    timestamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest.fixture
def secret(sandbox):
    value = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    sandbox.control("POST", "store/secrets", {"secret": value})
    yield value
    sandbox.control("DELETE", "store/secrets", {"secret": value})
    sandbox.control("DELETE", "store/behaviours")


def deliver(sandbox, given: dict[str, str], *, body: bytes = BODY) -> requests.Response:
    return requests.post(
        f"{sandbox.url}/store/webhooks", data=body, headers=given, timeout=5, allow_redirects=False
    )


def last(sandbox) -> dict:
    return sandbox.get("store/webhooks")[-1]


def test_a_published_test_vector(sandbox):
    """The vector of the Standard Webhooks libraries: its signature is right, its time is long ago."""
    known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = headers(
        known, body=b'{"test": 2432232314}', at=1614265330, identifier="msg_p5jXN8AQM9LWM0D4loKWxJek"
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_genuine_webhook_is_kept_as_verified(sandbox, secret):
    assert deliver(sandbox, headers(secret)).status_code == 204
    row = last(sandbox)
    assert (row["verified"], row["webhook_id"], row["body"]) == (True, "msg_1", BODY.decode())
    assert row in sandbox.get("store/webhooks?verified=true")


def test_two_secrets_in_rotation(sandbox, secret):
    other = "whsec_" + base64.b64encode(b"another secret, 24 bytes").decode()
    both = headers(secret)
    both["webhook-signature"] = headers(other)["webhook-signature"] + " " + both["webhook-signature"]
    assert deliver(sandbox, both).status_code == 204


@pytest.mark.parametrize("reason", ["missing_header", "timestamp_out_of_range", "bad_signature"])
def test_what_is_not_genuine_is_refused_and_kept(sandbox, secret, reason):
    given = headers(secret)
    if reason == "missing_header":
        del given["webhook-signature"]
    elif reason == "timestamp_out_of_range":
        given = headers(secret, at=time.time() - 400)
    else:
        given = headers("whsec_" + base64.b64encode(b"not the secret at all!!!").decode())
    assert deliver(sandbox, given).status_code == 400
    row = last(sandbox)
    assert (row["verified"], row["reason"]) == (False, reason)
    assert row not in sandbox.get("store/webhooks?verified=true")


def test_an_altered_body_is_refused(sandbox, secret):
    assert deliver(sandbox, headers(secret), body=BODY.replace(b"pay_1", b"pay_2")).status_code == 400
    assert last(sandbox)["reason"] == "bad_signature"


def test_bad_answers_on_demand(sandbox, secret):
    def behave(**spec):
        sandbox.control("POST", "store/behaviours", spec)

    behave(kind="status", status=500, times=2, retry_after=9)
    behave(kind="status", status=410)
    behave(kind="redirect", location="http://169.254.169.254/")
    behave(kind="huge", bytes=200_000)
    answers = [deliver(sandbox, headers(secret)) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [500, 500, 410, 302, 200, 204]
    assert answers[0].headers["Retry-After"] == "9"
    assert answers[3].headers["Location"] == "http://169.254.169.254/"
    assert len(answers[4].content) == 200_000
    assert last(sandbox)["answered"] == 204


def test_slow_hanging_and_reset_on_demand(sandbox, secret):
    for spec, error in (
        ({"kind": "slow", "seconds": 0.6}, requests.ReadTimeout),
        ({"kind": "hang", "seconds": 5}, requests.ReadTimeout),
        ({"kind": "reset"}, requests.ConnectionError),
    ):
        sandbox.control("POST", "store/behaviours", spec)
        with pytest.raises(error):
            requests.post(f"{sandbox.url}/store/webhooks", data=BODY, headers=headers(secret), timeout=0.3)
    assert deliver(sandbox, headers(secret)).status_code == 204


def test_wrong_secrets_and_behaviours_are_refused(sandbox):
    sandbox.control("POST", "store/secrets", {"secret": "plain"}, status=400)
    sandbox.control("POST", "store/behaviours", {"kind": "odd"}, status=400)
    sandbox.control("POST", "store/behaviours", {"kind": "status", "times": "many"}, status=400)
