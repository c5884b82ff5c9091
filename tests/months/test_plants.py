"""Every plant is in the files, as the key says; found by a reading that knows nothing of the writers."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.months import BANK_PLANTS, KINDS, Capture, Chargeback, Decline, Event, Month, Payout, Refund, month
from tests.months.reading import Read, Statement, bank_statements, net, rows, settled

Answer = dict[str, Any]
SIZE = 4_000


class World:
    """One month with everything in it, read."""

    def __init__(self, profile: str) -> None:
        self.month: Month = month(21, SIZE, "2026-10", profile, file_faults=True, bank_plants=True)
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        for answer in self.month.answer_key():
            self.answers[answer["kind"]].append(answer)
        self.rows = {file.name: rows(file) for file in self.month.psp_files()}
        self.lines: dict[str, list[Read]] = defaultdict(list)
        for line in settled(self.month):
            self.lines[line.order].append(line)
        self.captures: dict[str, list[Capture]] = defaultdict(list)
        self.others: dict[str, list[Event]] = defaultdict(list)
        for event in self.month.events():
            if isinstance(event, Capture):
                self.captures[event.order].append(event)
            elif hasattr(event, "order"):
                self.others[event.order].append(event)
        self.statements: list[Statement] = list(bank_statements(self.month))

    def row(self, place: dict[str, Any]) -> dict[str, str]:
        return self.rows[place["file"]][place["record"] - 1]

    def charges(self, answer: Answer) -> list[Read]:
        return [line for line in self.lines[answer["order"]] if line.kind == "charge"]

    def entries(self, answer: Answer) -> list:
        wanted = {place["reference"] for place in answer["where"]}
        return [entry for each in self.statements for entry in each.entries if entry.reference in wanted]


@pytest.fixture(scope="module", params=["stripe", "adyen"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def minor(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def test_there_is_one_of_each_kind_and_no_two_on_one_payment(world: World) -> None:
    counts = world.month.counts()
    assert set(counts) == set(KINDS)
    for name, kind in KINDS.items():
        wanted = max(1, round(kind.per_million * SIZE / 1_000_000))
        assert counts[name] == len(world.answers[name]) == wanted, name
    orders = Counter(each["order"] for answers in world.answers.values() for each in answers if each["order"])
    assert set(orders.values()) == {1}
    # Of what only the bank shows there is nothing unless it is asked for.
    assert set(KINDS) - set(month(21, SIZE, "2026-10", file_faults=True).counts()) == BANK_PLANTS
    assert len({each["id"] for answers in world.answers.values() for each in answers}) == sum(counts.values())


def test_proposed_postings_balance_unless_the_books_decide(world: World) -> None:
    for name, answers in world.answers.items():
        for answer in answers:
            if name not in ("missing_external", "payout_not_shown"):
                assert sum(answer["postings"].values()) == 0, name


def test_missing_ones(world: World) -> None:
    for answer in world.answers["missing_external"]:
        (capture,) = world.captures[answer["order"]]
        assert not world.lines[answer["order"]] and capture.amount_minor == answer["at_stake_minor"]
    for answer in world.answers["missing_internal"]:
        (line,) = world.lines[answer["order"]]
        assert answer["order"] not in world.captures
        assert minor(line.gross) == answer["at_stake_minor"] == answer["postings"]["asset.psp_clearing"]


def test_amounts_fees_and_rates(world: World) -> None:
    for name in ("amount_one_unit", "amount", "fee", "fx_rate", "currency"):
        for answer in world.answers[name]:
            (line,), (capture,) = world.charges(answer), world.captures[answer["order"]]
            gross, fee = minor(line.gross) - capture.settlement_minor, minor(line.fee) - capture.fee_minor
            same = minor(line.facing) == capture.amount_minor
            match name:
                case "amount_one_unit":
                    assert abs(gross) == 1 and not fee and gross == answer["at_stake_minor"]
                case "amount":
                    assert abs(gross) > 1 and not fee and gross == answer["at_stake_minor"]
                case "fee":
                    assert fee == answer["at_stake_minor"] > 1 and not gross and same
                case "fx_rate":
                    assert capture.currency == line.facing_currency == "USD" and same
                    assert gross == answer["at_stake_minor"] < 0 and not fee
                case "currency":
                    assert (capture.currency, line.facing_currency) == ("EUR", "USD") and same


def test_status(world: World) -> None:
    """We hold that the attempt failed; the provider settles it."""
    for answer in world.answers["status"]:
        assert answer["order"] not in world.captures and len(world.charges(answer)) == 1
        assert any(isinstance(event, Decline) for event in world.others[answer["order"]])


def test_duplicates_and_collisions(world: World) -> None:
    """F-H11."""
    for answer in world.answers["duplicate"]:
        one, two = world.charges(answer)
        assert one == two and len(answer["where"]) == 1
    for answer in world.answers["duplicate_next_file"]:
        one, two = world.charges(answer)
        assert one.file != two.file and one._replace(file="") == two._replace(file="")
        assert answer["where"][0]["file"] == two.file
    for answer in world.answers["reference_collision"]:
        one, two = world.charges(answer)
        assert (
            one.reference == two.reference and one.transaction != two.transaction and one.gross != two.gross
        )
    for answer in world.answers["two_captures"]:
        one, two = world.charges(answer)
        assert {one.transaction, two.transaction} == {
            each.transaction for each in world.captures[answer["order"]]
        }
        assert one.transaction != two.transaction and minor(one.gross + two.gross) == answer["at_stake_minor"]


def test_damaged_reference(world: World) -> None:
    for answer in world.answers["damaged_reference"]:
        (place,) = answer["where"]
        found = world.row(place)
        assert "E+" in (found.get("source_id") or found["Psp Reference"])
        assert answer["order"] in found.values()


def test_timing(world: World) -> None:
    names = list(world.rows)
    for name, later in (("late_to_next_file", 1), ("late_past_sla", 8)):
        for answer in world.answers[name]:
            (line,) = world.charges(answer)
            days = [day["day"] for day in world.month.days()]
            assert days.index(answer["clears_on"]) == days.index(answer["expected_on"]) + later
            assert names.index(line.file) == days.index(answer["clears_on"])
    for answer in world.answers["refund_before_payment"]:
        refund, charge = sorted(world.lines[answer["order"]], key=lambda line: names.index(line.file))
        assert (refund.kind, charge.kind) == ("refund", "charge") and refund.file != charge.file
        assert any(isinstance(event, Refund) for event in world.others[answer["order"]])
    zone = world.month._days.zone
    for answer in world.answers["time_zone_edge"]:
        (capture,) = world.captures[answer["order"]]
        assert capture.at.astimezone(zone).hour in (0, 23) and len(world.charges(answer)) == 1


def test_rows_of_no_payment(world: World) -> None:
    known = {
        event.reference
        for events in world.others.values()
        for event in events
        if isinstance(event, Chargeback)
    }
    for answer in world.answers["unknown_chargeback"]:
        (line,) = world.lines[answer["order"]]
        assert (
            line.kind == "dispute" and line.reference not in known and answer["order"] not in world.captures
        )
    for answer in world.answers["unknown_type"]:
        (place,) = answer["where"]
        found = world.row(place)
        kind = found.get("reporting_category") or found["Type"]
        assert kind in ("treasury_rounding_sweep", "AcquirerSweep")
        assert minor(net(found)) == answer["at_stake_minor"]
    for answer in world.answers["reserve"]:
        hold, release = (world.row(place) for place in answer["where"])
        assert minor(net(hold)) == -answer["at_stake_minor"] == -minor(net(release))
        assert answer["where"][0]["file"] < answer["where"][1]["file"]


def test_the_bank(world: World) -> None:
    days = {day["batch"]: day for day in world.month.days()}
    for answer in world.answers["batch_total"]:
        (entry,), (batch,) = world.entries(answer), answer["batches"]
        assert minor(entry.amount) == days[batch]["payout_minor"] - answer["at_stake_minor"]
    for answer in world.answers["credit_split"]:
        one, two = world.entries(answer)
        assert minor(one.amount + two.amount) == days[answer["batches"][0]]["payout_minor"]
    for answer in world.answers["credit_merged"]:
        (entry,) = world.entries(answer)
        assert len(answer["batches"]) == 2 and all(batch in entry.text for batch in answer["batches"])
        assert minor(entry.amount) == sum(days[batch]["payout_minor"] for batch in answer["batches"])
    for answer in world.answers["unknown_bank_credit"]:
        (entry,) = world.entries(answer)
        assert minor(entry.amount) == answer["at_stake_minor"] and entry.text == "Invoice 4711 thank you"


def test_what_only_the_bank_shows(world: World) -> None:
    """Credits that never come, come twice or are too high; debits that nobody knows."""
    days = {day["batch"]: day for day in world.month.days()}
    texts = " ".join(entry.text for each in world.statements for entry in each.entries)
    for answer in world.answers["batch_not_banked"]:
        (batch,) = answer["batches"]
        named = batch if world.month.options.profile == "stripe" else f"batch {batch},"
        assert named not in texts and answer["where"] == []
        assert answer["at_stake_minor"] == days[batch]["payout_minor"]
    for answer in world.answers["batch_over"]:
        (entry,), (batch,) = world.entries(answer), answer["batches"]
        assert minor(entry.amount) == days[batch]["payout_minor"] - answer["at_stake_minor"]
        assert answer["at_stake_minor"] < 0
    for answer in world.answers["credit_twice"]:
        (again,) = world.entries(answer)
        one, two = (
            (each.name, entry)
            for each in world.statements
            for entry in each.entries
            if entry.text == again.text
        )
        assert one[0] < two[0] and one[1].amount == two[1].amount and two[1] == again
        assert minor(again.amount) == answer["at_stake_minor"] == answer["postings"]["asset.bank"]
    for answer in world.answers["unknown_bank_debit"]:
        (entry,) = world.entries(answer)
        assert minor(entry.amount) == answer["at_stake_minor"] < 0


def test_payouts_that_the_bank_books_otherwise(world: World) -> None:
    """Never, at another amount, and twice."""
    sent = {each.reference: each for each in world.month.events() if isinstance(each, Payout)}
    shown: dict[str, list[int]] = defaultdict(list)
    for statement in world.statements:
        for entry in statement.entries:
            for amount, name in entry.details if entry.code == "ESCT" else ():
                shown[name].append(-minor(amount))
    planted = {
        answer["reference"]: answer
        for name in ("payout_not_shown", "payout_amount", "payout_twice")
        for answer in world.answers[name]
    }
    assert len(planted) == 3
    days = {f"PO{statement.name[10:18].replace('-', '')}" for statement in world.statements}
    of_days = {name: payout for name, payout in sent.items() if name[:8] in days}
    assert planted.keys() < of_days.keys() and len(of_days) > 200
    for reference, payout in of_days.items():
        answer, paid = planted.get(reference), shown[reference]
        match answer["kind"] if answer else "":
            case "payout_not_shown":
                assert paid == [] and answer["at_stake_minor"] == payout.amount_minor
            case "payout_twice":
                assert paid == [payout.amount_minor] * 2
            case "payout_amount":
                assert paid == [payout.amount_minor + answer["at_stake_minor"]] and paid[0] > 0
            case _:
                assert paid == [payout.amount_minor], reference


def test_statements_that_stop_an_importer(world: World) -> None:
    """F-H17: one is missing, and the next does not add up."""
    (missing,), (wrong,) = world.answers["statement_missing"], world.answers["statement_sum"]
    before, last = world.statements[-2:]
    assert last.number == before.number + 2 and last.opening != before.closing
    assert last.opening + sum(entry.amount for entry in last.entries) != last.closing
    names = {statement.name for statement in world.statements}
    assert missing["where"][0]["file"] not in names and wrong["where"][0]["file"] == last.name


def test_whatever_is_not_planted_matches(world: World) -> None:
    """The other lines and events say the same: nothing is different that the key does not have."""
    planted = {each["order"] for answers in world.answers.values() for each in answers}
    checked = 0
    for order, captures in world.captures.items():
        if order in planted:
            continue
        for line in world.lines[order]:
            if line.kind == "charge":
                (capture,) = captures
                found = minor(line.gross), minor(line.fee), line.transaction, line.facing_currency
                assert found == (
                    capture.settlement_minor, capture.fee_minor, capture.transaction, capture.currency
                )  # fmt: skip
                checked += 1
    assert checked > SIZE * 0.9
    ours = set(world.captures)
    assert {
        order for order, lines in world.lines.items() if any(line.kind == "charge" for line in lines)
    } - ours == {each["order"] for name in ("missing_internal", "status") for each in world.answers[name]}
