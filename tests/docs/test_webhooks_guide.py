"""The code of the guide to webhooks, run as it stands there against real deliveries and the real feed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve

from core.drain import get_drain
from core.ids import public_id
from events.deliveries import DeliveryDrain
from tests.events.cast import record
from tests.events.conftest import loopback, receiver
from tests.events.receiver import Receiver
from tests.store import Store, open_store

__all__ = ["loopback", "receiver"]

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/webhooks.md").read_text()


def code(mark: str) -> dict[str, Any]:
    """Return what the marked block of the guide defines."""
    found = re.search(rf"<!-- {mark} -->\n```python\n(.*?)```", GUIDE, re.DOTALL)
    assert found, f"the guide has no block {mark!r}"
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names


@pytest.fixture
def store(transactional_db: None) -> Store:
    return open_store()


@pytest.mark.django_db(transaction=True)
def test_what_the_guide_says(store: Store, receiver: Receiver) -> None:
    """Created over the API, delivered for real, verified and caught up with by the guide's own lines."""
    body = {"url": receiver.url, "event_types": ["payment.succeeded"]}
    made = json.loads(store.post("/v1/webhook_endpoints", body).content)
    keys = record(store.merchant_id, "pay_1", *range(1, 103))
    get_drain("relay").run()
    DeliveryDrain().run()
    verify = code("verify")["verify"]
    got = receiver.got[0]
    assert len(receiver.got) == 102
    assert all(verify(made["secret"], each.headers, each.body) for each in receiver.got)
    assert not verify(made["secret"], got.headers, got.body.replace(b"10.00", b"99.00"))
    assert not verify("whsec_" + "A" * 43 + "=", got.headers, got.body)
    assert not verify(made["secret"], {**got.headers, "webhook-signature": "v1,é"}, got.body)
    old = {**got.headers, "webhook-timestamp": "1"}
    assert not verify(made["secret"], old, got.body)

    def get(path: str, query: dict[str, str]) -> Any:
        return json.loads(store.get(path, **query).content)

    catch_up, seen = code("catch up")["catch_up"], []
    place = catch_up(get, lambda event: seen.append(event["id"]))
    assert seen == [public_id("evt", key) for key in keys]
    assert {got.event_id for got in receiver.got} == set(seen), "the same ids by both ways"
    assert catch_up(get, seen.append, place) == place and len(seen) == 102
    assert catch_up(get, lambda event: seen.append(event["id"]), seen[-2]) == place and len(seen) == 103


def test_every_address_of_the_guide_exists() -> None:
    """A guide that names an endpoint that is not there sends people astray."""
    found = set(re.findall(r"`(GET|POST|PATCH|DELETE) (/v1/[a-z_/{}]+)`", GUIDE))
    assert len(found) >= 6
    for method, path in found:
        view = resolve(path.replace("{id}", "x")).func
        assert method in getattr(view, "cls").scopes, (method, path)  # noqa: B009 - a view of the API has one
