"""The endpoints of webhooks in the API: shapes, secrets shown once, refusals, isolation."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse

from core import clock
from core.ids import public_id, uuid7
from core.models import AuditRecord, IdempotencyRecord, OutboxEvent, StatusChange
from events.endpoints import MOST_ENDPOINTS
from events.models import WebhookEndpoint
from events.signing import MOST_SECRETS, fingerprint, secrets_in_use
from tests.openapi.contract import document
from tests.store import Store, error, open_store

URL = "https://shop.example.com/hooks?token=s3cret"
PATH = "/v1/webhook_endpoints"
SHAPE = {
    "object",
    "id",
    "url",
    "event_types",
    "status",
    "signing_secrets",
    "last_success_at",
    "created_at",
}


@pytest.fixture
def store(db: None) -> Store:
    return open_store()


def body(response: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


def create(store: Store, **options: Any) -> dict[str, Any]:
    return body(store.post(PATH, {"url": URL}, **options), 201)


def test_an_endpoint_is_created_and_its_secret_shown_once(store: Store) -> None:
    made = create(store)
    secret = made.pop("secret")
    assert set(made) == SHAPE
    assert (made["object"], made["url"], made["event_types"]) == ("webhook_endpoint", URL, ["*"])
    assert (made["status"], made["last_success_at"]) == ("enabled", None)
    assert made["signing_secrets"] == [{"fingerprint": fingerprint(secret), "expires_at": None}]
    assert datetime.fromisoformat(made["created_at"]).tzinfo is not None
    assert body(store.get(f"{PATH}/{made['id']}")) == made
    assert body(store.get(PATH))["data"] == [made]
    [change] = StatusChange.objects.filter(subject_type="events.webhookendpoint")
    assert change.actor == public_id("key", store.key_id)
    audit = AuditRecord.objects.get(action="webhook_endpoint.create")
    assert audit.subject == made["id"] and "s3cret" not in json.dumps(audit.detail)


def test_a_repeat_shows_the_same_and_the_store_of_answers_holds_no_secret(store: Store) -> None:
    """Secrets are stored encrypted only: what is kept for the Idempotency-Key has a gap in their place."""
    first = store.post(PATH, {"url": URL}, key="k1")
    again = store.post(PATH, {"url": URL}, key="k1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    made = body(first, 201)
    assert made["secret"].encode() not in bytes(IdempotencyRecord.objects.get().body)
    assert WebhookEndpoint.objects.count() == 1
    body(store.post(f"{PATH}/{made['id']}/secret_rotations", {"overlap_seconds": 0}), 201)
    late = body(store.post(PATH, {"url": URL}, key="k1"), 201)
    assert late["secret"] is None, "a secret that is rotated out is not kept for anybody"


def test_a_secret_is_rotated_without_a_gap(store: Store, hooks: Any) -> None:
    """F-J5: an old one signs until its own time is over, however often another rotation comes before."""
    made = create(store)
    path, rotations = f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/secret_rotations"
    second = body(store.post(rotations, {"overlap_seconds": 600}), 201)
    assert [each["fingerprint"] for each in second["signing_secrets"]] == [
        fingerprint(second["secret"]),
        fingerprint(made["secret"]),
    ]
    ends = second["signing_secrets"][1]["expires_at"]
    assert 540 <= (datetime.fromisoformat(ends) - clock.now()).total_seconds() <= 600
    third = body(store.post(rotations, {}), 201)
    assert third["signing_secrets"][2] == {"fingerprint": fingerprint(made["secret"]), "expires_at": ends}
    stored = WebhookEndpoint.objects.get().secrets
    in_use = [third["secret"], second["secret"], made["secret"]]
    assert secrets_in_use(stored, now=clock.now()) == in_use
    clock.move(seconds=601)
    assert len(body(store.get(path))["signing_secrets"]) == 2
    clock.move(seconds=86_401)
    assert len(body(store.get(path))["signing_secrets"]) == 1
    assert AuditRecord.objects.filter(action="webhook_endpoint.rotate_secret").count() == 2


def test_so_many_secrets_are_in_use_and_no_more(store: Store, hooks: Any) -> None:
    """F-J5: one more is refused rather than an installed one dropped; one that ends at once is no more."""
    made = create(store)
    path = f"{PATH}/{made['id']}/secret_rotations"
    for number in range(2, MOST_SECRETS + 1):
        assert len(body(store.post(path, {}), 201)["signing_secrets"]) == number
    before = WebhookEndpoint.objects.get().secrets
    assert error(store.post(path, {})) == (409, "too_many_signing_secrets", None)
    assert WebhookEndpoint.objects.get().secrets == before
    leaked = body(store.post(path, {"overlap_seconds": 0}), 201)
    after = WebhookEndpoint.objects.get().secrets
    assert after == [{"secret": leaked["secret"], "expires_at": None}, *before[1:]]
    clock.move(seconds=86_401)
    assert len(body(store.post(path, {}), 201)["signing_secrets"]) == 2


def test_an_endpoint_is_changed_paused_resumed_and_disabled(store: Store) -> None:
    made = create(store)
    path, kept = f"{PATH}/{made['id']}", {key: made[key] for key in ("id", "created_at", "signing_secrets")}
    changes = {"url": "https://shop.example.com:8443/new", "event_types": ["payment.succeeded"]}
    changed = body(store.patch(path, changes))
    assert changed == {**changed, **kept, **changes, "status": "enabled"}
    assert body(store.patch(path, {})) == changed
    assert AuditRecord.objects.filter(action="webhook_endpoint.update").count() == 1
    assert body(store.patch(path, {"status": "paused"}))["status"] == "paused"
    assert body(store.patch(path, {"status": "paused"}))["status"] == "paused"
    assert body(store.patch(path, {"status": "enabled"}))["status"] == "enabled"
    for _ in range(2):
        assert body(store.request("DELETE", path))["status"] == "disabled"
    assert body(store.get(path))["status"] == "disabled"
    assert error(store.patch(path, {"url": URL}))[:2] == (409, "endpoint_disabled")
    assert error(store.post(f"{path}/secret_rotations", {}))[:2] == (409, "endpoint_disabled")
    told = OutboxEvent.objects.order_by("sequence").values_list("type", "subject", "sequence")
    assert list(told) == [
        ("webhook_endpoint.paused", made["id"], 1),
        ("webhook_endpoint.enabled", made["id"], 2),
        ("webhook_endpoint.disabled", made["id"], 3),
    ]
    assert OutboxEvent.objects.get(sequence=1).payload["object"] == {**changed, "status": "paused"}


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({}, "missing_field", "url"),
        ({"url": None}, "invalid_field", "url"),
        ({"url": 5}, "invalid_field", "url"),
        ({"url": ""}, "invalid_field", "url"),
        ({"url": "https://shop.example.com/" + "x" * 500}, "invalid_field", "url"),
        ({"url": URL, "event_types": []}, "invalid_field", "event_types"),
        ({"url": URL, "event_types": "x"}, "invalid_field", "event_types"),
        ({"url": URL, "event_types": [1]}, "invalid_field", "event_types[0]"),
        ({"url": URL, "event_types": ["Payment"]}, "invalid_field", "event_types[0]"),
        ({"url": URL, "event_types": ["payment.suceeded"]}, "invalid_field", "event_types[0]"),
        ({"url": URL, "event_types": ["*", "payment.*"]}, "invalid_field", "event_types[1]"),
        ({"url": URL, "event_types": ["a.b"] * 101}, "invalid_field", "event_types"),
        ({"url": URL, "status": "enabled"}, "unknown_field", "status"),
        ({"url": URL, "secret": "whsec_mine"}, "unknown_field", "secret"),
        ({"url": URL, "merchant_id": "x"}, "unknown_field", "merchant_id"),
        ({"url": "http://shop.example.com/"}, "url_not_allowed", "url"),
        ({"url": "https://127.1/"}, "url_not_allowed", "url"),
        ({"url": "https://2130706433/"}, "url_not_allowed", "url"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url_not_allowed", "url"),
        ({"url": "https://shop.example.com:22/"}, "url_not_allowed", "url"),
        ({"url": "https://me@shop.example.com/"}, "url_not_allowed", "url"),
        ({"url": "gopher://shop.example.com/"}, "url_not_allowed", "url"),
    ],
)
def test_what_is_refused_at_creation(store: Store, sent: dict[str, Any], code: str, param: str) -> None:
    """A-E4, A-G1, A-G2, A-G3: refused by name, and nothing is there afterwards."""
    assert error(store.post(PATH, sent)) == (422, code, param)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"url": "https://10.0.0.1/"}, "url_not_allowed", "url"),
        ({"url": None}, "invalid_field", "url"),
        ({"status": "disabled"}, "invalid_field", "status"),
        ({"status": True}, "invalid_field", "status"),
        ({"event_types": ["*", ""]}, "invalid_field", "event_types[1]"),
        ({"event_types": ["payment.succeeded", "order.paid"]}, "invalid_field", "event_types[1]"),
        ({"last_success_at": None}, "unknown_field", "last_success_at"),
    ],
)
def test_what_is_refused_at_a_change(store: Store, sent: Any, code: str, param: str | None) -> None:
    made = create(store)
    assert error(store.patch(f"{PATH}/{made['id']}", sent)) == (422, code, param)
    made.pop("secret")
    assert body(store.get(f"{PATH}/{made['id']}")) == made


def test_every_type_that_is_told_can_be_asked_for_and_a_refusal_names_them(store: Store) -> None:
    """A type that nobody sends would be an endpoint that is silent for ever."""
    types = sorted(document()["webhooks"])
    assert {"payment.succeeded", "seller.created", "webhook_endpoint.paused"} <= set(types)
    assert body(store.post(PATH, {"url": URL, "event_types": types}), 201)["event_types"] == types
    assert document()["components"]["schemas"]["event_type"]["enum"] == types
    refused = json.loads(store.post(PATH, {"url": URL, "event_types": ["payment.paid"]}).content)["error"]
    assert refused["message"] == f"Send one of: *, {', '.join(types)}."


@pytest.mark.parametrize("seconds", [-1, 604_801, "60", True, None, 10**15])
def test_what_is_no_overlap(store: Store, seconds: Any) -> None:
    made = create(store)
    path = f"{PATH}/{made['id']}/secret_rotations"
    assert error(store.post(path, {"overlap_seconds": seconds})) == (422, "invalid_field", "overlap_seconds")


def test_a_merchant_has_so_many_and_no_more(store: Store) -> None:
    made = [create(store) for _ in range(MOST_ENDPOINTS)]
    assert error(store.post(PATH, {"url": URL}))[:2] == (409, "too_many_webhook_endpoints")
    store.request("DELETE", f"{PATH}/{made[0]['id']}")
    newest = create(store)
    listed = body(store.get(PATH, limit="2"))
    assert [each["id"] for each in listed["data"]] == [newest["id"], made[-1]["id"]]
    rest = body(store.get(PATH, cursor=listed["next_cursor"], limit="100"))
    assert (len(rest["data"]), rest["has_more"]) == (MOST_ENDPOINTS - 1, False)
    off = body(store.get(PATH, status="disabled"))
    assert [each["id"] for each in off["data"]] == [made[0]["id"]]
    of_another_list = {"cursor": listed["next_cursor"], "status": "enabled"}
    for query in ({"status": "DISABLED"}, {"limit": "0"}, {"cursor": "x"}, of_another_list):
        assert error(store.get(PATH, **query))[:2] == (400, "invalid_parameter")
    assert error(store.get(PATH, url="x"))[:2] == (400, "unknown_parameter")


REQUESTS = (
    ("GET", "", None),
    ("PATCH", "", {"url": "https://thief.example.com/"}),
    ("DELETE", "", None),
    ("POST", "/secret_rotations", {}),
    ("GET", "/deliveries", None),
    (
        "POST",
        "/redeliveries",
        {"created_gte": "2026-01-01T00:00:00Z", "created_lt": "2026-01-02T00:00:00Z"},
    ),
)


@pytest.mark.parametrize(("method", "tail", "sent"), REQUESTS)
def test_another_merchants_endpoint_is_none(store: Store, method: str, tail: str, sent: Any) -> None:
    """A-E1, A-E2: on every verb like an id that never was, or like any text."""
    theirs = create(open_store())
    found = {
        error(store.request(method, f"{PATH}/{reference}{tail}", sent))
        for reference in (theirs["id"], public_id("whe", uuid7()), "whe_zzz", "%00", "x" * 300)
    }
    assert found == {(404, "not_found", None)}
    row = WebhookEndpoint.objects.get()
    assert (row.status, row.url, len(row.secrets)) == ("ENABLED", URL, 1)
    assert body(store.get(PATH))["data"] == []


def test_a_key_needs_the_scope(db: None) -> None:
    """A-E3."""
    reader = open_store(scopes=["webhooks:read"])
    assert reader.get(PATH).status_code == 200
    assert error(reader.post(PATH, {"url": URL}))[:2] == (403, "permission_denied")
    for method, tail, sent in REQUESTS:
        expected = 404 if method == "GET" else 403
        answer = reader.request(method, f"{PATH}/{public_id('whe', uuid7())}{tail}", sent)
        assert answer.status_code == expected, (method, tail)
    writer = open_store(scopes=["webhooks:write"])
    assert error(writer.get(PATH))[:2] == (403, "permission_denied")
