"""A token whose bank wants to see the buyer: sent there, and back to a page of ours that believes nothing."""

from typing import Any

import pytest

from payments.models import Charge, PaymentOrder, PspOperation
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process, told

TOKEN = "pm_card_threeDSecure2Required"
DECLINED_LATER = "pm_card_threeDSecureRequiredChargeDeclined"
HOUR = 3600


@pytest.fixture(autouse=True)
def _hooks(hooks: Any) -> None:
    """The clock can be moved."""


def authenticate(shop: Shop, result: str) -> None:
    """The buyer answers their bank."""
    path = f"payment_intents/{Charge.objects.get().psp_reference}/authentication"
    shop.provider.control("POST", path, {"result": result})


def orders() -> set[str]:
    return set(PaymentOrder.objects.values_list("status", flat=True))


def failure(shop: Shop, checkout: dict[str, Any]) -> dict[str, Any]:
    return shop.checkout(checkout["id"])["payment_orders"][0]["failure"]


def test_the_bank_sends_the_buyer_back_to_us_only_a_b16(shop: Shop, settings: Any) -> None:
    """A-B16: the store's own address is where we send the buyer on; the bank never learns it."""
    seen = shop.pay(shop.body(token=TOKEN, return_url="https://shop.example/thanks?paid=1"))
    charge = Charge.objects.get()
    intent = shop.provider.client(shop.account_key).v1.payment_intents.retrieve(charge.psp_reference)
    hop = f"{settings.PUBLIC_URL}/pay/{seen['id']}/return"
    assert intent.next_action.redirect_to_url.return_url == hop
    assert seen["next_action"] == {"type": "redirect_to_url", "url": charge.redirect_url}


@pytest.mark.parametrize("by", ["webhook", "poll"])
def test_authenticated_and_paid(shop: Shop, by: str) -> None:
    seen = shop.pay(shop.body(token=TOKEN))
    assert (seen["status"], orders()) == ("requires_action", {"REQUIRES_ACTION"})
    authenticate(shop, "complete")
    assert orders() == {"REQUIRES_ACTION"}, "nothing is known before somebody asks or is told"
    if by == "webhook":
        assert deliver(shop, told(shop, seen["checkout_id"])[-1]) == 200
        process()
    else:
        shop.later(2)
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["next_action"], len(shop.captures())) == ("succeeded", None, 1)


@pytest.mark.parametrize("by", ["webhook", "poll"])
@pytest.mark.parametrize(
    ("token", "result", "code"),
    [(TOKEN, "fail", "authentication_failed"), (DECLINED_LATER, "complete", "card_declined")],
)
def test_not_authenticated_or_declined_afterwards(
    shop: Shop, by: str, token: str, result: str, code: str
) -> None:
    seen = shop.pay(shop.body(token=token))
    assert orders() == {"REQUIRES_ACTION"}
    authenticate(shop, result)
    if by == "webhook":
        failed = [each for each in told(shop, seen["checkout_id"]) if each["type"].endswith("payment_failed")]
        assert deliver(shop, failed[-1]) == 200
        process()
        shop.work()
    else:
        shop.later(2)
    assert (orders(), failure(shop, seen)["code"], shop.captures()) == ({"FAILED"}, code, [])
    assert shop.checkout(seen["id"])["next_action"] is None


def test_a_buyer_who_takes_hours(shop: Shop) -> None:
    """F-C6: no webhook; the bank's page stays open, and the result is found by asking."""
    seen = shop.pay(shop.body(token=TOKEN))
    for _ in range(4):
        shop.later(HOUR)
    assert (orders(), PspOperation.objects.get(kind="confirm").status) == ({"REQUIRES_ACTION"}, "PENDING")
    authenticate(shop, "complete")
    shop.later(HOUR)
    assert shop.checkout(seen["id"])["status"] == "succeeded"


def test_a_result_at_the_provider_that_takes_hours(shop: Shop) -> None:
    """PENDING for as long as it takes, by polling alone; the webhook brings it sooner."""
    polled, quick = (shop.pay(shop.body(token="pm_card_sandboxProcessing")) for _ in range(2))
    for _ in range(4):
        shop.later(HOUR)
    assert orders() == {"EXECUTING"}
    for charge in Charge.objects.all():
        path = f"payment_intents/{charge.psp_reference}/settlement"
        shop.provider.control("POST", path, {"result": "succeed"})
    assert deliver(shop, told(shop, quick["checkout_id"])[-1]) == 200
    process()
    assert shop.checkout(quick["id"])["status"] == "succeeded"
    assert shop.checkout(polled["id"])["status"] == "processing"
    shop.later(HOUR)
    assert shop.checkout(polled["id"])["status"] == "succeeded"
