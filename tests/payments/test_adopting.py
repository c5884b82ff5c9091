"""What the provider has and we forgot (F-E10, F-H12): made again if it is ours in every fact."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.ids import public_id, uuid7
from ledger.models import JournalEntry
from payments.engine import adopting
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation, Refund
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus
from payments.services import adopt_from_provider
from payments.types import FileLine, Settled
from tests.payments.captured import capture
from tests.payments.conftest import Shop
from tests.payments.refunding import ask
from tests.payments.test_settling import decline, sent

pytestmark = pytest.mark.django_db


class Provider:
    """It has one object, or does not answer."""

    def __init__(self, seen: PspObject | None) -> None:
        self.seen = seen

    def query(self, **_: Any) -> Outcome:
        """Tell how the object stands."""
        if self.seen is None:
            return Outcome(OutcomeKind.UNKNOWN, error="time-out")
        return Outcome(OutcomeKind.SUCCEEDED, object=self.seen)

    find_refund = query


def intent(key: UUID, checkout: str = "", **changes: Any) -> PspObject:
    """A captured payment of 90.00 that carries our reference."""
    return replace(
        PspObject(
            reference="pi_forgotten",
            status=PspStatus.CAPTURED,
            amount_minor=9000,
            currency="USD",
            our_reference=public_id("chg", key),
            authorized_minor=9000,
            captured_minor=9000,
            redirect_url=None,
            decline=None,
            charge_reference="ch_forgotten",
            our_checkout=checkout,
        ),
        **changes,
    )


def adopt(shop: Shop, monkeypatch: pytest.MonkeyPatch, seen: PspObject | None, **changes: Any) -> Settled:
    """Ask about a line that says what the provider has, unless `changes` say otherwise."""
    is_refund = seen is not None and seen.status is PspStatus.REFUNDED
    told = FileLine(
        merchant_id=shop.store.merchant_id,
        channel_ids=(shop.channel.id,),
        kind="refund" if is_refund else "charge",
        subject_kind="",
        subject_id=None,
        reference=seen.reference if seen else "pi_forgotten",
        payment_reference=seen.payment_reference if seen else "",
        our_reference="",
        amount_minor=(-seen.amount_minor if is_refund else seen.amount_minor) if seen else 9000,
        currency="USD",
        file="stl_00000000000000000000000007",
        line_no=3,
    )
    monkeypatch.setattr(adopting, "adapter_for", lambda _: Provider(seen))
    return adopt_from_provider(told=replace(told, **changes))


def accepted(shop: Shop) -> Charge:
    """A payment that was to be sent."""
    made = shop.accept(shop.body(shop.order("90.00")))
    return Charge.objects.get(checkout__checkout_id=made["checkout_id"])


def test_a_payment_that_was_to_be_sent_is_done_already(
    counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = accepted(counter)
    assert adopt(counter, monkeypatch, intent(charge.id)).result == "settled"
    charge.refresh_from_db()
    assert (charge.status, charge.psp_reference) == ("CAPTURED", "pi_forgotten")
    assert PaymentOrder.objects.get().status == "SUCCESS"
    # What was to be sent never is.
    assert list(PspOperation.objects.values_list("status", "due_at")) == [("CANCELED", None)]
    entries = JournalEntry.objects.count()
    assert adopt(counter, monkeypatch, intent(charge.id)).result == "known"
    assert JournalEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"our_reference": ""}, "unsettled"),
        ({"our_reference": public_id("chg", uuid4())}, "unsettled"),
        ({"status": PspStatus.AUTHORIZED}, "unsettled"),
        ({"captured_minor": 8999}, "conflict"),
        ({"currency": "EUR"}, "conflict"),
    ],
    ids=["nameless", "another", "reserved", "part", "currency"],
)
def test_what_is_not_ours_in_every_fact_is_left_alone(
    counter: Shop, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], result: str
) -> None:
    charge = accepted(counter)
    assert adopt(counter, monkeypatch, intent(charge.id, **changes)).result == result
    charge.refresh_from_db()
    assert (charge.status, JournalEntry.objects.count(), Charge.objects.count()) == ("CREATED", 0, 1)


def test_no_answer_is_no_proof(counter: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted(counter)
    assert adopt(counter, monkeypatch, None).result == "silent"
    assert JournalEntry.objects.count() == 0


def test_a_lost_attempt_is_made_again_and_pays_what_had_failed(
    counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sent(counter)
    decline(first)
    key, checkout = uuid7(), first.checkout.checkout_id
    assert adopt(counter, monkeypatch, intent(key, checkout)).result == "settled"
    assert Charge.objects.get(pk=key).status == "CAPTURED"
    assert PaymentOrder.objects.get().status == "SUCCESS"
    assert ChargeLine.objects.get(live=True).charge_id == key


def test_a_lost_second_payment_of_a_paid_order_goes_back(
    counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R6: the order is covered; the charge is made again, covers nothing, and its money is refunded once."""
    [order] = capture(counter, counter.order("90.00"))
    key, checkout = uuid7(), order.checkout.checkout_id
    for result in ("settled", "known"):
        assert adopt(counter, monkeypatch, intent(key, checkout)).result == result
    assert Charge.objects.get(pk=key).status == "CAPTURED"
    assert ChargeLine.objects.get(charge_id=key).live is False
    back = PspOperation.objects.get(charge_id=key, kind="refund")
    assert (back.status, back.amount_minor) == ("CREATED", 9000)


def test_a_refund_that_was_to_be_sent_is_done_already(counter: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    [order] = capture(counter, counter.order("90.00"))
    assert ask(counter, {"payment_order_id": order.payment_order_id}, "40.00").status_code == 201
    operation = PspOperation.objects.get(kind="refund")
    reference = Charge.objects.get().psp_reference
    seen = intent(
        uuid4(),
        reference="re_forgotten",
        status=PspStatus.REFUNDED,
        amount_minor=4000,
        our_reference=public_id("op", operation.id),
        payment_reference=reference,
        is_booked=True,
    )
    assert adopt(counter, monkeypatch, seen).result == "settled"
    assert Refund.objects.get().status == "SUCCESS"
    entries = JournalEntry.objects.count()
    assert adopt(counter, monkeypatch, seen).result == "known"
    assert JournalEntry.objects.count() == entries
