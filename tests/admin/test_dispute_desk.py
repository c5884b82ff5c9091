"""The desk of disputes: what must be answered first, the answer, two people for what is dear, and roles."""

from typing import Any

import pytest
from django.test import Client

from core.models import Approval, AuditRecord
from payments.models import DisputeEvidence, DisputeLine, PaymentOrder, PspOperation
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, provider
from tests.payments.conftest import shop as shop
from tests.payments.disputing import Case, disputed

__all__ = ["provider", "shop"]

DESK = "/admin/desks/disputes/"
PNG = b"\x89PNG\r\n\x1a\nsigned"


def act(client: Client, case: Case, action: str, **more: Any) -> Any:
    return client.post(f"{DESK}{case.id}/", {"action": action, "reason": "looked at it", **more})


def test_finance_answers_a_dispute(shop: Shop) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    later = disputed(shop, due_in=8 * 86400)
    case = disputed(shop, due_in=2 * 86400)
    maker = console(person("mia", "finance_maker"))
    page = text(maker.get(DESK))
    assert page.index(case.reference) and "100.00 USD" in page and "Send to the bank" in page
    assert text(maker.get(f"{DESK}{later.id}/")).count("Accept the loss") == 1
    refused = act(maker, case, "submit", proof=SimpleUploadedFile("x.png", b"GIF89a"))
    assert refused.status_code == 422 and DisputeEvidence.objects.count() == 0
    proof = SimpleUploadedFile("signed.png", PNG)
    answer = act(maker, case, "submit", explanation="He signed\nfor it.", shipping_carrier="DHL", proof=proof)
    assert answer.status_code == 302, text(answer)
    shop.work()
    assert case.dispute.status == "EVIDENCE_SENT"
    page = text(maker.get(f"{DESK}{case.id}/"))
    for words in ("He signed for it.", "signed.png", "evidence sent", "dispute_opened", "15.00 USD"):
        assert words in page or words.capitalize() in page, words


def test_two_people_accept_what_is_dear(shop: Shop) -> None:
    """I30, A-E7: the yes is to the very request that was on the page."""
    case = disputed(shop)
    maker, checker = console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))
    assert act(maker, case, "accept", reason=" ").status_code == 422
    assert act(maker, case, "accept").status_code == 302
    waiting = str(Approval.objects.get(status="PENDING").pk)
    assert act(maker, case, "approve", approval=waiting).status_code == 403
    act(checker, case, "approve", approval="another")
    assert not PspOperation.objects.filter(kind="accept_dispute").exists()
    act(checker, case, "approve", approval=waiting)
    shop.work()
    assert case.dispute.status == "LOST"
    assert AuditRecord.objects.get(action="dispute.accept").reason == "looked at it"


def test_finance_assigns_it_to_one_order(shop: Shop) -> None:
    case = disputed(shop, amount=1000)
    maker = console(person("mia", "finance_maker"))
    ann, bob = PaymentOrder.objects.order_by("position")
    wrong = act(maker, case, "reassign", **{f"part-{ann.id}": "9.99", f"part-{bob.id}": "0"})
    assert wrong.status_code == 302
    assert sorted(DisputeLine.objects.values_list("amount_minor", flat=True)) == [100, 900]
    act(maker, case, "reassign", **{f"part-{ann.id}": "0", f"part-{bob.id}": "10.00"})
    assert sorted(DisputeLine.objects.values_list("amount_minor", flat=True)) == [0, 1000]


@pytest.mark.parametrize("role", ["support", "risk", "operator", "auditor"])
def test_others_look_and_do_not_act(shop: Shop, role: str) -> None:
    case = disputed(shop)
    client = console(person("sam", role))
    page = client.get(f"{DESK}{case.id}/")
    assert page.status_code == 200 and "Send to the bank" not in text(page)
    for action in ("keep", "submit", "accept", "reassign", "approve", "reject"):
        assert act(client, case, action).status_code == 403
    assert client.get(f"{DESK}nonsense/").status_code == 404


def test_nobody_disputes_anything(shop: Shop) -> None:
    page = text(console(person("mia", "finance_maker")).get(DESK))
    assert "No buyer disputes a payment" in page
