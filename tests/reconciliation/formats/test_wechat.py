"""WeChat Pay's trade bills: layouts, days, signs, totals, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from reconciliation.formats.contract import Document, Kind, ReadOptions
from reconciliation.formats.wechat import TRADE_BILL
from tests.reconciliation.formats.bills import lines_of, misfits, read, refused, sample, totals_of

WHO = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识"
START = f"{WHO},交易类型,交易状态,付款银行,货币种类,"
REFUNDS = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
ALL = (
    f"{START}应结订单金额,代金券金额,{REFUNDS}商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
SUCCESS = f"{START}应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注"
REFUND = ALL.replace("微信退款单号", "退款申请时间,退款成功时间,微信退款单号")
OLD = f"{START}总金额,企业红包金额,{REFUNDS.replace('充值券', '企业红包')}商品名称,商户数据包,手续费,费率"
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
SUCCESS_SUMS = "总交易单数,应结订单总金额,手续费总金额,订单总金额"
OLD_SUMS = "总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额"

PLAIN = {
    "交易时间": "2026-11-30 10:00:00", "商户号": "1900000001", "特约商户号": "0", "公众账号ID": "wx1",
    "微信订单号": "4200000000000000000000000001", "商户订单号": "po1", "用户标识": "openid",
    "交易类型": "JSAPI", "交易状态": "SUCCESS", "付款银行": "OTHERS", "货币种类": "CNY",
    "应结订单金额": "0.00", "总金额": "0.00", "代金券金额": "0.00", "企业红包金额": "0.00",
    "微信退款单号": "0", "商户退款单号": "0",
    "退款金额": "0.00", "商品名称": "tea", "手续费": "0.00000", "费率": "0.60%", "订单金额": "0.00",
    "申请退款金额": "0.00",
}  # fmt: skip


def paid(amount: str = "45.00", fee: str = "0.27000", **values: str) -> dict[str, str]:
    return PLAIN | {"应结订单金额": amount, "总金额": amount, "订单金额": amount, "手续费": fee} | values


def returned(amount: str = "45.00", fee: str = "-0.27000", **values: str) -> dict[str, str]:
    gone = {
        "交易状态": "REFUND", "微信退款单号": "50000000000000000000000000001", "商户退款单号": "re1",
        "退款金额": amount, "申请退款金额": amount, "退款类型": "ORIGINAL", "退款状态": "SUCCESS",
        "手续费": fee,
    }  # fmt: skip
    return PLAIN | gone | values


def bill(*rows: dict[str, str], layout: str = ALL, sums: str = SUMS, **totals: str) -> str:
    """A bill of these rows; its totals are added up from what they say, unless told."""

    def total(*columns: str) -> Decimal:
        return sum((Decimal(row[name]) for row in rows for name in columns if name in layout), Decimal(0))

    figures = {
        "总交易单数": str(len(rows)),
        **{name: f"{total('应结订单金额'):.2f}" for name in ("应结订单总金额",)},
        "总交易额": f"{total('总金额'):.2f}",
        "退款总金额": f"{total('退款金额'):.2f}",
        "总退款金额": f"{total('退款金额'):.2f}",
        "手续费总金额": f"{total('手续费'):.5f}",
        "订单总金额": f"{total('订单金额'):.2f}",
        "申请退款总金额": f"{total('申请退款金额'):.2f}",
    } | totals
    body = [",".join("`" + row.get(name, "") for name in layout.split(",")) for row in rows]
    end = ",".join("`" + figures.get(name, "0.00") for name in sums.split(","))
    return "\n".join([layout, *body, sums, end, ""])


def only(text: str, **options: Any) -> Any:
    (line,) = lines_of(read(TRADE_BILL, text, **options))
    return line


def test_a_day_of_all_kinds() -> None:
    """A charge, its fee, a refund that gives the fee back, and a payment taken back at the counter."""
    items = read(
        TRADE_BILL,
        f"{ALL}\n"
        "`2026-11-30 08:35:41,`wx1,`1900000001,`0,`,`4200001,`po1,`o,`JSAPI,`SUCCESS,`PSBC_DEBIT,`CNY,"
        "`45.00,`5.00,`0,`0,`0.00,`0.00,`,`,`green, tea,`,`0.27000,`0.60%,`50.00,`0.00,`\n"
        "`2026-11-30 09:00:00,`wx1,`1900000001,`0,`,`4200000,`po0,`o,`JSAPI,`REFUND,`CFT,`CNY,`0.00,`0.00,"
        "`5000001,`re1,`45.00,`0.00,`ORIGINAL,`PROCESSING,`tea,`,`-0.27000,`0.60%,`0.00,`45.00,`\n"
        "`2026-11-30 09:30:00,`wx1,`1900000001,`0,`,`4200002,`po2,`o,`MICROPAY,`REVOKED,`CFT,`CNY,"
        "`0.00,`0.00,`0,`0,`1.50,`0.00,`,`SUCCESS,`tea,`,`0.00000,`0.60%,`0.00,`1.50,`\n"
        f"{SUMS}\n`3,`45.00,`46.50,`0.00,`0.00000,`50.00,`46.50\n",
    )
    assert items[0] == Document(
        "2026-11-30",
        period_from=date(2026, 11, 30),
        period_to=date(2026, 11, 30),
        account="1900000001",
        currency="CNY",
    )
    charge, refund, revoked = lines_of(items)
    assert [charge.line_no, refund.line_no, revoked.line_no] == [2, 3, 4]
    assert (charge.kind, charge.raw_kind, charge.reference) == (Kind.CHARGE, "SUCCESS", "4200001")
    assert (charge.related, charge.merchant_reference) == ("", "po1")
    assert (charge.gross_minor, charge.fee_minor, charge.net_minor) == (4500, 27, 4473)
    assert (charge.original_currency, charge.original_minor) == ("CNY", 5000), "the buyer used a coupon"
    assert charge.occurred_at == datetime(2026, 11, 30, 0, 35, 41, tzinfo=UTC)
    assert charge.local_time == "2026-11-30 08:35:41 +08:00"
    assert (refund.kind, refund.raw_kind, refund.reference) == (Kind.REFUND, "REFUND/PROCESSING", "5000001")
    assert (refund.related, refund.merchant_reference) == ("4200000", "re1")
    assert (refund.gross_minor, refund.fee_minor, refund.net_minor) == (-4500, -27, -4473)
    assert (revoked.kind, revoked.reference, revoked.related) == (Kind.REFUND, "", "4200002")
    assert (revoked.merchant_reference, revoked.net_minor) == ("po2", -150)
    assert totals_of(items) == {"lines": 3, "gross_credits": 4500, "gross_debits": 4650, "fee": 0}
    assert not misfits(items)


def test_the_columns_of_the_three_bills_are_counted() -> None:
    """Of the provider's document; whoever changes the constants above by accident is told."""
    assert [len(each.split(",")) for each in (ALL, SUCCESS, REFUND, OLD)] == [27, 20, 29, 24]


