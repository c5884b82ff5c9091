"""What the adapter reads out of events about refunds, and what it makes of anything else."""

from typing import Any

import pytest

from payments.psp.contract import PspStatus
from payments.psp.stripe_adapter import StripeAdapter

REFUND = {
    "object": "refund",
    "id": "re_1",
    "amount": 400,
    "currency": "usd",
    "status": "succeeded",
    "charge": "ch_1",
    "payment_intent": "pi_1",
    "balance_transaction": "txn_1",
    "metadata": {"refund_id": "op_1"},
}
CHARGE = {
    "object": "charge",
    "id": "ch_1",
    "amount": 1000,
    "amount_captured": 1000,
    "amount_refunded": 400,
    "captured": True,
    "currency": "usd",
    "payment_intent": "pi_1",
    "metadata": {},
}


def read(kind: str, about: Any) -> Any:
    return StripeAdapter().read_refund_event(payload={"id": "evt_1", "type": kind, "data": {"object": about}})


@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_a_refund_is_read_field_by_field(kind: str) -> None:
    told = read(kind, REFUND)
    (seen,) = told.refunds
    assert (seen.reference, seen.status, seen.amount_minor, seen.currency) == (
        "re_1",
        PspStatus.REFUNDED,
        400,
        "USD",
    )
    assert (seen.our_reference, seen.payment_reference, seen.is_booked) == ("op_1", "pi_1", True)
    assert told.returned_minor is None


def test_why_a_refund_failed_is_kept() -> None:
    (seen,) = read(
        "refund.failed", REFUND | {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    ).refunds
    assert (seen.status, seen.decline.decline_code) == (PspStatus.DECLINED, "lost_or_stolen_card")


def test_a_refund_of_no_payment_of_ours_still_names_itself() -> None:
    """Old charges have no PaymentIntent: the reference is empty, never a guess."""
    (seen,) = read("refund.created", REFUND | {"payment_intent": None, "metadata": None}).refunds
    assert (seen.payment_reference, seen.our_reference) == ("", "")


def test_what_was_released_is_not_what_went_back_f_g9() -> None:
    """F-G9: of a charge that was captured in part, the provider counts the rest as refunded."""
    assert read("charge.refunded", CHARGE).returned_minor == 400
    partly = CHARGE | {"amount_captured": 700, "amount_refunded": 300}
    assert read("charge.refunded", partly).returned_minor == 0
    assert read("charge.refunded", CHARGE | {"captured": False, "amount_captured": 0}) is None


@pytest.mark.parametrize(
    "about",
    [
        None,
        [],
        "re_1",
        {},
        REFUND | {"status": "lost"},
        REFUND | {"amount": "400"},
        REFUND | {"amount": -1},
        REFUND | {"amount": 4.5},
        REFUND | {"currency": None},
        REFUND | {"id": "re\x00"},
        REFUND | {"object": "charge"},
    ],
)
def test_what_cannot_be_read_is_nothing(about: Any) -> None:
    """A-B: a signed event may still be nonsense; nothing follows from it."""
    assert read("refund.created", about) is None


def test_other_events_are_not_about_refunds() -> None:
    assert read("charge.captured", CHARGE) is None
    assert read("payment_intent.succeeded", REFUND) is None
    assert StripeAdapter().read_refund_event(payload={"type": "refund.created", "data": None}) is None
