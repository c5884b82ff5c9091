"""Alipay's exports: comments around a table, signs by type and column, totals, and names in a zip."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from reconciliation.formats.alipay import ACCOUNT_DETAIL, BUSINESS_DETAIL
from reconciliation.formats.contract import Document, Format, Kind, ReadOptions, Refused
from reconciliation.formats.packing import unpack
from tests.reconciliation.formats.bills import lines_of, misfits, read, refused, sample, totals_of

BUSINESS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
ACCOUNT = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注"
)
HOLDER = "20888011365400330156"


def export(what: str, header: str, rows: list[str], *totals: str, **changed: str) -> str:
    """An export of 30 November, as the provider writes it: CRLF, and marks of hyphens."""
    parts = {
        "title": f"#支付宝{what}明细查询",
        "account": f"#账号：[{HOLDER}]",
        "period": "#起始日期：[2026年11月30日 00:00:00]   终止日期：[2026年12月01日 00:00:00]",
        "start": f"#{'-' * 41}{what}明细列表{'-' * 40}",
        "end": f"#{'-' * 41}{what}明细列表结束{'-' * 36}",
        "exported": "#导出时间：[2026年12月01日 05:46:49]",
    } | changed
    top = [parts["title"], parts["account"], parts["period"], parts["start"], header, *rows]
    return "\r\n".join([*top, parts["end"], *totals, parts["exported"], ""])


def trade(kind: str = "交易", amount: str = "45.00", *, fee: str = "-0.27", **values: str) -> str:
    named = {
        "支付宝交易号": "2026113022001\t", "商户订单号": "po1\t", "业务类型": f"{kind}\t", "商品名称": "tea",
        "创建时间": "2026-11-30 09:59:00", "完成时间": "2026-11-30 10:00:00",
        "对方账户": "*杨(137****2600)\t", "订单金额（元）": amount, "商家实收（元）": amount,
        "退款批次号/请求号": "\t", "服务费（元）": fee,
    } | values  # fmt: skip
    return ",".join(
        named.get(name, "0.00" if name.endswith("（元）") else "\t") for name in BUSINESS.split(",")
    )


def refund(amount: str = "-45.00", *, fee: str = "0.27", **values: str) -> str:
    return trade("退款", amount, fee=fee, **{"退款批次号/请求号": "re1\t"} | values)


def business(
    *rows: str,
    paid: str = "1笔，商家实收共45.00元",
    back: str = "1笔，商家实收退款共-45.00元",
    **changed: str,
) -> str:
    totals = (f"#交易合计：{paid}，商家优惠共0.00元", f"#退款合计：{back}，商家优惠退款共0.00元")
    return export("业务", BUSINESS, list(rows), *totals, **changed)


def movement(
    kind: str,
    amount: str,
    balance: str,
    *,
    number: str = "546324",
    trade_no: str = "20261130229",
    time: str = "2026-11-30 10:00:00",
    is_signed: bool = False,
) -> str:
    """`amount` with its sign; money that goes out is written without it, as older exports do, unless told."""
    is_out = amount.startswith("-")
    out = amount if is_signed else amount.removeprefix("-")
    paid_in, paid_out = ("0.00", out) if is_out else (amount, "0.00")
    sums = f"{paid_in},{paid_out},{balance}"
    return f"{number}\t,{trade_no}\t,po1\t,tea\t,{time},陈晶 (a@x.com)\t,{sums},支付宝,{kind},"


def account(*rows: str, out: str = "1笔，共5.00元", paid_in: str = "1笔，共45.00元", **changed: str) -> str:
    totals = (f"#支出合计：{out}", f"#收入合计：{paid_in}")
    return export("账务", ACCOUNT, list(rows), *totals, **changed)


ACCOUNT_ROWS = [movement("在线支付", "45.00", "55.00"), movement("交易退款", "-5.00", "50.00")]


def test_trades() -> None:
    items = read(BUSINESS_DETAIL, business(trade(), refund()))
    day = date(2026, 11, 30)
    assert items[0] == Document("2026-11-30", period_from=day, period_to=day, account=HOLDER, currency="CNY")
    charge, back = lines_of(items)
    assert (charge.line_no, charge.kind, charge.raw_kind) == (6, Kind.CHARGE, "交易")
    assert (charge.reference, charge.related, charge.merchant_reference) == ("2026113022001", "", "po1")
    assert (charge.gross_minor, charge.fee_minor, charge.net_minor) == (4500, 27, 4473)
    assert charge.occurred_at == datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
    assert (charge.local_time, charge.business_date) == ("2026-11-30 10:00:00 +08:00", day)
    assert (back.line_no, back.kind) == (7, Kind.REFUND)
    assert (back.reference, back.related, back.merchant_reference) == ("re1", "2026113022001", "re1")
    assert (back.gross_minor, back.fee_minor, back.net_minor) == (-4500, -27, -4473)
    assert totals_of(items) == {"lines": 2, "gross_credits": 4500, "gross_debits": 4500} and not misfits(
        items
    )


@pytest.mark.parametrize(
    ("kind", "amount", "fee", "expected"),
    [
        ("交易", "45.00", "-0.27", (Kind.CHARGE, 4500, 27)),
        ("交易", "45.00", "0.27", (Kind.CHARGE, 4500, 27)),
        ("交易", "0.00", "0.00", (Kind.CHARGE, 0, 0)),
        ("交易", "-45.00", "-0.27", (Kind.UNKNOWN, -4500, 27)),
        ("退款", "-45.00", "0.27", (Kind.REFUND, -4500, -27)),
        ("退款", "45.00", "-0.27", (Kind.REFUND, -4500, -27)),
        ("退款", "0.00", "0.00", (Kind.REFUND, 0, 0)),
        ("转账", "45.00", "-0.27", (Kind.UNKNOWN, 4500, 27)),
        ("转账", "-45.00", "0.27", (Kind.UNKNOWN, -4500, -27)),
        ("", "0.00", "0.00", (Kind.UNKNOWN, 0, 0)),
    ],
)  # fmt: skip
def test_kinds_and_signs(kind: str, amount: str, fee: str, expected: tuple[str, int, int]) -> None:
    """F-H8: the direction is that of the type; exports differ in the sign that they write."""
    (line,) = lines_of(read(BUSINESS_DETAIL, business(trade(kind, amount, fee=fee))))
    assert (line.kind, line.gross_minor, line.fee_minor) == expected
    assert (line.raw is None) == (line.kind != Kind.UNKNOWN)


@pytest.mark.parametrize("row", [trade, refund])
def test_a_share_for_somebody_else_is_for_a_person(row: Any) -> None:
    (line,) = lines_of(read(BUSINESS_DETAIL, business(row(**{"分润（元）": "-4.00"}))))
    assert line.kind == Kind.UNKNOWN and "-4.00" in line.raw and abs(line.net_minor) == 4473


def test_what_the_buyer_paid_is_not_what_the_merchant_gets() -> None:
    rows = (trade(**{"订单金额（元）": "50.00"}), refund(**{"订单金额（元）": "-50.00"}))
    charge, back = lines_of(read(BUSINESS_DETAIL, business(*rows)))
    assert (charge.gross_minor, charge.original_minor, charge.original_currency) == (4500, 5000, "CNY")
    assert (back.gross_minor, back.original_minor) == (-4500, -5000)


def test_totals_without_sign_and_without_refunds() -> None:
    items = read(BUSINESS_DETAIL, business(trade(), refund(), back="1笔，商家实收退款共45.00元"))
    assert not misfits(items)
    text = business(trade())
    lines = [line for line in text.split("\r\n") if "退款合计" not in line]
    items = read(BUSINESS_DETAIL, "\r\n".join(lines))
    assert totals_of(items)["gross_debits"] == 0 and not misfits(items)


def test_rows_of_other_types_do_not_hide_a_lost_one() -> None:
    """The totals count trades and refunds alone."""
    other = trade("转账", "7.00", fee="0.00")
    assert not misfits(read(BUSINESS_DETAIL, business(trade(), other, refund())))
    assert set(misfits(read(BUSINESS_DETAIL, business(other, refund())))) == {"lines", "gross_credits"}


@pytest.mark.parametrize(
    ("totals", "what"),
    [({"paid": "2笔，商家实收共45.00元"}, "lines"), ({"paid": "1笔，商家实收共45.01元"}, "gross_credits"),
     ({"back": "0笔，商家实收退款共-45.00元"}, "lines"),
     ({"back": "1笔，商家实收退款共-44.99元"}, "gross_debits")],
)  # fmt: skip
def test_each_total_catches_a_line(totals: dict[str, str], what: str) -> None:
    """F-H4."""
    assert set(misfits(read(BUSINESS_DETAIL, business(trade(), refund(), **totals)))) == {what}


def test_an_account() -> None:
    items = read(
        ACCOUNT_DETAIL,
        account(
            movement("交易付款", "45.00", "55.00"),
            movement("收费", "-0.27", "54.73", number="546325"),
            movement("交易退款", "-5.00", "49.73", number="546326"),
            movement("提现", "-40.00", "9.73"),
            movement("充值", "1.00", "10.73"),
            movement("交易分账", "-0.73", "10.00"),
            movement("其它", "2.00", "12.00", time="2026-11-30 23:59:59"),
            out="4笔，共46.00元",
            paid_in="3笔，共48.00元",
        ),
    )
    assert items[0].account == HOLDER  # type: ignore[union-attr]
    lines = lines_of(items)
    assert [(line.kind, line.net_minor) for line in lines] == [
        (Kind.CHARGE, 4500), (Kind.FEE, -27), (Kind.REFUND, -500), (Kind.PAYOUT, -4000), (Kind.TOP_UP, 100),
        (Kind.TRANSFER, -73), (Kind.UNKNOWN, 200),
    ]  # fmt: skip
    charge, fee, back, *_, last = lines
    assert (charge.reference, charge.related, charge.merchant_reference) == ("20261130229", "", "po1")
    assert (fee.reference, fee.related) == ("546325", "20261130229")
    assert (back.reference, back.related) == ("546326", "20261130229")
    assert (last.business_date, last.occurred_at) == (
        date(2026, 11, 30), datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC),
    ), "F-H15"  # fmt: skip
    assert totals_of(items) == {"credit_count": 3, "credits": 4800, "debit_count": 4, "debits": 4600}
    assert not misfits(items)


def test_an_account_in_other_dress() -> None:
    """Newest first, half-width brackets, signs before what goes out, and totals with them."""
    rows = [movement("交易退款", "-5.00", "50.00", is_signed=True), movement("在线支付", "45.00", "55.00")]
    text = account(*rows, out="1笔，共-5.00元").replace("（", "(").replace("）", ")")
    items = read(ACCOUNT_DETAIL, text)
    assert [line.net_minor for line in lines_of(items)] == [-500, 4500] and not misfits(items)
    assert lines_of(read(ACCOUNT_DETAIL, account(*reversed(rows)))) != lines_of(items)


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        ("在线支付", "1.00", Kind.CHARGE), ("在线支付", "-1.00", Kind.UNKNOWN),
        ("在线支付", "0.00", Kind.UNKNOWN),
        ("退款", "-1.00", Kind.REFUND), ("退款", "1.00", Kind.UNKNOWN), ("退款", "0.00", Kind.UNKNOWN),
        ("收费", "-1.00", Kind.FEE), ("收费", "1.00", Kind.UNKNOWN),
        ("提现", "-1.00", Kind.PAYOUT), ("提现", "1.00", Kind.UNKNOWN),
        ("充值", "1.00", Kind.TOP_UP), ("充值", "-1.00", Kind.UNKNOWN),
        ("转账", "1.00", Kind.UNKNOWN), ("转账", "-1.00", Kind.UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_signed", [True, False])
def test_kinds_and_directions(kind: str, amount: str, expected: str, is_signed: bool) -> None:
    """F-H8: the column gives the direction, with or without a sign before what goes out."""
    (line,) = lines_of(read(ACCOUNT_DETAIL, account(movement(kind, amount, "50.00", is_signed=is_signed))))
    assert (line.kind, line.net_minor) == (expected, int(Decimal(amount) * 100))
    assert (line.raw is None) == (line.kind != Kind.UNKNOWN)


def test_rows_that_contradict_themselves() -> None:
    first, second = ACCOUNT_ROWS
    assert refused(ACCOUNT_DETAIL, account(first, second.replace(",0.00,5.00,", ",1.00,5.00,"))) == (
        "line_contradicts_itself", 7,
    )  # fmt: skip
    assert refused(ACCOUNT_DETAIL, account(first.replace(",45.00,", ",-45.00,"))) == (
        "line_contradicts_itself", 6,
    )  # fmt: skip
    assert refused(ACCOUNT_DETAIL, account(first, second.replace("50.00", "50.01"))) == (
        "running_balance_broken", 7,
    )  # fmt: skip
    late = movement("在线支付", "1.00", "56.00", time="2026-12-01 00:00:00")
    assert refused(ACCOUNT_DETAIL, account(first, late)) == ("outside_period", 7)


def test_days() -> None:
    """F-H15: the end is midnight after the last day, or a second before it; it must be what was asked for."""
    asked = {"asked_from": date(2026, 11, 30), "asked_to": date(2026, 11, 30)}
    at_last = "#起始日期：[2026年11月30日 00:00:00]   终止日期：[2026年11月30日 23:59:59]"
    row = trade(完成时间="2026-11-30 23:59:59")
    for changed in ({}, {"period": at_last}):
        items = read(BUSINESS_DETAIL, business(row, **changed), **asked)
        assert items[0].identity == "2026-11-30"  # type: ignore[union-attr]
        assert lines_of(items)[0].business_date == date(2026, 11, 30)
    month = "#起始日期：[2026年11月01日 00:00:00]   终止日期：[2026年12月01日 00:00:00]"
    items = read(BUSINESS_DETAIL, business(row, period=month))
    assert items[0].identity == "2026-11-01..2026-11-30"  # type: ignore[union-attr]
    assert refused(BUSINESS_DETAIL, business(row, period=month), **asked)[0] == "period_mismatch"
    assert refused(BUSINESS_DETAIL, business(row, period="#"))[0] == "period_unknown"
    assert refused(BUSINESS_DETAIL, business(row, account="#"))[0] == "account_missing"
    for wrong in (month.replace("11月01", "13月01"), month.replace("2026年12月", "2026年10月")):
        assert refused(BUSINESS_DETAIL, business(row, period=wrong)) == ("time_invalid", 3)


@pytest.mark.parametrize("amount", ["`45.00", "'45.00", "1,000.00", "45.001", "4.5E1", "￥45.00", "", "４５"])
def test_amounts_are_read_by_one_grammar(amount: str) -> None:
    """F-H20: a back-quote before a value is of WeChat's grammar alone."""
    code = "fields_count" if "," in amount else "amount_invalid"
    assert refused(BUSINESS_DETAIL, business(trade(amount=amount))) == (code, 6)


