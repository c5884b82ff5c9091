"""Payment methods that buyers have kept: saving one, paying with it, letting it go."""

import json
import uuid
from typing import Any

import pytest
from django.http import HttpResponse

from core.failpoints import arm, fired
from payments.models import Charge, PaymentEvent, PaymentMethodToken, PspCustomer, PspOperation
from tests.payments.conftest import Shop
from tests.racing import race
from tests.store import error

pytestmark = pytest.mark.usefixtures("hooks")

STEPS = ["before_intent", "after_intent", "after_effect", "before_commit", "after_commit"]


def saving(shop: Shop, token: str = "pm_card_visa", buyer: str = "b-1", **other: Any) -> dict[str, Any]:
    """A checkout whose token is to be kept."""
    card = {"token": token, "save": True}
    return shop.body(buyer_info={"buyer_account": buyer}, credit_card_info=card, **other)


def with_saved(shop: Shop, method: str, buyer: str = "b-1", **other: Any) -> dict[str, Any]:
    """A checkout that is paid with what was kept."""
    card = {"payment_method_id": method}
    return shop.body(buyer_info={"buyer_account": buyer}, credit_card_info=card, **other)


def methods(shop: Shop, buyer: str = "b-1", **query: str) -> list[dict[str, Any]]:
    answer = shop.store.get(f"/v1/buyers/{buyer}/payment_methods", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def save(shop: Shop, token: str = "pm_card_visa", buyer: str = "b-1") -> dict[str, Any]:
    """Pay and keep; return the newest method."""
    assert shop.pay(saving(shop, token, buyer))["status"] == "succeeded"
    return methods(shop, buyer)[0]


def delete(shop: Shop, method: str, buyer: str = "b-1") -> HttpResponse:
    return shop.store.request("DELETE", f"/v1/buyers/{buyer}/payment_methods/{method}")


def kinds() -> list[str]:
    return list(PspOperation.objects.order_by("id").values_list("kind", flat=True))


def test_a_token_is_kept_and_pays_again(shop: Shop) -> None:
    seen = shop.pay(saving(shop))
    assert (seen["status"], kinds()) == ("succeeded", ["customer", "attach", "register", "confirm"])
    method = methods(shop)[0]
    row = PaymentMethodToken.objects.get()
    assert method == {
        "object": "payment_method",
        "id": method["id"],
        "buyer_account": "b-1",
        "brand": "visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2034,
        "wallet": None,
        "created_at": method["created_at"],
    }
    assert method["id"].startswith("saved_")
    assert row.psp_token.startswith("pm_")
    again = shop.pay(with_saved(shop, method["id"]))
    assert (again["status"], len(shop.captures())) == ("succeeded", 2)
    assert kinds()[4:] == ["register", "confirm"]
    row.refresh_from_db()
    assert row.last_used_at > row.created_at


def test_one_customer_per_buyer_and_channel(shop: Shop) -> None:
    for token in ("pm_card_visa", "pm_card_mastercard"):
        save(shop, token)
    save(shop, buyer="b-2")
    assert PspCustomer.objects.count() == 2 == len(shop.requests("customers.create"))
    assert [each["brand"] for each in methods(shop)] == ["mastercard", "visa"]
    assert [each["brand"] for each in methods(shop, "b-2")] == ["visa"]


def test_best_effort_keeps_the_token_that_pays_every_order(shop: Shop) -> None:
    seen = shop.pay(saving(shop, multi_order_policy="best_effort"))
    assert (seen["status"], len(shop.captures()), len(methods(shop))) == ("succeeded", 2, 1)
    again = shop.pay(with_saved(shop, methods(shop)[0]["id"], multi_order_policy="best_effort"))
    assert (again["status"], len(shop.captures())) == ("succeeded", 4)
    assert kinds().count("attach") == 1


def test_a_token_that_cannot_be_attached_declines_and_is_not_kept(shop: Shop) -> None:
    seen = shop.pay(saving(shop, "pm_card_chargeDeclined"))
    assert (seen["status"], methods(shop), shop.captures()) == ("failed", [], [])
    assert seen["payment_orders"][0]["failure"]["code"] == "card_declined"
    assert kinds() == ["customer", "attach"]


def test_what_was_attached_is_kept_though_the_payment_fails(shop: Shop) -> None:
    seen = shop.pay(saving(shop, "pm_card_chargeCustomerFail"))
    assert (seen["status"], len(methods(shop))) == ("failed", 1)


def test_saving_needs_a_buyer(shop: Shop) -> None:
    body = shop.body(credit_card_info={"token": "pm_card_visa", "save": True})
    answer = shop.store.post("/v1/payments", body, key="k")
    assert error(answer) == (422, "buyer_account_required", "buyer_info.buyer_account")
    assert PaymentEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ({}, "missing_field", "credit_card_info.token"),
        ({"save": True}, "missing_field", "credit_card_info.token"),
        (
            {"token": "pm_x", "payment_method_id": "saved_x"},
            "payment_method_conflict",
            "credit_card_info.payment_method_id",
        ),
        ({"payment_method_id": "saved_x", "save": True}, "payment_method_conflict", "credit_card_info.save"),
        ({"token": "pm_x", "save": "yes"}, "invalid_field", "credit_card_info.save"),
        ({"payment_method_id": 5}, "invalid_field", "credit_card_info.payment_method_id"),
    ],
)
def test_exactly_one_of_token_and_method(counter: Shop, card: Any, code: str, param: str) -> None:
    body = counter.body(buyer_info={"buyer_account": "b"}, credit_card_info=card)
    assert error(counter.store.post("/v1/payments", body, key="k")) == (422, code, param)


