"""Every invariant of destinations and blocks finds what it is for; the guards are off, all is rolled back."""

from typing import Any

import pytest

from payouts.destinations.audits import INVARIANTS
from tests.payments import test_payments_audits as neighbour
from tests.payouts.destinations.cast import Sellers
from tests.payouts.destinations.test_blocks import lift, place

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
_VERIFIED = "subject_type = 'payouts.destination' AND to_state = 'VERIFIED'"

# Each invariant and what breaks it.
BREAKS: dict[str, str] = {
    "payout_went_to_a_verified_destination": "UPDATE payouts_destination SET usable_from = 'infinity'",
    "destination_was_verified_by_another": "UPDATE payouts_destination SET added_by = verified_by",
    "nothing_was_sent_while_blocked": "UPDATE payouts_payoutblock SET placed_at = '2020-01-01'",
}
# Further ways to break the same rules, each of which a lazier query would miss.
MORE: list[tuple[str, str]] = [
    ("payout_went_to_a_verified_destination", f"DELETE FROM core_statuschange WHERE {_VERIFIED}"),
    (
        "payout_went_to_a_verified_destination",
        f"UPDATE core_statuschange SET recorded_at = 'infinity' WHERE {_VERIFIED}",
    ),
    (
        "payout_went_to_a_verified_destination",
        "UPDATE core_statuschange SET recorded_at = '2020-01-01' WHERE to_state = 'REMOVED'",
    ),
    (
        "payout_went_to_a_verified_destination",
        "UPDATE core_statuschange SET recorded_at = '2020-01-01' WHERE to_state = 'EXECUTING'",
    ),
    ("destination_was_verified_by_another", "UPDATE payouts_destination SET verified_by = 'user:9'"),
    ("destination_was_verified_by_another", f"DELETE FROM core_statuschange WHERE {_VERIFIED}"),
    (
        "destination_was_verified_by_another",
        f"UPDATE core_statuschange SET actor = 'system' WHERE {_VERIFIED}",
    ),
    (
        "nothing_was_sent_while_blocked",
        "UPDATE payouts_payoutblock SET seller_id = NULL, currency = '', placed_at = '2020-01-01'",
    ),
    (
        "nothing_was_sent_while_blocked",
        "UPDATE payouts_payoutblock SET placed_at = '2020-01-01', lifted_by = 'user:9',"
        " lifted_at = 'infinity'",
    ),
]


@pytest.fixture
def sent(busy_sellers: Sellers, cooled: Any) -> Sellers:
    """A payout was sent between a block that was lifted and one that came later, and its account removed."""
    made = busy_sellers.verify(busy_sellers.add())
    payout = busy_sellers.payout(made)
    cooled()
    lift(place(busy_sellers))
    busy_sellers.send(payout)
    place(busy_sellers, currency="EUR")
    busy_sellers.decide("remove_destination", made)
    return busy_sellers


def found(name: str, damage: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """As in the neighbour, for these invariants."""
    monkeypatch.setattr(neighbour, "INVARIANTS", INVARIANTS)
    return neighbour.found(name, damage)


def test_every_invariant_has_a_row_here() -> None:
    assert {each.name for each in INVARIANTS} == set(BREAKS)


@pytest.mark.usefixtures("sent")
def test_each_invariant_finds_each_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    damages = [*BREAKS.items(), *MORE]
    missed = [each for each in damages if found(*each, monkeypatch) != (True, True)]
    assert missed == []
