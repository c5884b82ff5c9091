"""A seller whose payouts wait for a second person, and the people of finance who see them in the console."""

from typing import Any
from uuid import uuid4

from django.test import Client

from core.audit_trail import user_actor
from core.ids import public_id
from payouts.models import Payout
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payouts.conftest import Payer

__all__ = ["DESK", "act", "finance", "held", "new", "paid", "said", "shown", "wallet_of"]

DESK = "/admin/desks/payouts/"


def finance() -> tuple[Client, Client]:
    """A maker and a checker, signed in."""
    return console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))


def wallet_of(payer: Payer) -> str:
    """The wallet of ann, as addresses name it."""
    return public_id("wal", payer.wallet().id)


def new(client: Client, payer: Payer, amount: str = "50.00", **more: Any) -> Any:
    """Ask for a payout on the console's form."""
    body = {
        "amount": amount,
        "destination": payer.places["ann"].public_id,
        "reason": "the seller called",
        "form_id": str(uuid4()),
        **more,
    }
    return client.post(f"{DESK}of/{wallet_of(payer)}/", body)


def held(client: Client, payer: Payer, amount: str = "50.00", **more: Any) -> Payout:
    """A payout that waits for a second person."""
    answer = new(client, payer, amount, **more)
    assert answer.status_code == 302, text(answer)
    payout = Payout.objects.get(pk=Payout.objects.order_by("-pk").values_list("pk", flat=True).first())
    assert payout.status == "IN_REVIEW"
    return payout


def paid(payer: Payer, *, is_settled: bool = True) -> Payout:
    """A payout that was sent and, when `is_settled`, paid."""
    payer.trust()
    payout = payer.ask(5000, by=user_actor(person("ina")))
    payer.work()
    if is_settled:
        payer.paper.settle()
        payer.later(5)
    return payer.look(payout)


def shown(client: Client, payout: Payout) -> str:
    """The digest that the desk puts behind its button."""
    page = client.get(f"{DESK}{payout.public_id}/").content.decode()
    _, found, rest = page.partition('name="digest" value="')
    return rest[:64] if found else ""


def act(client: Client, payout: Payout, action: str, reason: str = "looked at it", **more: str) -> Any:
    """Press a button of the desk."""
    return client.post(f"{DESK}{payout.public_id}/", {"action": action, "reason": reason, **more})


def said(answer: Any) -> str:
    """What the page that follows tells the person above everything else."""
    return " ".join(str(each) for each in answer.context["messages"])