def test_a_number_that_a_spreadsheet_wrote_anew() -> None:
    (line,) = lines_of(read(BUSINESS_DETAIL, business(trade(支付宝交易号="2.02611E+27"))))
    assert (line.kind, line.reference, line.net_minor) == (Kind.UNKNOWN, "", 4473) and "E+27" in line.raw  # type: ignore[operator]
    (line,) = lines_of(read(ACCOUNT_DETAIL, account(movement("充值", "1.00", "2.00", number="5.4E+10"))))
    assert (line.kind, line.reference, line.related) == (Kind.UNKNOWN, "", "")


@pytest.mark.parametrize(
    ("form", "text"), [(BUSINESS_DETAIL, business(trade())), (ACCOUNT_DETAIL, account(*ACCOUNT_ROWS))]
)
@pytest.mark.parametrize("declared", ["gb18030", "utf-8"])
@pytest.mark.parametrize("written", ["gb18030", "gbk", "utf-8", "utf-8-sig", "utf-16", "mojibake"])
def test_encodings(form: Format, text: str, written: str, declared: str) -> None:
    """F-H6: what is declared is read, and nothing else is; GBK is a part of GB18030."""
    body = text.encode("gbk").decode("latin-1").encode() if written == "mojibake" else text.encode(written)
    fits = {"gb18030": ("gb18030", "gbk"), "utf-8": ("utf-8", "utf-8-sig")}[declared]
    if written in fits:
        assert lines_of(read(form, body, encoding=declared))
    else:
        assert refused(form, body, encoding=declared)[0] in ("encoding_invalid", "format_mismatch")


