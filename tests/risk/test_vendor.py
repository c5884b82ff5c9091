"""A slow check outside: the payment waits, and whatever the vendor does, it ends as the merchant wants."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from channels.services import set_enabled
from core import clock
from core.drain import get_drain
from core.ids import parse_public_id
from core.models import AuditRecord, Case, DeadLetter, StatusChange
from core.transactions import at_edge
from payments.models import Charge, PaymentOrder
from payments.services import approve_review
from risk.errors import VendorInvalid
from risk.models import RiskCheck, RiskDecision, RiskVendor
from risk.services import replay_check, set_vendor
from tests.payments.conftest import Shop
from tests.racing import race
from tests.risk.rules import BY, enforce, listed, policy
from tests.risk.vendor import Vendor

pytestmark = pytest.mark.usefixtures("hooks")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    answers = Vendor()
    yield answers
    answers.close()


@pytest.fixture
def asking(shop: Shop, vendor: Vendor) -> Shop:
    """A shop whose payments wait for the vendor."""
    with transaction.atomic():
        set_vendor(
            merchant_id=shop.store.merchant_id,
            provider="sandbox",
            base_url=vendor.url,
            secret_key="sk_vendor_1",
            by=BY,
        )
    policy(shop.store.merchant_id, external_check=True, external_deadline_seconds=60)
    return shop


def ask() -> int:
    return get_drain("risk_checks").run()


def accepted(shop: Shop, **buyer: Any) -> dict[str, Any]:
    return shop.accept(shop.body() | {"buyer_info": buyer})


def ends(shop: Shop, checkout: dict[str, Any]) -> str:
    ask()
    shop.work()
    return shop.checkout(checkout["id"])["status"]


def test_the_payment_waits_until_the_vendor_knows(asking: Shop, vendor: Vendor) -> None:
    checkout = accepted(asking, email="a@example.com")
    assert (checkout["status"], checkout["risk"]) == ("in_review", {"decision": "review"})
    order = PaymentOrder.objects.first()
    assert (
        order
        and StatusChange.objects.get(subject_id=order.pk, to_state="IN_REVIEW").reason == "risk: external"
    )
    assert ends(asking, checkout) == "in_review"
    assert not Charge.objects.exists()
    assert not Case.objects.filter(kind="risk_review").exists()
    vendor.decision = "approved"
    clock.move(seconds=2)
    assert ends(asking, checkout) == "succeeded"
    [(reference, body)] = vendor.asked.items()
    assert reference == RiskCheck.objects.get().reference
    assert body["amounts"] == [{"amount_minor": 10_000, "currency": "USD"}]
    assert (body["amount"], body["currency"], body["email"]) == (10_000, "USD", "a@example.com")
    assert [each[0] for each in vendor.seen] == ["POST", "GET"]
    assert {each[2] for each in vendor.seen} == {"Bearer sk_vendor_1"}
    assert RiskCheck.objects.get().status == "ANSWERED"
    assert RiskDecision.objects.get(source="vendor").decision == "approve"


def test_the_vendor_declines(asking: Shop, vendor: Vendor) -> None:
    vendor.decision = "declined"
    checkout = accepted(asking)
    assert ends(asking, checkout) == "failed"
    over = asking.checkout(checkout["id"])
    assert over["payment_orders"][0]["failure"]["code"] == "risk_declined"
    assert over["risk"] == {"decision": "decline"}
    assert asking.captures() == []


def test_the_vendor_wants_a_person_to_look(asking: Shop, vendor: Vendor) -> None:
    vendor.decision = "review"
    checkout = accepted(asking)
    assert ends(asking, checkout) == "in_review"
    assert Case.objects.get(kind="risk_review").subject == checkout["id"]
    key = parse_public_id(checkout["id"], "chk")
    at_edge(approve_review)(checkout_id=key, by=BY, reason="looked")
    assert ends(asking, checkout) == "succeeded"


@pytest.mark.parametrize(
    ("failure", "expected"), [("approve", "succeeded"), ("decline", "failed"), ("review", "in_review")]
)
@pytest.mark.parametrize(
    "fault",
    [
        (500, b"{}"),
        (401, b"{}"),
        (200, b"no json"),
        (200, b'{"id": "../x"}'),
        (200, b'{"id": "a", "status": "great"}'),
    ],
)
def test_a_broken_vendor_degrades_by_policy(
    asking: Shop, vendor: Vendor, failure: str, expected: str, fault: tuple[int, bytes]
) -> None:
    policy(asking.store.merchant_id, external_failure=failure)
    vendor.fault = fault
    checkout = accepted(asking)
    assert ends(asking, checkout) == "in_review"
    assert RiskCheck.objects.get().error
    clock.move(seconds=30)
    assert ends(asking, checkout) == "in_review"
    clock.move(seconds=31)
    assert ends(asking, checkout) == expected
    assert RiskCheck.objects.get().status == "DEGRADED"
    assert Case.objects.filter(kind="risk_review").exists() == (failure == "review")
    assert RiskDecision.objects.get(source="policy").by == "system:risk.policy"


def test_nobody_listens(asking: Shop, vendor: Vendor) -> None:
    vendor.close()
    checkout = accepted(asking)
    assert ends(asking, checkout) == "in_review"
    assert "NotSent" in RiskCheck.objects.get().error


def test_a_person_is_faster_than_the_vendor(asking: Shop, vendor: Vendor) -> None:
    checkout = accepted(asking)
    ask()
    at_edge(approve_review)(checkout_id=parse_public_id(checkout["id"], "chk"), by=BY, reason="known")
    vendor.decision = "declined"
    clock.move(seconds=5)
    assert ends(asking, checkout) == "succeeded"
    assert RiskCheck.objects.get().status == "DROPPED"


def test_a_person_and_the_vendor_at_once(asking: Shop, vendor: Vendor) -> None:
    """Both lock the payment first: no deadlock, one transition."""
    vendor.decision = "declined"
    for _ in range(5):
        checkout = accepted(asking)
        key = parse_public_id(checkout["id"], "chk")
        race(
            [ask, lambda key=key: at_edge(approve_review)(checkout_id=key, by=BY, reason="known")],
            connected=True,
        )
        assert ends(asking, checkout) in ("succeeded", "failed")
        orders = list(PaymentOrder.objects.filter(checkout_id=key).values_list("pk", flat=True))
        assert StatusChange.objects.filter(subject_id__in=orders, from_state="IN_REVIEW").count() == 2
        assert RiskCheck.objects.get(subject_id=key).status in ("ANSWERED", "DROPPED")


def test_a_worker_that_died_is_taken_over_with_the_same_question(asking: Shop, vendor: Vendor) -> None:
    """The reference was stored before the call, so the vendor sees one question however often it is put."""
    checkout = accepted(asking)
    [claim] = get_drain("risk_checks").claim(limit=5)
    vendor.decision = "approved"
    RiskCheck.objects.filter(pk=claim.id).update(leased_until=None)
    assert ends(asking, checkout) == "succeeded"
    # The first worker wakes up with an old claim.
    get_drain("risk_checks").handle(claim)
    assert len(vendor.asked) == 1 and len(vendor.seen) == 1
    assert RiskCheck.objects.get().status == "ANSWERED"


def test_a_verdict_that_cannot_be_acted_on_is_tried_again_and_then_buried(
    asking: Shop, vendor: Vendor
) -> None:
    """Nothing is swallowed: the channel is off, so an approval cannot open a charge."""
    policy(asking.store.merchant_id, external_failure="approve")
    checkout = accepted(asking)
    with transaction.atomic():
        set_enabled(channel_id=asking.channel.id, enabled=False, actor=BY, reason="maintenance")
    vendor.decision = "approved"
    for _ in range(10):
        ask()
        clock.move(seconds=61)
    check = RiskCheck.objects.get()
    assert (check.status, check.due_at) == ("WAITING", None)
    letter = DeadLetter.objects.get(queue="risk_checks")
    assert "PaymentMethodUnavailable" in letter.error
    with transaction.atomic():
        set_enabled(channel_id=asking.channel.id, enabled=True, actor=BY, reason="done")
        replay_check(letter)
    assert ends(asking, checkout) == "succeeded"


def test_only_what_the_rules_let_pass_is_asked_about(asking: Shop, vendor: Vendor) -> None:
    merchant = asking.store.merchant_id
    listed(merchant, "good", "allow", "buyer", "vip")
    enforce(merchant, "amount_over", {"limits": {"USD": 20_000}})
    assert accepted(asking, buyer_account="vip")["status"] == "open"
    declined = asking.accept(asking.body(asking.order("200.01")))
    assert declined["status"] == "failed"
    assert not RiskCheck.objects.exists()


def test_what_the_vendor_is_told_is_encrypted_here(asking: Shop, vendor: Vendor, owner_sql: Any) -> None:
    """A-H13."""
    accepted(asking, email="quokka@example.com")
    [(dump,)] = owner_sql(
        "SELECT row_to_json(c)::text || row_to_json(v)::text FROM risk_riskcheck c, risk_riskvendor v"
    )
    assert "quokka" not in dump and "sk_vendor_1" not in dump
    ask()
    [body] = vendor.asked.values()
    assert body["buyer"]["email"] == "quokka@example.com"


def test_a_vendor_of_a_live_merchant_is_reached_over_tls(db: None) -> None:
    from tests.store import open_store

    merchant_id = open_store(mode="live").merchant_id
    line = {"merchant_id": merchant_id, "provider": "sandbox", "secret_key": "k", "by": BY}
    for url in ("http://vendor.example", "https://user@vendor.example", "https://vendor.example/path", ""):
        with pytest.raises(VendorInvalid), transaction.atomic():
            set_vendor(base_url=url, **line)  # type: ignore[arg-type]
    with transaction.atomic():
        set_vendor(base_url="https://vendor.example/", **line)  # type: ignore[arg-type]
    assert RiskVendor.objects.get().base_url == "https://vendor.example"
    assert AuditRecord.objects.filter(action="risk_vendor.set").count() == 1