@pytest.mark.parametrize("sums", [SUMS, SUCCESS_SUMS])
def test_payments_only(sums: str) -> None:
    items = read(TRADE_BILL, bill(paid(), paid("0.01", "0.00000"), layout=SUCCESS, sums=sums))
    assert items[0].identity == "2026-11-30:success"  # type: ignore[union-attr]
    assert [line.gross_minor for line in lines_of(items)] == [4500, 1]
    assert totals_of(items) == {"lines": 2, "gross_credits": 4501, "fee": 27} and not misfits(items)


def test_refunds_only() -> None:
    """The bill of refunds has the payment's time first: what counts is when the refund was taken on."""
    row = returned(
        交易时间="2026-01-19 16:31:18", 退款申请时间="2026-11-30 14:00:45", 退款成功时间="2026-12-01 00:00:01"
    )
    items = read(TRADE_BILL, bill(row, layout=REFUND))
    (line,) = lines_of(items)
    assert items[0].identity == "2026-11-30:refund"  # type: ignore[union-attr]
    assert (line.business_date, line.local_time) == (date(2026, 11, 30), "2026-11-30 14:00:45 +08:00")
    assert (line.kind, line.net_minor, line.related) == (Kind.REFUND, -4473, PLAIN["微信订单号"])
    assert not misfits(items)


def test_the_old_layout() -> None:
    """Other names of the amounts, fewer columns and totals, and a full-width colon in the time."""
    items = read(
        TRADE_BILL,
        bill(
            paid(交易时间="2014-11-10 16：33：45"),
            returned(交易时间="2014-11-10  17:00:00"),
            layout=OLD,
            sums=OLD_SUMS,
        ),
    )
    charge, refund = lines_of(items)
    assert charge.occurred_at == datetime(2014, 11, 10, 8, 33, 45, tzinfo=UTC)
    assert (charge.net_minor, refund.net_minor, charge.original_minor) == (4473, -4473, None)
    assert totals_of(items)["gross_debits"] == 4500 and not misfits(items)


def test_columns_in_any_order_and_more_of_them() -> None:
    shuffled = ",".join(["新列", *reversed(ALL.split(","))])
    expected = lines_of(read(TRADE_BILL, bill(paid(), returned())))
    assert lines_of(read(TRADE_BILL, bill(paid(), returned(), layout=shuffled))) == expected


