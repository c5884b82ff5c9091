"""F-C17: money flows and no webhook comes: somebody is told, once."""

from typing import Any

import pytest

from core.models import Case
from core.transactions import at_edge
from payments.engine.silence import TOO_MANY
from payments.services import watch_webhooks
from payments.tasks import watch
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, told


def pay(shop: Shop, count: int) -> dict[str, Any]:
    accepted = [shop.accept(shop.body()) for _ in range(count)]
    shop.work()
    return accepted[-1]


def test_payments_and_not_one_event_f_c17(shop: Shop) -> None:
    pay(shop, TOO_MANY)
    assert at_edge(watch_webhooks)() == [shop.channel.name]
    watch()
    case = Case.objects.get()
    assert (case.kind, case.subject) == ("webhooks_silent", f"channel:{shop.channel.name}")
    assert case.merchant_id == shop.store.merchant_id


def test_too_few_payments_prove_nothing(shop: Shop) -> None:
    pay(shop, TOO_MANY - 1)
    assert at_edge(watch_webhooks)() == []


def test_a_provider_that_tells_is_not_silent(shop: Shop) -> None:
    last = pay(shop, TOO_MANY)
    assert deliver(shop, told(shop, last["checkout_id"])[-1]) == 200
    assert at_edge(watch_webhooks)() == []
    assert not Case.objects.exists()


def test_a_channel_without_a_secret_is_only_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    pay(shop, TOO_MANY)
    monkeypatch.setattr("payments.engine.silence.expects_webhooks", lambda channel_id: False)
    assert at_edge(watch_webhooks)() == []


def test_it_is_over_when_the_provider_tells_again(shop: Shop) -> None:
    last = pay(shop, TOO_MANY)
    watch()
    assert Case.objects.get().status == "OPEN"
    assert deliver(shop, told(shop, last["checkout_id"])[-1]) == 200
    watch()
    case = Case.objects.get()
    assert (case.status, case.resolution) == ("CLOSED", "The provider tells again.")
