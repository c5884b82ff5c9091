"""PayPal's settlement and transaction detail reports: records, hundredths, event codes, footers, cuts."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import exponent
from reconciliation.formats.contract import Kind, Refused
from reconciliation.formats.paypal import SETTLEMENT, TRANSACTION_DETAIL
from reconciliation.formats.paypal_kinds import EVENTS
from tests.reconciliation.formats.reading import nets, read, refusal, sample, unfit

COLUMNS = [
    "CH", "Transaction ID", "Invoice ID", "PayPal Reference ID", "PayPal Reference ID Type",
    "Transaction Event Code", "Transaction Initiation Date", "Transaction Completion Date",
    "Transaction  Debit or Credit", "Gross Transaction Amount", "Gross Transaction Currency",
    "Fee Debit or Credit", "Fee Amount", "Fee Currency", "Custom Field", "Bank Reference ID",
]  # fmt: skip
AT = "2026/11/30 23:59:59 -0800"
RH = ["RH", "2026/12/01 02:05:05 -0800", "A", "PAYER1", "009"]
SH = ["SH", "2026/11/30 00:00:00 -0800", "2026/11/30 23:59:59 -0800", "PAYER1", ""]


def row(event: str = "T0006", side: str = "CR", gross: str = "10000", **more: str) -> list[str]:
    """A section body row; a fee of 3.20, unless told otherwise."""
    given = {
        "currency": "EUR",
        "fee_side": "DR",
        "fee": "320",
        "id": "T1",
        "related": "",
        "status": "",
    } | more
    found = [
        "SB", given["id"], "chr_1", given["related"], "TXN", event, AT, AT, side, gross, given["currency"],
        given["fee_side"], given["fee"], given["currency"] if given["fee"] else "", "", "",
    ]  # fmt: skip
    return [*found, given["status"]] if given["status"] else found


def written(*records: list[str], delimiter: str = ",", end: str = "\n") -> bytes:
    out = StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(records)
    return out.getvalue().encode()


def report(*rows: list[str], sums: tuple[list[str], ...] = (), columns: list[str] = COLUMNS) -> bytes:
    """A whole report in one file."""
    count = str(len(rows))
    return written(
        RH, ["FH", "01"], SH, columns, *rows,
        *(["SF", *each] for each in sums), ["SC", count], *(["RF", *each] for each in sums),
        ["RC", count], ["FF", count],
    )  # fmt: skip


BALANCES = ["CR", "0", "CR", "6320", "CR", "0", "CR", "0", "CR", "0", "CR", "0", "2"]
EUROS = ["EUR", "10000", "3680", "0", "320", *BALANCES]
GOOD = report(
    row(), row("T1107", "DR", "3680", fee="", fee_side="", id="T2", related="T1"), sums=(EUROS,)
)  # fmt: skip


def only(*one: list[str], **options: Any) -> Any:
    (line,) = read(SETTLEMENT, written(SH, COLUMNS, *one), **options).lines
    return line


def test_a_report_is_read_with_its_references_and_days() -> None:
    file = read(SETTLEMENT, GOOD)
    assert file.document.identity == "2026-11-30..2026-11-30"
    assert (file.document.account, file.document.period_to) == ("PAYER1", date(2026, 11, 30))
    charge, refund = file.lines
    assert charge == (
        5, Kind.CHARGE, "T0006", "T1", "EUR", 10000, 320, 9680, date(2026, 11, 30), "", "", "chr_1", "", None,
        None, datetime(2026, 12, 1, 7, 59, 59, tzinfo=UTC), AT, None,
    )  # fmt: skip
    assert (refund.kind, refund.gross_minor, refund.fee_minor, refund.related) == (
        Kind.REFUND,
        -3680,
        0,
        "T1",
    )
    assert file.totals.is_complete
    assert unfit(file) == []
    assert Counter(each.what for each in file.totals.controls) == {
        "lines": 3, "gross_credits": 1, "gross_debits": 1, "fee_credits": 1, "fee_debits": 1,
    }  # fmt: skip


def test_tabs_crlf_quotes_and_a_byte_order_mark_change_nothing() -> None:
    records = list(csv.reader(StringIO(GOOD.decode())))
    for delimiter in (",", "\t"):
        for end in ("\n", "\r\n"):
            body = written(*records, delimiter=delimiter, end=end)
            assert read(SETTLEMENT, b"\xef\xbb\xbf" + body) == read(SETTLEMENT, GOOD)
    bare = "".join(",".join(each) + "\n" for each in records).encode()
    assert read(SETTLEMENT, bare) == read(SETTLEMENT, GOOD)
    one_blank = GOOD.replace(b"Transaction  Debit", b"Transaction Debit")
    assert one_blank != GOOD
    assert read(SETTLEMENT, one_blank) == read(SETTLEMENT, GOOD)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [("EUR", "1", 1), ("EUR", "10000", 10000), ("JPY", "10000", 100), ("KWD", "10000", 100_000),
     ("USD", "0000000001", 1), ("JPY", "0", 0)],
)  # fmt: skip
def test_amounts_are_hundredths_whatever_the_currency(currency: str, text: str, minor: int) -> None:
    assert only(row(gross=text, currency=currency, fee="")).gross_minor == minor


@pytest.mark.parametrize(
    ("currency", "text"),
    [("JPY", "10001"), ("JPY", "1"), ("EUR", "100.00"), ("EUR", "100,00"), ("EUR", "1,000"), ("EUR", "1E4"),
     ("EUR", "'100"), ("EUR", "-100"), ("EUR", "+100"), ("EUR", ""), ("EUR", " 100"), ("EUR", "١٠٠"),
     ("EUR", "9" * 5000)],
)  # fmt: skip
def test_an_amount_is_never_guessed(currency: str, text: str) -> None:
    """F-H20; and half a yen is no amount."""
    body = written(SH, COLUMNS, row(gross=text, currency=currency, fee=""))
    assert refusal(SETTLEMENT, body) == ("amount_invalid", 3)
    if text:
        body = written(SH, COLUMNS, row(gross="10000", currency=currency, fee=text))
        assert refusal(SETTLEMENT, body) == ("amount_invalid", 3)


@pytest.mark.parametrize("side", ["", "cr", "Credit", "C"])
def test_a_direction_is_debit_or_credit(side: str) -> None:
    assert refusal(SETTLEMENT, written(SH, COLUMNS, row(side=side))) == ("direction_invalid", 3)
    assert refusal(SETTLEMENT, written(SH, COLUMNS, row(fee_side=side))) == ("direction_invalid", 3)
    assert only(row(fee_side="", fee="000")).fee_minor == 0


def test_a_fee_given_back_is_negative_and_one_in_another_currency_is_refused() -> None:
    line = only(row("T1107", "DR", fee_side="CR"))
    assert (line.gross_minor, line.fee_minor, line.net_minor) == (-10000, -320, -9680)
    other = row()
    other[13] = "USD"
    assert refusal(SETTLEMENT, written(SH, COLUMNS, other)) == ("currency_mixed", 3)


# Written out a second time: a table that is tested against itself proves nothing.
SIGNS = (
    {
        (f"T00{number:02d}", 1): Kind.CHARGE
        for number in (0, 2, 3, 4, 5, 6, 7, 11, 12, 13, 18)
    }
    | {(f"T01{number:02d}", sign): Kind.FEE for number in range(14) for sign in (-1, 0, 1)}
    | {(event, sign): Kind.FEE for event in ("T1108", "T1109") for sign in (-1, 0, 1)}
    | {(f"T020{number}", sign): Kind.CONVERSION for number in range(3) for sign in (-1, 1)}
    | {("T1900", sign): Kind.ADJUSTMENT for sign in (-1, 1)}
    | {
        ("T0001", -1): Kind.TRANSFER,
        ("T0300", 1): Kind.TOP_UP,
        ("T0400", -1): Kind.PAYOUT,
        ("T0401", -1): Kind.PAYOUT,
        ("T1105", 1): Kind.RESERVE_RELEASE,
        ("T1106", 1): Kind.DISPUTE_REVERSAL,
        ("T1106", -1): Kind.DISPUTE,
        ("T1107", -1): Kind.REFUND,
        ("T1110", -1): Kind.RESERVE_HOLD,
        ("T1111", 1): Kind.RESERVE_RELEASE,
        ("T1114", 1): Kind.TRANSFER_REVERSAL,
        ("T1115", 1): Kind.TRANSFER_REVERSAL,
        ("T1201", -1): Kind.DISPUTE,
        ("T1202", 1): Kind.DISPUTE_REVERSAL,
        ("T2101", -1): Kind.RESERVE_HOLD,
        ("T2102", 1): Kind.RESERVE_RELEASE,
        ("T2103", -1): Kind.RESERVE_HOLD,
        ("T2104", 1): Kind.RESERVE_RELEASE,
    }
)  # fmt: skip


@pytest.mark.parametrize("event", sorted({*EVENTS, "T9900", "T0999", "X"}))
def test_every_event_has_the_signs_that_it_may_have(event: str) -> None:
    """F-H8: kind × sign. What is not listed is UNKNOWN, for a person, and still counts."""
    for sign, (side, gross) in {1: ("CR", "100"), 0: ("CR", "0"), -1: ("DR", "100")}.items():
        line = only(row(event, side, gross, fee=""))
        assert line.kind == SIGNS.get((event, sign), Kind.UNKNOWN), sign
        assert line.net_minor == sign * 100
        assert (line.raw is None) is (line.kind is not Kind.UNKNOWN)


def test_our_reference_is_the_invoice_or_else_the_custom_field() -> None:
    one = row()
    one[14] = "custom"
    assert only(one).merchant_reference == "chr_1"
    one[2] = ""
    assert only(one).merchant_reference == "custom"


def test_a_conversion_is_two_lines_tied_by_what_was_converted() -> None:
    legs = [
        row("T0200", "DR", "9680", fee="", id="T2", related="T1"),
        row("T0200", "CR", "1742400", fee="", id="T3", related="T1", currency="JPY"),
    ]
    file = read(SETTLEMENT, report(row(), *legs))
    assert [(line.kind, line.reference, line.related) for line in file.lines[1:]] == [
        (Kind.CONVERSION, "T2", "T1"), (Kind.CONVERSION, "T3", "T1"),
    ]  # fmt: skip
    assert nets(file.lines) == {"JPY": 17424}
    assert unfit(file) == []


def test_a_reference_that_a_spreadsheet_made_a_number_of_names_nothing() -> None:
    line = only(row(id="4.30E+16"))
    assert (line.kind, line.net_minor) == (Kind.UNKNOWN, 9680)
    assert (line.reference, line.related, line.merchant_reference) == ("", "", "chr_1")
    assert "4.30E+16" in line.raw


STATUS = [*COLUMNS, "Transactional Status"]


def test_what_moved_no_balance_is_not_a_line_and_is_counted() -> None:
    rows = [
        row(status="S", gross="3000", id="T1"),
        row(status="V", id="T2"),  # it moved, and moved back on a line of its own
        row(status="P", id="T3"),
        row(status="D", id="T4", currency="USD"),
        row("T1300", status="S", id="T5"),
        row("T1302", status="V", id="T6"),
    ]
    file = read(TRANSACTION_DETAIL, report(*rows, columns=STATUS, sums=(EUROS, ["GBP", "0", "0", "0", "0"])))
    assert [line.reference for line in file.lines] == ["T1", "T2"]
    assert file.totals.ignored == 4
    assert unfit(file) == []
    # Whether the sums have them nobody says: kept, and not compared with these lines alone.
    assert {each.scope for each in file.totals.controls if each.currency == "EUR"} == {"report"}
    assert {each.scope for each in file.totals.controls if each.currency == "GBP"} == {""}


def test_reports_are_told_apart_by_their_columns() -> None:
    assert refusal(TRANSACTION_DETAIL, GOOD) == ("format_mismatch", 4)
    assert refusal(SETTLEMENT, report(row(status="S"), columns=STATUS)) == ("format_mismatch", 4)


def test_a_split_report_has_its_header_in_the_first_file_and_its_totals_in_the_last() -> None:
    """Of a part, only its own count can be compared; the rest counts the lines of all parts."""
    first = written(RH, ["FH", "01"], SH, COLUMNS, row(), ["FF", "1"])
    second = written(
        ["FH", "02"], COLUMNS, row("T1107", "DR", "3680", fee="", id="T2"), ["SF", *EUROS], ["SC", "2"],
        ["RF", *EUROS], ["RC", "2"], ["FF", "1"],
    )  # fmt: skip
    files = [read(SETTLEMENT, body, asked=(None, None), name="STL-20261130.R.02.009.CSV")
             for body in (first, second)]  # fmt: skip
    assert [each.document.identity for each in files] == [
        "2026-11-30..2026-11-30", "2026-11-30..2026-11-30#2",
    ]  # fmt: skip
    for file in files:
        assert file.totals.is_complete
        assert unfit(file) == []
        assert [(each.what, each.value) for each in file.totals.controls if not each.scope] == [("lines", 1)]
    assert {each.scope for each in files[1].totals.controls} == {"", "report"}
    assert nets([*files[0].lines, *files[1].lines]) == {"EUR": 6000}


def test_a_section_that_ended_in_an_earlier_file_is_in_the_totals_of_the_report() -> None:
    half, whole = ["EUR", "5000", "0", "0", "160"], ["EUR", "10000", "0", "0", "320"]
    one = row(gross="5000", fee="160")
    first = written(RH, ["FH", "01"], SH, COLUMNS, one, ["SF", *half], ["SC", "1"], ["FF", "1"])
    second = written(
        ["FH", "02"], SH, COLUMNS, one, ["SF", *half], ["SC", "1"], ["RF", *whole], ["RC", "2"], ["FF", "1"]
    )
    for body in (first, second):
        assert unfit(read(SETTLEMENT, body)) == []


def test_sections_of_one_account_add_up_to_the_report() -> None:
    half = ["EUR", "5000", "0", "0", "160"]
    body = written(
        RH, ["FH", "1"], SH, COLUMNS, row(gross="5000", fee="160"), ["SF", *half], ["SC", "1"],
        SH, COLUMNS, row(gross="5000", fee="160", id="T2"), ["SF", *half], ["SC", "1"],
        ["RF", "EUR", "10000", "0", "0", "320"], ["RC", "2"], ["FF", "2"],
    )  # fmt: skip
    file = read(SETTLEMENT, body)
    assert unfit(file) == []
    assert [each.value for each in file.totals.controls if each.what == "lines"] == [2, 2, 2]
    assert refusal(SETTLEMENT, body.replace(b'"10000","0"', b'"10001","0"')) == ("totals_contradict", 13)
    other = [*SH[:3], "PAYER2", ""]
    assert refusal(SETTLEMENT, written(SH, COLUMNS, other)) == ("accounts_mixed", 3)


@pytest.mark.parametrize(
    ("records", "refused"),
    [
        ([SH, row()], ("record_out_of_place", 2)),
        ([SH, COLUMNS, ["XX", "1"]], ("record_unknown", 3)),
        ([SH, COLUMNS, ["RC", "0"], row()], ("record_out_of_place", 4)),
        ([SH, COLUMNS, ["FF", "0"], ["FF", "0"]], ("record_out_of_place", 4)),
        ([SH, COLUMNS, ["RC", "0"], ["SC", "0"]], ("record_out_of_place", 4)),
        ([SH, COLUMNS, ["RC", "0"], SH], ("record_out_of_place", 4)),
        ([SH, COLUMNS, row()[:-1]], ("fields_count", 3)),
        ([SH, COLUMNS, [*row(), ""]], ("fields_count", 3)),
        ([SH, [*COLUMNS, "Fee Amount"]], ("column_twice", 2)),
        ([SH, [*COLUMNS[:-3], *COLUMNS[-2:]]], ("column_missing", 2)),
        ([SH[:3]], ("header_invalid", 1)),
        ([["SH", "2026/12/01 00:00:00 -0800", SH[1], "P"]], ("header_invalid", 1)),
        ([["FH", "one"], SH], ("header_invalid", 1)),
        ([["FH", "1"], ["FH", "1"]], ("header_invalid", 2)),
        ([["FH", "9" * 5000]], ("header_invalid", 1)),
        ([["FH", "0"]], ("header_invalid", 1)),
        ([RH, ["FH"]], ("header_invalid", 2)),
        ([SH, COLUMNS, ["SC", "9" * 5000]], ("footer_invalid", 3)),
        ([["SH", "2026-11-30", SH[2], "P"]], ("time_invalid", 1)),
        ([SH, COLUMNS, ["SC"]], ("footer_invalid", 3)),
        ([SH, COLUMNS, ["SC", "-1"]], ("footer_invalid", 3)),
        ([SH, COLUMNS, ["SF", "EUR", "1", "2"]], ("footer_invalid", 3)),
        ([SH, COLUMNS, ["RF", *EUROS], ["RF", *EUROS]], ("footer_invalid", 4)),
        ([SH, COLUMNS, ["SF", "EU", "1", "2", "3", "4"]], ("currency_unknown", 3)),
        ([SH, COLUMNS, ["SF", "EUR", "1", "2", "3", "4.0"]], ("amount_invalid", 3)),
    ],
)
def test_records_have_their_places_and_shapes(records: list[list[str]], refused: tuple[str, int]) -> None:
    assert refusal(SETTLEMENT, written(*records)) == refused


@pytest.mark.parametrize(
    "text",
    ["2026/11/30 23:59:59", "2026-11-30 23:59:59 -0800", "2026/11/30 23:59:59 PST", "",
     "2026/11/30 23:59:59 -2500", "2026/11/31 10:00:00 -0800", "2026/11/30 23:59:60 -0800"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    for place in (6, 7):
        one = row()
        one[place] = text
        assert refusal(SETTLEMENT, written(SH, COLUMNS, one)) == ("time_invalid", 3)


def test_the_day_is_that_of_the_account() -> None:
    """F-H15: it is written with its offset, which is the zone of the account on that day."""
    one = row()
    one[7] = "2026/11/30 00:00:00 +0800"
    assert only(one, time_zone="America/Los_Angeles").business_date == date(2026, 11, 30)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "gb18030", "latin-1", "utf-32", "cp1252"])
def test_a_report_in_another_encoding_is_refused(encoding: str) -> None:
    """F-H6. What begins in such a way that nothing is known of it is another format."""
    one = row()
    one[14] = "für Öl"
    body = written(SH, COLUMNS, one)
    assert read(SETTLEMENT, body.decode().encode("cp1252"), encoding="cp1252").lines
    code, _ = refusal(SETTLEMENT, body.decode().encode(encoding))
    assert code in ("encoding_invalid", "format_mismatch")


def test_a_file_cut_anywhere_is_refused_or_does_not_pass() -> None:
    """F-H1, I33: a file with a header must have its footer."""
    for at in range(len(GOOD)):
        code, _ = refusal(SETTLEMENT, GOOD[:at])
        assert code in ("truncated", "quote_unclosed", "format_mismatch"), at
    bare = GOOD[GOOD.index(b'"SH"') : GOOD.index(b'"FF"')]
    assert unfit(read(SETTLEMENT, bare)) == []
    for at in range(len(bare)):
        try:
            file = read(SETTLEMENT, bare[:at])
        except Refused:
            continue
        # Cut behind the sums of the report, the count that followed is the one thing that is lost.
        assert not file.totals.is_complete or file.lines == read(SETTLEMENT, bare).lines


def test_a_changed_figure_of_a_footer_does_not_fit() -> None:
    """F-H4."""
    for old, new in ((b'"3680","0"', b'"3681","0"'), (b'"RC","2"', b'"RC","3"'), (b'"FF","2"', b'"FF","1"')):
        assert old in GOOD
        assert unfit(read(SETTLEMENT, GOOD.replace(old, new)))


SIDE, CURRENCY = st.sampled_from(["CR", "DR"]), st.sampled_from(["EUR", "JPY", "KWD"])
MOVEMENT = st.tuples(st.integers(0, 10**9), st.integers(0, 10**7), SIDE, SIDE, CURRENCY)


@given(st.lists(MOVEMENT, max_size=10))
def test_what_is_written_is_what_is_counted(movements: list[tuple[int, int, str, str, str]]) -> None:
    """I33, I35: footers made of the same movements fit, whatever the currency's decimals."""
    rows: list[list[str]] = []
    expected: Counter[str] = Counter()
    sums: dict[str, list[int]] = {}
    for gross, fee, side, fee_side, currency in movements:
        rows.append(row("T0006", side, str(gross * 100), fee=str(fee * 100), fee_side=fee_side,
                        currency=currency, id=f"T{len(rows)}"))  # fmt: skip
        signed = gross * (1 if side == "CR" else -1) + fee * (1 if fee_side == "CR" else -1)
        expected[currency] += signed * 10 ** exponent(currency)
        of_currency = sums.setdefault(currency, [0, 0, 0, 0])
        of_currency[side == "DR"] += gross * 100
        of_currency[2 + (fee_side == "DR")] += fee * 100
    footers = tuple([currency, *map(str, each)] for currency, each in sums.items())
    file = read(SETTLEMENT, report(*rows, sums=footers))
    assert nets(file.lines) == Counter({key: value for key, value in expected.items() if value})
    assert unfit(file) == []
    assert len(file.totals.controls) == 3 + 4 * len(sums)


JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
SAMPLES: list[tuple[str, Any, dict[str, int], dict[str, int]]] = [
    ("stl", SETTLEMENT, {"T0003": 1, "T0006": 2, "T0400": 1, "T1107": 1}, {"AUD": 5435, "GBP": 560}),
    ("stl_currency_convert", SETTLEMENT, {"T0003": 1, "T0200": 2}, {"USD": 327}),
    ("stl_dr_payment", SETTLEMENT, {"T0000": 1, "T0006": 1}, {"USD": 36300}),
    ("trr_express_checkout_donation", TRANSACTION_DETAIL, {"T0006": 1}, {"JPY": 107}),
    ("trr_express_checkout_refund", TRANSACTION_DETAIL, {"T1107": 1}, {"JPY": -107}),
    ("trr_express_with_non_data_rows", TRANSACTION_DETAIL, {"T0006": 1}, {"JPY": 107}),
    ("trr_void", TRANSACTION_DETAIL, {"T9900": 1}, {"CAD": 1560}),
]


@pytest.mark.parametrize(("name", "known", "events", "sums"), SAMPLES)
def test_real_shapes(name: str, known: Any, events: dict[str, int], sums: dict[str, int]) -> None:
    body = sample("paypal_reports", f"smashpig__{name}.csv")
    file = read(known, body, asked=JANUARY)
    assert Counter(line.raw_kind for line in file.lines) == events
    assert nets(file.lines) == sums
    # A voided authorisation is listed, and moved nothing.
    assert file.totals.ignored == (1 if name == "trr_void" else 0)
    kinds = {line.kind for line in file.lines}
    assert (Kind.UNKNOWN in kinds) is (name in ("stl_dr_payment", "trr_void"))


