"""Files that lie: each kind, always in the same way, with an answer key, and the truth untouched."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.sandbox import night
from tests.sandbox.night import ACTIVITY, DAY, ENDING, RECONCILED, SUMMARY, Night

LINES = (
    "line_missing", "line_extra", "amount_wrong", "fee_wrong", "line_duplicated", "currency_wrong",
    "unknown_category", "late_to_next_day",
)  # fmt: skip


@pytest.fixture
def merchant(moved_sandbox):
    """An account with a day behind it: eight payments and two refunds."""
    found = Night(moved_sandbox)
    yield found
    found.settles(interval="manual")
    found.control("DELETE", "settlement_faults", {})


def trade(merchant) -> None:
    paid = [merchant.paid(amount=1000 + 100 * n) for n in range(8)]
    for intent in paid[:2]:
        merchant.v1.refunds.create({"payment_intent": intent.id, "amount": 300})


def told(rows):
    """What lines say, without their order."""
    return Counter(
        (
            row["balance_transaction_id"], row["source_id"], row["currency"], night.cents(row["gross"]),
            night.cents(row["fee"]), night.cents(row["net"]), row["reporting_category"],
        )
        for row in rows
    )  # fmt: skip


def line(change):
    """The same of one side of the answer key."""
    names = ("balance_transaction_id", "source_id", "currency", "gross", "fee", "net", "reporting_category")
    return tuple(change[name] for name in names)


def expected(true, key):
    """What the file must say: the truth with exactly the changes of the answer key."""
    found = Counter(true)
    for change in key:
        if change["before"] is not None and change["kind"] != "line_duplicated":
            found[line(change["before"])] -= 1
        if change["after"] is not None and change["kind"] != "late_to_next_day":
            found[line(change["after"])] += 1
    return +found


@pytest.mark.parametrize("kind", LINES)
def test_lines_differ_exactly_as_the_answer_key_says(merchant, kind):
    """F-H5, F-H11, F-H12, F-H13, F-H14: the file is the truth with the changes of the key.

    Withdrawing the fault brings the truth back.
    """
    day = merchant.day()
    trade(merchant)
    merchant.pass_days()
    true = told(merchant.of_day())
    assert len(true) == 10
    before = (merchant.journal(), merchant.truth(day), merchant.v1.balance.retrieve().to_dict())
    (fault,) = merchant.arm_settlement(kind, day=day, count=2, seed="7")
    wrong = told(merchant.of_day())
    key = merchant.answer_key()
    assert {change["kind"] for change in key} == {kind}
    assert len(key) == 2
    assert wrong != true
    assert wrong == expected(true, key)
    assert told(merchant.of_day()) == wrong, "the same the second time"
    assert told(merchant.rows(ENDING, interval_end=int(night.midnight(merchant.day())))) == (
        true if kind == "late_to_next_day" else wrong
    )
    assert (merchant.journal(), merchant.truth(day), merchant.v1.balance.retrieve().to_dict()) == before
    merchant.control("DELETE", f"settlement_faults/{fault['id']}", {})
    assert told(merchant.of_day()) == true
    assert len(merchant.answer_key()) == 2, "what was told stays on record"


def test_a_late_line_stands_in_the_next_day_once_and_with_its_own_date(merchant):
    merchant.arm_settlement("late_to_next_day", count=1)
    trade(merchant)
    merchant.pass_days()
    first = merchant.of_day()
    merchant.paid(amount=9900)
    merchant.pass_days()
    second = merchant.of_day()
    (change,) = merchant.answer_key()
    assert len(first) == 9
    assert len(second) == 2
    assert second[0]["balance_transaction_id"] == change["before"]["balance_transaction_id"]
    assert second[0]["created"][:10] == merchant.day(-2)
    assert change["after"]["day"] == merchant.day(-1)
    both = merchant.of_day(ahead=-2, days=2)
    assert Counter(row["balance_transaction_id"] for row in both) == Counter(
        row["balance_transaction_id"] for row in first + second
    )
    assert len(merchant.of_day(ahead=-3, days=2)) == 9, "not yet in a report that ends with its own day"


def test_a_line_that_is_late_to_a_payout_stands_in_the_reconciliation_of_the_next_day(merchant):
    merchant.settles()
    merchant.arm_settlement("late_to_next_day", count=1)
    trade(merchant)
    merchant.pass_days(6)
    (payout,) = merchant.v1.payouts.list().data
    rows = {ahead: merchant.of_day(RECONCILED, ahead) for ahead in (-3, -2, -1)}
    assert [len(rows[ahead]) for ahead in (-3, -2, -1)] == [0, 9, 1]
    assert {row["automatic_payout_id"] for found in rows.values() for row in found} == {payout.id}


def test_amounts_and_fees_are_wrong_by_what_was_asked(merchant):
    trade(merchant)
    merchant.arm_settlement("amount_wrong", by=1234, category="refund")
    merchant.arm_settlement("fee_wrong", by=-2, category="charge")
    merchant.pass_days()
    merchant.of_day()
    amount, fee = merchant.answer_key()
    assert amount["before"]["reporting_category"] == "refund"
    assert amount["after"]["gross"] - amount["before"]["gross"] == 1234
    assert fee["after"]["fee"] - fee["before"]["fee"] == -2
    for change in (amount, fee):
        assert change["source_id"] == change["before"]["source_id"]
        assert change["after"]["net"] == change["after"]["gross"] - change["after"]["fee"]


def test_the_seed_alone_decides_which_lines_are_struck(merchant):
    """Two accounts with the same day and seed get the same lies; another seed tells others."""
    others = [Night(merchant.sandbox) for _ in range(2)]
    seen = []
    for each, seed in ((merchant, "a"), (others[0], "a"), (others[1], "b")):
        trade(each)
        armed = each.arm_settlement("mixed", seed=seed, count=6)
        seen.append([fault["kind"] for fault in armed])
    merchant.pass_days()
    struck = []
    for each in (merchant, *others):
        true = {row.id: n for n, row in enumerate(reversed(list(
            each.v1.balance_transactions.list({"limit": 100}).data
        )))}  # fmt: skip
        key = each.answer_key()
        places = [true[change["before"]["balance_transaction_id"]] for change in key if change["before"]]
        assert len(set(places)) == len(places), "no line is struck twice"
        struck.append(places)
    assert (seen[0], struck[0]) == (seen[1], struck[1])
    assert (seen[0], struck[0]) != (seen[2], struck[2])


@pytest.mark.parametrize("where", ["middle", "line"])
def test_a_truncated_file_ends_too_early_and_always_at_the_same_byte(merchant, where):
    """F-H1: cut within a line, or between two so that no line looks broken."""
    trade(merchant)
    merchant.pass_days()
    start = int(night.midnight(merchant.day(-1)))
    wish = {"interval_start": start, "interval_end": start + DAY}
    whole = merchant.text(ACTIVITY, **wish)
    merchant.arm_settlement("file_truncated", day=merchant.day(-1), where=where, report_type=ACTIVITY)
    cut = merchant.text(ACTIVITY, **wish)
    assert whole.startswith(cut)
    assert len(whole) * 0.25 < len(cut) < len(whole) * 0.75
    assert cut.endswith("\n") is (where == "line")
    fields = [entry.count(",") for entry in cut.splitlines()]
    assert (fields[-1] == fields[0]) is (where == "line")
    assert merchant.text(ACTIVITY, **wish) == cut
    (once, again) = merchant.answer_key()
    assert once["after"]["bytes"] == again["after"]["bytes"] == len(cut)
    assert once["before"]["bytes"] == len(whole)
    assert merchant.text(SUMMARY, **wish).endswith("\n"), "other reports are whole"


def test_a_late_file_keeps_its_run_pending_until_its_moment(merchant):
    """F-H16: the run is answered, and its report is not there."""
    trade(merchant)
    merchant.pass_days()
    (fault,) = merchant.arm_settlement("file_late", day=merchant.day(-1), until=merchant.now + 7200)
    start = int(night.midnight(merchant.day(-1)))
    run = merchant.run(ACTIVITY, interval_start=start, interval_end=start + DAY)
    assert run.status == "pending"
    other = merchant.run(ACTIVITY, interval_start=start - DAY, interval_end=start)
    assert other.status == "succeeded", "the report of another day is on time"
    merchant.pass_seconds(7000)
    assert merchant.v1.reporting.report_runs.retrieve(run.id).status == "pending"
    merchant.pass_seconds(300)
    assert merchant.v1.reporting.report_runs.retrieve(run.id).status == "succeeded"
    assert merchant.answer_key()[0]["after"]["available"] == fault["options"]["until"]


def test_a_report_can_fail(merchant):
    trade(merchant)
    merchant.pass_days()
    merchant.arm_settlement("report_failed", day=merchant.day(-1))
    start = int(night.midnight(merchant.day(-1)))
    run = merchant.run(ACTIVITY, interval_start=start, interval_end=start + DAY)
    assert (run.status, run.result) == ("failed", None)
    assert run.error
    (event,) = merchant.v1.events.list({"type": "reporting.report_run.failed"}).data
    assert event.data.object["id"] == run.id
    merchant.control("DELETE", "settlement_faults", {})
    assert len(merchant.of_day()) == 10


def nights(merchant, *amounts):
    """Payments that are paid out on one day each; the day on which the first payout is at the bank."""
    merchant.settles()
    day = merchant.day(4)
    for amount in amounts:
        merchant.paid(amount=amount)
        merchant.pass_days()
    merchant.pass_days(4)
    return day


def shown(merchant, day):
    """The entries of a day's one statement, and what its balances are over the opening of the account."""
    (statement,) = merchant.statement(day)
    opening, closing = night.balances(statement)
    return night.credits_of(statement), opening - 1_000_000, closing - 1_000_000


