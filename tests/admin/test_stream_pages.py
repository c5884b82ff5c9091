"""The event stream in the console: its position, and what the consumer counted; read-only."""

from typing import Any

import pytest
from django.test import Client

from core import clock
from events.consumers.daily_revenue import RevenueByDay
from events.consumers.loop import settle
from events.models import DailyRevenue, StreamPosition
from tests.admin.people import console, person
from tests.events.cast import open_merchant
from tests.events.streaming import publish

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/events/dailyrevenue/"
POSITION = "/admin/events/streamposition/"
EVIL = "<script>alert(1)</script>"


def shown(client: Client, **query: str) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_what_it_shows_and_to_whom(django_assert_max_num_queries: Any) -> None:
    auditor, support = console(person("ada", "auditor")), console(person("sam", "support"))
    assert "consume_events daily_revenue" in shown(auditor)
    assert "Not complete" in shown(auditor)
    merchant = open_merchant()
    publish(merchant, "pay_1", 1, thing={"captured": "1234.50", "currency": "USD"})
    publish(merchant, "re_1", 1, kind="refund.succeeded", thing={"amount": "34.50", "currency": "USD"})
    settle(consumer=RevenueByDay())
    page = shown(auditor)
    assert all(
        each in page for each in ("1,234.50 USD", "34.50 USD", "1,200.00 USD", "Acme", "Complete up to")
    )
    with django_assert_max_num_queries(12):
        shown(auditor)
    assert "1,234.50" not in shown(auditor, merchant="mer_nobody")
    assert support.get(LIST).status_code == 403
    row = DailyRevenue.objects.get()
    assert auditor.post(f"{LIST}{row.pk}/change/", {"paid_minor": "0"}).status_code == 403
    assert auditor.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert DailyRevenue.objects.get().paid_minor == 123450


def test_where_the_stream_is() -> None:
    StreamPosition.objects.create(
        name="redis", published_seq=4711, error=EVIL, attempts=3, due_at=clock.now()
    )
    page = console(person("ola", "operator")).get(POSITION).content.decode()
    assert "nothing waits" in page and "4711" in page and "&lt;script&gt;" in page and EVIL not in page
    assert console(person("mia", "finance_maker")).get(POSITION).status_code == 403