def test_what_the_footers_of_real_shapes_say() -> None:
    """One has the fees of another file and leaves out the withdrawal, one has a made-up count, one fits."""
    stl = read(SETTLEMENT, sample("paypal_reports", "smashpig__stl.csv"))
    assert {(each.what, each.currency) for each in unfit(stl)} == {
        ("gross_debits", "GBP"), ("fee_credits", "GBP"), ("fee_debits", "GBP"),
        ("fee_credits", "AUD"), ("fee_debits", "AUD"),
    }  # fmt: skip
    body = sample("paypal_reports", "smashpig__trr_express_with_non_data_rows.csv")
    counts = unfit(read(TRANSACTION_DETAIL, body))
    assert {(each.what, each.value) for each in counts} == {("lines", 20039)}
    fits = read(SETTLEMENT, sample("paypal_reports", "smashpig__stl_dr_payment.csv"))
    assert len(fits.totals.controls) == 4
    assert unfit(fits) == []
    bare = read(SETTLEMENT, sample("paypal_reports", "smashpig__stl_currency_convert.csv"))
    assert not bare.totals.is_complete


@pytest.mark.parametrize(
    "name", ["oca14__empty_activity", "oca14__statement_en", "smashpig__sar_classic_subscr_signup"]
)
def test_other_exports_are_other_formats(name: str) -> None:
    body = sample("paypal_reports", f"{name}.csv")
    for known in (SETTLEMENT, TRANSACTION_DETAIL):
        assert refusal(known, body, asked=JANUARY)[0] == "format_mismatch"
