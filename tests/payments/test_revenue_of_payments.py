"""Real payments, counted from their events alone: what the consumer reads is what pay-in tells."""

from core.drain import get_drain
from core.models import DeadLetter
from events.consumers.daily_revenue import RevenueByDay
from events.consumers.loop import settle
from events.models import DailyRevenue
from tests.payments.conftest import Shop


def test_what_was_paid_is_counted_once(shop: Shop) -> None:
    assert shop.pay()["status"] == "succeeded"
    declined = shop.pay(shop.body(shop.order("55.00"), token="pm_card_visa_chargeDeclined"))
    assert declined["status"] == "failed"
    get_drain("relay").run()
    assert settle(consumer=RevenueByDay()) == 2
    assert not DeadLetter.objects.exists()
    row = DailyRevenue.objects.get()
    assert (row.merchant_id, row.currency, row.paid_minor, row.payments, row.refunds) == (
        shop.store.merchant_id,
        "USD",
        10_000,
        2,
        0,
    )
