"""The night of an account: what is available is paid out, named, and reaches the merchant's bank."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from tests.sandbox import night
from tests.sandbox.night import DAY, ENDING, OF_PAYOUT, PAYOUTS, RECONCILED, SUMMARY, Night, total


@pytest.fixture
def merchant(moved_sandbox):
    found = Night(moved_sandbox)
    yield found
    found.settles(interval="manual")  # else its nights go on through the tests of others


def payouts_of(merchant):
    """Its payouts, oldest first."""
    return list(reversed(merchant.v1.payouts.list({"limit": 100}).data))


def settled_by(merchant, payout):
    return merchant.v1.balance_transactions.list({"payout": payout.id, "limit": 100}).data


def test_a_night_pays_out_names_what_it_settles_and_reaches_the_bank(merchant):
    """Journal, balance transactions, reports, payout and bank statement tell of the same money."""
    merchant.settles()
    paid = merchant.paid(amount=5000)
    merchant.v1.refunds.create({"payment_intent": paid.id, "amount": 700})
    merchant.paid(payment_method="pm_card_createDispute")
    fees = sum(each.fee for each in merchant.v1.balance_transactions.list({"limit": 100}).data)
    effects = {row["kind"]: 0 for row in merchant.journal()}
    for row in merchant.journal():
        effects[row["kind"]] += row["amount"]
    money = sum(effects[kind] for kind in ("charge.captured", "refund.succeeded", "dispute.withdrawn"))
    merchant.pass_days(3)  # available after two days, paid out at the midnight after that
    (payout,) = payouts_of(merchant)
    dispute_fee = 1500  # stands in the journal's withdrawal as well as among the fees
    assert payout.amount == money - (fees - dispute_fee)
    said = (payout.automatic, payout.reconciliation_status, payout.description, payout.status)
    assert said == (True, "completed", "STRIPE PAYOUT", "in_transit")
    assert payout.created == night.midnight(merchant.day())
    settled = settled_by(merchant, payout)
    own = [each for each in settled if each.id == payout.balance_transaction]
    assert [(each.type, each.net) for each in own] == [("payout", -payout.amount)]
    assert sum(each.net for each in settled) == 0
    merchant.pass_days()
    assert merchant.v1.payouts.retrieve(payout.id).status == "paid"
    types = [each["type"] for each in merchant.sandbox.get(f"events?account={merchant.id}")]
    assert [each for each in types if each.startswith("payout.")] == [
        "payout.created", "payout.reconciliation_completed", "payout.updated", "payout.paid",
    ]  # fmt: skip
    merchant.pass_days()
    assert merchant.v1.payouts.list({"limit": 2}).data[0].id == payout.id, "nothing is left to pay out"
    rows = merchant.of_day(RECONCILED, -1)
    listed = {each.id for each in settled if each.id != payout.balance_transaction}
    assert {row["balance_transaction_id"] for row in rows} == listed
    assert {row["automatic_payout_id"] for row in rows} == {payout.id}
    assert total(rows) == payout.amount
    assert merchant.rows(OF_PAYOUT, payout=payout.id) == rows
    (entry,) = merchant.statement(merchant.day(-1))[0].findall("Ntry")
    assert night.signed(entry) == Decimal(payout.amount) / 100
    trace = merchant.v1.payouts.retrieve(payout.id).trace_id.value
    assert entry.findtext(".//Ustrd") == f"STRIPE PAYOUT {payout.id} {trace}"
    assert entry.findtext(".//EndToEndId") == payout.id
    assert {row["trace_id"] for row in rows} == {trace}
    made, booked = merchant.truth(merchant.day(-2)), merchant.truth(merchant.day(-1))
    assert made["payouts"] == booked["bank_credits"] == {"count": 1, "amount": payout.amount}
    (listed_payout,) = merchant.of_day(PAYOUTS, -2)
    assert (listed_payout["payout_id"], total([listed_payout])) == (payout.id, -payout.amount)


def test_what_is_not_paid_out_yet_is_the_ending_balance(merchant):
    """What is open at a midnight adds up to that midnight's balance, before, between and after payouts."""
    merchant.settles()
    for amount in (1000, 2000, 3000):
        merchant.paid(amount=amount)
        merchant.pass_days()
    merchant.pass_days(2)
    for back in range(6):
        moment = int(night.midnight(merchant.day(-back)))
        figures = merchant.rows(SUMMARY, interval_start=moment - DAY, interval_end=moment, currency="usd")
        ending = [row["net_amount"] for row in figures if row["category"] == "ending_balance"]
        assert total(merchant.rows(ENDING, interval_end=moment)) == night.cents(*(ending or ["0.00"]))


