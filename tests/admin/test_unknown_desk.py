"""The desk of unknown outcomes: who may do what, two persons for a conflict, and no button that guesses."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.ids import public_id
from core.models import Approval, AuditRecord, Case, StatusChange
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.models import Charge, PspOperation
from payments.services import request_conflict_resolution
from payments.tasks import watch_stuck_payments
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.racing import race

__all__ = ["provider", "shop"]

DESK = "/admin/desks/unknown/"
CONFIRM = "payment_intents.confirm"
ROLES = ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor")


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> Iterator[None]:
    settings.PSP_READ_TIMEOUT = 0.5
    yield


def lose(shop: Shop, **body: Any) -> str:
    """A payment without a trustworthy answer; returns the charge's public id."""
    shop.arm("charged_but_timeout", operation=CONFIRM)
    shop.accept(shop.body(**body))
    shop.work()
    shop.arm("http_500", operation="payment_intents.retrieve", times=None)
    return public_id("chg", Charge.objects.get().id)


def freeze(shop: Shop) -> str:
    """A payment whose provider contradicts us."""
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.pay()
    nonce = PspOperation.objects.get(kind="confirm").nonce
    other = {"amount": 5000, "currency": "usd", "payment_method_types": ["card"]}
    shop.provider.client(shop.account_key).v1.payment_intents.create(other, {"idempotency_key": nonce})
    shop.later(2)
    charge = Charge.objects.get()
    assert charge.status == "CONFLICTED"
    return public_id("chg", charge.id)


def act(client: Client, reference: str, action: str, reason: str = "looked at it", **more: str) -> Any:
    return client.post(f"{DESK}{reference}/", {"action": action, "reason": reason, **more})


def test_it_shows_value_age_evidence_and_no_way_to_guess(shop: Shop) -> None:
    reference = lose(shop)
    page = text(console(person("ola", "operator")).get(DESK))
    for words in ("100.00 USD", reference, shop.channel.name, "No trustworthy answer", "nobody"):
        assert words in page, words
    for words in ("call confirm", "No answer", "Unknown", "Next look", "Ask the provider now"):
        assert words in page, words
    assert "failed" not in page.lower().replace("work failed", "")


def test_roles(shop: Shop) -> None:
    """A-E3: everybody of the staff looks; only operators and finance ask; an auditor presses nothing."""
    reference = lose(shop)
    for role in ROLES:
        client = console(person(role, role))
        page = client.get(f"{DESK}{reference}/")
        assert page.status_code == 200, role
        may_ask = role in ("operator", "finance_maker", "finance_checker")
        assert ("Ask the provider now" in text(page)) is may_ask, role
        assert act(client, reference, "ask").status_code == (302 if may_ask else 403), role
        if role in ("support", "auditor"):
            assert act(client, reference, "take").status_code == 403
        if role != "finance_checker":
            assert act(client, reference, "approve").status_code == 403
    assert Client().get(DESK).status_code == 302
    strict = console(person("ole", "operator"), enforce_csrf_checks=True)
    assert act(strict, reference, "ask").status_code == 403
    assert AuditRecord.objects.filter(action="charge.ask_now").count() == 3


def test_asking_now_brings_the_outcome(shop: Shop) -> None:
    reference, client = lose(shop), console(person("ola", "operator"))
    shop.later(3600)
    watch_stuck_payments()
    shop.cure()
    assert act(client, reference, "ask", " ").status_code == 422
    assert act(client, reference, "take").status_code == 302
    assert "It is yours." in text(client.get(f"{DESK}{reference}/"))
    assert act(client, reference, "ask", "the buyer calls").status_code == 302
    shop.work()
    assert Charge.objects.get().status == "CAPTURED"
    assert "Close the case" in text(client.get(f"{DESK}{reference}/"))
    act(client, reference, "close", "it was captured")
    assert Case.objects.get().status == "CLOSED"
    assert "Every outcome is known." in text(client.get(DESK))


