"""The view of movements: the read contract of pay-out for set-based work."""

from datetime import timedelta

import pytest
from django.db import connection

from core import clock
from payouts.models import PayoutAttempt
from payouts.selectors import MOVEMENTS
from tests.payouts.conftest import Payer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sending_is_a_movement_until_it_is_refused(payer: Payer) -> None:
    """A payout leaves as its bank books it: negative, under its reference and that of its batch."""
    payer.trust()
    payout = payer.ask(5000)
    payer.work()
    sending = PayoutAttempt.objects.select_related("batch").get(payout=payout)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rail, kind, subject_kind, subject_id, end_to_end, batch_reference, clearing_key,"
            f" currency, amount_minor, state, happened_at FROM {MOVEMENTS} WHERE payout_id = %s",
            [payout.id],
        )
        [found] = cursor.fetchall()
    assert found[:9] == (
        "bank", "transfer", "sending", sending.id, sending.reference, sending.batch.reference, str(payout.id),
        "EUR", -5000,
    )  # fmt: skip
    assert found[9] in ("final", "unknown")
    assert clock.now() - found[10] < timedelta(minutes=5)