@pytest.mark.parametrize("name", ["商户号", "手续费", "货币种类", "应结订单金额", "微信退款单号", "交易状态"])
def test_a_needed_column_that_is_not_there(name: str) -> None:
    layout = ",".join(column for column in ALL.split(",") if column != name)
    assert refused(TRADE_BILL, bill(paid(), layout=layout)) == ("column_missing", 1)


@pytest.mark.parametrize("name", ["应结订单总金额", "退款总金额", "手续费总金额"])
def test_a_total_that_is_not_there(name: str) -> None:
    sums = ",".join(title for title in SUMS.split(",") if title != name)
    assert refused(TRADE_BILL, bill(paid(), sums=sums)) == ("column_missing", 3)


def test_the_edges_of_a_day() -> None:
    """F-H15: 23:59:59+08:00 is of that day, though the day is another one in UTC before 08:00."""
    first, last = paid(交易时间="2026-11-30 00:00:00"), paid(交易时间="2026-11-30 23:59:59")
    items = read(TRADE_BILL, bill(first, last), asked_from=date(2026, 11, 30), asked_to=date(2026, 11, 30))
    early, late = lines_of(items)
    assert early.business_date == late.business_date == date(2026, 11, 30)
    assert early.occurred_at == datetime(2026, 11, 29, 16, 0, tzinfo=UTC)
    assert late.occurred_at == datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    assert (late.occurred_at - early.occurred_at).total_seconds() == 24 * 3600 - 1  # type: ignore[operator]


@pytest.mark.parametrize("time", ["2026-11-29 23:59:59", "2026-12-01 00:00:00", "1999-11-30 10:00:00"])
def test_a_row_of_another_day(time: str) -> None:
    """F-H15, F-H22: no row is in two bills, and a bill of another day is not taken for this one's."""
    text = bill(paid(), paid(交易时间=time))
    assert refused(TRADE_BILL, text) == ("outside_period", 3)
    asked = {"asked_from": date(2026, 11, 30), "asked_to": date(2026, 11, 30)}
    assert refused(TRADE_BILL, text, **asked) == ("outside_period", 3)
    assert refused(TRADE_BILL, bill(paid(交易时间=time)), **asked) == ("outside_period", 2)


def test_several_days_when_they_were_asked_for() -> None:
    text = bill(paid(), paid(交易时间="2026-12-01 00:00:00"))
    items = read(TRADE_BILL, text, asked_from=date(2026, 11, 30), asked_to=date(2026, 12, 1))
    assert items[0].identity == "2026-11-30..2026-12-01"  # type: ignore[union-attr]
    assert [line.business_date.day for line in lines_of(items)] == [30, 1]


def test_a_bill_without_rows() -> None:
    day = date(2026, 11, 30)
    items = read(TRADE_BILL, bill(), asked_from=day, asked_to=day, account="1900000001")
    assert items[0].identity == "2026-11-30" and items[0].account == "1900000001"  # type: ignore[union-attr]
    assert lines_of(items) == [] and totals_of(items)["lines"] == 0
    assert refused(TRADE_BILL, bill())[0] == "period_unknown"


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-31 10:00:00",
        "2026/11/30 10:00",
        "2026-11-30",
        "20261130100000",
        "",
        "２０２６-11-30 10:00:00",
    ],
)
def test_times_are_not_guessed(time: str) -> None:
    assert refused(TRADE_BILL, bill(paid(交易时间=time))) == ("time_invalid", 2)


@pytest.mark.parametrize(
    "amount",
    [
        "45,00",
        "1,000.00",
        "4.5E1",
        "'45.00",
        "``45.00",
        "45.001",
        "+45.00",
        " 45.00",
        "45.00元",
        "４５",
        "",
        "NaN",
    ],
)
def test_amounts_are_read_by_one_grammar(amount: str) -> None:
    """F-H20: a point, two decimals at most that are no zeros, and the one back-quote that every value has."""
    assert refused(
        TRADE_BILL, bill(paid(), 应结订单总金额="45.00").replace("`45.00,`0.00,`0", f"`{amount},`0.00,`0")
    ) == ("amount_invalid", 2)


