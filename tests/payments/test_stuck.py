"""What has no outcome is shown with its value, and has one case from when it is overdue until it ends."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from core import clock
from core.alerts import active_alerts, escalate
from core.errors import InvalidState
from core.models import AuditRecord, Case
from core.transactions import at_edge
from payments.models import Charge
from payments.selectors import values_waiting, waiting
from payments.services import ask_provider_now, close_outcome, take_outcome
from payments.tasks import watch_stuck_payments
from tests.payments.conftest import Shop, hosted
from tests.racing import race

CONFIRM = "payment_intents.confirm"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def lose(shop: Shop, fault: str = "charged_but_timeout") -> dict[str, Any]:
    """A payment whose answer never came, and whose provider cannot be asked either."""
    shop.arm(fault, operation=CONFIRM)
    accepted = shop.accept(shop.body())
    shop.work()
    shop.arm("http_500", operation="payment_intents.retrieve", times=None)
    return accepted


def stuck() -> list[tuple[str, str]]:
    return list(Case.objects.filter(kind="payment_stuck").order_by("pk").values_list("subject", "status"))


def test_unknown_is_at_the_desk_at_once_and_a_case_when_overdue(shop: Shop) -> None:
    """DESIGN 5: one case with the value at risk, however often beat comes; the system closes it."""
    accepted = lose(shop)
    [found] = waiting()
    assert (found.reason, found.amount_minor, found.currency) == ("unknown", 10000, "USD")
    assert values_waiting() == [("USD", 1, 10000)]
    shop.later(600)
    watch_stuck_payments()
    assert stuck() == []
    shop.later(400)
    with capture_logs() as lines:
        race([watch_stuck_payments] * 3)
        watch_stuck_payments()
    case = Case.objects.get()
    assert (case.kind, case.status) == ("payment_stuck", "OPEN")
    assert (case.value_minor, case.currency) == (10000, "USD")
    told = [each for each in lines if each["event"] == "alert"]
    assert [each["runbook"] for each in told] == ["docs/operating/runbooks.md#payment-stuck"]
    [alert] = active_alerts()
    assert (alert.severity, alert.count, alert.values) == ("warning", 1, {"USD": 10000})

    shop.cure()
    shop.later(3600)
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    watch_stuck_payments()
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("CLOSED", "The outcome came: the charge is CAPTURED.")
    assert waiting() == [] and active_alerts() == []


def test_it_is_told_once_more_when_nobody_deals_with_it(shop: Shop) -> None:
    lose(shop)
    shop.later(1000)
    watch_stuck_payments()
    assert at_edge(escalate)() == 0
    clock.move(seconds=4 * 3600 + 1)
    with capture_logs() as lines:
        assert at_edge(escalate)() == 1
        assert at_edge(escalate)() == 0
    assert [each["severity"] for each in lines if each["event"] == "alert"] == ["critical"]
    assert [each.severity for each in active_alerts()] == ["critical"]
    shop.cure()
    shop.later(7200)


def test_what_waits_for_the_buyer_is_never_stuck(shop: Shop) -> None:
    """An open page and a 3-D Secure step are the buyer's, however long."""
    shop.pay(shop.body(token="pm_card_authenticationRequired"))
    shop.accept(hosted(shop, shop.order()))
    shop.work()
    assert set(Charge.objects.values_list("status", flat=True)) == {"REQUIRES_ACTION"}
    clock.move(seconds=3 * 86_400)
    watch_stuck_payments()
    assert stuck() == [] and waiting() == []


def test_what_the_provider_processes_is_stuck_after_a_day(shop: Shop) -> None:
    accepted = shop.pay(shop.body(token="pm_card_sandboxProcessing"))
    assert Charge.objects.get().status == "PENDING"
    assert waiting() == []
    shop.later(2 * 3600)
    assert [each.reason for each in waiting()] == ["processing"]
    watch_stuck_payments()
    assert stuck() == []
    shop.later(23 * 3600)
    watch_stuck_payments()
    assert len(stuck()) == 1
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/settlement", {"result": "succeed"})
    shop.later(3601)
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    watch_stuck_payments()
    assert [status for _, status in stuck()] == ["CLOSED"]


def test_asking_now_asks_and_leaves_a_record(shop: Shop) -> None:
    accepted = lose(shop)
    shop.later(3600)
    shop.cure()
    charge = Charge.objects.get()
    with pytest.raises(Exception, match="Say why"):
        at_edge(ask_provider_now)(charge_id=charge.id, by="user:1", reason=" ")
    assert at_edge(ask_provider_now)(charge_id=charge.id, by="user:1", reason="the buyer is on the line") == 1
    shop.work()
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    record = AuditRecord.objects.get(action="charge.ask_now")
    assert (record.actor, record.reason) == ("user:1", "the buyer is on the line")
    with pytest.raises(InvalidState):
        at_edge(ask_provider_now)(charge_id=charge.id, by="user:1", reason="again")


def test_a_case_is_not_closed_while_the_outcome_is_missing(shop: Shop) -> None:
    lose(shop)
    charge = Charge.objects.get()
    at_edge(take_outcome)(charge_id=charge.id, by="user:1")
    assert Case.objects.get().owner == "user:1"
    with pytest.raises(InvalidState):
        at_edge(close_outcome)(charge_id=charge.id, by="user:1", reason="it looks lost")
    shop.cure()
    shop.later(3600)
    at_edge(close_outcome)(charge_id=charge.id, by="user:1", reason="it was captured")
    assert Case.objects.get().status == "CLOSED"
