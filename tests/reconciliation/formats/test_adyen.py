"""Adyen's settlement details report: journals, arithmetic, batches, cuts."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import format_minor
from reconciliation.formats.adyen import SETTLEMENT_DETAILS
from reconciliation.formats.adyen_kinds import JOURNALS
from reconciliation.formats.contract import Control, Kind, Refused
from tests.reconciliation.formats.reading import nets, read, refusal, sample, unfit

BASE = """
Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type
Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency
Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC)
Payment Method Variant,Modification Merchant Reference,Batch Number
Reserved4,Reserved5,Reserved6,Reserved7,Reserved8,Reserved9,Reserved10
"""
COLUMNS = BASE.strip().replace("\n", ",").split(",")
OTHERS = [name for name in COLUMNS if name.startswith(("Company", "Payment", "Reserved"))]

EMPTY = dict.fromkeys(COLUMNS, "") | {
    "Company Account": "Co", "Merchant Account": "Shop", "Creation Date": "2026-11-30 23:59:59",
    "TimeZone": "CET", "Net Currency": "EUR", "Batch Number": "7",
}  # fmt: skip
SETTLED = EMPTY | {
    "Psp Reference": "PSP0000000000001", "Merchant Reference": "chr_1", "Type": "Settled",
    "Modification Reference": "CAP0000000000001", "Gross Currency": "EUR", "Gross Credit (GC)": "100.00",
    "Exchange Rate": "1", "Net Credit (NC)": "99.24", "Markup (NC)": "0.10", "Scheme Fees (NC)": "0.16",
    "Interchange (NC)": "0.50",
}  # fmt: skip
REFUNDED = EMPTY | {
    "Psp Reference": "PSP0000000000002", "Merchant Reference": "chr_2", "Type": "Refunded",
    "Modification Reference": "REF0000000000001", "Modification Merchant Reference": "rfn_1",
    "Gross Currency": "EUR", "Gross Debit (GC)": "30.00", "Exchange Rate": "1", "Net Debit (NC)": "30.20",
    "Commission (NC)": "0.20",
}  # fmt: skip
FEE = EMPTY | {
    "Type": "Fee", "Modification Reference": "Transaction Fees November 2026", "Net Debit (NC)": "9.04",
}  # fmt: skip
PAYOUT = EMPTY | {
    "Type": "MerchantPayout", "Modification Reference": "TX123XT batch 7, Shop batch 7, Shop",
    "Gross Currency": "EUR", "Net Debit (NC)": "60.00",
}  # fmt: skip


def written(*rows: dict[str, str], end: str = "\n") -> bytes:
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


GOOD = written(SETTLED, REFUNDED, FEE, PAYOUT)


def only(row: dict[str, str], **options: Any) -> Any:
    (line,) = read(SETTLEMENT_DETAILS, written(row), **options).lines
    return line


def test_a_batch_is_read_with_its_references_and_days() -> None:
    file = read(SETTLEMENT_DETAILS, GOOD)
    document = file.document
    assert (document.identity, document.sequence, document.account) == ("batch:7", 7, "Shop")
    settled, refunded, fee, payout = file.lines
    assert settled == (
        2, Kind.CHARGE, "Settled", "CAP0000000000001", "EUR", 10000, 76, 9924, date(2026, 11, 30), "7",
        "PSP0000000000001", "chr_1", "", None, None, datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC),
        "2026-11-30 23:59:59 CET", None,
    )  # fmt: skip
    assert (refunded.kind, refunded.gross_minor, refunded.fee_minor, refunded.net_minor) == (
        Kind.REFUND, -3000, 20, -3020,
    )  # fmt: skip
    assert (refunded.reference, refunded.related, refunded.merchant_reference) == (
        "REF0000000000001", "PSP0000000000002", "rfn_1",
    )  # fmt: skip
    assert (fee.kind, fee.net_minor, fee.merchant_reference) == (Kind.FEE, -904, "")
    # The bank's text has this trace.
    assert (payout.kind, payout.reference, payout.batch, payout.net_minor) == (
        Kind.PAYOUT, "TX123XT", "7", -6000,
    )  # fmt: skip
    assert file.totals.controls == (Control("net", 0, "EUR"),)
    assert file.totals.is_complete
    assert unfit(file) == []


@pytest.mark.parametrize(
    "spelled", [str.upper, lambda name: name.replace(" ", "  "), lambda name: f" {name}"]
)
def test_columns_come_in_any_order_number_and_spelling(spelled: Any) -> None:
    rows = [
        {spelled(name): row[name] for name in sorted(COLUMNS, reverse=True) if name not in OTHERS}
        | {"Metadata": '{"a": "b,c"}'}
        for row in (SETTLED, PAYOUT)
    ]
    assert read(SETTLEMENT_DETAILS, written(*rows)) == read(SETTLEMENT_DETAILS, written(SETTLED, PAYOUT))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name not in OTHERS])
def test_a_missing_column_is_refused(name: str) -> None:
    body = written({other: value for other, value in SETTLED.items() if other != name})
    if name == "Modification Merchant Reference":
        assert len(read(SETTLEMENT_DETAILS, body).lines) == 1
    else:
        assert refusal(SETTLEMENT_DETAILS, body) == ("column_missing", 1)


# Written out a second time: a table that is tested against itself proves nothing.
SIGNS = (
    {(name, 1): Kind.CHARGE for name in ("Settled", "SettledBulk", "SettledInstallment")}
    | {(name, -1): Kind.REFUND for name in ("Refunded", "RefundedBulk", "RefundedInstallment")}
    | {
        (name, sign): Kind.FEE
        for name in (
            "Fee", "MiscCosts", "PaymentCost", "SettleCost", "AuthorisationSchemeFee", "InvoiceDeduction",
        )
        for sign in (-1, 0, 1)
    }
    | {
        (name, sign): Kind.ADJUSTMENT
        for name in ("SuspendInstallment", "MatchedStatement", "ManualCorrected", "EpaPaid")
        for sign in (-1, 0, 1)
    }
    | {(name, 1): Kind.RESERVE_RELEASE for name in ("DepositCorrection", "ReserveAdjustment")}
    | {(name, -1): Kind.RESERVE_HOLD for name in ("DepositCorrection", "ReserveAdjustment")}
    | {("Balancetransfer", sign): Kind.CARRIED for sign in (-1, 0, 1)}
    | {
        ("SettledExternallyWithInfo", 1): Kind.CHARGE,
        ("RefundedExternallyWithInfo", -1): Kind.REFUND,
        ("RefundedReversed", 1): Kind.REFUND_FAILURE,
        ("Chargeback", -1): Kind.DISPUTE,
        ("SecondChargeback", -1): Kind.DISPUTE,
        ("ChargebackExternallyWithInfo", -1): Kind.DISPUTE,
        ("ChargebackReversed", 1): Kind.DISPUTE_REVERSAL,
        ("ChargebackReversedExternallyWithInfo", 1): Kind.DISPUTE_REVERSAL,
        ("InternalCompanyPayout", 1): Kind.TRANSFER,
        ("InternalCompanyPayout", -1): Kind.TRANSFER,
        ("PaidOut", -1): Kind.TRANSFER,
        ("PaidOutReversed", 1): Kind.TRANSFER_REVERSAL,
        ("BankInstructionReturned", 1): Kind.PAYOUT_REVERSAL,
        ("MerchantPayout", 1): Kind.PAYOUT,
        ("MerchantPayout", -1): Kind.PAYOUT,
    }
)  # fmt: skip


@pytest.mark.parametrize("journal", sorted(JOURNALS))
def test_every_journal_has_the_signs_that_it_may_have(journal: str) -> None:
    """F-H8: kind × sign. What is not listed is UNKNOWN, for a person, and still counts."""
    for sign, amounts in {1: ("", "1.00"), 0: ("", "0.00"), -1: ("1.00", "")}.items():
        line = only(EMPTY | {"Type": journal, "Net Debit (NC)": amounts[0], "Net Credit (NC)": amounts[1]})
        assert line.kind == SIGNS.get((journal, sign), Kind.UNKNOWN), sign
        assert line.net_minor == sign * 100


def test_a_journal_that_is_new_is_for_a_person_with_the_record() -> None:
    line = only(SETTLED | {"Type": "SettledOnMars"})
    assert (line.kind, line.raw_kind, line.net_minor, line.merchant_reference) == (
        Kind.UNKNOWN, "SettledOnMars", 9924, "chr_1",
    )  # fmt: skip
    assert "SettledOnMars" in line.raw


@pytest.mark.parametrize(
    "column", ["Net Credit (NC)", "Gross Credit (GC)", "Interchange (NC)", "Exchange Rate"]
)
def test_a_line_that_does_not_add_up_refuses_the_file(column: str) -> None:
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED, SETTLED | {column: "2.00"})) == (
        "line_does_not_add_up", 3,
    )  # fmt: skip
    # Without a conversion there is nothing to round.
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED | {"Net Credit (NC)": "99.23"})) == (
        "line_does_not_add_up", 2,
    )  # fmt: skip
    # Where another acquirer settled it, nothing moves here, whatever is said of amounts.
    row = SETTLED | {"Type": "SettledExternallyWithInfo", column: "2.00"}
    assert only(row).raw_kind == "SettledExternallyWithInfo"


def test_what_belongs_to_no_payment_has_texts_where_references_stand() -> None:
    """They name the movement; ours they are not."""
    row = EMPTY | {"Type": "Balancetransfer", "Modification Reference": "Balancetransfer"}
    line = only(row | {"Modification Merchant Reference": "Balancetransfer from batch 6"})
    assert (line.reference, line.merchant_reference) == ("Balancetransfer from batch 6", "")
    assert only(FEE).reference == "Transaction Fees November 2026"


def test_a_fee_above_the_amount_is_a_sale_with_a_negative_net() -> None:
    row = {"Gross Credit (GC)": "0.11", "Net Credit (NC)": "", "Net Debit (NC)": "0.65"}
    line = only(SETTLED | row)
    assert (line.kind, line.gross_minor, line.fee_minor, line.net_minor) == (Kind.CHARGE, 11, 76, -65)


def test_the_buyers_currency_is_kept_beside_that_of_the_batch() -> None:
    """A converted amount has more decimals than the currency: it may be rounded, by a minor unit at most."""
    row = SETTLED | {"Gross Currency": "JPY", "Gross Credit (GC)": "17331", "Exchange Rate": "0.00576543"}
    line = only(row | {"Net Credit (NC)": "99.16"})
    assert (line.currency, line.gross_minor, line.net_minor) == ("EUR", 9992, 9916)
    assert (line.original_currency, line.original_minor, line.rate) == ("JPY", 17331, Decimal("0.00576543"))
    assert only(row | {"Net Credit (NC)": "99.17"}).gross_minor == 9993
    assert refusal(SETTLEMENT_DETAILS, written(row | {"Net Credit (NC)": "99.18"})) == (
        "line_does_not_add_up", 2,
    )  # fmt: skip
    for rate in ("1,1", "1E2", "-1", "0.0.1", "∞"):
        assert refusal(SETTLEMENT_DETAILS, written(row | {"Exchange Rate": rate})) == ("rate_invalid", 2)


@pytest.mark.parametrize(
    "amount", ["1,00", "1.000,00", "1,000.00", "1E2", "'1.00", "-1.00", "+1.00", "1.001"]
)
@pytest.mark.parametrize("column", ["Net Credit (NC)", "Gross Credit (GC)"])
def test_an_amount_is_never_guessed(amount: str, column: str) -> None:
    """F-H20; and a debit or a credit has no sign."""
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED | {column: amount})) == ("amount_invalid", 2)


@pytest.mark.parametrize("column", ["Psp Reference", "Modification Reference", "Merchant Reference"])
def test_a_reference_that_a_spreadsheet_made_a_number_of_names_nothing(column: str) -> None:
    """The row is for a person; its money counts. What stands in a column that is not read does no harm."""
    line = only(SETTLED | {column: "1.2302025304E+22"})
    assert (line.kind, line.raw_kind, line.net_minor) == (Kind.UNKNOWN, "Settled", 9924)
    assert (line.reference, line.related) == ("", "")
    assert line.merchant_reference == ("" if column == "Merchant Reference" else "chr_1")
    assert "1.2302025304E+22" in line.raw
    assert only(SETTLED | {column: "8815E23456789012"}).kind == Kind.CHARGE
    assert only(SETTLED | {"ARN": "1.2302025304E+22"}).kind == Kind.CHARGE


def test_a_file_is_one_batch_of_one_account() -> None:
    other = {"Batch Number": "8"}
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED, SETTLED | other)) == ("batch_mixed", 3)
    other = {"Merchant Account": "Other"}
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED, SETTLED | other)) == ("accounts_mixed", 3)
    assert refusal(SETTLEMENT_DETAILS, written(SETTLED | {"Batch Number": "7a"})) == ("batch_unknown", 2)


def test_a_batch_without_lines_is_known_by_its_name() -> None:
    body = ",".join(COLUMNS).encode() + b"\n"
    file = read(SETTLEMENT_DETAILS, body, name="settlement_detail_report_batch_007.csv")
    assert (file.document.identity, file.document.sequence) == ("batch:7", 7)
    assert (file.lines, file.totals.is_complete) == ([], False)
    assert refusal(SETTLEMENT_DETAILS, body) == ("batch_unknown", None)


def test_currencies_of_a_batch_end_apart() -> None:
    """F-H5: sums never cross currencies; a batch is complete when each of them is paid or carried over."""
    dollars = {"Net Currency": "USD", "Gross Currency": "USD"}
    file = read(SETTLEMENT_DETAILS, written(SETTLED, SETTLED | dollars, PAYOUT | {"Net Debit (NC)": "99.24"}))
    assert unfit(file) == []
    assert nets(file.lines) == {"USD": 9924}
    assert not file.totals.is_complete


@pytest.mark.parametrize(
    ("abbreviation", "zone", "hour"),
    [("CET", "UTC", 22), ("CEST", "UTC", 21), ("PST", "UTC", 7), ("PDT", "Asia/Tokyo", 6), ("UTC", "UTC", 23),
     ("IST", "Asia/Kolkata", 18), ("IST", "Asia/Jerusalem", None), ("IST", "UTC", None), ("", "UTC", None)],
)  # fmt: skip
def test_a_zone_is_known_by_its_abbreviation_or_not_at_all(
    abbreviation: str, zone: str, hour: int | None
) -> None:
    """F-H15: the day is the one that is written, whatever the zone."""
    line = only(SETTLED | {"TimeZone": abbreviation}, time_zone=zone)
    assert line.business_date == date(2026, 11, 30)
    if abbreviation == "IST" and zone == "Asia/Jerusalem":
        hour = 21
    assert (line.occurred_at and line.occurred_at.hour) == hour


def test_the_day_is_that_of_the_booking_where_it_is_given() -> None:
    line = only(SETTLED | {"Booking Date": "2026-12-01 00:00:01", "Booking Date TimeZone": "CET"})
    assert line.business_date == date(2026, 12, 1)
    assert line.local_time == "2026-11-30 23:59:59 CET"


def test_a_file_cut_anywhere_is_refused_or_does_not_pass() -> None:
    """F-H1, I33: without its payout a batch is not complete; with another one before, it is not nothing."""
    carried = EMPTY | {"Type": "Balancetransfer", "Net Credit (NC)": "1.00"}
    carried["Modification Merchant Reference"] = "Balancetransfer from batch 6"
    for body in (GOOD, written(carried, SETTLED, PAYOUT | {"Net Debit (NC)": "100.24"}, end="\r\n")):
        assert unfit(read(SETTLEMENT_DETAILS, body)) == []
        for at in range(len(body)):
            try:
                file = read(SETTLEMENT_DETAILS, body[:at], name="batch_7.csv")
            except Refused as refused:
                assert refused.code in ("truncated", "quote_unclosed", "header_missing")
            else:
                assert unfit(file) or not file.totals.is_complete


AMOUNT = st.integers(1, 10**10)


@given(
    st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, st.sampled_from(["EUR", "JPY", "KWD"])), max_size=8),
    st.permutations(COLUMNS),
)
def test_what_is_written_is_what_is_counted(
    movements: list[tuple[int, int, int, str]], order: list[str]
) -> None:
    """I35: for any amounts, fees and order of columns."""
    rows, expected = [], Counter[str]()
    for gross, markup, scheme, currency in movements:
        net = gross - markup - scheme
        expected[currency] += net
        side = "Net Credit (NC)" if net >= 0 else "Net Debit (NC)"
        rows.append(EMPTY | {
            "Type": "Settled", "Psp Reference": "P", "Gross Currency": currency, "Net Currency": currency,
            "Gross Credit (GC)": format_minor(gross, currency), "Exchange Rate": "1",
            side: format_minor(abs(net), currency), "Markup (NC)": format_minor(markup, currency),
            "Scheme Fees (NC)": format_minor(scheme, currency),
        })  # fmt: skip
    body = written(*({name: row[name] for name in order} for row in [*rows, SETTLED]))
    lines = read(SETTLEMENT_DETAILS, body).lines[:-1]
    assert nets(lines) == Counter({key: value for key, value in expected.items() if value})
    assert {line.kind for line in lines} <= {Kind.CHARGE}


SAMPLES = [
    ("oca13__settlement_detail_report_batch_238", {"Balancetransfer": 2, "Fee": 1}, 238, 0, True),
    ("smashpig__settlement_detail_report_chargeback",
     {"Chargeback": 1, "Fee": 1, "MerchantPayout": 1}, 3, -883, True),
    ("smashpig__settlement_detail_report_donation", {"Settled": 1, "MerchantPayout": 1}, 2, 0, True),
    ("smashpig__settlement_detail_report_emptynetcredit", {"Settled": 1}, 1136, -3, False),
    ("smashpig__settlement_detail_report_ignore", {"Settled": 1, "MerchantPayout": 1}, 2, 0, True),
    ("smashpig__settlement_detail_report_invoice_deduction", {"InvoiceDeduction": 2}, 1136, -3, False),
    ("smashpig__settlement_detail_report_refund",
     {"Refunded": 1, "Fee": 1, "MerchantPayout": 1}, 3, -683, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "journals", "batch", "net", "is_complete"), SAMPLES)
def test_real_shapes(name: str, journals: dict[str, int], batch: int, net: int, is_complete: bool) -> None:
    """Two of them do not add up with their payout, which the control says; two have none."""
    file = read(SETTLEMENT_DETAILS, sample("adyen_sdr", f"{name}.csv"), time_zone="America/Los_Angeles")
    assert Counter(line.raw_kind for line in file.lines) == journals
    assert {line.currency for line in file.lines} == {"USD"}
    assert {line.batch for line in file.lines} == {str(batch)}
    assert file.document.sequence == batch
    assert nets(file.lines) == ({"USD": net} if net else {})
    assert file.totals.is_complete is is_complete
    assert bool(unfit(file)) is (is_complete and net != 0)
    assert Kind.UNKNOWN not in {line.kind for line in file.lines}
    assert all(line.occurred_at for line in file.lines)
