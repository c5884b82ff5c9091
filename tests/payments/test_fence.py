"""Two workers hold the same operation, one after the other: the slower one's outcome is worth nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from channels.models import PspCall
from core.drain import Claim, get_drain
from core.failpoints import arm
from core.ids import uuid7
from core.models import StatusChange
from ledger.models import JournalEntry
from payments.engine import execute
from payments.engine.capture import _post, shares_of
from payments.locks import lock_operation
from payments.models import PaymentOrder, PspOperation
from payments.psp.contract import Outcome
from payments.services import execute_operation
from tests.payments.conftest import Shop
from wallet.models import Wallet

pytestmark = pytest.mark.usefixtures("hooks")


def claim_again(owner_sql: Callable[..., Any], shop: Shop) -> Claim:
    """What a second worker gets when the first one's lease is over."""
    owner_sql(
        "UPDATE payments_pspoperation SET leased_until = '2000-01-01', due_at = '2000-01-01'"
        " WHERE due_at IS NOT NULL"
    )
    (claim,) = get_drain("operations").claim(limit=50)
    return claim


def confirming(shop: Shop) -> None:
    """Bring a payment to the moment before it is confirmed: nothing was sent, the worker died."""
    shop.accept(shop.body())
    (claim,) = get_drain("operations").claim(limit=50)
    arm("execute.after_commit", "raise")
    with pytest.raises(Exception, match="armed"):
        execute_operation(claim=claim)


def test_the_slower_workers_outcome_is_dropped_and_its_evidence_kept_f_b7(
    shop: Shop, owner_sql: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    confirming(shop)
    slow = claim_again(owner_sql, shop)
    real, overtaken = execute._call, []

    def call_then_be_overtaken(intent: Any) -> Outcome:
        outcome = real(intent)
        if not overtaken:
            overtaken.append(claim_again(owner_sql, shop))
            monkeypatch.setattr(execute, "_call", real)
            execute_operation(claim=overtaken[0])
        return outcome

    monkeypatch.setattr(execute, "_call", call_then_be_overtaken)
    before = StatusChange.objects.count()
    execute_operation(claim=slow)
    assert overtaken[0].fence == slow.fence + 1
    operation = PspOperation.objects.get(kind="confirm")
    assert (operation.status, operation.fence) == ("SUCCEEDED", overtaken[0].fence)
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"SUCCESS"}
    assert JournalEntry.objects.filter(source="charge").count() == 1
    assert len(shop.captures()) == 1
    calls = list(PspCall.objects.filter(operation_id=operation.id).values_list("kind", flat=True))
    assert len(calls) >= 3, "both workers' exchanges are evidence"
    ends = StatusChange.objects.filter(subject_id=operation.id, to_state="SUCCEEDED")
    assert ends.count() == 1 and StatusChange.objects.count() > before


def test_a_claim_that_is_no_longer_the_newest_does_nothing(shop: Shop, owner_sql: Callable[..., Any]) -> None:
    shop.accept(shop.body())
    (stale,) = get_drain("operations").claim(limit=50)
    fresh = claim_again(owner_sql, shop)
    execute_operation(claim=stale)
    assert shop.requests() == []
    assert PspOperation.objects.get().status == "CREATED"
    execute_operation(claim=fresh)
    assert len(shop.captures()) == 1
    execute_operation(claim=fresh)
    assert len(shop.captures()) == 1


def test_a_leased_operation_is_claimed_by_nobody_else(shop: Shop) -> None:
    shop.accept(shop.body())
    assert len(get_drain("operations").claim(limit=50)) == 1
    assert get_drain("operations").claim(limit=50) == []


def test_without_the_fence_the_books_stand_in_the_way(shop: Shop) -> None:
    """The control: post the same capture once more, as a worker without a fence would."""
    shop.pay()
    operation = PspOperation.objects.get(kind="confirm")

    def pending() -> int:
        return sum(wallet.pending_minor for wallet in Wallet.objects.all())

    def entries() -> int:
        return JournalEntry.objects.filter(source="charge").count()

    before = (pending(), entries())
    with transaction.atomic():
        scope = lock_operation(operation_id=operation.id)
        assert scope is not None
        at = scope.checkout.created_at
        shares = shares_of(merchant_id=scope.charge.merchant_id, orders=scope.orders, at=at)
        _post(scope, shares, at)
        assert (pending(), entries()) == before, "the key of the entry is taken"
        # Under another key the very same lines do move the wallets: it is the key that refuses.
        scope.charge.id = uuid7()
        _post(scope, shares, at)
        assert (pending(), entries()) == (2 * before[0], 2)
        transaction.set_rollback(True)
    assert (pending(), entries()) == before