def test_the_bank_may_still_ask_for_the_buyer(shop: Shop) -> None:
    def pay(body: dict[str, Any]) -> None:
        seen = shop.pay(body)
        assert seen["status"] == "requires_action"
        reference = seen["payment_orders"][0]["psp"]["reference"]
        shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "complete"})
        shop.later(30)
        assert shop.checkout(seen["id"])["status"] == "succeeded"

    pay(saving(shop, "pm_card_authenticationRequired"))
    pay(with_saved(shop, methods(shop)[0]["id"]))
    assert len(shop.captures()) == 2


@pytest.mark.parametrize("wallet", ["ApplePay", "GooglePay"])
def test_wallet_tokens_pay_decline_and_are_kept(shop: Shop, wallet: str) -> None:
    """The wallet has authenticated the buyer: no bank asks again."""
    assert shop.pay(shop.body(token=f"pm_card_sandbox{wallet}"))["status"] == "succeeded"
    seen = shop.pay(shop.body(token=f"pm_card_sandbox{wallet}Declined"))
    assert (seen["status"], seen["payment_orders"][0]["failure"]["code"]) == ("failed", "card_declined")
    method = save(shop, f"pm_card_sandbox{wallet}")
    assert method["wallet"] == {"ApplePay": "apple_pay", "GooglePay": "google_pay"}[wallet]
    again = shop.pay(with_saved(shop, method["id"]))
    assert (again["status"], len(shop.captures())) == ("succeeded", 3)
    assert not Charge.objects.exclude(redirect_url="").exists()


def test_an_attempt_saves_and_pays_with_what_is_saved(shop: Shop) -> None:
    kept = save(shop)
    first = shop.pay(shop.body(buyer_info={"buyer_account": "b-1"}, token="pm_card_chargeDeclined"))
    path = f"/v1/checkouts/{first['id']}/attempts"

    def attempt(card: dict[str, Any]) -> HttpResponse:
        return shop.store.post(path, {"credit_card_info": card}, key=uuid.uuid4().hex)

    assert attempt({"token": "pm_card_chargeCustomerFail", "save": True}).status_code == 201
    shop.work()
    assert (shop.checkout(first["id"])["status"], len(methods(shop))) == ("failed", 2)
    unknown = (422, "payment_method_unknown", "credit_card_info.payment_method_id")
    assert error(attempt({"payment_method_id": "saved_" + "0" * 26})) == unknown
    assert attempt({"payment_method_id": kept["id"]}).status_code == 201
    shop.work()
    assert shop.checkout(first["id"])["status"] == "succeeded"
    assert len(shop.requests("customers.create")) == 1


def test_an_attempt_of_nobodys_checkout_cannot_save(shop: Shop) -> None:
    first = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    body = {"credit_card_info": {"token": "pm_card_visa", "save": True}}
    answer = shop.store.post(f"/v1/checkouts/{first['id']}/attempts", body, key="k")
    assert error(answer) == (422, "buyer_account_required", "buyer_info.buyer_account")


def test_two_first_payments_of_a_buyer_share_one_customer(shop: Shop) -> None:
    """Both make a customer at the provider; one of them counts, and both methods hang on it."""
    for token in ("pm_card_visa", "pm_card_mastercard"):
        shop.accept(saving(shop, token))
    assert set(PspOperation.objects.values_list("kind", flat=True)) == {"customer"}
    race([shop.work, shop.work])
    shop.work()
    assert (len(methods(shop)), len(shop.captures()), PspCustomer.objects.count()) == (2, 2, 1)
    client = shop.provider.client(shop.account_key).v1
    assert len(client.payment_methods.list({"customer": _customer()}).data) == 2


def test_methods_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    kept = [save(shop, token)["id"] for token in ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")]
    path = "/v1/buyers/b-1/payment_methods"
    first = shop.store.get(path, limit="2").json()
    assert [each["id"] for each in first["data"]] == [kept[2], kept[1]]
    assert (first["object"], first["has_more"]) == ("list", True)
    second = shop.store.get(path, limit="2", cursor=first["next_cursor"]).json()
    assert [each["id"] for each in second["data"]] == [kept[0]]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    foreign = shop.store.get("/v1/buyers/b-2/payment_methods", cursor=first["next_cursor"])
    assert error(foreign) == (400, "invalid_parameter", "cursor")
    assert error(shop.store.get(path, status="x")) == (400, "unknown_parameter", "status")
    assert methods(shop, "nobody") == methods(shop, "\U0001f600") == []


@pytest.mark.parametrize("skip", range(4), ids=lambda n: f"step{n}")
@pytest.mark.parametrize("where", STEPS)
def test_a_crash_between_any_two_steps_keeps_one_method_f_a2_f_a3(
    shop: Shop, owner_sql: Any, where: str, skip: int
) -> None:
    """Between attach and store above all: the same key brings the same method back."""
    accepted = shop.accept(saving(shop))
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
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    assert (len(methods(shop)), len(shop.captures())) == (1, 1)
    token = PaymentMethodToken.objects.get().psp_token
    client = shop.provider.client(shop.account_key).v1
    assert [each.id for each in client.payment_methods.list({"customer": _customer()}).data] == [token]


def _customer() -> str:
    return PspCustomer.objects.get().reference


def _arm_after(name: str, skip: int) -> None:
    """Arm a raise behind `skip` harmless ones."""
    from pathlib import Path

    from django.conf import settings

    (Path(settings.HOOKS_DIR) / f"fp@{name}@{skip:04d}").write_text(json.dumps({"do": "raise"}))
