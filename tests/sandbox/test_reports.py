"""Report runs through the official SDK: what the CSV says is what the balance did."""

from __future__ import annotations

import csv
import io
import signal
from collections import Counter
from http.client import IncompleteRead

import pytest
import stripe

from sandbox.database import Database
from sandbox.reporting import lines
from tests.sandbox import night
from tests.sandbox.night import (
    ACTIVITY,
    DAY,
    ENDING,
    OF_PAYOUT,
    PAYOUTS,
    RECONCILED,
    SUMMARY,
    Night,
    cents,
    total,
)


@pytest.fixture
def merchant(moved_sandbox):
    return Night(moved_sandbox)


def busy_day(merchant) -> None:
    """Every kind of movement that the sandbox makes, but payouts."""
    v1, control = merchant.v1, merchant.control
    merchant.paid(metadata={"order": 'A "quoted", one\nof two lines'})
    merchant.paid(payment_method="pm_card_createDispute")
    won = merchant.paid(payment_method="pm_card_createDisputeProductNotReceived")
    control("POST", f"disputes/{v1.disputes.list({'payment_intent': won.id}).data[0].id}/win", {})
    refunded = merchant.paid()
    refund = v1.refunds.create({"payment_intent": refunded.id, "amount": 300})
    control("POST", f"refunds/{refund.id}/fail", {})
    v1.refunds.create({"payment_intent": refunded.id, "amount": 200, "metadata": {"why": "late"}})
    held = merchant.intent(capture_method="manual", payment_method="pm_card_visa", confirm=True)
    v1.payment_intents.capture(held.id, {"amount_to_capture": 600})
    control("POST", f"payment_intents/{merchant.paid().id}/reversal", {})
    control("POST", "topups", {"account": merchant.key, "amount": 5000, "currency": "usd"})
    seller = v1.accounts.create({"type": "custom", "capabilities": {"transfers": {"requested": True}}})
    sent = v1.transfers.create({"amount": 2000, "currency": "usd", "destination": seller.id})
    v1.transfers.reversals.create(sent.id, {"amount": 500})
    for category, amount in (("fee", -210), ("network_cost", -7), ("other_adjustment", 55)):
        wish = {"account": merchant.key, "amount": amount, "currency": "usd", "category": category}
        control("POST", "adjustments", wish)


CATEGORIES = {
    "charge", "charge_failure", "dispute", "dispute_reversal", "fee", "network_cost", "other_adjustment",
    "partial_capture_reversal", "refund", "refund_failure", "topup", "transfer", "transfer_reversal",
}  # fmt: skip


def test_activity_lists_every_movement_once_with_its_figures(merchant):
    """The report against the API's balance transactions and against the journal of effects."""
    busy_day(merchant)
    merchant.pass_days()
    rows = merchant.of_day()
    booked = {each.id: each for each in merchant.v1.balance_transactions.list({"limit": 100}).data}
    assert {row["reporting_category"] for row in rows} == CATEGORIES
    assert Counter(row["balance_transaction_id"] for row in rows) == Counter(list(booked))
    for row in rows:
        txn = booked[row["balance_transaction_id"]]
        assert [cents(row[name]) for name in ("gross", "fee", "net")] == [txn.amount, txn.fee, txn.net]
        said = (row["reporting_category"], row["currency"], row["source_id"])
        assert said == (txn.reporting_category, "usd", txn.source or "")
    of_kind = Counter()
    for row in rows:
        of_kind[row["reporting_category"]] += cents(row["gross"])
    effects = Counter()
    for effect in merchant.journal():
        effects[effect["kind"]] += effect["amount"]
    assert of_kind["charge"] + of_kind["partial_capture_reversal"] == effects["charge.captured"]
    assert of_kind["refund"] == effects["refund.succeeded"]
    assert of_kind["refund_failure"] == effects["refund.failed"]
    assert of_kind["charge_failure"] == effects["charge.reversed"]
    assert of_kind["transfer"] == effects["transfer.created"]
    adjusted = sum(of_kind[name] for name in ("fee", "network_cost", "other_adjustment"))
    assert adjusted == effects["balance.adjusted"]


def test_the_summary_goes_from_one_balance_to_the_next(merchant):
    """Starting balance, activity and payouts make the ending balance, and the next day starts there."""
    busy_day(merchant)
    merchant.pass_days()
    merchant.v1.payouts.create({"amount": 1000, "currency": "usd"})
    merchant.pass_days()
    days = [{row["category"]: row for row in merchant.of_day(SUMMARY, -back)} for back in (2, 1)]
    for figures in days:
        net = {name: cents(row["net_amount"]) for name, row in figures.items()}
        assert net["starting_balance"] + net["activity"] + net["payouts"] == net["ending_balance"]
        assert net["activity_gross"] + net["activity_fee"] == net["activity"]
    assert days[0]["ending_balance"]["net_amount"] == days[1]["starting_balance"]["net_amount"]
    assert cents(days[0]["activity"]["net_amount"]) == total(merchant.of_day(ACTIVITY, -2))
    assert cents(days[1]["payouts"]["net_amount"]) == -1000 == total(merchant.of_day(PAYOUTS))
    owed = merchant.v1.balance.retrieve()
    held = owed.available[0].amount + owed.pending[0].amount
    assert cents(days[1]["ending_balance"]["net_amount"]) == held
    moment = int(night.midnight(merchant.day()))
    assert total(merchant.rows(ENDING, interval_end=moment)) == held, "paid out by hand: nothing is settled"