def test_a_conflict_takes_two_people(shop: Shop) -> None:
    reference = freeze(shop)
    maker, checker = console(person("mia", "finance_maker")), console(person("cho", "finance_checker"))
    page = text(maker.get(f"{DESK}{reference}/"))
    assert "Ask for a yes: captured" in page and "Commission" in page
    act(maker, reference, "captured", "their desk said so")
    approval = Approval.objects.get()
    assert approval.status == "PENDING"
    assert act(maker, reference, "approve", approval=str(approval.pk)).status_code == 403
    shown = text(checker.get(f"{DESK}{reference}/"))
    assert "mia" in shown and "their desk said so" in shown and "100.00 USD" in shown
    act(checker, reference, "approve", approval=str(approval.pk))
    assert (Charge.objects.get().status, JournalEntry.objects.count()) == ("CONFLICTED", 0), "not borne out"
    client = shop.provider.client(shop.account_key).v1
    client.payment_intents.confirm(Charge.objects.get().psp_reference, {"payment_method": "pm_card_visa"})
    race([lambda: act(checker, reference, "approve", approval=str(approval.pk))] * 3)
    assert (Charge.objects.get().status, JournalEntry.objects.count()) == ("CAPTURED", 1)
    moved = StatusChange.objects.filter(subject_id=Charge.objects.get().id, to_state="CAPTURED")
    assert moved.count() == 1
    assert Case.objects.get().status == "CLOSED"


def test_the_same_person_in_both_roles_is_refused(shop: Shop) -> None:
    reference, both = freeze(shop), console(person("kim", "finance_checker", "finance_maker"))
    act(both, reference, "declined", "no money there")
    approval = Approval.objects.get()
    assert "somebody else must decide" in text(both.get(f"{DESK}{reference}/"))
    assert act(both, reference, "approve", approval=str(approval.pk)).status_code == 403
    act(both, reference, "reject", approval=str(approval.pk))
    assert Approval.objects.get().status == "PENDING"


def test_a_yes_is_to_what_was_on_the_page(shop: Shop) -> None:
    """Another end was asked for while the page was open: its yes does not count for that one."""
    reference = freeze(shop)
    key, checker = Charge.objects.get().id, console(person("cho", "finance_checker"))
    ask = at_edge(request_conflict_resolution)
    shown = ask(charge_id=key, outcome="declined", reason="x", maker="user:1")
    ask(charge_id=key, outcome="captured", reason="y", maker="user:1")
    answer = act(checker, reference, "approve", approval=str(shown))
    assert "changed meanwhile" in text_of(checker, answer)
    now = Approval.objects.get(status="PENDING")
    act(checker, reference, "reject", "not proved", approval=str(now.pk))
    assert Approval.objects.get(pk=now.pk).status == "REJECTED"
    assert Charge.objects.get().status == "CONFLICTED"


def text_of(client: Client, answer: Any) -> str:
    html: str = client.get(answer.url).content.decode()
    return html


def test_what_came_from_outside_is_escaped_a_f15(shop: Shop) -> None:
    """The provider's error and the store's texts are text, wherever they are shown."""
    reference = lose(shop)
    evil = "<script>alert(1)</script>"
    operation = PspOperation.objects.get(kind="confirm")
    at_edge(PspOperation.objects.filter(pk=operation.pk).update)(error=evil)
    client = console(person("ola", "operator"))
    page = client.get(f"{DESK}{reference}/").content.decode()
    assert evil not in page and "&lt;script&gt;alert(1)" in page
    whole = client.get(
        f"/admin/payments/paymentevent/{Charge.objects.get().checkout_id}/change/", follow=True
    )
    assert whole.status_code == 200 and evil not in whole.content.decode()


def test_addresses_that_are_none(shop: Shop) -> None:
    client = console(person("ola", "operator"))
    assert client.get(f"{DESK}nonsense/").status_code == 404
    assert client.get(f"{DESK}{public_id('chg', Charge.objects.model().id)}/").status_code == 404
    assert "Every outcome is known." in text(client.get(DESK))
    reference = lose(shop)
    assert act(client, reference, "mark_failed").status_code == 404


def test_the_number_of_queries_does_not_grow(shop: Shop) -> None:
    client = console(person("ola", "operator"))
    reference = lose(shop)
    client.get(f"{DESK}{reference}/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{DESK}{reference}/")
    shop.cure()
    shop.arm("charged_but_timeout", operation=CONFIRM, times=5)
    shop.arm("http_500", operation="payment_intents.retrieve", times=None)
    for _ in range(5):
        shop.accept(shop.body())
    shop.work()
    assert PspOperation.objects.filter(status="UNKNOWN").count() == 6
    with CaptureQueriesContext(connection) as many:
        client.get(f"{DESK}{reference}/")
    assert len(many) <= len(few) + 2 and len(many) < 45, [each["sql"] for each in many]