def test_the_back_quote_is_part_of_the_grammar() -> None:
    """F-H20: a row without it is refused; inside of a value it is a character, and so is a comma."""
    text = bill(paid(商品名称="a `green`, fine tea"))
    assert only(text).net_minor == 4473
    row = text.split("\n")[1]
    assert refused(TRADE_BILL, text.replace(row, row.removeprefix("`"))) == ("back_quote_missing", 2)
    assert refused(TRADE_BILL, text.replace(row, row.replace("`", "'"))) == ("back_quote_missing", 2)
    assert refused(TRADE_BILL, text.replace(row, row.replace("`", ""))) == ("back_quote_missing", 2)
    assert refused(TRADE_BILL, bill(paid(商品名称="tea,`0.00"))) == ("fields_count", 2)
    assert only(bill(paid(商品名称='"an open quote'))).net_minor == 4473, "values have no quotes: this is one"


@pytest.mark.parametrize("fee", ["0.27400", "-0.00001", "0.00500"])
def test_a_fee_with_a_part_of_a_fen(fee: str) -> None:
    assert refused(TRADE_BILL, bill(paid(fee=fee))) == ("amount_invalid", 2)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (paid("45.00"), Kind.CHARGE),
        (paid("0.00", "0.00000"), Kind.CHARGE),
        (paid("-45.00"), "amount_invalid"),
        (paid("-0.00"), "amount_invalid"),
        (paid("45.00", "-0.27000"), Kind.UNKNOWN),
        (returned("45.00"), Kind.REFUND),
        (returned("0.00", "0.00000"), Kind.REFUND),
        (returned("-45.00"), "amount_invalid"),
        (returned("45.00", "0.27000"), Kind.UNKNOWN),
        (returned("45.00", 应结订单金额="45.00"), "line_contradicts_itself"),
        (paid("45.00", 退款金额="1.00"), "line_contradicts_itself"),
        (paid("0.00", "0.00000", 退款金额="1.00"), "line_contradicts_itself"),
        (paid("45.00", 交易状态="PAYERROR"), Kind.UNKNOWN),
        (returned("45.00", 交易状态="PAYERROR"), Kind.UNKNOWN),
        (returned("45.00", 交易状态="REVOKED", 退款状态=""), Kind.REFUND),
        (returned("45.00", 退款状态="FAIL"), Kind.UNKNOWN),
        (returned("45.00", 退款状态="CHANGE"), Kind.UNKNOWN),
    ],
)  # fmt: skip
def test_kinds_and_signs(row: dict[str, str], expected: str) -> None:
    """F-H8: the state says which way money goes; a sign in the file, or both amounts, contradict it."""
    if expected not in set(Kind):
        assert refused(TRADE_BILL, bill(row)) == (expected, 2)
        return
    items = read(TRADE_BILL, bill(row))
    (line,) = lines_of(items)
    assert line.kind == expected
    assert (line.raw is not None) == (expected == Kind.UNKNOWN)
    assert line.gross_minor == int(Decimal(row["应结订单金额"]) * 100 - Decimal(row["退款金额"]) * 100)
    assert line.fee_minor == int(Decimal(row["手续费"]) * 100) and not misfits(items)


def test_an_unknown_line_is_there_for_a_person() -> None:
    text = bill(paid(交易状态="FROZEN"))
    line = only(text)
    assert (line.raw_kind, line.raw) == ("FROZEN", text.split("\n")[1])


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (paid(), "微信订单号"),
        (paid(), "商户订单号"),
        (returned(), "微信退款单号"),
        (returned(), "商户退款单号"),
    ],
)
def test_a_number_that_a_spreadsheet_wrote_anew(row: dict[str, str], name: str) -> None:
    line = only(bill(row | {name: "4.00123E+27"}))
    assert line.kind == Kind.UNKNOWN and "4.00123E+27" in line.raw
    assert (line.reference, line.related, line.merchant_reference) == ("", "", "")
    assert abs(line.net_minor) == 4473, "the number is rejected, the amount is not"


def test_one_merchant_and_one_currency() -> None:
    """F-H5."""
    assert refused(TRADE_BILL, bill(paid(), paid(货币种类="HKD"))) == ("currency_mixed", 3)
    assert refused(TRADE_BILL, bill(paid(), paid(商户号="1900000002"))) == ("accounts_mixed", 3)
    assert refused(TRADE_BILL, bill(paid(货币种类="XXC")))[0] == "currency_unknown"
    assert only(bill(paid(货币种类="HKD"))).currency == "HKD"


ENCODINGS = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "gb18030": lambda text: text.encode("gb18030"),
    "utf-16": lambda text: text.encode("utf-16"),
    "big5": lambda text: text.encode("big5", "replace"),
    "mojibake": lambda text: text.encode().decode("latin-1").encode(),
}