@pytest.mark.parametrize(
    ("currency", "amount", "gross", "fee"),
    [("jpy", 1000, "1000", "59"), ("kwd", 10_000, "10.000", "0.320"), ("eur", 1005, "10.05", "0.59")],
)
def test_money_is_in_major_units_with_the_decimals_of_its_currency(merchant, currency, amount, gross, fee):
    merchant.paid(currency=currency, amount=amount)
    merchant.paid()
    merchant.pass_days()
    (row,) = merchant.of_day(currency=currency)
    assert (row["gross"], row["fee"]) == (gross, fee)
    assert {each["currency"] for each in merchant.of_day(SUMMARY, currency=currency)} == {currency}


def test_columns_are_those_asked_for_in_their_order(merchant):
    """Fields are quoted where they need it, lines end in a line feed, moments are in the zone asked for."""
    paid = merchant.paid(metadata={"order": 'A "quoted", one\nof two lines'})
    merchant.v1.refunds.create({"payment_intent": paid.id, "metadata": {"why": "late"}})
    merchant.pass_days()
    wanted = [
        "net",
        "payment_metadata[order]",
        "refund_metadata[why]",
        "created",
        "created_utc",
        "card_brand",
    ]
    start = int(night.midnight(merchant.day(-1)))
    text = merchant.text(
        ACTIVITY, interval_start=start, interval_end=start + DAY, columns=wanted, timezone="Asia/Tokyo"
    )
    assert text.startswith(",".join(wanted) + "\n")
    assert "\r" not in text
    charge, refund = csv.DictReader(io.StringIO(text))
    assert charge["payment_metadata[order]"] == 'A "quoted", one\nof two lines'
    assert (charge["refund_metadata[why]"], refund["refund_metadata[why]"]) == ("", "late")
    assert charge["card_brand"] == "visa"
    assert charge["created_utc"].endswith(charge["created"][13:]), "Tokyo is whole hours away"
    assert charge["created"][11:13] == f"{(int(charge['created_utc'][11:13]) + 9) % 24:02d}"


def interval(merchant, **more):
    end = int(night.midnight(merchant.day()))
    return {"interval_start": end - DAY, "interval_end": end, **more}


