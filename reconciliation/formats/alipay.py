"""Exports of Alipay: what was traded (bill type trade), and what moved the account (bill type signcustomer).

The direction of an amount comes from the type of its row or the column that it is in, never from its sign,
which differs between exports.
"""

from collections.abc import Iterator
from typing import BinaryIO

from reconciliation.formats.alipay_export import Export, is_detail, yuan
from reconciliation.formats.chinese import CURRENCY, RunningBalance, moment
from reconciliation.formats.contract import Control, Document, Item, Kind, Line, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import as_text, table
from reconciliation.formats.kinds import Signs, credit, debit, kind_of
from reconciliation.formats.references import check_reference, was_a_number

__all__ = ["ACCOUNT_DETAIL", "BUSINESS_DETAIL", "AccountDetail", "BusinessDetail"]

_BUSINESS_COLUMNS = (
    "支付宝交易号", "商户订单号", "业务类型", "完成时间",
    "订单金额(元)", "商家实收(元)", "退款批次号/请求号", "服务费(元)", "分润(元)",
)  # fmt: skip


class BusinessDetail:
    """The trades of a period: 交易 is a charge, 退款 a refund of what the merchant receives (商家实收).

    The fee (服务费) goes with its row: paid for a charge, given back for a refund. Amounts may be 0. A charge
    with a negative amount, a row with a share for somebody else (分润, which is in no total), another type,
    and a number that a spreadsheet has written anew make a line of kind UNKNOWN. The totals count charges and
    refunds; rows of other types are added to what they say, so that they are checked all the same.
    """

    name = "alipay.business_detail"
    title = "Alipay business detail"
    kind = "psp"
    encodings: tuple[str, ...] = ("gb18030", "utf-8")
    suffixes: tuple[str, ...] = (".csv",)
    member = staticmethod(is_detail)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the items of an export. Raises Refused as the modules say."""
        export = Export(body, options, title="#支付宝业务明细查询")
        yield _document(export)
        others = credits = debits = 0
        for line_no, picked, row in table(export.rows(), export.columns, _BUSINESS_COLUMNS):
            line = _trade(line_no, picked, row)
            if line.raw_kind not in ("交易", "退款"):
                others += 1
                credits += max(line.gross_minor, 0)
                debits += max(-line.gross_minor, 0)
            yield line
        charged = export.total("交易")
        if charged is None:
            raise Refused("truncated", "the export has no total of its charges")
        # Without refunds some exports leave their total out.
        refunded = export.total("退款") or (0, 0, charged[2])
        yield Totals(
            (
                Control("lines", charged[0] + refunded[0] + others, line_no=charged[2]),
                Control("gross_credits", charged[1] + credits, CURRENCY, line_no=charged[2]),
                Control("gross_debits", refunded[1] + debits, CURRENCY, line_no=refunded[2]),
            )
        )


def _document(export: Export) -> Document:
    period = export.period
    return Document(
        str(period),
        period_from=period.first,
        period_to=period.last,
        account=export.account,
        currency=CURRENCY,
    )


def _trade(line_no: int, picked: tuple[str, ...], row: list[str]) -> Line:
    trade, order, business_type, time, order_text, received_text, request, fee_text, share_text = picked
    at, day, local_time = moment(time, line_no)
    gross, seen = yuan(received_text, line_no), yuan(order_text, line_no)
    fee, share = -yuan(fee_text, line_no), yuan(share_text, line_no)
    kind, references = Kind.UNKNOWN, (trade, "", order)
    if business_type == "交易":
        fee = abs(fee)
        kind = Kind.CHARGE if gross >= 0 and seen >= 0 and not share else Kind.UNKNOWN
    elif business_type == "退款":
        gross, seen, fee = -abs(gross), -abs(seen), -abs(fee)
        kind = Kind.UNKNOWN if share else Kind.REFUND
        # A refund has no number of Alipay's own: it is known by its payment and by our number of the request.
        references = (request, trade, request)
    if any(was_a_number(check_reference(each, line_no)) for each in references):
        kind, references = Kind.UNKNOWN, ("", "", "")
    return Line(
        line_no=line_no,
        kind=kind,
        raw_kind=business_type[:80],
        reference=references[0],
        currency=CURRENCY,
        gross_minor=gross,
        fee_minor=fee,
        net_minor=gross - fee,
        business_date=day,
        related=references[1],
        merchant_reference=references[2],
        original_currency=CURRENCY if seen != gross else "",
        original_minor=seen if seen != gross else None,
        occurred_at=at,
        local_time=local_time,
        raw=as_text(row[:-1]) if kind is Kind.UNKNOWN else None,
    )


_ACCOUNT_COLUMNS = (
    "账务流水号", "业务流水号", "商户订单号", "发生时间",
    "收入金额(+元)", "支出金额(-元)", "账户余额(元)", "业务类型",
)  # fmt: skip
_MOVEMENTS: dict[str, Signs] = {
    "在线支付": credit(Kind.CHARGE),
    "交易付款": credit(Kind.CHARGE),
    "交易": credit(Kind.CHARGE),
    "交易退款": debit(Kind.REFUND),
    "退款": debit(Kind.REFUND),
    "收费": debit(Kind.FEE),
    "提现": debit(Kind.PAYOUT),
    "充值": credit(Kind.TOP_UP),
    "交易分账": debit(Kind.TRANSFER),
}


class AccountDetail:
    """Every movement of the account: its statement, with a balance that runs from row to row and is checked.

    Fees are rows of their own. A row has money coming in or going out, not both; the second is negative in
    newer exports. A type that is not known, or that goes the other way than its kind, an amount of zero, and
    a number that a spreadsheet has written anew make a line of kind UNKNOWN.
    """

    name = "alipay.account_detail"
    title = "Alipay account detail"
    kind = "psp"
    encodings: tuple[str, ...] = ("gb18030", "utf-8")
    suffixes: tuple[str, ...] = (".csv",)
    member = staticmethod(is_detail)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the items of an export. Raises Refused as the modules say."""
        export = Export(body, options, title="#支付宝账务明细查询")
        yield _document(export)
        balance = RunningBalance()
        for line_no, picked, row in table(export.rows(), export.columns, _ACCOUNT_COLUMNS):
            line = _movement(line_no, picked, row)
            export.period.check(line.business_date, line_no)
            balance.add(line.net_minor, yuan(picked[6], line_no), line_no)
            yield line
        paid_in, paid_out = export.total("收入"), export.total("支出")
        if paid_in is None or paid_out is None:
            raise Refused("truncated", "the export has not both of its totals")
        yield Totals(
            (
                Control("credit_count", paid_in[0], line_no=paid_in[2]),
                Control("credits", paid_in[1], CURRENCY, line_no=paid_in[2]),
                Control("debit_count", paid_out[0], line_no=paid_out[2]),
                Control("debits", paid_out[1], CURRENCY, line_no=paid_out[2]),
            )
        )


