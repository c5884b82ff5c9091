"""A saved method is let go: not usable from that moment, detached at the provider whatever happens."""

import threading
import uuid
from typing import Any

import pytest

from core.failpoints import arm
from core.models import Case
from payments.engine import saved
from payments.models import PaymentMethodToken, PaymentOrder, PspOperation
from tests.payments.conftest import Shop
from tests.payments.test_saved_methods import delete, methods, save, saving, with_saved
from tests.racing import race
from tests.store import error

pytestmark = pytest.mark.usefixtures("hooks")

UNKNOWN = (422, "payment_method_unknown", "credit_card_info.payment_method_id")
RANDOM = "saved_" + "0" * 26
STEPS = ["before_intent", "after_intent", "after_effect", "before_commit", "after_commit"]


def customer_at_provider(shop: Shop) -> Any:
    """Whose the method is there; None when nobody's."""
    row = PaymentMethodToken.objects.get()
    return shop.provider.client(shop.account_key).v1.payment_methods.retrieve(row.psp_token).customer


def detach() -> PspOperation:
    return PspOperation.objects.get(kind="detach")


def pay(shop: Shop, method: str, **other: Any) -> Any:
    return shop.store.post("/v1/payments", with_saved(shop, method, **other), key=uuid.uuid4().hex)


def test_a_deleted_method_is_detached_and_refused(shop: Shop) -> None:
    method = save(shop)["id"]
    assert customer_at_provider(shop)
    answer = delete(shop, method)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (methods(shop), error(pay(shop, method))) == ([], UNKNOWN)
    assert error(delete(shop, method)) == (404, "not_found", None)
    assert detach().nonce and detach().status == "CREATED"
    shop.work()
    assert (detach().status, customer_at_provider(shop)) == ("SUCCEEDED", None)
    assert len(shop.requests("payment_methods.detach")) == 1


@pytest.mark.parametrize(
    "kind", ["connection_reset_after_body", "broken_json", "http_503", "http_429", "charged_but_timeout"]
)
@pytest.mark.parametrize("effect", [True, False])
def test_silence_is_asked_about_until_it_is_detached(
    shop: Shop, settings: Any, kind: str, effect: bool
) -> None:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 1.0
    method = save(shop)["id"]
    shop.arm(kind, operation="payment_methods.detach", effect=effect)
    delete(shop, method)
    shop.work()
    assert detach().status in ("UNKNOWN", "NOT_SENT")
    for _ in range(3):
        shop.later(20)
    assert (detach().status, customer_at_provider(shop)) == ("SUCCEEDED", None)


def test_what_the_provider_detached_itself_is_no_case(shop: Shop) -> None:
    method = save(shop)["id"]
    client = shop.provider.client(shop.account_key).v1
    client.payment_methods.detach(PaymentMethodToken.objects.get().psp_token)
    delete(shop, method)
    shop.work()
    assert (detach().status, Case.objects.count()) == ("SUCCEEDED", 0)


def test_a_refusal_is_a_case_and_changes_nothing_of_the_payment(shop: Shop) -> None:
    """The account no longer knows the method: nobody can say whether it can still be charged."""
    method = save(shop)["id"]
    shop.provider.control("POST", "reset", {})
    delete(shop, method)
    shop.work()
    assert detach().status == "DECLINED"
    case = Case.objects.get()
    assert (case.kind, case.subject) == ("method_not_detached", method)
    assert PaymentMethodToken.objects.get().psp_token not in case.summary + detach().error
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"SUCCESS"}


def test_a_nonce_used_for_something_else_is_a_case(shop: Shop) -> None:
    method = save(shop)["id"]
    delete(shop, method)
    client = shop.provider.client(shop.account_key).v1
    client.customers.create({}, {"idempotency_key": detach().nonce})
    shop.work()
    assert (detach().status, Case.objects.get().kind) == ("CONFLICTED", "method_not_detached")
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"SUCCESS"}


def test_a_day_of_silence_does_not_make_it_forgotten(shop: Shop) -> None:
    """The provider has forgotten the nonce by then; what is seen still attached is detached all the same."""
    method = save(shop)["id"]
    shop.arm("connection_reset_after_body", operation="payment_methods.*", effect=False, times=None)
    delete(shop, method)
    shop.work()
    for _ in range(2):
        shop.later(13 * 3600)
    assert detach().status == "UNKNOWN"
    shop.cure()
    shop.later(3600)
    assert (detach().status, customer_at_provider(shop)) == ("SUCCEEDED", None)


def test_deleted_while_its_first_payment_waits_for_the_bank(shop: Shop) -> None:
    """The detach hangs on the charge that saved it and leaves that charge alone."""
    seen = shop.pay(saving(shop, "pm_card_authenticationRequired"))
    assert seen["status"] == "requires_action"
    delete(shop, methods(shop)[0]["id"])
    shop.work()
    assert (detach().status, shop.checkout(seen["id"])["status"]) == ("SUCCEEDED", "requires_action")
    reference = seen["payment_orders"][0]["psp"]["reference"]
    shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "fail"})
    shop.later(30)
    assert shop.checkout(seen["id"])["status"] == "failed"


@pytest.mark.parametrize("where", STEPS)
def test_a_crash_at_any_step_ends_detached_f_a2_f_a3(shop: Shop, owner_sql: Any, where: str) -> None:
    method = save(shop)["id"]
    delete(shop, method)
    arm(f"execute.{where}.detach", "raise")
    shop.work()
    for _ in range(4):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)
    assert (detach().status, customer_at_provider(shop)) == ("SUCCEEDED", None)
    assert len({each["idempotency_key"] for each in shop.requests("payment_methods.detach")}) == 1