@pytest.mark.parametrize(
    ("report", "change", "param"),
    [
        ("balance.summary.9", {}, "report_type"),
        (ACTIVITY, {"interval_start": None}, "parameters[interval_start]"),
        (ACTIVITY, {"interval_end": 1}, "parameters[interval_end]"),
        (ACTIVITY, {"interval_end": DAY}, "parameters[interval_end]"),
        (ACTIVITY, {"interval_start": 5}, "parameters[interval_start]"),
        (ACTIVITY, {"columns": ["net", "mood"]}, "parameters[columns]"),
        (ACTIVITY, {"columns": ["net", "net"]}, "parameters[columns]"),
        (ACTIVITY, {"columns": ["mood_metadata[x]"]}, "parameters[columns]"),
        (ACTIVITY, {"timezone": "Mars/Olympus"}, "parameters[timezone]"),
        (ACTIVITY, {"timezone": "/etc/passwd"}, "parameters[timezone]"),
        (ACTIVITY, {"currency": "xxq"}, "parameters[currency]"),
        (ACTIVITY, {"reporting_category": "mood"}, "parameters[reporting_category]"),
        (ACTIVITY, {"payout": "po_1"}, "parameters[payout]"),
        (PAYOUTS, {"reporting_category": "charge"}, "parameters[reporting_category]"),
    ],
)
def test_what_is_wrong_with_a_run_is_refused(merchant, report, change, param):
    """``interval_end`` of the table is counted from the end of the data, where it is small."""
    parameters = interval(merchant)
    for name, value in change.items():
        parameters[name] = parameters["interval_end"] + value if name == "interval_end" else value
    parameters = {name: value for name, value in parameters.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.v1.reporting.report_runs.create({"report_type": report, "parameters": parameters})
    assert refusal.value.param == param


def test_a_payout_made_by_hand_is_made_of_nothing_known(merchant):
    merchant.control("POST", "topups", {"account": merchant.key, "amount": 500, "currency": "usd"})
    payout = merchant.v1.payouts.create({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        merchant.v1.balance_transactions.list({"payout": payout.id})
    for name in (payout.id, "po_000000000000000000000000"):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            run = {"report_type": OF_PAYOUT, "parameters": {"payout": name}}
            merchant.v1.reporting.report_runs.create(run)
        assert refusal.value.param == "parameters[payout]"
    merchant.pass_days(3)
    assert merchant.of_day(RECONCILED, -3, days=3) == []
    assert merchant.v1.payouts.list({"arrival_date": {"gte": payout.arrival_date + 1}}).data == []
    assert merchant.v1.payouts.list({"arrival_date": {"gte": payout.arrival_date}}).data[0].id == payout.id


def test_a_run_is_told_listed_and_belongs_to_its_account(merchant, until):
    hearer = merchant.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["reporting.report_run.succeeded"]}
    )
    run = merchant.run(SUMMARY, **interval(merchant))
    (told,) = merchant.v1.events.list({"type": "reporting.report_run.succeeded"}).data
    assert told.data.object["id"] == run.id
    assert [each.id for each in merchant.v1.reporting.report_runs.list().data] == [run.id]
    assert merchant.control("GET", f"deliveries?event={told.id}")["data"][0]["endpoint"] == hearer.id
    file = merchant.v1.files.list({"purpose": "finance_report_run"}).data[0]
    assert (file.id, file.url, file.type) == (run.result.id, run.result.url, "csv")
    stranger = Night(merchant.sandbox)
    assert night.refused(run.result.url, stranger.key) == 404
    assert night.refused(run.result.url, "sk_live_other") == 401
    assert night.refused(run.result.url, merchant.key) == 200
    with pytest.raises(stripe.InvalidRequestError):
        stranger.v1.reporting.report_runs.retrieve(run.id)


def test_a_download_suffers_faults_and_evidence_is_not_downloaded(merchant):
    """Faults of answers strike ``files.contents`` as any operation: refused, cut off, then whole."""
    run = merchant.run(SUMMARY, **interval(merchant))
    merchant.arm("http_503", operation="files.contents")
    assert night.refused(run.result.url, merchant.key) == 503
    merchant.arm("truncated_json", operation="files.contents")
    with pytest.raises(IncompleteRead):
        night.download(run.result.url, merchant.key)
    assert len(night.download(run.result.url, merchant.key)) == run.result.size
    picture = io.BytesIO(b"\x89PNG\r\n\x1a\nsigned here")
    proof = merchant.v1.files.create({"purpose": "dispute_evidence", "file": picture})
    assert night.refused(proof.url, merchant.key) == 403


def test_report_types_tell_their_columns_and_until_when_there_are_data(merchant):
    types = merchant.v1.reporting.report_types.list().data
    assert {each.id for each in types} == {ACTIVITY, RECONCILED, OF_PAYOUT, ENDING, PAYOUTS, SUMMARY}
    assert {each.data_available_end for each in types} == {int(night.midnight(merchant.day()))}
    for each in types:
        assert merchant.v1.reporting.report_types.retrieve(each.id).to_dict() == each.to_dict()
        parameters = {**interval(merchant), "columns": each.default_columns}
        if each.id == OF_PAYOUT:
            continue
        if each.id == ENDING:
            del parameters["interval_start"]
        assert merchant.text(each.id, **parameters).splitlines()[0] == ",".join(each.default_columns)
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        merchant.v1.reporting.report_types.retrieve("balance.summary.9")
    assert unknown.value.http_status == 404


def test_a_killed_sandbox_still_writes_its_reports(own_sandbox, until):
    """Asked for before the kill, there after the start."""
    box = own_sandbox()
    merchant = Night(box)
    run = {"report_type": SUMMARY, "parameters": interval(merchant)}
    asked = merchant.v1.reporting.report_runs.create(run)
    box.end(signal.SIGKILL)
    box.start()
    again = box.client(merchant.key).v1.reporting.report_runs
    until(lambda: again.retrieve(asked.id).status == "succeeded")


def test_pages_lose_and_repeat_nothing(tmp_path):
    """More movements in one second than a page holds, and one more than two pages."""
    database = Database(tmp_path / "s.sqlite3")
    count = 2 * lines.PAGE + 1
    with database.transaction():
        for seq in range(count):
            database.execute(
                "INSERT INTO movement (seq, id, account, currency, created, available, gross, fee, net,"
                " category, source) VALUES (?, ?, 'acct_1', 'usd', ?, 0, 1, 0, 1, 'topup', 'tu_1')",
                (seq, f"txn_{seq}", 1000 + (seq >= lines.PAGE // 2)),
            )
    pages = list(lines.pages(database, lines.activity("acct_1", 1000, 1002)))
    assert [line.seq for page in pages for line in page] == list(range(count))
    assert [len(page) for page in pages] == [lines.PAGE, lines.PAGE, 1]
    database.close()
