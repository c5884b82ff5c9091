"""The desk of batches: what nobody knows the end of is asked about, or ended by two people with evidence."""

from hashlib import sha256
from typing import Any

import pytest
from django.test import Client

from core.models import Approval, AuditRecord
from payouts.models import Payout, PayoutBatch
from tests.admin.paying_out import finance, said
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payouts.conftest import Payer
from tests.payouts.conftest import payer as payer
from tests.racing import race

__all__ = ["payer"]

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DESK = "/admin/desks/payout-batches/"


def act(client: Client, batch: PayoutBatch, action: str, reason: str = "asked Ms Weber", **more: str) -> Any:
    return client.post(f"{DESK}{batch.public_id}/", {"action": action, "reason": reason, **more})


def doubtful(payer: Payer, *how: str) -> tuple[Payout, PayoutBatch]:
    """A payout in a batch that got no answer."""
    payer.trust(fixed_minor=100)
    payout = payer.ask(5000)
    payer.paper.script = list(how)
    payer.work()
    batch = payer.batch()
    assert (batch.status, payer.look(payout).status) == ("UNKNOWN", "UNKNOWN")
    return payer.look(payout), batch


def waiting() -> dict[str, str]:
    return {"approval": str(Approval.objects.get(status="PENDING").pk)}


def test_the_file_is_read_by_a_checker_and_noted(payer: Payer) -> None:
    """What leaves the page is what was sent, byte for byte; nobody else gets it, no link fetches it."""
    payer.trust()
    payer.ask(5000)
    payer.work()
    batch = payer.batch()
    maker, checker = finance()
    page = text(maker.get(f"{DESK}{batch.public_id}/"))
    for words in ("50.00 EUR", str(batch.file_name), bytes(batch.sha256 or b"").hex(), "Submitted", "ann"):
        assert words in page, words
    assert "Download" not in page
    address = f"{DESK}{batch.public_id}/file/"
    assert maker.post(address).status_code == 403
    assert checker.get(address).status_code == 405
    assert not AuditRecord.objects.filter(action="payout_batch.read_file").exists()
    answer = checker.post(address)
    assert sha256(answer.content).digest() == bytes(batch.sha256 or b"")
    assert answer["Content-Disposition"].startswith("attachment;") and "no-store" in answer["Cache-Control"]
    assert AuditRecord.objects.get(action="payout_batch.read_file").subject == batch.public_id
    assert checker.post(f"{DESK}pob_unknown/file/").status_code == 404
    found = text(maker.get(f"/admin/payouts/payoutbatch/?q={batch.reference}"))
    assert str(batch.file_name) in found
    assert maker.get(f"/admin/payouts/payoutbatch/{batch.pk}/change/").url == f"{DESK}{batch.public_id}/"


def test_asking_now_asks_and_sends_nothing(payer: Payer) -> None:
    _, batch = doubtful(payer, "timeout")
    maker, _ = finance()
    sent, asked = len(payer.paper.orders), payer.paper.asked
    PayoutBatch.objects.update(due_at="2100-01-01T00:00:00Z")
    assert act(maker, batch, "ask", " ").status_code in (302, 422)
    payer.work()
    assert payer.paper.asked == asked
    act(maker, batch, "ask")
    payer.work()
    assert (payer.paper.asked, len(payer.paper.orders)) == (asked + 1, sent)
    assert payer.batch().status == "SUBMITTED"
    assert AuditRecord.objects.get(action="payout_batch.ask").reason == "asked Ms Weber"


def test_two_people_say_that_the_bank_has_it(payer: Payer, hooks: Any) -> None:
    """F-F4, A-E7: it counts as sent, is posted once, and the provider is asked on."""
    payout, batch = doubtful(payer, "timeout")
    maker, checker = finance()
    assert "In doubt 1" in text(maker.get(DESK))
    assert act(maker, batch, "taken", " ").status_code == 422
    act(maker, batch, "taken")
    asked = waiting()
    assert act(maker, batch, "approve", **asked).status_code == 403
    page = text(checker.get(f"{DESK}{batch.public_id}/"))
    for words in ("asked Ms Weber", "50.00 EUR", "are in transit"):
        assert words in page, words
    race([lambda: act(checker, batch, "approve", **asked)] * 3)
    assert (payer.batch().status, payer.look(payout).status) == ("SUBMITTED", "SENT")
    assert (payer.wallet().held_minor, payer.wallet().available_minor) == (0, 94_900)
    payer.paper.settle()
    payer.later(120)
    assert payer.look(payout).status == "PAID"
    assert set(payer.paper.paid.values()) == {1}


def test_two_people_say_that_it_was_never_received(payer: Payer) -> None:
    """The seller has the money and the fee again; nothing is sent again by itself."""
    payout, batch = doubtful(payer, "lost")
    maker, checker = finance()
    act(maker, batch, "never_received")
    act(checker, batch, "approve", approval="0")
    assert payer.batch().status == "UNKNOWN"
    page = text(checker.get(f"{DESK}{batch.public_id}/"))
    assert "the money leaves twice" in page
    act(checker, batch, "approve", **waiting())
    payout = payer.look(payout)
    assert (payer.batch().status, payout.status) == ("CLOSED", "FAILED")
    assert payout.failure["code"] == "payout_never_received"
    assert (payer.wallet().held_minor, payer.wallet().available_minor) == (0, 100_000)
    payer.work()
    assert payer.paper.orders == []


def test_what_the_provider_told_of_was_received(payer: Payer) -> None:
    """While somebody asks, and where the provider has told of one of them, nobody says "never received"."""
    _, batch = doubtful(payer, "lost")
    maker, checker = finance()
    act(maker, batch, "never_received")
    PayoutBatch.objects.update(leased_until="2100-01-01T00:00:00Z")
    answer = checker.post(f"{DESK}{batch.public_id}/", {"action": "approve", **waiting()}, follow=True)
    assert "being asked in this moment" in said(answer)
    PayoutBatch.objects.update(leased_until=None)
    assert payer.batch().status == "UNKNOWN"
    act(checker, batch, "reject", " ", **waiting())
    act(checker, batch, "reject", "they have it after all", **waiting())
    assert Approval.objects.get().status == "REJECTED"
    act(maker, batch, "ask")
    payer.work()
    answer = maker.post(f"{DESK}{batch.public_id}/", {"action": "never_received", "reason": "x"}, follow=True)
    assert "is known" in said(answer)


def test_roles(payer: Payer) -> None:
    """A-E3."""
    _, batch = doubtful(payer, "lost")
    for role in ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor"):
        client, is_finance = console(person(role, role)), role.startswith("finance")
        assert client.get(f"{DESK}{batch.public_id}/").status_code == 200, role
        if not is_finance:
            for action in ("ask", "taken", "never_received"):
                assert act(client, batch, action).status_code == 403, (role, action)
        if role != "finance_checker":
            assert act(client, batch, "approve").status_code == 403, role
            assert client.post(f"{DESK}{batch.public_id}/file/").status_code == 403, role
    assert Client().get(DESK).status_code == 302
    assert console(person("una")).get(DESK).status_code == 403
