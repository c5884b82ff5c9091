"""What the provider contradicts is frozen; two people and the provider's word end it."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.approvals import ApprovalNotPending, ApprovalVoid, FourEyesRequired
from core.errors import InvalidState, NotFound
from core.ids import uuid7
from core.models import Approval, AuditRecord, Case
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.errors import ConflictUnproven
from payments.models import Charge, ChargeLine, PspOperation
from payments.services import request_conflict_resolution, resolve_conflict
from tests.payments.conftest import Shop
from tests.payments.test_attempts import attempt, states
from tests.payments.test_cancellations import canceled
from tests.store import error

CONFIRM, CANCEL = "payment_intents.confirm", "payment_intents.cancel"
MAKER, CHECKER = "user:1", "user:2"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> Iterator[None]:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5
    yield


def ask(outcome: Any, *, charge_id: Any = None) -> Any:
    key = charge_id or Charge.objects.get().id
    return at_edge(request_conflict_resolution)(
        charge_id=key, outcome=outcome, reason="the provider's desk said so", maker=MAKER
    )


def frozen(shop: Shop, token: str = "pm_card_visa") -> dict[str, Any]:
    """A payment whose key was used for something else: we do not know what became of it."""
    shop.arm("not_charged_timeout", operation=CONFIRM)
    seen = shop.pay(shop.body(token=token))
    nonce = PspOperation.objects.get(kind="confirm").nonce
    other = {"amount": 5000, "currency": "usd", "payment_method_types": ["card"]}
    shop.provider.client(shop.account_key).v1.payment_intents.create(other, {"idempotency_key": nonce})
    shop.later(2)
    assert Charge.objects.get().status == "CONFLICTED"
    return seen


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"short_by": 100}, "99.00 USD of 100.00 USD were taken"),
        ({"short_by": 9999}, "0.01 USD of 100.00 USD were taken"),
        ({"currency": "eur"}, "it is of 100.00 EUR, ours of 100.00 USD"),
    ],
)
def test_a_partial_approval_is_held_for_people_f_a13(shop: Shop, fault: dict[str, Any], told: str) -> None:
    """Short, or in another currency: nothing is posted, a case says what is at risk, nothing else may pay."""
    shop.arm("partial_approval", operation=CONFIRM, **fault)
    seen = shop.pay()
    shop.later(3600)
    assert (Charge.objects.get().status, states(shop.checkout(seen["id"]))) == (
        "CONFLICTED",
        ["EXECUTING"] * 2,
    )
    case = Case.objects.get()
    assert (case.kind, case.value_minor, case.currency) == ("charge_conflict", 10000, "USD")
    assert case.summary == f"The provider contradicts us: {told}"
    assert not JournalEntry.objects.exists()
    assert error(attempt(shop, seen["id"]))[1] == "attempt_in_progress"
    for outcome in ("captured", "declined", "canceled"):
        with pytest.raises(ConflictUnproven):
            resolve_conflict(approval_id=ask(outcome), checker=CHECKER)
    assert Charge.objects.get().status == "CONFLICTED"
    assert not JournalEntry.objects.exists()


def test_captured_needs_the_providers_capture(shop: Shop) -> None:
    seen = frozen(shop)
    approval = ask("captured")
    with pytest.raises(ConflictUnproven):
        resolve_conflict(approval_id=approval, checker=CHECKER)
    client = shop.provider.client(shop.account_key).v1
    client.payment_intents.confirm(Charge.objects.get().psp_reference, {"payment_method": "pm_card_visa"})
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "resolved"
    assert shop.checkout(seen["id"])["status"] == "succeeded"
    assert PspOperation.objects.get(kind="confirm").status == "SUCCEEDED"
    assert JournalEntry.objects.get().leg == "capture"
    record = AuditRecord.objects.get(action="charge.resolve_conflict")
    assert (record.actor, record.detail["outcome"]) == (CHECKER, "captured")
    with pytest.raises(InvalidState):
        resolve_conflict(approval_id=approval, checker=CHECKER)


@pytest.mark.parametrize(("outcome", "end"), [("declined", "DECLINED"), ("canceled", "CANCELED")])
def test_unpaid_needs_a_payment_that_is_closed(shop: Shop, outcome: Any, end: str) -> None:
    seen = frozen(shop)
    approval = ask(outcome)
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "closing"
    assert Charge.objects.get().status == "CONFLICTED"
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "closing", "nothing is started twice"
    shop.work()
    assert PspOperation.objects.get(kind="expire").status == "SUCCEEDED"
    assert Charge.objects.get().status == "CONFLICTED", "what that means is said by people"
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "resolved"
    assert (Charge.objects.get().status, states(shop.checkout(seen["id"]))) == (end, ["FAILED"] * 2)
    assert PspOperation.objects.get(kind="confirm").status == "DECLINED"
    assert not ChargeLine.objects.filter(live=True).exists()
    assert shop.captures() == []
    assert attempt(shop, seen["id"]).status_code == 201
    shop.work()
    assert shop.checkout(seen["id"])["status"] == "succeeded"


def test_what_the_store_canceled_meanwhile_ends_canceled(shop: Shop) -> None:
    seen = frozen(shop)
    canceled(shop, seen["id"])
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2
    approval = ask("declined")
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "closing"
    shop.work()
    assert resolve_conflict(approval_id=approval, checker=CHECKER) == "resolved"
    assert states(shop.checkout(seen["id"])) == ["CANCELED"] * 2


@pytest.mark.parametrize("checker", [MAKER, "key:1", "system"])
def test_it_takes_two_people(shop: Shop, checker: str) -> None:
    frozen(shop)
    approval, before = ask("declined"), len(shop.requests())
    with pytest.raises(FourEyesRequired):
        resolve_conflict(approval_id=approval, checker=checker)
    assert len(shop.requests()) == before, "nobody was asked"
    assert Approval.objects.get(pk=approval).status == "PENDING"


def test_the_yes_is_to_one_exact_charge(shop: Shop) -> None:
    frozen(shop)
    approval = ask("declined")
    at_edge(Charge.objects.all().update)(psp_reference="pi_other")
    with pytest.raises(ApprovalVoid):
        resolve_conflict(approval_id=approval, checker=CHECKER)
    assert Approval.objects.get(pk=approval).status == "VOID"
    with pytest.raises(ApprovalNotPending):
        resolve_conflict(approval_id=approval, checker=CHECKER)


def test_another_wish_voids_the_first(shop: Shop) -> None:
    frozen(shop)
    first, second = ask("declined"), ask("canceled")
    assert [Approval.objects.get(pk=each).status for each in (first, second)] == ["VOID", "PENDING"]


def test_only_a_conflict_is_resolved(shop: Shop) -> None:
    shop.pay()
    with pytest.raises(InvalidState):
        ask("declined")
    with pytest.raises(NotFound):
        ask("declined", charge_id=uuid7())
    with pytest.raises(NotFound):
        resolve_conflict(approval_id=uuid7(), checker=CHECKER)