def following(day, days=1):
    return (night.datetime.fromisoformat(day) + night.timedelta(days=days)).date().isoformat()


@pytest.mark.parametrize(
    ("kind", "options", "credits"),
    [
        ("bank_credit_missing", {}, []),
        ("bank_credit_split", {}, ["3.76", "5.65"]),
        ("bank_credit_amount", {}, ["9.42"]),
        ("bank_credit_amount", {"by": -141}, ["8.00"]),
    ],
)
def test_the_bank_credits_a_payout_wrongly_and_its_statements_add_up(merchant, kind, options, credits):
    """The balances follow what the statement shows, on this day and on the next."""
    day = nights(merchant, 1000, 2000)
    true = shown(merchant, day)
    assert true == ([Decimal("9.41")], 0, Decimal("9.41"))
    before = (merchant.journal(), merchant.truth(day))
    (fault,) = merchant.arm_settlement(kind, day=day, **options)
    amounts = [Decimal(text) for text in credits]
    assert shown(merchant, day) == (amounts, 0, sum(amounts))
    assert shown(merchant, following(day)) == (
        [Decimal("19.12")],
        sum(amounts),
        sum(amounts, Decimal("19.12")),
    )
    assert (merchant.journal(), merchant.truth(day)) == before
    (change,) = merchant.answer_key()
    payout = merchant.v1.payouts.list({"limit": 10}).data[-1]
    assert (change["source_id"], change["before"]["amount"]) == (payout.id, 941)
    merchant.control("DELETE", f"settlement_faults/{fault['id']}", {})
    assert shown(merchant, day) == true


