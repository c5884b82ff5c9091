"""A payment on one page: found by every name, told across the apps, and each role sees its part of it."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from core.drain import get_drain
from core.ids import public_id
from payments.models import Charge, PspOperation, Refund
from payouts.models import PayoutAttempt
from reconciliation.models import ReconciliationRun, SettlementFile
from reconciliation.services import receive_file
from tests.admin.paying_out import paid as paid_out
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.refunding import ask
from tests.payouts.conftest import Payer
from tests.payouts.conftest import payer as payer
from tests.reconciliation.setup import set_up

__all__ = ["payer", "provider", "shop"]

ROLES = ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor")
FIND = "/admin/desks/find/"


def page(reference: str) -> str:
    return f"/admin/desks/payments/{reference}/"


def leads_to(client: Client, name: str) -> str:
    """Where the search goes; empty where it does not know, or asks which."""
    answer = client.get(FIND, {"q": name})
    return str(answer.url) if answer.status_code == 302 else ""


def test_every_name_leads_to_the_payment(shop: Shop) -> None:
    paid = shop.pay()
    ours, other = paid["payment_orders"]
    assert ask(shop, ours, "10.00").status_code == 201
    shop.work()
    shop.pay()
    charge = Charge.objects.get(checkout__checkout_id=paid["checkout_id"])
    refund = Refund.objects.get()
    support = console(person("sue", "support"))
    for name in (paid["id"], paid["checkout_id"], public_id("chg", charge.id), charge.psp_reference):
        assert leads_to(support, f" {name} ") == page(paid["id"]), name
    for operation in PspOperation.objects.filter(charge=charge):
        assert leads_to(support, public_id("op", operation.id)) == page(paid["id"]), operation.kind
    for name in (ours["id"], ours["payment_order_id"], public_id("re", refund.id), refund.psp_reference):
        assert leads_to(support, name) == page(ours["id"]), name
    assert leads_to(support, other["id"]) == page(other["id"])
    for name in ("", "nothing", "pay_" + "0" * 26, "x" * 300, "a\x00b", "%", "1" * 18):
        assert "is called" in text(support.get(FIND, {"q": name})) or not name, name


def test_one_name_of_two_things_is_asked_about(shop: Shop) -> None:
    body = shop.body(shop.order(payment_order_id="same-1"), checkout_id="same-1")
    shop.pay(body)
    answer = console(person("sue", "support")).get(FIND, {"q": "same-1"})
    assert answer.status_code == 200 and "2 things are called same-1" in text(answer)
    assert answer.content.decode().count("/admin/desks/payments/") == 2


def test_the_search_is_on_every_page_of_those_who_see_payments(shop: Shop) -> None:
    for address in ("/admin/", "/admin/payments/paymentevent/", FIND, "/admin/core/case/"):
        assert (
            'action="/admin/desks/find/"' in console(person(address, "support")).get(address).content.decode()
        )
    nobody = console(person("una"))
    assert 'action="/admin/desks/find/"' not in nobody.get("/admin/").content.decode()
    for address in (FIND, page("chk_" + "0" * 26)):
        assert nobody.get(address).status_code == 403
        assert Client().get(address).status_code == 302
    assert console(person("sam", "support")).get(page("chk_" + "0" * 26)).status_code == 404


def reported(shop: Shop, charge: Charge) -> None:
    """The provider's file of the day has the charge, and is worked on to its end on the next one."""
    day = clock.today()
    clock.move(seconds=86_400)
    source = set_up(shop.store.merchant_id, name="stripe", channel_id=shop.channel.id, begins_on=day)
    body = (
        "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id\n"
        f"txn_1,{day} 10:00:00,usd,100.00,3.20,96.80,charge,ch_1,{charge.psp_reference}\n"
    ).encode()
    receive_file(
        source_id=source.id, name="today.csv", body=io.BytesIO(body), origin="upload", by="system",
        asked_from=day, asked_to=day,
    )  # fmt: skip
    get_drain("settlement_files").run()
    file = SettlementFile.objects.get()
    assert file.status == "PUBLISHED", file.refusal
    get_drain("reconciliation_runs").run()
    run = ReconciliationRun.objects.get()
    assert run.status == "DONE", run.error


def test_the_timeline_ends_in_the_providers_file(hooks: Path, shop: Shop) -> None:
    paid = shop.pay()
    reported(shop, Charge.objects.get())
    shown = text(console(person("finn", "finance_checker")).get(page(paid["id"])))
    places = [
        shown.index(words)
        for words in (
            "The store asked for it",
            "Risk: approve",
            "call confirm",
            "ann: pending",
            "Books: ",
            "Settlement file of stripe: payment",
            "Gross 100.00 USD Fee 3.20 USD Net 96.80 USD",
        )
    ]
    assert places == sorted(places)
    assert "Webhook to the store: payment.succeeded" in shown
    for order in paid["payment_orders"]:
        one = console(person(order["id"], "finance_checker")).get(page(order["id"]))
        assert "Settlement file of stripe" in text(one)
        assert f'{order["id"]}/#story" aria-current="page"' in one.content.decode()


def test_each_role_sees_its_part(shop: Shop) -> None:
    """A-E3: support answers buyers; entries, wallets and whole answers of providers are for others."""
    failed = shop.pay(shop.body(token="pm_card_chargeDeclinedInsufficientFunds"))
    paid = shop.pay()
    parts = {
        "Wallets": {"finance_maker", "finance_checker", "auditor"},
        "Books: ": {"finance_maker", "finance_checker", "auditor"},
        '"payment_method_types"': {"finance_maker", "finance_checker", "auditor", "operator"},
        "call confirm": set(ROLES),
        "succeeded": set(ROLES),
    }
    for role in ROLES:
        client = console(person(role, role))
        shown = client.get(page(paid["id"])).content.decode().replace("&quot;", '"')
        for words, who in parts.items():
            assert (words in shown) is (role in who), (role, words)
        why = text(client.get(page(failed["id"])))
        assert "The card had not enough funds. No money moved." in why, role
        assert "the provider's: insufficient_funds" in why.replace("&#x27;", "'"), role


def test_an_unknown_outcome_is_never_called_a_failure(hooks: Path, shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation="payment_intents.confirm", times=1)
    shop.arm("http_500", operation="payment_intents.retrieve", times=None)
    accepted = shop.accept(shop.body())
    shop.work()
    shown = text(console(person("sue", "support")).get(page(accepted["id"])))
    assert "Whether money moved is not known yet." in shown and "Paying again is not needed." in shown
    assert "No money moved" not in shown
    shop.cure()
    shop.later(120)


def test_payouts_are_found_by_their_names_at_the_bank(hooks: Path, payer: Payer) -> None:
    payout = paid_out(payer)
    sending = PayoutAttempt.objects.get()
    support = console(person("sue", "support"))
    place = reverse("console:payout", args=[payout.public_id])
    names: list[Any] = [payout.public_id, payout.public_id.replace("_", ""), sending.reference]
    names += [sending.reference.upper(), sending.batch.reference, sending.batch.public_id]
    names += [sending.provider_reference] if sending.provider_reference else []
    for name in names:
        assert leads_to(support, name) == place, name


@pytest.mark.parametrize("reference", ["chk_nonsense", "top_" + "0" * 26, "pay_", "x"])
def test_addresses_that_are_none(shop: Shop, reference: str) -> None:
    assert console(person("sue", "support")).get(page(reference)).status_code == 404
