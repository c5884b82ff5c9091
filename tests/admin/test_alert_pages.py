"""The list of alerts: who was told what, when, and with what result."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core import alerts, clock
from core.alerts import Alert, raise_alert
from core.models import AlertNotice
from core.transactions import at_edge
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text

pytestmark = pytest.mark.django_db
LIST = "/admin/core/alertnotice/"
WRONG = Alert("test_wrong", "Something is wrong", "Look at it.", timedelta(hours=1))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Client:
    """An operator; one alert by both ways, of which one arrived and one was given up."""
    monkeypatch.setattr(alerts, "_ALERTS", {**alerts._ALERTS, WRONG.name: WRONG})
    settings.ALERT_EMAIL_TO = ["ann@example.com"]
    settings.ALERT_WEBHOOK_URL = "https://hooks.example.com/secret"
    at_edge(raise_alert)(
        WRONG.name, subject="pay_1", summary="it is <b>late</b>", value_minor=1250, currency="EUR"
    )
    return console(person("ola", "operator"))


def test_each_message_is_shown_with_its_result(client: Client) -> None:
    page = text(client.get(LIST))
    assert page.count("Something is wrong") == 2 and page.count("Waiting") >= 2
    mailed = AlertNotice.objects.filter(way="email")
    mailed.update(due_at=None, sent_at=clock.now(), told="ann@example.com")
    AlertNotice.objects.filter(way="webhook").update(due_at=None, error="NotTold: 500", attempts=12)
    page = text(client.get(LIST))
    for words in ("ann@example.com", "Sent", "Not sent", "pay_1", "12"):
        assert words in page, words
    detail = client.get(f"{LIST}{AlertNotice.objects.get(way='webhook').pk}/change/")
    assert "NotTold: 500" in text(detail) and "<b>late" not in detail.content.decode()
    assert client.get(f"{LIST}?severity=critical").status_code == 200


def test_an_empty_list_says_who_would_be_told() -> None:
    page = text(console(person("ola", "operator")).get(LIST))
    assert "Nobody was told of anything yet" in page and "ALERT_EMAIL_TO" in page


def test_an_alert_that_is_not_declared_any_more_keeps_its_name(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "_ALERTS", {})
    assert "test_wrong" in text(client.get(LIST))


def test_nobody_sees_it_without_a_role_and_nobody_changes_it(client: Client) -> None:
    assert console(person("nina")).get(LIST).status_code == 403
    row = AlertNotice.objects.first()
    assert row is not None
    assert client.post(f"{LIST}{row.pk}/change/", {"error": "x"}).status_code == 403
    assert client.post(f"{LIST}add/", {}).status_code == 403
