"""WeChat Pay's fund flow: kinds by type and direction, and a balance that runs from row to row."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats.contract import Document, Kind, Refused
from reconciliation.formats.wechat import FUND_FLOW
from tests.reconciliation.formats.bills import lines_of, misfits, read, refused, totals_of

HEADER = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
IN, OUT = "收入", "支出"


def flow(
    business_type: str,
    direction: str,
    amount: str,
    balance: str,
    *,
    time: str = "2026-11-30 10:00:00",
    business: str = "4200001",
    flow_no: str = "flow1",
    voucher: str = "po1",
) -> str:
    return (
        f"`{time},`{business},`{flow_no},`交易,`{business_type},`{direction},`{amount},`{balance},`system,`"
        f"a note, with a comma,`{voucher}\n"
    )


def bill(*rows: str, totals: str) -> str:
    return f"{HEADER}\n{''.join(rows)}{SUMS}\n{totals}\n"


def fen(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def of_amounts(amounts: list[int], *, start: int = 1000, is_backward: bool = False) -> str:
    """A bill of these movements; the first in time comes first, or last."""
    rows, balance = [], start
    for amount in amounts:
        balance += amount
        rows.append(
            flow("交易", IN, fen(amount), fen(balance))
            if amount > 0
            else flow("退款", OUT, fen(-amount), fen(balance))
        )
    paid_in, paid_out = ([each for each in amounts if (each > 0) is sign] for sign in (True, False))
    totals = f"`{len(amounts)},`{len(paid_in)},`{fen(sum(paid_in))},`{len(paid_out)},`{fen(-sum(paid_out))}"
    return bill(*(reversed(rows) if is_backward else rows), totals=totals)


def test_a_day_of_an_account() -> None:
    items = read(
        FUND_FLOW,
        bill(
            flow("交易", IN, "45.00", "55.00"),
            flow("扣除交易手续费", OUT, "0.27", "54.73", flow_no="flow2"),
            flow("退款", OUT, "5.00", "49.73", business="5030001", flow_no="4200000", voucher="re1"),
            flow("退还交易手续费", IN, "0.03", "49.76", business="4200000", flow_no="flow4"),
            flow("退款关闭", IN, "5.00", "54.76", business="5030001", flow_no="4200000", voucher="re1"),
            flow("提现", OUT, "50.00", "4.76"),
            flow("充值", IN, "1.00", "5.76"),
            flow("分账", OUT, "2.00", "3.76"),
            flow("企业付款", OUT, "3.76", "0.00", time="2026-11-30 23:59:59"),
            totals="`9,`4,`51.03,`5,`61.03",
        ),
        account="1900000001:BASIC",
    )
    day = date(2026, 11, 30)
    assert items[0] == Document(
        "2026-11-30", period_from=day, period_to=day, account="1900000001:BASIC", currency="CNY"
    )
    lines = lines_of(items)
    assert [(line.kind, line.net_minor) for line in lines] == [
        (Kind.CHARGE, 4500), (Kind.FEE, -27), (Kind.REFUND, -500), (Kind.FEE, 3), (Kind.REFUND_FAILURE, 500),
        (Kind.PAYOUT, -5000), (Kind.TOP_UP, 100), (Kind.TRANSFER, -200), (Kind.UNKNOWN, -376),
    ]  # fmt: skip
    assert all(line.fee_minor == 0 and line.business_date == day for line in lines)
    charge, fee, refund, back, *_, unknown = lines
    assert (charge.reference, charge.related, charge.merchant_reference) == ("4200001", "", "po1")
    assert (fee.reference, fee.related) == ("flow2", "4200001")
    assert (refund.reference, refund.related, refund.merchant_reference) == ("5030001", "4200000", "re1")
    assert (back.reference, back.related) == ("flow4", "4200000")
    assert (
        unknown.raw_kind == "企业付款/支出"
        and unknown.raw
        and unknown.raw.startswith("`2026-11-30 23:59:59,`")
    )
    assert unknown.occurred_at == datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC), "F-H15"
    assert not misfits(items)


def test_figures_as_the_document_of_the_provider_has_them() -> None:
    """Full-width brackets, and numbers of rows with a point."""
    text = bill(flow("退款", OUT, "0.02", "0.17"), totals="`1.0,`0.0,`0.00,`1.0,`0.02").replace(
        "(元)", "（元）"
    )
    items = read(FUND_FLOW, text)
    assert totals_of(items) == {"lines": 1, "credit_count": 0, "credits": 0, "debit_count": 1, "debits": 2}
    assert not misfits(items)


amounts = st.lists(st.integers(-50_000, 50_000).filter(bool), min_size=1, max_size=8)


@given(amounts, st.booleans())
def test_a_balance_that_runs_is_taken_in_both_orders(movements: list[int], is_backward: bool) -> None:
    items = read(FUND_FLOW, of_amounts(movements, is_backward=is_backward))
    expected = list(reversed(movements)) if is_backward else movements
    assert [line.net_minor for line in lines_of(items)] == expected and not misfits(items)


@given(amounts.filter(lambda each: len(each) > 1), st.booleans(), st.data())
def test_a_row_that_is_lost_doubled_or_changed_is_found(
    movements: list[int], is_backward: bool, data: st.DataObject
) -> None:
    """By the balance, or, at an edge of the day, by a total: never taken."""
    lines = of_amounts(movements, is_backward=is_backward).split("\n")
    place = data.draw(st.integers(1, len(movements)))
    match data.draw(st.sampled_from(["lost", "doubled", "changed"])):
        case "lost":
            del lines[place]
        case "doubled":
            lines.insert(place, lines[place])
        case _:
            values = lines[place].split(",`")
            values[6] = fen(abs(movements[-place if is_backward else place - 1]) + 1)
            lines[place] = ",`".join(values)
    try:
        assert misfits(read(FUND_FLOW, "\n".join(lines)))
    except Refused as error:
        assert error.code == "running_balance_broken" and error.line_no


def test_the_line_where_a_balance_breaks() -> None:
    text = bill(
        flow("交易", IN, "1.00", "11.00"),
        flow("交易", IN, "1.00", "12.00"),
        flow("交易", IN, "1.00", "14.00"),
        totals="`3,`3,`3.00,`0,`0.00",
    )
    assert refused(FUND_FLOW, text) == ("running_balance_broken", 4)


@pytest.mark.parametrize(
    "business_type", ["交易", "扣除交易手续费", "退款", "退款关闭", "退还交易手续费", "提现", "充值"]
)
@pytest.mark.parametrize("direction", [IN, OUT])
@pytest.mark.parametrize("amount", ["1.00", "0.00", "-1.00", "-0.00"])
def test_kinds_and_signs(business_type: str, direction: str, amount: str) -> None:
    """F-H8: a type goes one way; the other way, and nothing at all, are for a person; a sign is refused."""
    is_in = business_type in ("交易", "退款关闭", "退还交易手续费", "充值")
    signed = {"1.00": 100, "0.00": 0}.get(amount, 0) * (1 if direction == IN else -1)
    text = bill(flow(business_type, direction, amount, fen(1000 + signed)), totals="`1,`0,`0.00,`0,`0.00")
    if amount.startswith("-"):
        assert refused(FUND_FLOW, text) == ("amount_invalid", 2)
        return
    (line,) = lines_of(read(FUND_FLOW, text))
    assert line.net_minor == signed
    assert (line.kind != Kind.UNKNOWN) == (bool(signed) and is_in == (direction == IN))
    assert (line.raw is None) == (line.kind != Kind.UNKNOWN)


def test_what_is_refused() -> None:
    good = flow("交易", IN, "1.00", "11.00")
    totals = "`1,`1,`1.00,`0,`0.00"
    assert refused(FUND_FLOW, bill(good.replace(IN, "其他"), totals=totals)) == ("direction_invalid", 2)
    assert refused(FUND_FLOW, bill(good.replace("11.00", "11.001"), totals=totals)) == ("amount_invalid", 2)
    other_day = flow("交易", IN, "1.00", "12.00", time="2026-12-01 00:00:00")
    assert refused(FUND_FLOW, bill(good, other_day, totals=totals)) == ("outside_period", 3)
    assert refused(FUND_FLOW, bill(good, totals="`1,`1,`1.00")) == ("truncated", 4)
    assert refused(FUND_FLOW, bill(totals="`0,`0,`0.00,`0,`0.00"))[0] == "period_unknown"
    text = bill(good, totals=totals)
    assert refused(FUND_FLOW, text.replace("账户结余(元)", "余额")) == ("column_missing", 1)
    damaged = bill(flow("交易", IN, "1.00", "11.00", business="4.2E+27"), totals=totals)
    (line,) = lines_of(read(FUND_FLOW, damaged))
    assert (line.kind, line.reference, line.net_minor) == (Kind.UNKNOWN, "", 100)


def test_a_bill_that_was_cut_off() -> None:
    """F-H1: at every byte; only the last line end may be missing."""
    whole = of_amounts([100, -30, 25]).encode()
    items, taken = read(FUND_FLOW, whole), []
    for cut in range(len(whole)):
        try:
            read(FUND_FLOW, whole[:cut])
            taken.append(cut)
        except Refused:
            pass
    assert taken == [len(whole) - 1] and read(FUND_FLOW, whole[:-1]) == items
