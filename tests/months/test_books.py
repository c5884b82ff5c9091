"""The books of a month, by themselves: they balance, agree with its files, and hold open what is planted."""

from decimal import Decimal

import pytest

from tests.months import Capture, Decline, Month, Payout, month
from tests.months.reading import bank_statements, net, rows

# Whatever else is planted on a payment, or is a row of none, clears by itself or is closed by a rule.
OPEN = {
    "missing_external", "amount", "currency", "duplicate", "duplicate_next_file", "reference_collision",
    "damaged_reference", "unknown_chargeback", "unknown_type",
}  # fmt: skip


@pytest.fixture(scope="module", params=[21, 22])
def made(request: pytest.FixtureRequest) -> Month:
    return month(request.param, 4_000, "2026-10", bank_plants=True)


def test_every_currency_adds_up_to_nothing(made: Month) -> None:
    balances = made.books().balances
    for currency in {currency for _, currency in balances}:
        assert sum(minor for (_, kept_in), minor in balances.items() if kept_in == currency) == 0
    assert {"bank", "psp_clearing", "psp_settlement_in_transit", "psp_fee", "suspense_receipts"} < {
        role for role, _ in balances
    }


def test_they_are_what_the_files_and_statements_add_up_to(made: Month) -> None:
    """By a reading that knows nothing of the writers."""
    balances, *_, last = made.books().balances, *bank_statements(made)
    assert balances["bank", "EUR"] == int(last.closing.scaleb(2))
    *_, day = made.days()
    assert balances["psp_settlement_in_transit", "EUR"] == day["in_transit_minor"]
    reported = sum((net(row) for file in made.psp_files() for row in rows(file)), Decimal(0))
    credited = sum(day["bank_credits_minor"] for day in made.days())
    assert balances["psp_settlement_in_transit", "EUR"] == int(reported.scaleb(2)) - credited


def test_what_stays_open_is_what_is_planted(made: Month) -> None:
    """To the minor unit, and nothing but that and what no file of the month was to have."""
    names: dict[str, dict[str, object]] = {}
    for answer in made.answer_key():
        names |= dict.fromkeys([answer["reference"].replace("ch_", "pi_"), answer["reference"]], answer)
        names |= dict.fromkeys([answer["transaction"], answer["order"]], answer)
    names.pop("")
    still = made.open_clearing(made.books())
    found = {name: names[name] for _, name in still if name in names}
    last = max(file.day for file in made.psp_files())
    not_yet = {
        getattr(each, "payment", each.reference).replace("ch_", "pi_")
        for each in made.events()
        if not isinstance(each, Decline | Payout) and each.expected_on >= last
    }
    assert {answer["kind"] for answer in found.values()} == OPEN
    assert {name for _, name in still} - set(found) <= not_yet
    for answer in found.values():
        if answer["kind"] in ("missing_external", "amount"):
            key = "EUR", str(answer["reference"]).replace("ch_", "pi_")
            wanted = answer["at_stake_minor"] * (1 if answer["kind"] == "missing_external" else -1)
            assert still[key] == wanted, answer


def test_a_clean_month_holds_nothing_open_but_what_is_not_due() -> None:
    made = month(11, 2_000, "2026-10", plants=False)
    last = max(file.day for file in made.psp_files())
    late = {
        each.reference.replace("ch_", "pi_")
        for each in made.events()
        if isinstance(each, Capture) and each.expected_on >= last
    }
    still = made.open_clearing(made.books())
    assert len(still) > 50
    others = {name for _, name in still} - late
    assert len(others) < 10  # Refunds and disputes of the last days.
