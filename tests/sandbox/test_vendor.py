"""The vendor of risk assessments: slow, idempotent by reference, steered by magic and by the control API."""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request

import pytest

_serial = itertools.count(1)


class Client:
    """One customer of the vendor."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.key = f"vk_test_{next(_serial)}"
        self.root = f"{sandbox.url}/_vendor/v1/assessments"

    def send(self, method, url, body=None, *, timeout=5, **headers):
        """Status and JSON of one request."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def ask(self, **facts):
        """Ask for an assessment of 10.00 USD."""
        values = {"reference": "r-1", "amount": "10.00", "currency": "USD", "email": "ann@example.com"}
        return self.send("POST", self.root, {**values, **facts})

    def look(self, identifier):
        return self.send("GET", f"{self.root}/{identifier}")[1]


@pytest.fixture
def client(sandbox):
    yield Client(sandbox)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "vendor", {"seconds": 2, "outcome": "approved"})


@pytest.fixture
def slow(client):
    """A vendor that decides when the test says so."""
    client.sandbox.control("POST", "vendor", {"seconds": 3600})
    return client


def test_the_answer_is_pending_and_the_decision_comes_after_two_seconds(own_sandbox, until):
    client = Client(own_sandbox())
    status, asked = client.ask()
    assert (status, asked["status"], asked["score"], asked["reasons"]) == (202, "pending", None, [])
    client.sandbox.control("POST", "clock", {"seconds": 2})
    seen = client.look(asked["id"])
    assert (seen["status"], seen["score"]) == ("approved", 12)
    assert seen["reasons"]
    assert seen["decided"] - seen["created"] == 2


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"email": "ann+declined@example.com"}, "declined"),
        ({"email": "ann+review@example.com"}, "review"),
        ({"email": "ann+approved@example.com", "amount": 980_010}, "approved"),
        ({"email": "ann+pending@example.com"}, "pending"),
        ({"amount": 980_010}, "declined"),
        ({"amount": "9800.20"}, "review"),
        ({"amount": 980_030}, "pending"),
        ({"amount": "980010", "currency": "JPY"}, "declined"),
        ({}, "approved"),
    ],
)
def test_magic_decides(client, facts, status):
    client.sandbox.control("POST", "vendor", {"seconds": 0})
    _, asked = client.ask(**facts)
    seen = client.look(asked["id"])
    assert seen["status"] == status
    assert (seen["score"] is None) == (status == "pending")


def test_a_slow_one_takes_a_minute(own_sandbox):
    client = Client(own_sandbox())
    _, asked = client.ask(email="ann+slow@example.com")
    client.sandbox.control("POST", "clock", {"seconds": 50})
    assert client.look(asked["id"])["status"] == "pending"
    client.sandbox.control("POST", "clock", {"seconds": 11})
    assert client.look(asked["id"])["status"] == "approved"


def test_the_same_reference_is_assessed_once(slow):
    _, first = slow.ask()
    assert slow.ask() == (202, first)
    status, refused = slow.ask(amount="11.00")
    assert (status, refused["error"]["code"]) == (409, "reference_reused")
    found = slow.send("GET", f"{slow.root}?reference=r-1")
    assert found == (200, first)
    assert len([row for row in slow.sandbox.get("vendor/assessments") if row["id"] == first["id"]]) == 1


def test_the_control_api_decides(slow):
    _, asked = slow.ask()
    slow.sandbox.control("POST", f"vendor/assessments/{asked['id']}", {"status": "declined", "score": 99})
    seen = slow.look(asked["id"])
    assert (seen["status"], seen["score"]) == ("declined", 99)
    slow.sandbox.control("POST", f"vendor/assessments/{asked['id']}", {"status": "maybe"}, status=400)
    slow.sandbox.control("POST", "vendor/assessments/asm_nope", {"status": "review"}, status=400)
    slow.sandbox.control("POST", "vendor", {"seconds": 0, "outcome": "review"})
    assert slow.ask(reference="r-2")[1]["status"] == "review"
    slow.sandbox.control("POST", "vendor", {"outcome": "maybe"}, status=400)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"reference": ""}, "reference_invalid"),
        ({"reference": 7}, "reference_invalid"),
        ({"amount": -1}, "amount_invalid"),
        ({"amount": 1.5}, "amount_invalid"),
        ({"amount": "10.001"}, "amount_invalid"),
        ({"amount": True}, "amount_invalid"),
        ({"currency": "XXQ"}, "currency_invalid"),
        ({"email": 3}, "email_invalid"),
        ({"card": {"number": "4242 4242 4242 4242"}}, "card_number"),
    ],
)
def test_refuses_facts(client, facts, code):
    status, refused = client.ask(**facts)
    assert (status, refused["error"]["code"]) == (400, code)


def test_refuses_strangers_and_unknown_ids(client):
    _, asked = client.ask()
    assert client.send("GET", f"{client.root}/asm_nope")[0] == 404
    assert client.send("DELETE", f"{client.root}/{asked['id']}")[0] == 404
    assert client.send("POST", client.root, {}, **{"Content-Type": "text/plain"})[0] == 415
    stranger = Client(client.sandbox)
    assert stranger.send("GET", f"{client.root}/{asked['id']}")[0] == 404
    assert stranger.ask(amount="77.00")[0] == 202
    assert client.send("GET", client.root + "/x", Authorization="Bearer sk_test_x")[0] == 401


def test_a_hang_may_have_taken_the_request_or_not(slow):
    for kind, known in (("charged_but_timeout", True), ("not_charged_timeout", False)):
        slow.sandbox.arm(kind, operation="vendor.assessments.create", account=slow.key, seconds=30)
        with pytest.raises(TimeoutError):
            slow.send("POST", slow.root, {"reference": kind, "amount": 1, "currency": "usd"}, timeout=0.5)
        assert (slow.send("GET", f"{slow.root}?reference={kind}")[0] == 200) is known


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503), ("http_429", 429)])
def test_faults_of_the_vendor(slow, kind, status):
    slow.sandbox.arm(kind, operation="vendor.assessments.create", account=slow.key)
    assert slow.ask()[0] == status
    assert slow.ask()[0] == 202


@pytest.mark.parametrize("kind", ["broken_json", "wrong_content_type"])
def test_an_answer_that_cannot_be_read(slow, kind):
    _, asked = slow.ask()
    with pytest.raises(json.JSONDecodeError):
        slow.send("GET", f"{slow.root}/{asked['id']}", **{"X-Sandbox-Fault": kind})
    assert slow.send("GET", f"{slow.root}/{asked['id']}", **{"X-Sandbox-Fault": "nonsense"})[0] == 400
    assert slow.look(asked["id"])["status"] == "pending"


def test_a_killed_vendor_forgets_nothing(own_sandbox):
    box = own_sandbox()
    client = Client(box)
    _, asked = client.ask()
    box.end(9)
    box.start(port=box.info["port"])
    box.control("POST", "clock", {"seconds": 2})
    assert client.look(asked["id"])["status"] == "approved"


def test_requests_of_the_vendor_are_in_the_log(client):
    client.ask()
    (row,) = [
        row
        for row in client.sandbox.get("requests?operation=vendor.assessments.create")
        if row["account"] == client.sandbox.get("vendor/assessments")[-1]["account"]
    ]
    assert (row["status"], row["params"]["reference"]) == (202, "r-1")
