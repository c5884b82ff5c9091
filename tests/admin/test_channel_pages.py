"""Channels in the console: how a line is doing, fingerprints for secrets, a switch with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from channels.health import fingerprint
from channels.models import Channel, PspCall
from channels.selectors import enabled_channels
from channels.services import rotate_webhook_secret
from core import clock
from core.models import AuditRecord
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, counter

__all__ = ["counter"]

pytestmark = pytest.mark.django_db
CHANNELS = "/admin/channels/channel/"


def page(row: Channel, name: str = "change") -> str:
    return f"{CHANNELS}{row.pk}/{name}/"


@pytest.fixture
def channel(counter: Shop) -> Channel:
    return Channel.objects.get()


def call(channel: Channel, status: int | None, error: str = "") -> None:
    PspCall.objects.create(
        merchant_id=channel.merchant_id,
        channel=channel,
        kind="register",
        request_digest=bytes(32),
        http_status=status,
        body=b"",
        error=error,
        duration_ms=12,
        at=clock.now(),
    )


def test_no_secret_is_shown_to_anybody(counter: Shop, channel: Channel) -> None:
    with transaction.atomic():
        rotate_webhook_secret(
            channel_id=channel.pk, secret="whsec_next", overlap=timedelta(hours=1), actor="user:t"
        )
    secrets = [counter.account_key, "whsec_test", "whsec_next"]
    for role in ("operator", "auditor", "support", "finance_checker"):
        client = console(person(role, role))
        shown = client.get(page(channel)).content.decode()
        assert all(secret not in shown for secret in secrets), role
        assert all(fingerprint(secret) in shown for secret in secrets), role
        assert channel.name in client.get(CHANNELS).content.decode()
    assert console(person("rita", "risk")).get(page(channel)).status_code == 403


def test_how_the_line_is_doing(channel: Channel) -> None:
    client = console(person("ola", "operator"))
    assert "none in 30 days" in text(client.get(page(channel)))
    call(channel, 200)
    call(channel, None, "the line was cut")
    call(channel, 503)
    shown = text(client.get(page(channel)))
    assert "3, of which 2 failed" in shown and "HTTP 503" in shown
    assert f"{clock.now():%Y-%m-%d}" in shown and "Open for calls" in shown


def test_an_operator_switches_it_with_a_reason(counter: Shop, channel: Channel) -> None:
    """One person is enough: it must be quick. It holds at once, and stands in the trail."""
    operator = console(person("ola", "operator"))
    merchant_id: Any = counter.store.merchant_id
    assert operator.post(page(channel, "disable"), {"reason": " "}).status_code == 200
    assert enabled_channels(merchant_id=merchant_id)
    assert operator.post(page(channel, "disable"), {"reason": "the provider is down"}).status_code == 302
    assert enabled_channels(merchant_id=merchant_id) == []
    assert "Off" in text(operator.get(page(channel)))
    assert operator.post(page(channel, "enable"), {"reason": "it is back"}).status_code == 302
    assert [each.name for each in enabled_channels(merchant_id=merchant_id)] == [channel.name]
    told = AuditRecord.objects.filter(subject=f"channel:{channel.name}").order_by("seq")
    assert list(told.values_list("action", "reason"))[-2:] == [
        ("channel.disable", "the provider is down"),
        ("channel.enable", "it is back"),
    ]
    for role in ("support", "finance_maker", "finance_checker", "auditor"):
        client = console(person(role, role))
        assert client.post(page(channel, "disable"), {"reason": "x"}).status_code == 403
    assert Channel.objects.get().is_enabled
