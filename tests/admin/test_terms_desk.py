"""The desk of a seller's terms: one person proposes, another one agrees, and they hold from their date on."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.models import Approval, AuditRecord, User
from core.transactions import at_edge
from merchants.models import Seller, SellerTerms
from merchants.services import update_seller
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, counter
from tests.payments.purses import open_purse

__all__ = ["counter"]

pytestmark = pytest.mark.django_db
SELLERS = "/admin/merchants/seller/"
# What ann has already; a test changes some of it.
HELD = {
    "commission_bps": "10.00",
    "commission_fixed_minor": "",
    "commission_fixed_currency": "",
    "tax_bps": "20.00",
    "settlement_delay_days": "7",
    "reserve_bps": "0",
    "reserve_days": "0",
    "effective_at": "",
    "reason": "a new contract",
}


@pytest.fixture
def ann(counter: Shop) -> Seller:
    return Seller.objects.get(seller_account="ann")


@pytest.fixture
def mia(db: None) -> User:
    return person("mia", "finance_maker", "finance_checker")


@pytest.fixture
def maker(mia: User) -> Client:
    return console(mia)


@pytest.fixture
def checker(db: None) -> Client:
    return console(person("cora", "finance_checker"))


def propose(client: Client, seller: Seller, **changes: str) -> Any:
    return client.post(f"{SELLERS}{seller.pk}/propose/", {**HELD, **changes})


def asked() -> str:
    """Where the terms that wait are decided."""
    return f"{SELLERS}terms/{Approval.objects.get(status='PENDING').pk}/"


def in_hours(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S")


def versions(seller: Seller) -> list[tuple[int, int]]:
    rows = SellerTerms.objects.filter(seller=seller).order_by("version")
    return list(rows.values_list("version", "commission_bps"))


def test_two_people_make_a_version(ann: Seller, mia: User, maker: Client, checker: Client) -> None:
    """Proposed, shown before and after, agreed to by another person, in the trail with both names."""
    assert "No store has opened" not in text(maker.get(SELLERS))
    answer = propose(
        maker, ann, commission_bps="12.50", commission_fixed_minor="0.30", commission_fixed_currency="usd"
    )
    assert answer.status_code == 302, text(answer)
    assert versions(ann) == [(1, 1000)], "nothing holds before the yes"
    page = text(checker.get(asked()))
    for words in ("10.00 %", "12.50 %", "0.30 USD", "a new contract", "ann", "the moment of the yes"):
        assert words in page, words
    assert "12.50 %" in text(checker.get(f"{SELLERS}waiting/"))
    own = maker.post(asked(), {"action": "approve"})
    assert own.status_code == 200 and "second person" in text(own) and versions(ann) == [(1, 1000)]
    place = asked()
    assert checker.post(place, {"action": "approve"}).status_code == 302
    again = checker.post(place, {"action": "approve"})
    assert "decided already" in text(again) and versions(ann) == [(1, 1000), (2, 1250)]
    made = SellerTerms.objects.get(version=2)
    assert (made.commission_fixed_minor, made.commission_fixed_currency, made.tax_bps) == (30, "USD", 2000)
    assert made.actor == f"user:{mia.pk}" and abs(made.effective_at - clock.now()) < timedelta(minutes=5)
    record = AuditRecord.objects.get(action="seller_terms.change")
    assert (record.subject, record.actor, record.reason) == (ann.public_id, made.actor, "a new contract")
    assert record.detail["before"]["commission_bps"] == 1000
    assert record.detail["after"]["commission_bps"] == 1250
    assert record.detail["checker"] != record.actor and record.detail["checker"].startswith("user:")
    shown = text(maker.get(f"{SELLERS}{ann.pk}/change/"))
    assert "holds now" in shown and "12.50 % (changed)" in shown
    same = text(maker.get(f"{SELLERS}{ann.pk}/change/?from=1&to=1"))
    assert "(changed)" not in same
    assert "12.50 % + 0.30 USD" in text(maker.get(f"{SELLERS}?q=ann"))
    nobody = maker.get(f"{SELLERS}?q=nobody").content.decode()
    assert (
        f"{SELLERS}{ann.pk}/" not in nobody and f"{SELLERS}{ann.pk}/" in maker.get(SELLERS).content.decode()
    )


def test_payments_are_split_by_the_terms_of_their_moment(
    hooks: Any, counter: Shop, ann: Seller, maker: Client, checker: Client
) -> None:
    """Terms with a date hold for what is accepted from then on, and for nothing before."""
    purse = open_purse(counter, cash=100_00)

    def pay() -> str:
        body = purse.body(counter.order("10.00"))
        assert counter.store.post("/v1/payments", body, key=uuid.uuid4().hex).status_code == 201
        wallets = counter.store.get("/v1/sellers/ann/wallets").json()["data"]
        return str(wallets[0]["pending"])

    assert pay() == "9.00"
    propose(maker, ann, commission_bps="50", effective_at=in_hours(1))
    assert checker.post(asked(), {"action": "approve"}).status_code == 302
    assert "planned" in text(maker.get(f"{SELLERS}{ann.pk}/change/"))
    assert pay() == "18.00", "before the date"
    clock.move(seconds=2 * 3600)
    assert pay() == "23.00", "from the date on"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "already"),
        ({"commission_bps": "100.01"}, "less than or equal to 100"),
        ({"commission_bps": "1.234"}, "no more than 2 decimal places"),
        ({"commission_bps": "-1"}, "greater than or equal to 0"),
        ({"commission_fixed_minor": "0.30"}, "currency"),
        ({"commission_fixed_currency": "USD"}, "an amount and a currency"),
        ({"commission_fixed_minor": "0.305", "commission_fixed_currency": "USD"}, "amount"),
        ({"settlement_delay_days": "366"}, "less than or equal to 365"),
        ({"reserve_bps": "5"}, "a part and a number of days"),
        ({"commission_bps": "9", "effective_at": "2020-01-01T00:00"}, "past"),
        ({"commission_bps": "9", "reason": ""}, "required"),
    ],
)
def test_what_cannot_be_proposed(ann: Seller, maker: Client, changes: dict[str, str], says: str) -> None:
    answer = propose(maker, ann, **changes)
    assert answer.status_code == 200 and says in text(answer), text(answer)
    assert not Approval.objects.exists() and versions(ann) == [(1, 1000)]


def test_a_yes_is_to_what_was_shown(ann: Seller, maker: Client, checker: Client) -> None:
    """When the store changes the terms meanwhile, the request is void: it said what it came from."""
    propose(maker, ann, commission_bps="12")
    place = asked()
    at_edge(update_seller)(merchant_id=ann.merchant_id, seller_id=ann.pk, changes={"tax_bps": 1900})
    refused = checker.post(place, {"action": "approve"})
    assert "changed" in text(refused) and Approval.objects.get().status == "VOID"
    assert versions(ann) == [(1, 1000), (2, 1000)]


def test_a_yes_after_the_date_comes_too_late(hooks: Any, ann: Seller, maker: Client, checker: Client) -> None:
    propose(maker, ann, commission_bps="12", effective_at=in_hours(1))
    place = asked()
    clock.move(seconds=2 * 3600)
    assert "in time" in text(checker.post(place, {"action": "approve"}))
    assert (Approval.objects.get().status, versions(ann)) == ("EXPIRED", [(1, 1000)])


def test_a_no_says_why(ann: Seller, maker: Client, checker: Client) -> None:
    propose(maker, ann, commission_bps="12")
    assert "Say why" in text(checker.post(asked(), {"action": "reject"}))
    assert checker.post(asked(), {"action": "reject", "reason": "too much"}).status_code == 302
    assert (Approval.objects.get().status, versions(ann)) == ("REJECTED", [(1, 1000)])
    assert "Nothing waits" in text(maker.get(f"{SELLERS}waiting/"))


def test_the_list_costs_as_many_queries_for_many_sellers(
    ann: Seller, maker: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        assert maker.get(SELLERS).status_code == 200
