from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis

from events import rejections, subscriptions
from events.streams.redis_stream import KEY
from events.types import InboundEvent
from tests.events.cast import Provider, open_provider
from tests.events.receiver import Receiver, receiving

Subscribe = Callable[..., list[InboundEvent]]


@pytest.fixture(autouse=True)
def _nobody_subscribed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_SUBSCRIPTIONS", {})
    rejections._seen.clear()


@pytest.fixture
def subscribed() -> Subscribe:
    """Subscribe a handler; returns the list of what it was given: subscribed("thing.", handler)."""

    def subscribe(
        prefix: str = "", handler: Callable[[InboundEvent], None] | None = None, name: str = "books"
    ) -> list[InboundEvent]:
        seen: list[InboundEvent] = []

        def handle(*, delivery: InboundEvent) -> None:
            seen.append(delivery)
            if handler:
                handler(delivery)

        subscriptions.subscribe("stripe", prefix, name, handle)
        return seen

    return subscribe


@pytest.fixture
def provider(transactional_db: None) -> Provider:
    return open_provider()


@pytest.fixture
def loopback(settings: Any) -> None:
    """Let the endpoints of test merchants be on this machine."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]


@pytest.fixture
def receiver(loopback: None) -> Iterator[Receiver]:
    with receiving() as serving:
        yield serving


@pytest.fixture
def redis(transactional_db: None) -> Iterator[Redis]:
    """The broker of the event stream, without a stream in it."""
    with Redis.from_url(django_settings.EVENT_STREAM_REDIS_URL, protocol=2) as client:
        client.delete(KEY)
        yield client
        client.delete(KEY)
