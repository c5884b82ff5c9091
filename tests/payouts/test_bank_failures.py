"""A seller's account at the provider cannot pay its bank: a person is told, and nothing is booked."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from core.models import Case
from events.subscriptions import find_handler, subscribers
from events.types import InboundEvent
from payouts.bank_failures import KIND, on_bank_failure

FAILED = {
    "object": "payout",
    "id": "po_1",
    "amount": 1500,
    "currency": "jpy",
    "created": 1_790_000_000,
    "status": "failed",
    "failure_code": "account_closed",
}


def event(about: Any, account: str = "acct_1234567890") -> InboundEvent:
    now = datetime.now(UTC)
    return InboundEvent(
        id=uuid4(),
        merchant_id=uuid4(),
        channel_id=uuid4(),
        provider="stripe",
        event_id="evt_1",
        type="payout.failed",
        payload={"data": {"object": about}},
        account=account,
        occurred_at=now,
        received_at=now,
    )


def told(*events: InboundEvent) -> list[Case]:
    with transaction.atomic():
        for each in events:
            on_bank_failure(delivery=each)
    return list(Case.objects.filter(kind=KIND))


@pytest.mark.django_db
def test_a_failed_payout_of_a_sellers_account_opens_one_case_f_f3() -> None:
    """F-F3: paid to the seller's account, which its bank refuses later: the money is not ours again."""
    (case,) = told(event(FAILED), event(FAILED))
    assert (case.value_minor, case.currency, case.subject) == (1500, "JPY", "stripe:po_1")
    assert case.detail == {"account": "…7890", "payout": "po_1", "failure_code": "account_closed"}
    assert "1234567890" not in case.summary


@pytest.mark.django_db
def test_payouts_of_our_own_account_and_junk_open_none() -> None:
    junk = [None, [], {}, FAILED | {"object": "transfer"}, FAILED | {"amount": "1500"}, FAILED | {"id": ""}]
    assert told(event(FAILED, account=""), *[event(each) for each in junk]) == []


def test_it_hears_of_them() -> None:
    assert "payouts.bank_failures" in subscribers("stripe", "payout.failed")
    assert find_handler("payouts.bank_failures") is on_bank_failure
