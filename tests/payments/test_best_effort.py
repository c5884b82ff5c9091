"""best_effort: one charge per order with one token, each order for itself, whatever dies in between."""

from collections.abc import Callable
from typing import Any

import pytest

from core.failpoints import arm, fired
from ledger.models import JournalEntry
from payments.models import Charge, PaymentOrder, PspOperation
from tests.payments.conftest import Shop

pytestmark = pytest.mark.usefixtures("hooks")

STEPS = ["before_intent", "after_intent", "after_effect", "before_commit", "after_commit"]


def best_effort(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    asked = orders or (shop.order("90.00"), shop.order("10.00", "bob"))
    return shop.body(*asked, multi_order_policy="best_effort", **other)


def states(shop: Shop, checkout_id: str) -> list[str]:
    return [order["payment_order_status"] for order in shop.checkout(checkout_id)["payment_orders"]]


def test_two_orders_are_two_charges_with_one_reusable_token(shop: Shop) -> None:
    seen = shop.pay(best_effort(shop))
    assert (seen["status"], seen["is_payment_done"]) == ("succeeded", True)
    assert sorted(row["amount"] for row in shop.captures()) == [1000, 9000]
    assert Charge.objects.count() == JournalEntry.objects.filter(source="charge").count() == 2
    kinds = list(PspOperation.objects.values_list("kind", flat=True))
    assert sorted(kinds) == ["attach", "confirm", "confirm", "customer", "register", "register"]
    references = {order["psp"]["reference"] for order in seen["payment_orders"]}
    assert len(references) == 2 and None not in references


def test_each_order_may_have_its_own_currency(shop: Shop) -> None:
    seen = shop.pay(best_effort(shop, shop.order("90.00"), shop.order("700", "bob", currency="JPY")))
    assert seen["status"] == "succeeded"
    assert [order["captured"] for order in seen["payment_orders"]] == ["90.00", "700"]
    assert sorted((row["amount"], row["currency"]) for row in shop.captures()) == [
        (700, "jpy"),
        (9000, "usd"),
    ]


def test_a_decline_does_not_stop_the_other_order(shop: Shop) -> None:
    seen = shop.pay(best_effort(shop, shop.order("0.01"), shop.order("10.00", "bob")))
    assert (seen["status"], seen["is_payment_done"], seen["is_final"]) == ("partially_succeeded", False, True)
    assert states(shop, seen["id"]) == ["FAILED", "SUCCESS"]
    assert seen["payment_orders"][0]["failure"]["code"] == "amount_not_supported"
    assert len(shop.captures()) == 1


def test_a_card_that_can_be_kept_but_not_charged_fails_every_order(shop: Shop) -> None:
    seen = shop.pay(best_effort(shop, token="pm_card_chargeCustomerFail"))
    assert (seen["status"], states(shop, seen["id"])) == ("failed", ["FAILED", "FAILED"])
    assert shop.captures() == []


@pytest.mark.parametrize("token", ["pm_nobody", "pm_card_chargeDeclined"])
def test_a_token_that_cannot_be_made_reusable_fails_every_order(shop: Shop, token: str) -> None:
    """Nothing may be left waiting for a step that will never come."""
    seen = shop.pay(best_effort(shop, shop.order(), shop.order(), shop.order(), token=token))
    assert (seen["status"], seen["is_final"]) == ("failed", True)
    assert states(shop, seen["id"]) == ["FAILED"] * 3
    assert len({order["failure"]["code"] for order in seen["payment_orders"]}) == 1
    assert shop.captures() == []


@pytest.mark.parametrize("step", ["customers.create", "payment_methods.attach"])
def test_a_provider_that_stays_away_fails_every_order(shop: Shop, step: str) -> None:
    shop.arm("http_429", operation=step, times=None)
    seen = shop.pay(best_effort(shop))
    for _ in range(6):
        shop.later(200)
    assert states(shop, seen["id"]) == ["FAILED", "FAILED"]
    assert shop.captures() == []


@pytest.mark.parametrize("step", ["customers.create", "payment_methods.attach", "payment_intents.create"])
@pytest.mark.parametrize("kind", ["connection_reset_after_body", "http_503"])
@pytest.mark.parametrize("effect", [True, False])
def test_silence_at_any_step_ends_in_one_charge_per_order(
    shop: Shop, step: str, kind: str, effect: bool
) -> None:
    shop.arm(kind, operation=step, effect=effect)
    seen = shop.pay(best_effort(shop))
    for _ in range(3):
        shop.later(20)
    assert states(shop, seen["id"]) == ["SUCCESS", "SUCCESS"]
    assert sorted(row["amount"] for row in shop.captures()) == [1000, 9000]


def test_the_next_action_is_that_of_the_first_order_that_needs_one(shop: Shop) -> None:
    seen = shop.pay(best_effort(shop, token="pm_card_authenticationRequired"))
    for index in range(2):
        if seen["status"] != "requires_action":
            break
        reference = seen["payment_orders"][index]["psp"]["reference"]
        redirect = Charge.objects.get(psp_reference=reference).redirect_url
        assert seen["next_action"] == {"type": "redirect_to_url", "url": redirect}
        shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "complete"})
        shop.later(30)
        seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["next_action"]) == ("succeeded", None)


@pytest.mark.parametrize("skip", range(6), ids=lambda n: f"step{n}")
@pytest.mark.parametrize("where", STEPS)
def test_a_crash_between_any_two_steps_changes_nothing_in_the_end_f_a2_f_a3(
    shop: Shop, owner_sql: Callable[..., Any], where: str, skip: int
) -> None:
    """The worker breaks at the n-th time it passes the place; another one finds the row by its lease."""
    accepted = shop.accept(best_effort(shop))
    arm(f"execute.{where}", "delay", times=skip, milliseconds="0")
    _arm_after(f"execute.{where}", skip)
    shop.work()
    for _ in range(6):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)
    if where == "before_intent" and skip > 1:
        assert len(fired(f"execute.{where}")) >= 1  # Chained steps pass it only when they are claimed.
    else:
        assert len(fired(f"execute.{where}")) == skip + 1
    assert states(shop, accepted["id"]) == ["SUCCESS", "SUCCESS"]
    assert sorted(row["amount"] for row in shop.captures()) == [1000, 9000]
    assert JournalEntry.objects.filter(source="charge").count() == 2
    assert set(PaymentOrder.objects.values_list("ledger_updated", "wallet_updated")) == {(True, True)}


def _arm_after(name: str, skip: int) -> None:
    """Arm a raise behind `skip` harmless ones."""
    import json
    from pathlib import Path

    from django.conf import settings

    (Path(settings.HOOKS_DIR) / f"fp@{name}@{skip:04d}").write_text(json.dumps({"do": "raise"}))
