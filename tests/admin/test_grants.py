"""Bonus and points in the console: given with a reason, above the limit by two people, once."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from core.audits import run_audits
from core.history import Changes
from core.ids import public_id
from core.models import Approval, AuditRecord
from core.settings_store import put_setting
from merchants.services import ensure_buyer
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.store import Store, open_store
from wallet.models import Grant
from wallet.selectors import wallets_of
from wallet.services import hold_parts
from wallet.types import PartHold, PlannedPart

pytestmark = pytest.mark.django_db
GRANTS = "/admin/wallet/grant/"


@pytest.fixture
def store(db: None) -> Any:
    store = open_store()
    with transaction.atomic():
        ensure_buyer(merchant_id=store.merchant_id, buyer_account="ben")
        scope = public_id("mer", store.merchant_id)
        rates = {"USD": 50}
        put_setting(name="wallet.points_worth", value=rates, actor="user:t", reason="t", scope=scope)
    yield store
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def form(store: Store, **other: Any) -> dict[str, Any]:
    return {
        "grant": uuid4(),
        "merchant": public_id("mer", store.merchant_id),
        "buyer_account": "ben",
        "kind": "bonus",
        "amount": "3.00",
        "currency": "USD",
        "reason": "a late delivery",
        **other,
    }


def has(store: Store, kind: str) -> int:
    with transaction.atomic():
        buyer = ensure_buyer(merchant_id=store.merchant_id, buyer_account="ben")
    found = wallets_of(merchant_id=store.merchant_id, owner_type="buyer", owner_id=buyer.id)
    return sum(each.available_minor for each in found if each.kind == kind)


def test_a_small_grant_needs_one_person_and_happens_once(store: Store) -> None:
    """W2, A-D9: in the wallet at once, with reason and name; the same page sent twice gives once."""
    maker = console(person("mia", "finance_maker"))
    sent = form(store)
    for _ in range(2):
        assert maker.post(f"{GRANTS}new/", sent).status_code == 302
    assert has(store, "bonus") == 3_00 and Grant.objects.count() == 1
    record = AuditRecord.objects.get(action="wallet.grant")
    assert record.actor.startswith("user:") and record.reason == "a late delivery"
    page = text(maker.get(f"{GRANTS}{Grant.objects.get().pk}/change/"))
    assert "a late delivery" in page and "3.00" in page
    wallet = maker.get(f"/admin/wallet/wallet/{Grant.objects.get().wallet_id}/change/")
    assert "Give this buyer bonus or points" in text(wallet)
    assert "ben" in text(maker.get(GRANTS))


def test_a_large_grant_takes_two_people(store: Store) -> None:
    """A-E7: the maker cannot agree to it; what is agreed to is shown exactly, and given once."""
    mia, carl = person("mia", "finance_maker", "finance_checker"), person("carl", "finance_checker")
    maker, checker = console(mia), console(carl)
    assert maker.post(f"{GRANTS}new/", form(store, kind="points", amount="20000")).status_code == 302
    assert has(store, "points") == 0 and not Grant.objects.exists()
    approval = Approval.objects.get(action="wallet.grant")
    place = f"{GRANTS}waiting/{approval.pk}/"
    shown = text(checker.get(place))
    assert "100.00 USD" in shown and "a late delivery" in shown and "ben" in shown
    assert "ben" in text(checker.get(f"{GRANTS}waiting/"))
    refused = maker.post(place, {"action": "approve"})
    assert refused.status_code == 200 and "second person" in text(refused)
    assert checker.post(place, {"action": "approve"}).status_code == 302
    again = checker.post(place, {"action": "approve"})
    assert again.status_code == 200 and "decided already" in text(again)
    assert has(store, "points") == 20_000
    grant = Grant.objects.get()
    assert (grant.value_minor, grant.granted_by != grant.checked_by) == (100_00, True)


def test_a_no_needs_a_reason_and_gives_nothing(store: Store) -> None:
    maker = console(person("mia", "finance_maker"))
    checker = console(person("carl", "finance_checker"))
    maker.post(f"{GRANTS}new/", form(store, amount="500.00"))
    place = f"{GRANTS}waiting/{Approval.objects.get().pk}/"
    assert "Say why" in text(checker.post(place, {"action": "reject"}))
    assert checker.post(place, {"action": "reject", "reason": "too much"}).status_code == 302
    assert has(store, "bonus") == 0 and Approval.objects.get().status == "REJECTED"


def test_another_worth_voids_the_yes(store: Store) -> None:
    """The yes is to an exact instruction: when points are worth something else, it is asked for anew."""
    maker = console(person("mia", "finance_maker"))
    checker = console(person("carl", "finance_checker"))
    maker.post(f"{GRANTS}new/", form(store, kind="points", amount="20000"))
    with transaction.atomic():
        scope = public_id("mer", store.merchant_id)
        rates = {"USD": 100}
        put_setting(name="wallet.points_worth", value=rates, actor="user:t", reason="t", scope=scope)
    answer = checker.post(f"{GRANTS}waiting/{Approval.objects.get().pk}/", {"action": "approve"})
    assert "changed" in text(answer) and not Grant.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"amount": "3.001"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"currency": "XXQ"}, "currency"),
        ({"kind": "points", "amount": "1.5"}, "amount"),
        ({"kind": "points", "amount": "100", "currency": "EUR"}, "worth"),
        ({"buyer_account": "nobody"}, ""),
        ({"reason": ""}, "required"),
    ],
)
def test_what_cannot_be_given(store: Store, wrong: dict[str, str], says: str) -> None:
    maker = console(person("mia", "finance_maker"))
    answer = maker.post(f"{GRANTS}new/", form(store, **wrong))
    assert answer.status_code == 200 and says in text(answer)
    assert not Grant.objects.exists() and not Approval.objects.exists()


@pytest.mark.parametrize("role", ["support", "auditor", "operator", "finance_checker"])
def test_who_may_not_give(store: Store, role: str) -> None:
    """A-E3: giving is the maker's, agreeing is the checker's, the auditor looks."""
    client = console(person("pat", role))
    assert client.post(f"{GRANTS}new/", form(store)).status_code == 403
    assert client.get(GRANTS).status_code == (200 if role in ("auditor", "finance_checker") else 403)
    assert not Grant.objects.exists()


def test_the_wallet_shows_what_is_held(store: Store) -> None:
    maker = console(person("mia", "finance_maker"))
    maker.post(f"{GRANTS}new/", form(store))
    wallet_id = Grant.objects.get().wallet_id
    with transaction.atomic():
        changes = Changes()
        part = PartHold("manual:1", PlannedPart(wallet_id, "bonus", "USD", 1_00, 1_00))
        hold_parts(
            merchant_id=store.merchant_id, parts=[part], changes=changes, by="user:t", why="for a test"
        )
        changes.save()
    page = text(maker.get(f"/admin/wallet/wallet/{wallet_id}/change/"))
    assert "Held now" in page and "manual:1" in page and re.search(r"1\.00", page)