def test_two_payouts_in_one_credit(merchant):
    day = nights(merchant, 1000, 2000)
    merchant.arm_settlement("bank_credits_merged", day=day)
    assert shown(merchant, day) == ([], 0, 0)
    both = Decimal("28.53")
    assert shown(merchant, following(day)) == ([both], 0, both)
    second, first = merchant.v1.payouts.list({"limit": 10}).data
    text = merchant.statement(following(day))[0].findtext(".//Ustrd")
    assert first.id in text
    assert second.id in text
    (change,) = merchant.answer_key()
    assert (change["source_id"], change["after"]["into_payout"]) == (first.id, second.id)


def test_a_statement_is_missing_and_its_number_is_skipped(merchant):
    """F-H17: a gap in the sequence, which the next statement shows."""
    day = nights(merchant, 1000, 2000)
    numbers = [merchant.statement(following(day, n))[0].findtext("ElctrncSeqNb") for n in (-1, 0, 1)]
    assert [int(number) - int(numbers[0]) for number in numbers] == [0, 1, 2]
    merchant.arm_settlement("statement_missing", day=day)
    assert merchant.bank.send("GET", f"statements/PAYABLES-USD?date={day}")[0] == 404
    assert shown(merchant, following(day))[1] == Decimal("9.41"), (
        "the next one goes on from the right balance"
    )
    (change,) = merchant.answer_key()
    assert (change["before"]["bank_account"], change["after"]) == ("PAYABLES-USD", None)


def test_a_statement_is_sent_again_with_the_next_one(merchant):
    day = nights(merchant, 1000, 2000)
    (first,) = merchant.statement(day)
    merchant.arm_settlement("statement_duplicate", day=day)
    again, following_one = merchant.statement(following(day))
    assert again.findtext("Id") == first.findtext("Id")
    assert night.credits_of(again) == night.credits_of(first)
    assert int(following_one.findtext("ElctrncSeqNb")) == int(first.findtext("ElctrncSeqNb")) + 1
    assert len(merchant.statement(day)) == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "mood"},
        {"kind": "line_missing", "count": 0},
        {"kind": "line_missing", "day": "soon"},
        {"kind": "line_missing", "by": 1},
        {"kind": "amount_wrong", "by": 0},
        {"kind": "amount_wrong", "category": "mood"},
        {"kind": "file_late", "until": "2026-12-01T10:00:00"},
        {"kind": "file_truncated", "report_type": "balance.summary.9"},
        {"kind": "file_truncated", "where": "end"},
        {"kind": "mixed", "by": 1},
        {"kind": "bank_credit_missing"},
    ],
)
def test_what_is_wrong_with_a_fault_is_said(moved_sandbox, spec):
    stranger = Night(moved_sandbox)
    stranger.control("POST", "settlement_faults", {"account": stranger.key, **spec}, status=400)
    assert stranger.control("GET", f"settlement_faults?account={stranger.key}")["data"] == []
