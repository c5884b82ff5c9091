"""The desk of sellers' accounts: a second person verifies; what speaks against an account is said first."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core.audit_trail import user_actor
from core.models import AuditRecord
from payouts.models import Destination
from payouts.services import add_destination
from payouts.types import DestinationData
from tests.admin.paying_out import said
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payouts.conftest import Payer
from tests.payouts.conftest import payer as payer

__all__ = ["payer"]

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DESK = "/admin/desks/destinations/"


def act(client: Client, place: DestinationData, action: str, reason: str = "a letter of the bank") -> Any:
    return client.post(f"{DESK}{place.public_id}/", {"action": action, "reason": reason})


def added(
    payer: Payer, *, by: str, holder: str = "Ann", account: str = "ann", twin: bool = False
) -> DestinationData:
    """An account that waits to be verified; a `twin` is the one that ann has already."""
    number = "DE89370400440532013000"
    if twin:
        number = Destination.objects.get(pk=payer.places["ann"].id).details["iban"]
    payer.set("payouts.destination_cool_down_hours", 48)
    with transaction.atomic():
        return add_destination(
            merchant_id=payer.merchant_id,
            seller=account,
            kind="iban",
            currency="EUR",
            country="DE",
            details={"holder_name": holder, "iban": number},
            by=by,
        )


def test_a_second_person_verifies_and_sees_what_speaks_against_it(payer: Payer) -> None:
    """A-H3, A-F17, A-E7: twins, letters, the cool-down that goes on; who added it cannot verify it."""
    both = person("mia", "finance_maker", "finance_checker")
    adder, checker = console(both), console(person("cora", "finance_checker"))
    payer.seller("bob")
    place = added(payer, by=user_actor(both), holder="Вob", account="bob", twin=True)
    page = text(checker.get(DESK))
    for words in (
        "Вob",
        "Bob",
        f"DE …{place.last4}",
        place.fingerprint,
        "mixes letters that look alike: Cyrillic, Latin",
        "The same account is another seller",
        "ann",
        "1 day, 23 hours",
        "0 sent, 0 waiting",
        "mia",
    ):
        assert words in page, words
    assert 'value="verify"' not in adder.get(DESK).content.decode()
    assert act(adder, place, "verify").status_code == 403
    assert act(checker, place, "verify", " ").status_code == 422
    assert Destination.objects.get(pk=place.id).status == "UNVERIFIED"
    act(checker, place, "verify")
    row = Destination.objects.get(pk=place.id)
    assert row.status == "VERIFIED" and row.usable_from == place.usable_from
    assert AuditRecord.objects.filter(action="destination.verify", subject=place.public_id).count() == 1
    page = text(checker.get(f"{DESK}{place.public_id}/"))
    assert "cora" in page and 'value="verify"' not in page


def test_one_person_is_enough_to_stop_it(payer: Payer) -> None:
    maker = console(person("mia", "finance_maker"))
    place = added(payer, by="key_ann")
    assert "A finance checker verifies" in text(maker.get(DESK))
    assert act(maker, place, "verify").status_code == 403
    act(maker, place, "reject", "the bank does not know it")
    assert Destination.objects.get(pk=place.id).status == "REJECTED"
    answer = maker.post(f"{DESK}{place.public_id}/", {"action": "reject", "reason": "once more"}, follow=True)
    assert "does not allow" in said(answer)
    act(maker, place, "remove", "no use")
    assert "Nothing is left to be done" in text(maker.get(f"{DESK}{place.public_id}/"))


def test_roles(payer: Payer) -> None:
    """A-E3: the holder's name is for finance, the account is for nobody's eyes."""
    place = added(payer, by="key_ann", holder="Ann Example")
    number = "DE89370400440532013000"
    for role in ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor"):
        client, is_finance = console(person(role, role)), role.startswith("finance")
        page = client.get(f"{DESK}{place.public_id}/").content.decode()
        assert ("Ann Example" in page) == is_finance, role
        assert number not in page and place.last4 in page
        if not is_finance:
            for action in ("reject", "remove"):
                assert act(client, place, action).status_code == 403, (role, action)
        if role != "finance_checker":
            assert act(client, place, "verify").status_code == 403, role
        listing = text(client.get("/admin/payouts/destination/?status=UNVERIFIED&q=ann"))
        assert f"…{place.last4}" in listing and number not in listing
    assert Client().get(DESK).status_code == 302
    assert console(person("una")).get(DESK).status_code == 403
