"""Bills of WeChat Pay and Alipay on their whole way: received, unpacked, staged, compared, published."""

from datetime import date
from typing import Any

import pytest

from reconciliation.models import SettlementSource
from tests.reconciliation.conftest import Desk
from tests.reconciliation.formats import test_alipay as alipay
from tests.reconciliation.formats import test_wechat as wechat
from tests.reconciliation.formats import test_wechat_fund_flow as fund_flow
from tests.reconciliation.formats.bills import sample

DAY = date(2026, 1, 9)
ASKED: dict[str, Any] = {"asked_from": DAY, "asked_to": DAY}


def dated(text: str) -> bytes:
    """The bills of the other tests, as bills of the ninth of January."""
    text = text.replace("2026年12月01日", "2026年01月10日").replace("2026年11月30日", "2026年01月09日")
    return text.replace("2026-11-30", "2026-01-09").encode()


def source_of(desk: Desk, form: str, **columns: Any) -> SettlementSource:
    return desk.source(**{"provider": "cn", "format": form, "time_zone": "Asia/Shanghai"} | columns)


def test_a_trade_bill_is_published_and_corrected(desk: Desk) -> None:
    source = source_of(desk, "wechat.trade_bill", account="1900000001", currency="CNY")
    first = desk.send(source, dated(wechat.bill(wechat.paid(), wechat.returned())), **ASKED)
    file = desk.file(first)
    assert (file.status, file.document, file.version, file.quarantined_count) == (
        "PUBLISHED",
        "2026-01-09",
        1,
        0,
    )
    assert (file.period_from, file.period_to) == (DAY, DAY)
    assert [(line.kind, line.net_minor, line.business_date) for line in desk.lines(first)] == [
        ("charge", 4473, DAY), ("refund", -4473, DAY),
    ]  # fmt: skip
    second = desk.send(source, dated(wechat.bill(wechat.paid("45.01"), wechat.returned())), **ASKED)
    assert [desk.file(each).status for each in (first, second)] == ["SUPERSEDED", "PUBLISHED"]
    assert desk.file(second).version == 2


def test_the_bills_of_a_day_are_three_documents(desk: Desk) -> None:
    source = source_of(desk, "wechat.trade_bill")
    bills = [
        wechat.bill(wechat.paid(), wechat.returned()),
        wechat.bill(wechat.paid(), layout=wechat.SUCCESS, sums=wechat.SUCCESS_SUMS),
        wechat.bill(wechat.returned(退款申请时间="2026-11-30 10:00:00"), layout=wechat.REFUND),
    ]
    files = [desk.file(desk.send(source, dated(text), **ASKED)) for text in bills]
    assert [(file.status, file.document) for file in files] == [
        ("PUBLISHED", "2026-01-09"), ("PUBLISHED", "2026-01-09:success"), ("PUBLISHED", "2026-01-09:refund"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("totals", "line"),
    [({"手续费总金额": "0.01000"}, 5), ({"总交易单数": "3"}, 5), ({"退款总金额": "0.00"}, 5)],
)
def test_a_bill_whose_totals_do_not_fit_is_refused(desk: Desk, totals: dict[str, str], line: int) -> None:
    """F-H4: whole, with the line of the totals; nothing of it is left."""
    source = source_of(desk, "wechat.trade_bill")
    text = wechat.bill(wechat.paid(), wechat.returned(), **totals)
    assert desk.refused(desk.send(source, dated(text), **ASKED)) == ("control_mismatch", line)
    assert desk.cases("settlement_file_refused")


def test_bills_that_are_not_what_was_asked_for(desk: Desk) -> None:
    source = source_of(desk, "wechat.trade_bill", account="1900000009")
    text = dated(wechat.bill(wechat.paid()))
    assert desk.refused(desk.send(source, text, **ASKED))[0] == "account_unexpected"
    source = source_of(desk, "wechat.trade_bill")
    other = {"asked_from": date(2026, 1, 8), "asked_to": date(2026, 1, 8)}
    assert desk.refused(desk.send(source, text, **other)) == ("outside_period", 2)
    source = source_of(desk, "alipay.business_detail", encoding="gb18030")
    assert desk.refused(desk.send(source, text, **ASKED))[0] == "encoding_invalid"


def test_a_public_sample_is_refused(desk: Desk) -> None:
    source = source_of(desk, "wechat.trade_bill")
    body = sample("wechat", "wxjava__tradebill_ALL.csv")
    assert desk.refused(desk.send(source, body)) == ("control_mismatch", 4)


def test_a_fund_flow(desk: Desk) -> None:
    source = source_of(desk, "wechat.fund_flow", account="1900000001:BASIC")
    text = fund_flow.of_amounts([100, -30, 25])
    good = desk.send(source, dated(text), **ASKED)
    assert desk.file(good).status == "PUBLISHED"
    assert [line.net_minor for line in desk.lines(good)] == [100, -30, 25]
    lines = text.split("\n")
    del lines[2]
    assert desk.refused(desk.send(source, dated("\n".join(lines)), **ASKED)) == ("running_balance_broken", 3)


def test_the_detail_out_of_a_zip(desk: Desk) -> None:
    text = dated(alipay.business(alipay.trade(), alipay.refund())).decode()
    body = alipay.zipped({"业务明细(汇总).csv": b"#", "业务明细.csv": text.encode("gb18030")})
    source = source_of(desk, "alipay.business_detail", encoding="gb18030", account=alipay.HOLDER)
    received = desk.send(source, body, name="bill.csv.zip", **ASKED)
    file = desk.file(received)
    assert (file.status, file.document) == ("PUBLISHED", "2026-01-09")
    assert [line.net_minor for line in desk.lines(received)] == [4473, -4473]


def test_an_account_detail(desk: Desk) -> None:
    source = source_of(desk, "alipay.account_detail", encoding="gb18030")
    body = dated(alipay.account(*alipay.ACCOUNT_ROWS)).decode().encode("gb18030")
    received = desk.send(source, body, **ASKED)
    assert desk.file(received).status == "PUBLISHED"
    counted = desk.file(received).totals["counted"]["CNY"]
    assert (counted["credits"], counted["debits"], counted["lines"]) == (4500, 500, 2)
