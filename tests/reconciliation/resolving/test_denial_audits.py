"""Every invariant of denied payments finds what it is for: the owner breaks the data, guards off."""

from datetime import timedelta

import pytest

from core import clock
from payments.denial_audits import INVARIANTS
from payments.models import PaymentOrder
from reconciliation.services import look_again
from tests.payments import test_payments_audits as neighbour
from tests.payments.captured import capture
from tests.payments.conftest import Shop as Store
from tests.payments.conftest import open_counter as open_counter
from tests.reconciliation.conftest import TODAY
from tests.reconciliation.resolving.conftest import Shop
from tests.reconciliation.resolving.test_identifying import eur
from tests.reconciliation.seeded import at_day

BREAKS: dict[str, list[str]] = {
    "denial_is_its_entry": [
        "UPDATE payments_chargedenial SET amount_minor = amount_minor + 1",
        "UPDATE payments_denialline SET amount_minor = amount_minor - 1",
        "UPDATE ledger_journalentry SET kind = 'x' WHERE kind = 'capture_denied'",
        "DELETE FROM payments_denialline",
        "UPDATE payments_chargedenial SET adjustment_id = gen_random_uuid()",
    ],
    "denied_line_is_of_its_charge": [
        "UPDATE payments_charge SET status = 'UNKNOWN'",
        "UPDATE payments_chargeline SET superseded = true",
        "UPDATE payments_denialline SET merchant_id = gen_random_uuid()",
    ],
}


@pytest.fixture
def denied(open_counter: Store, monkeypatch: pytest.MonkeyPatch) -> PaymentOrder:
    """A payment of two orders that its provider denies; both sellers gave it back."""
    at_day(monkeypatch, TODAY)
    shop = Shop(open_counter.store.merchant_id, open_counter.channel.id)
    shop.psp = shop.source(
        name="psp", provider="stripe", channel_id=open_counter.channel.id, books=open_counter.channel.name
    )
    orders = capture(open_counter, eur(open_counter), eur(open_counter, "10.00", seller="bob"))
    day = clock.today()
    at_day(monkeypatch, day + timedelta(days=5))
    shop.report("f|fee|-1|0", day=day + timedelta(days=2))
    at_day(monkeypatch, day + timedelta(days=20))
    look_again(source_id=shop.psp.id)
    shop.settle(shop.only(break_class="MISSING_EXTERNAL"), "A4")
    return orders[0]


@pytest.mark.django_db(transaction=True)
def test_each_invariant_finds_each_damage(denied: PaymentOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    """I09, I14; and an order counts what is denied of it as reversed."""
    assert {each.name for each in INVARIANTS} == set(BREAKS)
    monkeypatch.setattr(neighbour, "INVARIANTS", INVARIANTS)
    damages = [(name, way) for name, ways in BREAKS.items() for way in ways]
    assert [each for each in damages if neighbour.found(*each) != (True, True)] == []
    denied.refresh_from_db()
    assert denied.reversed_minor == denied.captured_minor