def _movement(line_no: int, picked: tuple[str, ...], row: list[str]) -> Line:
    movement, business, order, time, in_text, out_text, _, business_type = picked
    at, day, local_time = moment(time, line_no)
    paid_in, paid_out = yuan(in_text or "0", line_no), abs(yuan(out_text or "0", line_no))
    if paid_in < 0 or (paid_in and paid_out):
        raise Refused("line_contradicts_itself", f"{in_text} in and {out_text} out", line_no)
    amount = paid_in - paid_out
    kind = kind_of(_MOVEMENTS, business_type, amount)
    # A payment is known by the number of its trade; whatever else moves money belongs to one.
    reference, related = (business, "") if kind is Kind.CHARGE else (movement, business)
    if any(was_a_number(check_reference(each, line_no)) for each in (movement, business, order)):
        kind, reference, related, order = Kind.UNKNOWN, "", "", ""
    return Line(
        line_no=line_no,
        kind=kind,
        raw_kind=business_type[:80],
        reference=reference,
        currency=CURRENCY,
        gross_minor=amount,
        fee_minor=0,
        net_minor=amount,
        business_date=day,
        related=related,
        merchant_reference=order,
        occurred_at=at,
        local_time=local_time,
        raw=as_text(row[:-1]) if kind is Kind.UNKNOWN else None,
    )


BUSINESS_DETAIL = BusinessDetail()
ACCOUNT_DETAIL = AccountDetail()
