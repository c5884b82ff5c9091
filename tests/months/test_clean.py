"""A month without plants: our events and the provider's files say the same, to the minor unit."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.months import Capture, Chargeback, ChargebackReversal, Event, Month, Refund, RefundFailure, month
from tests.months.reading import bank_statements, settled

SIGNS = {Capture: 1, Refund: -1, RefundFailure: 1, Chargeback: -1, ChargebackReversal: 1}
KINDS = {
    Capture: "charge", Refund: "refund", RefundFailure: "refund_failure", Chargeback: "dispute",
    ChargebackReversal: "dispute_reversal",
}  # fmt: skip


@pytest.fixture(scope="module", params=["stripe", "adyen"])
def made(request: pytest.FixtureRequest) -> Month:
    return month(11, 4000, "2026-10", request.param, plants=False)


def expected(made: Month, until: str = "") -> Iterator[tuple[object, ...]]:
    """Yield our events whose batch is one of the month, as a line would say them."""
    days = [day["day"] for day in made.days()]
    for event in made.events():
        if type(event) in SIGNS and days[0] <= str(event.expected_on) <= (until or "9999"):
            yield described(event)


def described(event: Event) -> tuple[object, ...]:
    amount = SIGNS[type(event)] * Decimal(event.amount_minor).scaleb(-2)
    return KINDS[type(event)], event.reference, event.transaction, event.order, amount, event.currency


def test_every_line_is_an_event_of_ours_and_every_event_has_its_line(made: Month) -> None:
    days = [day["day"] for day in made.days()]
    lines = [
        (line.kind, line.reference, line.transaction, line.order, line.facing, line.facing_currency)
        for line in settled(made)
    ]
    assert len(set(lines)) == len(lines) > 3700
    assert {line[0] for line in lines} >= {"charge", "refund", "dispute"}
    # Whoever is expected in the last batch may be booked a day late, and that is in the next month.
    ours = set(expected(made, until=days[-2]))
    assert not ours - set(lines)
    before = {described(event) for event in made.events() if type(event) in SIGNS} - set(expected(made))
    assert not set(lines) - set(expected(made)) - {each for each in before if each[0] == "charge"}


def test_gross_and_fee_of_a_capture_are_the_expected_ones(made: Month) -> None:
    captures = {event.transaction: event for event in made.events() if isinstance(event, Capture)}
    found = 0
    for line in settled(made):
        if line.kind == "charge":
            event = captures[line.transaction]
            assert line.gross.scaleb(2) == event.settlement_minor
            assert line.fee.scaleb(2) == event.fee_minor
            found += event.currency != made.options.currency
    assert found > 200


def test_events_are_in_the_order_of_time(made: Month) -> None:
    moments = [event.at for event in made.events()]
    assert moments == sorted(moments)
    assert moments[0] < made._days.midnight(made._days.first)[0] < moments[-1]


def test_what_an_event_refers_to_was_before_it_and_no_refund_is_too_large(made: Month) -> None:
    left: dict[str, int] = {}
    known: set[str] = set()
    for event in made.events():
        match event:
            case Capture():
                left[event.reference] = event.amount_minor
            case Refund():
                left[event.payment] -= event.amount_minor
                assert left[event.payment] >= 0 and event.is_full == (left[event.payment] == 0)
            case RefundFailure():
                assert event.refund in known
                left[event.payment] += event.amount_minor
            case Chargeback() if event.round == 1:
                assert left[event.payment] == event.amount_minor
            case ChargebackReversal():
                assert event.chargeback in known
        if type(event) in SIGNS:
            known.add(event.reference)


def test_nothing_is_planted_and_nothing_is_in_transit_but_the_last_batch(made: Month) -> None:
    assert list(made.answer_key()) == [] and made.counts() == {}
    assert all(day["in_transit_minor"] == day["payout_minor"] for day in made.days())


def test_our_payouts_and_their_returns_are_what_the_bank_books(made: Month) -> None:
    sent = {
        event.reference: event.amount_minor for event in made.events() if type(event).__name__ == "Payout"
    }
    entries = [entry for statement in bank_statements(made) for entry in statement.entries]
    booked = {
        end_to_end: -amount.scaleb(2)
        for entry in entries
        if entry.amount < 0
        for amount, end_to_end in entry.details
        if end_to_end != "NOTPROVIDED"
    }
    assert booked and booked.items() <= sent.items()
    back = {
        entry.end_to_end: (entry.amount.scaleb(2), entry.reason) for entry in entries if entry.code == "RRTN"
    }
    assert back == {
        each.payout.reference: (sent[each.payout.reference], each.reason) for each in made.returns()
    }
