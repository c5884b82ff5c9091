"""Stripe's reports: every category, sign, column and cut."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import format_minor
from reconciliation.formats.contract import Kind, Refused
from reconciliation.formats.stripe import ACTIVITY, EXPORT, PAYOUT_RECONCILIATION, PAYOUTS
from reconciliation.formats.stripe_kinds import CATEGORIES, TYPES
from reconciliation.formats.stripe_summary import BALANCE_SUMMARY
from tests.reconciliation.formats.reading import nets, read, refusal, sample

CHARGE = {
    "balance_transaction_id": "txn_1",
    "source_id": "ch_1",
    "charge_id": "ch_1",
    "payment_intent_id": "pi_1",
    "created_utc": "2026-11-30 22:59:59",
    "currency": "eur",
    "gross": "25.00",
    "fee": "0.95",
    "net": "24.05",
    "reporting_category": "charge",
    "automatic_payout_id": "po_1",
    "customer_facing_amount": "25.00",
    "customer_facing_currency": "eur",
    "payment_metadata[charge_id]": "chr_1",
    "refund_metadata[refund_id]": "",
    "description": "",
}
REFUND = CHARGE | {
    "balance_transaction_id": "txn_2", "source_id": "re_1", "gross": "-10.00", "fee": "0.00", "net": "-10.00",
    "reporting_category": "refund", "customer_facing_amount": "-11.50", "customer_facing_currency": "usd",
    "refund_metadata[refund_id]": "rfn_1", "description": 'said "no",\nand left',
}  # fmt: skip
FEE = CHARGE | {
    "balance_transaction_id": "txn_3", "source_id": "", "charge_id": "", "payment_intent_id": "",
    "gross": "-0.50", "fee": "0.00", "net": "-0.50", "reporting_category": "network_cost",
    "customer_facing_amount": "", "customer_facing_currency": "", "payment_metadata[charge_id]": "",
}  # fmt: skip
PAYOUT = FEE | {
    "balance_transaction_id": "txn_4", "source_id": "po_1", "gross": "-13.55", "net": "-13.55",
    "reporting_category": "payout", "automatic_payout_id": "",
}  # fmt: skip


def written(*rows: dict[str, str], end: str = "\n") -> bytes:
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


GOOD = written(CHARGE, REFUND, FEE, PAYOUT)


def only(row: dict[str, str], **options: Any) -> Any:
    (line,) = read(PAYOUT_RECONCILIATION, written(row), **options).lines
    return line


def test_a_report_is_read_with_its_references_and_days() -> None:
    file = read(PAYOUT_RECONCILIATION, GOOD, time_zone="Europe/Berlin", account="acct_1")
    assert file.document.identity == "2026-11-01..2026-11-30"
    assert file.document.account == "acct_1"
    charge, refund, fee, payout = file.lines
    assert charge == (
        2, Kind.CHARGE, "charge", "ch_1", "EUR", 2500, 95, 2405, date(2026, 11, 30), "po_1", "pi_1", "chr_1",
        "", None, None, datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC), "2026-11-30 22:59:59 +00:00", None,
    )  # fmt: skip
    assert (refund.line_no, refund.kind, refund.reference, refund.related, refund.merchant_reference) == (
        3, Kind.REFUND, "re_1", "ch_1", "rfn_1",
    )  # fmt: skip
    assert (refund.original_currency, refund.original_minor) == ("USD", -1150)
    # The description of the refund has a line end.
    assert (fee.line_no, fee.kind, fee.reference, fee.related) == (5, Kind.FEE, "txn_3", "")
    assert (payout.kind, payout.reference, payout.batch, payout.net_minor) == (
        Kind.PAYOUT, "po_1", "po_1", -1355,
    )  # fmt: skip
    assert file.totals.controls == ()


def test_columns_come_in_any_order_and_number() -> None:
    reordered = [{name: row[name] for name in reversed(list(row))} for row in (CHARGE, REFUND)]
    in_order = read(PAYOUT_RECONCILIATION, written(CHARGE, REFUND)).lines
    assert read(PAYOUT_RECONCILIATION, written(*reordered)).lines == in_order
    needed = (
        "balance_transaction_id", "source_id", "currency", "gross", "fee", "net", "reporting_category",
        "automatic_payout_id", "created_utc",
    )  # fmt: skip
    few = [{name: row[name] for name in needed} for row in (CHARGE, REFUND)]
    assert nets(read(PAYOUT_RECONCILIATION, written(*few)).lines) == nets(in_order)
    for name in needed:
        row = {other: value for other, value in few[0].items() if other != name}
        assert refusal(PAYOUT_RECONCILIATION, written(row)) == ("column_missing", 1)
    few[0].pop("automatic_payout_id")
    assert read(ACTIVITY, written(few[0])).lines[0].batch == ""


def test_a_byte_order_mark_and_crlf_change_nothing() -> None:
    crlf = written(CHARGE, FEE, end="\r\n")
    assert read(PAYOUT_RECONCILIATION, b"\xef\xbb\xbf" + crlf) == read(
        PAYOUT_RECONCILIATION, written(CHARGE, FEE)
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "gb18030", "latin-1", "utf-32", "cp1252"])
def test_a_report_in_another_encoding_is_refused(encoding: str) -> None:
    """F-H6."""
    body = written(CHARGE | {"description": "ü"}).decode().encode(encoding)
    assert refusal(PAYOUT_RECONCILIATION, body)[0] == "encoding_invalid"


def test_the_column_in_utc_is_preferred_and_the_day_is_that_of_the_source() -> None:
    """F-H15."""
    both = CHARGE | {"created": "2026-12-01 07:00:00"}
    line = only(both, time_zone="Europe/Berlin")
    assert (line.occurred_at, line.business_date) == (
        datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC), date(2026, 11, 30),
    )  # fmt: skip
    assert only(both | {"created_utc": "2026-11-30 23:00:00"}, time_zone="Europe/Berlin").business_date == (
        date(2026, 12, 1)
    )
    local = {name: value for name, value in both.items() if name != "created_utc"}
    line = only(local, time_zone="Asia/Shanghai")
    assert line.occurred_at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert (line.business_date, line.local_time) == (date(2026, 12, 1), "2026-12-01 07:00:00 +08:00")


def test_a_line_outside_of_the_asked_days_is_a_line() -> None:
    assert only(CHARGE | {"created_utc": "2019-01-01 00:00:00"}).business_date == date(2019, 1, 1)


@pytest.mark.parametrize("category", sorted(CATEGORIES))
@pytest.mark.parametrize("amount", ["1.00", "0.00", "-1.00"])
def test_every_category_has_the_signs_that_it_may_have(category: str, amount: str) -> None:
    """F-H8: kind × sign. What is not listed is UNKNOWN, for a person, and still counts."""
    line = only(CHARGE | {"reporting_category": category, "gross": amount, "fee": "0", "net": amount})
    sign = (line.gross_minor > 0) - (line.gross_minor < 0)
    assert line.kind == SIGNS.get((category, sign), Kind.UNKNOWN)
    assert (line.raw is None) is (line.kind is not Kind.UNKNOWN)
    assert line.raw_kind == category


# Written out a second time: a table that is tested against itself proves nothing.
SIGNS = (
    {
        ("charge", 1): Kind.CHARGE,
        ("charge_failure", -1): Kind.CHARGE_FAILURE,
        ("refund", -1): Kind.REFUND,
        ("refund_failure", 1): Kind.REFUND_FAILURE,
        ("partial_capture_reversal", -1): Kind.REFUND,
        ("dispute", -1): Kind.DISPUTE,
        ("dispute_reversal", 1): Kind.DISPUTE_REVERSAL,
        ("platform_earning", 1): Kind.ADJUSTMENT,
        ("platform_earning_refund", -1): Kind.ADJUSTMENT,
        ("transfer", -1): Kind.TRANSFER,
        ("transfer_reversal", 1): Kind.TRANSFER_REVERSAL,
        ("topup", 1): Kind.TOP_UP,
        ("topup_reversal", -1): Kind.TOP_UP,
    }
    | {(name, sign): Kind.FEE for name in ("fee", "tax", "network_cost") for sign in (-1, 0, 1)}
    | {("payout", sign): Kind.PAYOUT for sign in (-1, 1)}
    | {("payout_reversal", sign): Kind.PAYOUT_REVERSAL for sign in (-1, 1)}
    | {(name, 1): Kind.RESERVE_RELEASE for name in ("risk_reserved_funds", "connect_reserved_funds")}
    | {(name, -1): Kind.RESERVE_HOLD for name in ("risk_reserved_funds", "connect_reserved_funds")}
    | {
        (name, sign): Kind.ADJUSTMENT
        for name in ("connect_collection_transfer", "advance", "advance_funding", "other_adjustment")
        for sign in (-1, 0, 1)
    }
)


def test_a_category_that_is_new_is_for_a_person_with_the_record() -> None:
    line = only(CHARGE | {"reporting_category": "moon_tax", "description": "a, b"})
    assert (line.kind, line.raw_kind, line.net_minor) == (Kind.UNKNOWN, "moon_tax", 2405)
    assert line.reference == "ch_1"
    assert '"a, b"' in line.raw


@pytest.mark.parametrize(
    "amount",
    ["25,00", "1,025.00", "1.025,00", "2.5e1", "25.00E0", "'25.00", "`25.00", "25.00 ", " 25.00", "+25.00",
     "$25.00", "25.001", "", ".", "-", "٢٥.00", "25.00-", "(25.00)", "NaN", "Infinity", "0x19",
     "9" * 15, "9" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("column", ["gross", "fee", "net", "customer_facing_amount"])
def test_an_amount_is_never_guessed(amount: str, column: str) -> None:
    """F-H20: decimal comma, thousands marks, exponents, apostrophes."""
    if column == "customer_facing_amount" and not amount:
        return  # it may be empty
    assert refusal(PAYOUT_RECONCILIATION, written(CHARGE, CHARGE | {column: amount})) == ("amount_invalid", 3)


@pytest.mark.parametrize(
    ("currency", "gross", "minor"),
    [("jpy", "2500", 2500), ("JPY", "2500.00", 2500), ("kwd", "2.5", 2500), ("USD", "25", 2500)],
)
def test_amounts_are_in_major_units_of_their_currency(currency: str, gross: str, minor: int) -> None:
    row = CHARGE | {"currency": currency, "gross": gross, "fee": "0", "net": gross}
    assert only(row | {"customer_facing_amount": ""}).gross_minor == minor


def test_a_line_that_does_not_add_up_refuses_the_file() -> None:
    assert refusal(PAYOUT_RECONCILIATION, written(CHARGE, CHARGE | {"net": "24.06"})) == (
        "line_does_not_add_up", 3,
    )  # fmt: skip


@pytest.mark.parametrize("currency", ["", "eu", "EURO", "zzz", "€"])
def test_an_unknown_currency_refuses_the_file(currency: str) -> None:
    """F-H5."""
    assert refusal(PAYOUT_RECONCILIATION, written(CHARGE | {"currency": currency})) == ("currency_unknown", 2)


def test_half_a_reference_is_none() -> None:
    long = "x" * 256
    for column in ("source_id", "charge_id", "automatic_payout_id"):
        assert refusal(PAYOUT_RECONCILIATION, written(CHARGE | {column: long})) == ("reference_too_long", 2)
    # Where anybody may write, a long text is not our reference; the line is what it is.
    line = only(CHARGE | {"payment_metadata[charge_id]": long})
    assert (line.kind, line.merchant_reference) == (Kind.CHARGE, "")
    assert long in line.raw


def test_a_file_cut_anywhere_is_refused_or_is_the_first_of_its_lines() -> None:
    """F-H1: within a line it is refused; between two lines nothing in the file says that more was to come."""
    whole = read(PAYOUT_RECONCILIATION, GOOD).lines
    accepted = []
    for at in range(len(GOOD)):
        try:
            cut = read(PAYOUT_RECONCILIATION, GOOD[:at]).lines
        except Refused as refused:
            assert refused.code in ("truncated", "quote_unclosed", "header_missing")
            continue
        assert GOOD[at - 1 : at] == b"\n"
        assert cut == whole[: len(cut)]
        accepted.append(len(cut))
    assert accepted == [0, 1, 2, 3]


@pytest.mark.parametrize("column", ["source_id", "balance_transaction_id", "charge_id", "payment_intent_id"])
def test_a_reference_that_a_spreadsheet_made_a_number_of_names_nothing(column: str) -> None:
    """The row is for a person; its money counts, and our own reference is still there."""
    line = only(CHARGE | {column: "8.899120000E+15"})
    assert (line.kind, line.raw_kind, line.net_minor) == (Kind.UNKNOWN, "charge", 2405)
    assert (line.reference, line.related, line.merchant_reference) == ("", "", "chr_1")
    assert "8.899120000E+15" in line.raw
    line = only(CHARGE | {"payment_metadata[charge_id]": "8.899120000E+15"})
    assert (line.kind, line.reference, line.merchant_reference) == (Kind.CHARGE, "ch_1", "")
    assert line.raw


SUMMARY = b"""\
category,description,net_amount,currency
starting_balance,Starting balance (2026-11-01),100.00,eur
activity,Activity,13.55,eur
payouts,Total payouts,-13.55,eur
ending_balance,Ending balance (2026-11-30),100.00,eur
starting_balance,Starting balance (2026-11-01),0,jpy
activity,Activity,500,jpy
payouts,Total payouts,500,jpy
ending_balance,Ending balance (2026-11-30),0,jpy
"""


def test_the_summary_of_the_same_days_finds_what_was_cut_between_two_lines() -> None:
    """F-H1: the figures of one report are the sums of another; payouts have a minus, whichever is written."""
    summary = read(BALANCE_SUMMARY, SUMMARY)
    assert summary.lines == []
    declared = {(each.scope, each.currency): each.value for each in summary.totals.controls}
    assert declared == {
        ("activity", "EUR"): 1355,
        ("payouts", "EUR"): -1355,
        ("activity", "JPY"): 500,
        ("payouts", "JPY"): -500,
    }
    activity = written(CHARGE, REFUND, FEE)
    assert summary.document.identity == read(ACTIVITY, activity).document.identity
    ends = [at + 1 for at, byte in enumerate(activity) if byte == ord("\n")]
    fits = []
    for end in ends:
        try:
            lines = read(ACTIVITY, activity[:end]).lines
        except Refused:
            continue
        fits.append(nets(lines)["EUR"] == declared["activity", "EUR"])
    assert fits == [False, False, False, True]


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        (b"13.55,eur\npay", b"13.54,eur\npay", ("balance_does_not_add_up", 5)),
        (b"ending_balance,Ending balance (2026-11-30),0,jpy\n", b"", ("truncated", None)),
        (b"activity,Activity,500", b"activities,Activity,500", ("category_unknown", 7)),
        (b"500,jpy\npay", b"500,eur\npay", ("category_twice", 7)),
        (b"500,jpy\npay", b"5e2,jpy\npay", ("amount_invalid", 7)),
    ],
)
def test_a_summary_that_contradicts_itself_is_refused(old: bytes, new: bytes, refused: Any) -> None:
    """F-H4."""
    assert SUMMARY.count(old) == 1
    assert refusal(BALANCE_SUMMARY, SUMMARY.replace(old, new)) == refused


def test_a_summary_with_parts_counts_the_wholes() -> None:
    body = SUMMARY.replace(b"activity,Activity,13.55,eur\n", b"activity_gross,a,14.50,eur\n"
                           b"activity_fee,b,-0.95,eur\nactivity,Activity,13.55,eur\n")  # fmt: skip
    assert [each.value for each in read(BALANCE_SUMMARY, body).totals.controls] == [1355, -1355, 500, -500]


def test_payouts_have_a_report_of_their_own() -> None:
    body = b"""\
