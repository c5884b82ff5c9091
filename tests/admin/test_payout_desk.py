"""The payout desk: asked for by one, said yes to by another, to exactly what the page showed."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core.approvals import FourEyesRequired, at_decision_edge
from core.audit_trail import user_actor
from core.ids import public_id
from core.models import Approval, AuditRecord, StatusChange, User
from merchants.models import Seller
from payouts.models import Destination, Payout
from payouts.selectors import instruction_of
from payouts.services import approve_payout
from tests.admin.paying_out import DESK, act, finance, held, new, paid, said, shown, wallet_of
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payouts.conftest import Payer
from tests.payouts.conftest import payer as payer
from tests.racing import race

__all__ = ["payer"]

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ROLES = ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor")


def test_what_leaves_is_shown_whole_and_leaves_after_a_second_persons_yes(payer: Payer) -> None:
    """I30: the instruction, what is not normal, the gates, the wallet and the entries; then it is sent."""
    payer.set("payouts.fee", {"EUR": {"fixed_minor": 100}})
    maker, checker = finance()
    payout = held(maker, payer)
    place = payer.places["ann"]
    page = text(checker.get(DESK))
    for words in (
        "50.00 EUR",
        "1.00 EUR",
        "51.00 EUR",
        f"DE …{place.last4}",
        place.fingerprint,
        payer.channel.name,
        instruction_of(payout_id=payout.id).instruction["reference"],
        "first payout in this currency",
        "Nothing was paid out to this account before",
        "identity is VERIFIED",
        "949.00 EUR",
        "mia asked at",
        "Nothing has changed since then",
        "Payouts in transit (paper)",
    ):
        assert words in page, words
    assert "Ann" in page
    assert payer.paper.orders == []
    act(checker, payout, "approve", digest=shown(checker, payout))
    assert payer.look(payout).status == "APPROVED"
    payer.work()
    payout = payer.look(payout)
    assert (payout.status, payout.approved_by) == ("SENT", user_actor(User.objects.get(username="cora")))
    page = text(checker.get(f"{DESK}{payout.public_id}/"))
    for words in ("payout_requested", "payout_sent", "ref-po", "Batch pob_"):
        assert words in page, words
    record = AuditRecord.objects.get(action="payout.request")
    assert (record.reason, record.detail["amount_minor"]) == ("the seller called", 5000)


def test_double_clicks_are_one_f_f8_a_d9(payer: Payer) -> None:
    """F-F8, A-D9: one request for one form, and of many who approve at once one does; the others are told."""
    maker, checker = finance()
    other = console(person("chris", "finance_checker"))
    form = {"form_id": "5f0f7e1e-9a0b-4d59-9f0e-1d9d5f2a8c11"}
    answers = race([lambda: new(maker, payer, **form)] * 3)
    assert {answer.status_code for answer in answers} == {302}
    payout = Payout.objects.get()
    assert payer.wallet().held_minor == 5000
    digest = shown(checker, payout)
    race([lambda who=who: act(who, payout, "approve", digest=digest) for who in (checker, other) * 2])
    assert payer.look(payout).status == "APPROVED"
    assert StatusChange.objects.filter(subject_id=payout.id, to_state="APPROVED").count() == 1
    assert AuditRecord.objects.filter(action="approval.approve").count() == 1
    # The first form went through; a form of its own is a request of its own.
    new(maker, payer)
    assert Payout.objects.count() == 2


def test_a_yes_is_to_what_the_page_showed(payer: Payer) -> None:
    """I30: the account changes between the page and the button: refused, in a sentence, and asked anew."""
    maker, checker = finance()
    payout = held(maker, payer)
    digest = shown(checker, payout)
    other = payer.place("ann", is_default=False)
    with transaction.atomic():
        Payout.objects.filter(pk=payout.pk).update(destination_id=other.id)
    page = text(checker.get(f"{DESK}{payout.public_id}/"))
    assert "Changed since then: account" in page
    answer = checker.post(f"{DESK}{payout.public_id}/", {"action": "approve", "digest": digest}, follow=True)
    assert "changed after the approval was requested" in said(answer)
    assert (payer.look(payout).status, Approval.objects.get().status) == ("IN_REVIEW", "VOID")
    # With a digest that was made up, or none at all, nothing happens either.
    for made_up in ("", "0" * 64, "é"):
        assert act(checker, payout, "approve", digest=made_up).status_code in (302, 403)
    assert payer.look(payout).status == "IN_REVIEW"
    Payout.objects.filter(pk=payout.pk).update(destination_id=payer.places["ann"].id)


def test_the_maker_cannot_decide_from_any_side_a_e7(payer: Payer) -> None:
    """A-E7: desk, second role, list and edit pages, headers that claim another name, the service, a key."""
    both = person("mia", "finance_maker", "finance_checker")
    maker, me = console(both), user_actor(both)
    payout = held(maker, payer)
    digest = shown(maker, payout)
    page = maker.get(f"{DESK}{payout.public_id}/").content.decode()
    assert 'value="approve"' not in page and 'value="reject"' not in page
    assert "somebody else must decide" in page
    checker = person("cora", "finance_checker")
    claims = {
        "HTTP_X_FORWARDED_USER": "cora",
        "HTTP_REMOTE_USER": "cora",
        "HTTP_X_ACTOR": user_actor(checker),
        "REMOTE_USER": "cora",
    }
    desk = f"{DESK}{payout.public_id}/"
    press = {"action": "approve", "digest": digest, "checker": user_actor(checker), "user": "cora"}
    for extra in ({}, claims):
        assert maker.post(desk, press, **extra).status_code == 403
        assert maker.post(desk, {**press, "action": "reject", "reason": "x"}, **extra).status_code == 403
    row = f"/admin/payouts/payout/{payout.pk}"
    edit = {"status": "APPROVED", "approved_by": user_actor(checker), "_save": "Save"}
    assert maker.post(f"{row}/change/", edit).status_code == 403
    listing = {"action": "approve_selected", "_selected_action": str(payout.pk)}
    assert maker.post("/admin/payouts/payout/", listing).status_code in (200, 302, 403)
    asked = Approval.objects.get()
    assert maker.post(f"/admin/core/approval/{asked.pk}/change/", {"status": "APPROVED"}).status_code == 403
    decide = at_decision_edge(approve_payout)
    for by in (me, f"key:{public_id('key', payout.pk)}", "system", "schedule"):
        with pytest.raises(FourEyesRequired):
            decide(payout_id=payout.id, checker=by, digest=digest)
    for path in ("approve", "approval", "approvals"):
        answer = payer.store.post(f"/v1/payouts/{payout.public_id}/{path}", {})
        assert answer.status_code == 404, path
    assert (payer.look(payout).status, Approval.objects.get().status) == ("IN_REVIEW", "PENDING")
    # The control: somebody else's same press is taken.
    act(console(checker), payout, "approve", digest=digest)
    assert payer.look(payout).status == "APPROVED"


@pytest.mark.parametrize("who", ["checker", "maker"])
def test_what_is_not_wanted_leaves_nothing(payer: Payer, who: str) -> None:
    maker, checker = finance()
    payout = held(maker, payer)
    client, action = (checker, "reject") if who == "checker" else (maker, "cancel")
    assert act(client, payout, action, " ").status_code == 422
    assert payer.look(payout).status == "IN_REVIEW"
    act(client, payout, action, "a mistake")
    act(client, payout, action, "a mistake")
    assert payer.look(payout).status == {"reject": "REJECTED", "cancel": "CANCELED"}[action]
    assert (payer.wallet().held_minor, payer.wallet().available_minor) == (0, 100_000)
    assert "Nothing is left to be done" in text(maker.get(f"{DESK}{payout.public_id}/"))
    payer.work()
    assert payer.paper.orders == []


def test_a_stopped_payout_says_why_and_can_be_taken_back(payer: Payer, hooks: Any) -> None:
    payer.trust()
    payout = payer.ask(5000)
    maker, checker = finance()
    blocks = "/admin/desks/payout-blocks/"
    merchant = public_id("mer", payer.merchant_id)
    stop = {"merchant": merchant, "seller": "ann", "reason": "a letter of the bank"}
    assert maker.post(f"{blocks}new/", {**stop, "seller": "nobody"}).status_code == 422
    assert maker.post(f"{blocks}new/", {**stop, "reason": " "}).status_code == 422
    address = maker.post(f"{blocks}new/", stop).url
    payer.work()
    assert payer.look(payout).status == "BLOCKED"
    page = text(checker.get(DESK))
    for words in ("Blocked", "a letter of the bank", "Closed", "leaves by itself"):
        assert words in page, words
    # F-F13: who stopped it does not let it go; another one does, and it leaves.
    assert maker.post(address, {"action": "lift", "reason": "x"}).status_code == 403
    assert checker.post(address, {"action": "lift", "reason": " "}).status_code == 422
    assert "Stands" in text(checker.get(address))
    assert "a letter of the bank" in text(checker.get("/admin/payouts/payoutblock/"))
    checker.post(address, {"action": "lift", "reason": "explained"})
    assert "Lifted" in text(checker.get(address))
    act(maker, payout, "cancel", "not wanted")
    assert payer.look(payout).status == "CANCELED"


def test_a_return_by_hand_takes_two_people_f_f3(payer: Payer, hooks: Any) -> None:
    """F-F3: the seller has the money less the fee, the account is rejected, and both see it; once."""
    payer.set("payouts.return_fee", {"EUR": 200})
    payout = paid(payer)
    assert payout.status == "PAID"
    maker, checker = finance()
    told = {"provider_code": "AC04", "account_is_bad": "on"}
    assert act(maker, payout, "return", " ", **told).status_code == 422
    act(maker, payout, "return", "statement of today, line 3", **told)
    asked = str(Approval.objects.get(action="payout.record_return").pk)
    assert act(maker, payout, "approve_return", approval=asked).status_code == 403
    page = text(checker.get(f"{DESK}{payout.public_id}/"))
    for words in ("statement of today, line 3", "AC04", "48.00 EUR", "2.00 EUR", "Payouts that came back"):
        assert words in page, words
    race([lambda: act(checker, payout, "approve_return", approval=asked)] * 3)
    payout = payer.look(payout)
    assert (payout.status, payout.return_fee_minor) == ("RETURNED", 200)
    assert payout.failure["provider_code"] == "AC04"
    assert payer.wallet().available_minor == 100_000 - 200
    assert Destination.objects.get(pk=payout.destination_id).status == "REJECTED"
    page = text(checker.get(f"{DESK}{payout.public_id}/"))
    assert "payout_return_credited" in page and "payout_sent" in page
    assert AuditRecord.objects.filter(action="payout.record_return").count() == 1


def test_names_of_payees_cannot_deceive_a_f17(payer: Payer) -> None:
    """A-F17: Cyrillic letters are said to be such; direction marks turn nothing and are spelt out."""
    maker, checker = finance()
    payout = held(maker, payer)
    place = Destination.objects.get(pk=payout.destination_id)
    for name, says in (
        ("раураl Ltd", "mixes letters that look alike: Cyrillic, Latin"),
        ("Анна Смит", "in other letters than the seller's: Cyrillic"),
    ):
        place.details = {**place.details, "holder_name": name}
        assert says in _differences(place, name)
    with transaction.atomic():
        Seller.objects.filter(pk=payout.seller_id).update(name="Ann\u202egpj.exe\u200b<b>")
    page = checker.get(f"{DESK}{payout.public_id}/").content.decode()
    assert "\u202e" not in page and "\u200b" not in page
    for words in ("⟨U+202E⟩", "⟨U+200B⟩", '<bdi class="whole">Ann', "&lt;b&gt;"):
        assert words in page, words


def _differences(place: Destination, name: str) -> str:
    from console.desks.payout_differences import of_name
    from payouts.destinations.names import mixes_scripts
    from payouts.types import NameEvidence

    evidence = NameEvidence(name, "Ann", "no", mixes_scripts(name))
    return " ".join(each.says for each in of_name(evidence))


def test_roles(payer: Payer) -> None:
    """A-E3: everybody of the staff looks; finance asks; a checker decides. Names are for finance."""
    payout = held(console(person("mia", "finance_maker")), payer)
    holder = "Ann"
    for role in ROLES:
        client, is_finance = console(person(role, role)), role.startswith("finance")
        page = client.get(f"{DESK}{payout.public_id}/")
        assert page.status_code == 200, role
        assert (f'<bdi class="whole">{holder}</bdi></dd>' in page.content.decode()) == is_finance, role
        for path in (f"of/{wallet_of(payer)}/", "new/"):
            assert client.get(f"{DESK}{path}").status_code == (200 if is_finance else 403), role
        if not is_finance:
            assert new(client, payer).status_code == 403, role
            assert act(client, payout, "cancel").status_code == 403, role
            assert act(client, payout, "return").status_code == 403, role
        if role != "finance_checker":
            for action in ("approve", "reject", "approve_return", "reject_return"):
                assert act(client, payout, action).status_code == 403, (role, action)
        for page_of in ("payout", "payoutbatch", "destination", "payoutblock"):
            assert client.get(f"/admin/payouts/{page_of}/").status_code == 200, (role, page_of)
    assert Client().get(DESK).status_code == 302
    assert console(person("una")).get(DESK).status_code == 403
    maker = console(person("mona", "finance_maker"))
    for unknown in ("po_unknown/", "of/wal_unknown/", f"po_{payout.pk.hex}/"):
        assert maker.get(f"{DESK}{unknown}").status_code == 404, unknown


def test_the_list_finds_by_every_name_and_filters(payer: Payer) -> None:
    maker, _ = finance()
    payout = held(maker, payer)
    reference = instruction_of(payout_id=payout.id).instruction["reference"]
    base = "/admin/payouts/payout/"
    assert "Nothing was paid out" not in text(maker.get(base))
    for query in (f"q={payout.public_id}", "q=ann", "status=IN_REVIEW", "currency=EUR", "since=24"):
        assert "50.00 EUR" in text(maker.get(f"{base}?{query}")), query
    for query in ("q=bob", "status=PAID", "currency=USD", f"q={reference}-9"):
        assert "50.00 EUR" not in text(maker.get(f"{base}?{query}")), query
    assert maker.get(f"{base}{payout.pk}/change/").url == f"{DESK}{payout.public_id}/"
    home = text(maker.get("/admin/"))
    assert "Payouts to approve" in home and "50.00 EUR" in home
    found = maker.get(f"{DESK}new/", {"merchant": public_id("mer", payer.merchant_id), "seller": "ann"})
    assert found.url == f"{DESK}of/{wallet_of(payer)}/"
    assert found.url in maker.get(f"/admin/desks/sellers/{wallet_of(payer)}/").content.decode()
    assert "no such seller" in text(
        maker.get(f"{DESK}new/", {"merchant": public_id("mer", payer.merchant_id), "seller": "bob"})
    )


def test_what_the_form_refuses(payer: Payer) -> None:
    maker, _ = finance()
    for amount, says in (("0.00", "amount"), ("1,00", "amount"), ("1000.01", ""), ("5.001", "amount")):
        answer = new(maker, payer, amount)
        assert answer.status_code == 422, amount
        assert says in text(answer).lower()
    assert new(maker, payer, reason=" ").status_code == 422
    assert new(maker, payer, destination="dst_unknown").status_code == 422
    assert new(maker, payer, form_id="x").status_code == 422
    assert Payout.objects.count() == 0