def test_whose_it_is_makes_no_difference_to_others_a_e1(shop: Shop, counter: Shop) -> None:
    """A-E1: another store's, another buyer's, a deleted, a random and a malformed id all look the same."""
    method, gone = save(shop)["id"], save(shop, "pm_card_mastercard")["id"]
    save(shop, buyer="b-2")
    delete(shop, gone)
    token = PaymentMethodToken.objects.order_by("id")[0].psp_token
    foreign = [
        (shop, method, "b-2"),
        (shop, gone, "b-1"),
        (shop, RANDOM, "b-1"),
        (shop, token, "b-1"),
        (shop, "x" * 64, "b-1"),
        (shop, method, "nobody"),
        (counter, method, "b-1"),
    ]
    seen = set()
    for asker, reference, buyer in foreign:
        refused = pay(asker, reference, buyer=buyer)
        assert error(refused) == UNKNOWN
        body = refused.json()["error"]
        seen.add((body["message"], body["type"]))
        assert error(delete(asker, reference, buyer)) == (404, "not_found", None)
    assert len(seen) == 1
    nobody = shop.body(credit_card_info={"payment_method_id": method})
    assert error(shop.store.post("/v1/payments", nobody, key="k")) == UNKNOWN
    assert methods(counter) == []
    assert [each["id"] for each in methods(shop)] == [method]
    assert not PspOperation.objects.filter(kind="detach").exclude(charge__lines__live=True).exists()
    shop.work()


def test_a_method_on_a_channel_that_is_off_is_unknown(shop: Shop) -> None:
    from django.db import transaction

    from channels.services import set_enabled

    method = save(shop)["id"]
    with transaction.atomic():
        set_enabled(channel_id=shop.channel.id, enabled=False, actor="user:test", reason="test")
    assert error(pay(shop, method)) == UNKNOWN


def test_keys_without_the_scope_are_refused(shop: Shop) -> None:
    from dataclasses import replace

    from django.db import transaction

    from merchants.services import create_api_key

    method = save(shop)["id"]
    with transaction.atomic():
        key = create_api_key(merchant_id=shop.store.merchant_id, name="pay", scopes=["payments:write"])
    narrow = replace(shop, store=replace(shop.store, key_id=key.id, secret=key.secret))
    assert error(delete(narrow, method))[:2] == (403, "permission_denied")
    answer = narrow.store.get("/v1/buyers/b-1/payment_methods")
    assert error(answer)[:2] == (403, "permission_denied")


def test_two_deletes_are_one_detach(shop: Shop) -> None:
    method = save(shop)["id"]
    answers = race([lambda: delete(shop, method)] * 6)
    assert sorted(each.status_code for each in answers) == [204, *[404] * 5]
    assert PspOperation.objects.filter(kind="detach").count() == 1
    shop.work()
    assert len(shop.requests("payment_methods.detach")) == 1


def test_without_the_lock_the_database_refuses_the_second(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: whoever looks without a lock sees it alive twice; one operation of a kind remains."""
    method = save(shop)["id"]
    shop.store.raise_errors = False
    meet = threading.Barrier(2)

    def unlocked(*, method_id: uuid.UUID, **_: Any) -> PaymentMethodToken:
        row = PaymentMethodToken.objects.get(pk=method_id)
        meet.wait(20)
        return row

    monkeypatch.setattr(saved, "lock_payment_method", unlocked)
    answers = race([lambda: delete(shop, method)] * 2)
    assert sorted(each.status_code for each in answers) == [204, 500]
    assert PspOperation.objects.filter(kind="detach").count() == 1
    shop.work()


@pytest.mark.parametrize("turn", range(3))
def test_a_delete_racing_a_payment_with_it_leaves_nothing_open(shop: Shop, turn: int) -> None:
    """Accepted and then paid or refused by the provider, or not accepted: never in between."""
    method = save(shop)["id"]
    paying, deleting = race([lambda: pay(shop, method), lambda: delete(shop, method)])
    assert deleting.status_code == 204
    race([shop.work, shop.work])
    shop.later(30)
    _is_over(shop, paying)


def test_a_delete_while_the_payment_is_executed_leaves_nothing_open(shop: Shop) -> None:
    method = save(shop)["id"]
    paying = pay(shop, method)
    _, deleting = race([shop.work, lambda: delete(shop, method)])
    assert deleting.status_code == 204
    shop.later(30)
    _is_over(shop, paying)


def test_a_method_gone_before_the_payment_is_sent_is_refused(shop: Shop) -> None:
    method = save(shop)["id"]
    paying = pay(shop, method)
    client = shop.provider.client(shop.account_key).v1
    client.payment_methods.detach(PaymentMethodToken.objects.get().psp_token)
    delete(shop, method)
    shop.work()
    seen = shop.checkout(paying.json()["id"])
    assert (seen["status"], len(shop.captures())) == ("failed", 1)
    assert seen["payment_orders"][0]["failure"]["code"] == "invalid_payment_method"


def _is_over(shop: Shop, paying: Any) -> None:
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()
    assert detach().status == "SUCCEEDED"
    if paying.status_code != 201:
        assert (error(paying), len(shop.captures())) == (UNKNOWN, 1)
        return
    seen = shop.checkout(paying.json()["id"])
    paid = {"succeeded": 2, "failed": 1}
    assert len(shop.captures()) == paid[seen["status"]]