@pytest.mark.parametrize("declared", ["utf-8", "gb18030"])
@pytest.mark.parametrize("written", ENCODINGS)
def test_encodings(written: str, declared: str) -> None:
    """F-H6: what is declared is read, and nothing else is; a byte order mark is no part of the first name."""
    body = ENCODINGS[written](bill(paid()))
    if written.removesuffix(" with a mark") == declared:
        assert lines_of(read(TRADE_BILL, body, encoding=declared))[0].net_minor == 4473
    else:
        assert refused(TRADE_BILL, body, encoding=declared)[0] in ("encoding_invalid", "format_mismatch")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("layout", "sums"), [(ALL, SUMS), (SUCCESS, SUCCESS_SUMS), (OLD, OLD_SUMS)])
def test_a_bill_that_was_cut_off(layout: str, sums: str, end: str) -> None:
    """F-H1: at every byte. What is taken is the whole: without its last line end, or a zero of no worth."""
    rows = [paid(), returned()] if layout != SUCCESS else [paid(), paid("1.10")]
    whole = bill(*rows, layout=layout, sums=sums, 申请退款总金额="45.00").replace("\n", end).encode()
    items, taken = read(TRADE_BILL, whole), []
    for cut in range(len(whole)):
        try:
            assert read(TRADE_BILL, whole[:cut]) == items
            taken.append(cut)
        except Exception as error:
            assert getattr(error, "code", None), (cut, error)
    assert taken and len(whole) - taken[0] <= len(end) + 3
    assert all(whole[cut:].strip(b"0\r\n") == b"" for cut in taken)


def test_a_bill_goes_on_after_its_end() -> None:
    text = bill(paid())
    assert lines_of(read(TRADE_BILL, text + "\n\n"))
    assert refused(TRADE_BILL, text + text) == ("data_after_end", 5)
    lines = text.split("\n")
    assert refused(TRADE_BILL, "\n".join(lines[:3])) == ("truncated", 3), "titles without figures"
    assert refused(TRADE_BILL, "\n".join([*lines[:3], "`1,`45.00", ""])) == ("truncated", 4)
    assert refused(TRADE_BILL, bill(paid(), 总交易单数="one")) == ("number_invalid", 4)
    assert refused(TRADE_BILL, "") == ("format_mismatch", 1)
    assert refused(TRADE_BILL, '{"code": "NO_STATEMENT_EXIST"}') == ("format_mismatch", 1)


def test_a_bill_is_read_as_it_is_asked_for() -> None:
    """F-H7: the first lines are there before the rest of the file was looked at."""
    body = BytesIO(bill(*[paid()] * 2_000).encode())
    items = TRADE_BILL.read(body, ReadOptions("bill.csv", "utf-8", "Asia/Shanghai"))
    assert [type(next(items)).__name__ for _ in range(3)] == ["Document", "Line", "Line"]
    assert body.tell() < len(body.getvalue()) / 100


@pytest.mark.parametrize(
    ("title", "figure", "what"),
    [("总交易单数", "3", "lines"), ("应结订单总金额", "45.01", "gross_credits"),
     ("退款总金额", "44.99", "gross_debits"), ("手续费总金额", "0.01000", "fee")],
)  # fmt: skip
def test_each_total_catches_a_line(title: str, figure: str, what: str) -> None:
    """F-H4: a header or total that disagrees with the lines."""
    assert not misfits(read(TRADE_BILL, bill(paid(), returned())))
    assert set(misfits(read(TRADE_BILL, bill(paid(), returned(), **{title: figure})))) == {what}


def test_public_samples_do_not_add_up() -> None:
    """Their lines are read as they are, and their totals, of a larger bill, do not fit: not one of them."""
    items = read(TRADE_BILL, sample("wechat", "wxjava__tradebill_ALL.csv"))
    (line,) = lines_of(items)
    assert (line.kind, line.gross_minor, line.fee_minor, line.business_date) == (
        Kind.CHARGE,
        600,
        4,
        date(2019, 7, 25),
    )
    assert misfits(items) == {
        "lines": (48, 1),
        "gross_credits": (576, 600),
        "gross_debits": (142, 0),
        "fee": (1, 4),
    }
    items = read(TRADE_BILL, sample("wechat", "wxjava__tradebill_SUCCESS.csv"))
    (line,) = lines_of(items)
    assert (line.gross_minor, line.fee_minor, line.business_date) == (1, 0, date(2019, 7, 23))
    assert misfits(items) == {"lines": (31, 1), "gross_credits": (305, 1), "fee": (2, 0)}


def test_the_export_of_a_consumer_is_another_format() -> None:
    assert refused(TRADE_BILL, sample("wechat", "deg__example-wechat-records.csv")) == ("format_mismatch", 1)