def test_nights_that_the_clock_leapt_over_are_made_up_for_with_their_own_dates(merchant):
    """Three payments on three days, then a leap: as if somebody had stayed awake."""
    merchant.settles()
    days = []
    for amount in (1000, 2000, 3000):
        days.append(merchant.day(3))
        merchant.paid(amount=amount)
        merchant.pass_days()
    merchant.pass_seconds(10 * DAY)
    made = payouts_of(merchant)
    assert [each.created for each in made] == [night.midnight(day) for day in days]
    assert [each.arrival_date - each.created for each in made] == [DAY] * 3
    for day, payout in zip(days, made, strict=True):
        assert merchant.truth(day)["payouts"] == {"count": 1, "amount": payout.amount}
        after = night.datetime.fromtimestamp(payout.arrival_date, night.UTC).date().isoformat()
        assert night.credits_of(merchant.statement(after)[0]) == [Decimal(payout.amount) / 100]


def test_a_negative_balance_is_debited(merchant):
    merchant.settles()
    paid = merchant.paid(amount=5000)
    merchant.pass_days(3)
    merchant.v1.refunds.create({"payment_intent": paid.id})
    merchant.pass_days(5)
    first, second = payouts_of(merchant)
    assert (first.amount, second.amount) == (4825, -5000)
    assert sum(each.net for each in settled_by(merchant, second)) == 0
    arrived = night.datetime.fromtimestamp(second.arrival_date, night.UTC).date().isoformat()
    assert night.credits_of(merchant.statement(arrived)[0]) == [Decimal(-50)]


def test_each_currency_is_paid_out_to_its_own_account(merchant):
    merchant.settles(accounts={"eur": "DE02120300000000202051"})
    merchant.paid(amount=1000)
    merchant.paid(amount=3000, currency="eur")
    merchant.pass_days(4)
    assert {each.currency: each.amount for each in payouts_of(merchant)} == {"usd": 941, "eur": 2883}
    today = merchant.day()
    assert night.credits_of(merchant.statement(today)[0]) == [Decimal("9.41")]
    assert night.credits_of(merchant.statement(today, "DE02120300000000202051")[0]) == [Decimal("28.83")]


def test_a_payout_that_comes_back_is_paid_out_again(merchant):
    merchant.settles()
    merchant.paid(amount=1000)
    merchant.pass_days(4)
    (first,) = payouts_of(merchant)
    merchant.control("POST", f"payouts/{first.id}/fail", {"failure_code": "account_closed"})
    assert night.credits_of(merchant.statement(merchant.day())[0]) == [Decimal("9.41"), Decimal("-9.41")]
    merchant.pass_days(2)
    first, second = payouts_of(merchant)
    assert (first.status, second.status, second.amount) == ("failed", "paid", 941)
    (row,) = merchant.rows(OF_PAYOUT, payout=second.id)
    assert (row["reporting_category"], row["source_id"]) == ("payout_reversal", first.id)


def test_without_a_schedule_only_the_control_api_pays_out(merchant):
    merchant.paid(payment_method="pm_card_bypassPending")
    merchant.paid()
    merchant.pass_days()
    assert payouts_of(merchant) == []
    (made,) = merchant.control("POST", "settle", {"account": merchant.key, "day": merchant.day(-1)})["data"]
    assert (made["amount"], made["automatic"]) == (941, True), "the other payment was not available then"
    assert merchant.control("POST", "settle", {"account": merchant.key})["data"] == []
    merchant.control("POST", f"payouts/{made['id']}/settle", {})
    assert merchant.v1.payouts.retrieve(made["id"]).status == "paid"
    for wrong in ({"interval": "hourly"}, {"bank": "acct_1"}, {"mood": 1}):
        wish = {"account": merchant.key, **wrong}
        merchant.control("POST", "settlement_accounts", wish, status=400)


def test_a_file_of_an_earlier_sandbox_is_taken_over(own_sandbox):
    """Balance transactions that were booked before movements existed stand in reports and are paid out."""
    box = own_sandbox()
    merchant = Night(box)
    merchant.paid()
    box.end()
    with closing(sqlite3.connect(box.data / "sandbox.sqlite3", isolation_level=None)) as file:
        assert file.execute("DELETE FROM movement").rowcount == 1
    box.start(port=box.info["port"])
    merchant.pass_days()
    (row,) = merchant.of_day()
    assert (row["gross"], row["reporting_category"]) == ("10.00", "charge")