@pytest.mark.parametrize(
    ("form", "text"),
    [(BUSINESS_DETAIL, business(trade(), refund())), (ACCOUNT_DETAIL, account(*ACCOUNT_ROWS))],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_an_export_that_was_cut_off(form: Format, text: str, end: str) -> None:
    """F-H1: at every byte; only the last line end may be missing."""
    whole = text.replace("\r\n", end).encode("gb18030")
    items, taken = read(form, whole), []
    for cut in range(len(whole)):
        try:
            assert read(form, whole[:cut]) == items
            taken.append(cut)
        except Refused:
            pass
    assert taken == [len(whole) - left for left in range(len(end), 0, -1)]


def test_marks_that_are_missing() -> None:
    assert refused(BUSINESS_DETAIL, business(trade(), exported="#"))[0] == "truncated"
    assert refused(BUSINESS_DETAIL, business(trade(), end="#")) == ("truncated", 7)
    assert refused(BUSINESS_DETAIL, business(trade()) + "#more\r\n") == ("data_after_end", 11)
    assert refused(BUSINESS_DETAIL, business(trade(), exported=trade())) == ("data_after_end", 10)
    assert refused(BUSINESS_DETAIL, business(trade(), paid="一笔"))[0] == "truncated"
    assert refused(ACCOUNT_DETAIL, account(*ACCOUNT_ROWS, out="?"))[0] == "truncated"
    assert refused(BUSINESS_DETAIL, business(trade()).replace("服务费（元）", "费"))[0] == "column_missing"
    assert refused(BUSINESS_DETAIL, account(*ACCOUNT_ROWS)) == ("format_mismatch", 1)
    assert refused(ACCOUNT_DETAIL, business(trade())) == ("format_mismatch", 1)
    assert refused(ACCOUNT_DETAIL, "")[0] == "format_mismatch"


def test_lines_that_a_spreadsheet_filled_up_with_commas() -> None:
    text = account(*ACCOUNT_ROWS)
    filled = "\r\n".join(line + "," * 11 if line.startswith("#") else line for line in text.split("\r\n"))
    assert read(ACCOUNT_DETAIL, filled) == read(ACCOUNT_DETAIL, text)


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip whose names are GBK without the mark of UTF-8, as the provider packs it."""
    packed, names = BytesIO(), [name.encode("gbk") for name in members]
    places = [bytes([ord("A") + place]) * len(name) for place, name in enumerate(names)]
    with ZipFile(packed, "w") as archive:
        for place, content in zip(places, members.values(), strict=True):
            archive.writestr(place.decode(), content)
    body = packed.getvalue()
    for place, name in zip(places, names, strict=True):
        body = body.replace(place, name)
    return body


@pytest.mark.parametrize(
    ("form", "what", "text"),
    [
        (BUSINESS_DETAIL, "业务", business(trade(), refund())),
        (ACCOUNT_DETAIL, "账务", account(*ACCOUNT_ROWS)),
    ],
)
def test_the_detail_in_a_zip(form: Any, what: str, text: str) -> None:
    names = [f"{HOLDER}_20261130_{what}明细(汇总).csv", f"{HOLDER}_20261130_{what}明细.csv"]
    body = zipped({names[0]: b"a summary", names[1]: text.encode("gb18030")})
    with unpack(BytesIO(body), member=form.member) as (stream, packing):
        items = list(form.read(stream, ReadOptions("x.zip", "gb18030", "Asia/Shanghai")))
    assert packing == "zip" and items == read(form, text)
    with pytest.raises(Refused, match="packing_invalid"), unpack(BytesIO(body)):
        pass
    assert [form.member(name) for name in (*names, f"{what}汇总.csv", "readme.txt")] == [
        False,
        True,
        False,
        False,
    ]


def test_the_export_of_a_consumer_is_another_format() -> None:
    body = sample("alipay", "deg__example-alipay-records.csv")
    assert refused(BUSINESS_DETAIL, body) == ("format_mismatch", 1)
    assert refused(ACCOUNT_DETAIL, body) == ("format_mismatch", 1)