payout_id,effective_at_utc,effective_at,balance_transaction_id,currency,gross,fee,net,reporting_category
po_1,2026-11-30 23:30:00,2026-12-01 00:30:00,txn_1,eur,-13.55,0.00,-13.55,payout
po_2,2026-11-30 00:00:00,2026-11-30 01:00:00,txn_2,eur,20.00,0.00,20.00,payout_reversal
"""
    payout, back = read(PAYOUTS, body, time_zone="Europe/Berlin").lines
    assert (payout.kind, payout.reference, payout.batch, payout.related) == (Kind.PAYOUT, "po_1", "po_1", "")
    assert (payout.net_minor, payout.business_date) == (-1355, date(2026, 12, 1))
    assert (back.kind, back.reference, back.net_minor) == (Kind.PAYOUT_REVERSAL, "po_2", 2000)


EXPORTED = b"""\
\xef\xbb\xbfid,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description,Transfer
txn_1,charge,ch_1,25.00,0.95,24.05,eur,2026-11-29 10:11,2026-12-01 00:00,,po_1
txn_2,adjustment,du_1,-25.00,15.00,-40.00,eur,2026-11-29 10:11:12,2026-12-01 00:00,,po_1
txn_3,adjustment,dp_1,25.00,-15.00,40.00,eur,2026-11-29 10:11,2026-12-01 00:00,,
txn_4,adjustment,,-1.00,0.00,-1.00,eur,2026-11-29 10:11,2026-12-01 00:00,,
txn_5,Payout,po_1,-2.00,0.00,-2.00,eur,2026-11-29 10:11,2026-12-01 00:00,,
"""


def test_the_dashboards_export_is_a_format_of_its_own() -> None:
    lines = read(EXPORT, EXPORTED).lines
    assert [(line.kind, line.reference, line.batch) for line in lines] == [
        (Kind.CHARGE, "ch_1", "po_1"),
        (Kind.DISPUTE, "du_1", "po_1"),
        (Kind.DISPUTE_REVERSAL, "dp_1", ""),
        (Kind.ADJUSTMENT, "txn_4", ""),
        (Kind.UNKNOWN, "po_1", ""),  # types are written in lower case
    ]
    assert lines[0].occurred_at == datetime(2026, 11, 29, 10, 11, tzinfo=UTC)
    assert refusal(PAYOUT_RECONCILIATION, EXPORTED) == ("column_missing", 1)
    assert refusal(EXPORT, GOOD) == ("column_missing", 1)
    assert not {"adjustment"} & set(CATEGORIES) and "adjustment" in TYPES


AMOUNTS = st.integers(-(10**11), 10**11)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, st.sampled_from(["EUR", "JPY", "KWD"])), max_size=10))
def test_what_is_written_is_what_is_counted(movements: list[tuple[int, int, str]]) -> None:
    """I35: sums by currency are those of what was written, to the minor unit."""
    rows = [
        CHARGE | {
            "currency": currency.lower(), "gross": format_minor(gross, currency),
            "fee": format_minor(fee, currency), "net": format_minor(gross - fee, currency),
            "customer_facing_currency": "",
        }
        for gross, fee, currency in movements
    ]  # fmt: skip
    lines = read(PAYOUT_RECONCILIATION, written(*(rows or [CHARGE])[: len(rows) or 1])).lines
    if not movements:
        return
    expected: Counter[str] = Counter()
    for gross, fee, currency in movements:
        expected[currency] += gross - fee
    assert nets(lines) == Counter({key: value for key, value in expected.items() if value})


def test_a_real_shape_with_a_charge_and_a_dispute() -> None:
    body = sample("stripe_reports", "smashpig__payments_activity.csv")
    for known in (PAYOUT_RECONCILIATION, ACTIVITY):
        file = read(known, body)
        assert Counter(line.raw_kind for line in file.lines) == {"charge": 1, "dispute": 1}
        assert nets(file.lines) == {"USD": -1620}
        assert {line.kind for line in file.lines} == {Kind.CHARGE, Kind.DISPUTE}


def test_a_real_shape_whose_payout_does_not_add_up() -> None:
    """txn_005 says gross 24, fee 0, net 23.05. Without that row the others are read."""
    body = sample("stripe_reports", "smashpig__settlement_report.csv")
    assert refusal(PAYOUT_RECONCILIATION, body) == ("line_does_not_add_up", 8)
    *lines, _ = body.splitlines(keepends=True)
    file = read(PAYOUT_RECONCILIATION, b"".join(lines))
    assert Counter(line.raw_kind for line in file.lines) == {
        "charge": 2, "refund": 1, "fee": 2, "dispute_reversal": 1,
    }  # fmt: skip
    assert nets(file.lines) == {"USD": 2640}
    assert Kind.UNKNOWN not in {line.kind for line in file.lines}
