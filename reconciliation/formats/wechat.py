"""Bills of WeChat Pay: what was traded on a day, and what moved the balance of an account.

**Days.** The rows say which day a bill is about, by the time in China that a payment succeeded, a refund was
taken on, or money was booked. A row of another day than the one asked for refuses the bill: it is another
one.

**Fees** of the trade bill have five decimals; WeChat rounds to the fen and fills up with zeros. A fee with a
real part of a fen is refused: what is charged is the sum in the totals, and parts that we rounded need not
add up to it.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from reconciliation.formats.chinese import CURRENCY, Period, RunningBalance, moment
from reconciliation.formats.contract import Document, Item, Kind, Line, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import Columns
from reconciliation.formats.kinds import Signs, credit, debit, kind_of
from reconciliation.formats.references import check_reference, was_a_number
from reconciliation.formats.wechat_bill import MONEY, Bill, as_written, begin

__all__ = ["FUND_FLOW", "TRADE_BILL", "FundFlow", "TradeBill"]

# What each is called today, and in the layout of merchants whose contract is older than 2018.
_SETTLED = ("应结订单金额", "总金额")
_SETTLED_TOTAL = ("应结订单总金额", "总交易额")
_REFUNDED_TOTAL = ("退款总金额", "总退款金额")

_NEEDED = ("交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "手续费")
_REFUNDS = ("微信退款单号", "商户退款单号", "退款金额", "退款状态")
_OPTIONAL = ("退款申请时间", "订单金额", "申请退款金额")
# Money of a refund is out of the account once it is taken on; a bill is not written again when it arrives.
_UNDER_WAY = frozenset({"", "PROCESSING", "SUCCESS"})


class TradeBill:
    """The payments and refunds of a day: bill types ALL, SUCCESS and REFUND, in today's layout or an old one.

    SUCCESS is a charge of the settled amount (0 where a coupon paid all), REFUND and REVOKED (a payment taken
    back at the counter, which the bill lists beside the payment) a refund of the refunded amount, which may
    be 0 as well; fees go the same way. Amounts have no sign in the file, and one with a sign is refused. A
    fee against its direction, a state or a refund's state that is not known, and a number that a spreadsheet
    has written anew make a line of kind UNKNOWN.
    """

    name = "wechat.trade_bill"
    title = "WeChat Pay trade bill"
    kind = "psp"
    encodings: tuple[str, ...] = ("utf-8", "gb18030")
    suffixes: tuple[str, ...] = (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the items of a bill. Raises Refused as the modules say."""
        bill = Bill(body, options.encoding, marks=("交易时间", "微信订单号"), first_title="总交易单数")
        trades = _Trades(bill.columns)
        period, first, rows = begin(bill.rows(), options, trades.time)
        account = first[bill.columns.place("商户号")] if first else options.account
        currency = first[bill.columns.place("货币种类")] if first else options.currency or CURRENCY
        yield Document(
            f"{period}{trades.bill_type}",
            period_from=period.first,
            period_to=period.last,
            account=account,
            currency=currency,
        )
        for line_no, row in rows:
            yield trades.line(line_no, row, period, account, currency)
        figures = bill.totals()
        controls = [
            figures.count("lines", "总交易单数"),
            figures.money("gross_credits", _name_of(figures, _SETTLED_TOTAL), currency),
            figures.money("fee", "手续费总金额", currency),
        ]
        if trades.has_refunds:
            controls.append(figures.money("gross_debits", _name_of(figures, _REFUNDED_TOTAL), currency))
        yield Totals(tuple(controls))


class _Named(Protocol):
    """What has columns, or titles, by their names."""

    def __contains__(self, name: str, /) -> bool: ...


def _name_of(columns: _Named, names: Sequence[str]) -> str:
    """Return the first of these names that is there; else the first, for whoever misses it."""
    return next((name for name in names if name in columns), names[0])


class _Trades:
    """Makes lines of the rows of a trade bill."""

    def __init__(self, columns: Columns) -> None:
        self.has_refunds = "退款金额" in columns
        self._has_order = "订单金额" in columns
        settled = _name_of(columns, _SETTLED)
        if self.has_refunds:
            self._pick = columns.picker((*_NEEDED, settled, *_REFUNDS), _OPTIONAL)
        else:
            self._pick = columns.picker((*_NEEDED, settled), (*_REFUNDS, *_OPTIONAL))
        only_refunds = "退款申请时间" in columns
        self.time = columns.place("退款申请时间" if only_refunds else "交易时间")
        # What tells apart the three bills of one day.
        self.bill_type = ":refund" if only_refunds else "" if self.has_refunds else ":success"

    def line(self, line_no: int, row: list[str], period: Period, account: str, currency: str) -> Line:
        """Return the line of a row. Raises Refused."""
        (
            _, merchant, payment, order, state, written_in, fee_text, settled_text,
            refund, our_refund, refunded_text, refund_state, _, order_text, asked_text,
        ) = self._pick(row)  # fmt: skip
        if merchant != account:
            raise Refused("accounts_mixed", f"merchant {merchant[:40]!r}, not {account[:40]!r}", line_no)
        if written_in != currency:
            raise Refused("currency_mixed", f"{written_in[:10]!r} in a bill of {currency!r}", line_no)
        at, day, local_time = moment(row[self.time], line_no)
        period.check(day, line_no)
        fee = MONEY.read(fee_text, currency, line_no)
        settled = _unsigned(settled_text, currency, line_no)
        refunded = _unsigned(refunded_text, currency, line_no) if self.has_refunds else 0
        is_refund = state in ("REFUND", "REVOKED")
        if (settled and (is_refund or refunded)) or (refunded and state == "SUCCESS"):
            raise Refused(
                "line_contradicts_itself",
                f"{state[:20]} with {settled_text} settled and {refunded_text} refunded",
                line_no,
            )
        refund, our_refund, refund_state = (
            "" if each == "0" else each for each in (refund, our_refund, refund_state)
        )
        if is_refund:
            kind = Kind.REFUND if fee <= 0 and refund_state in _UNDER_WAY else Kind.UNKNOWN
            references = (refund, payment, our_refund or order)
        else:
            kind = Kind.CHARGE if fee >= 0 and state == "SUCCESS" else Kind.UNKNOWN
            references = (payment, "", order)
        if any(was_a_number(check_reference(each, line_no)) for each in references):
            kind, references = Kind.UNKNOWN, ("", "", "")
        seen = self._seen(asked_text if is_refund else order_text, is_refund, currency, line_no)
        gross = settled - refunded
        differs = seen is not None and seen != gross
        return Line(
            line_no=line_no,
            kind=kind,
            raw_kind=(f"{state}/{refund_state}" if refund_state else state)[:80],
            reference=references[0],
            currency=currency,
            gross_minor=gross,
            fee_minor=fee,
            net_minor=gross - fee,
            business_date=day,
            related=references[1],
            merchant_reference=references[2],
            original_currency=currency if differs else "",
            original_minor=seen if differs else None,
            occurred_at=at,
            local_time=local_time,
            raw=as_written(row) if kind == Kind.UNKNOWN else None,
        )

    def _seen(self, text: str, is_refund: bool, currency: str, line_no: int) -> int | None:
        """Return what the buyer saw of it, coupons included; the old layout does not say."""
        if not self._has_order:
            return None
        amount = _unsigned(text, currency, line_no)
        return -amount if is_refund else amount


def _unsigned(text: str, currency: str, line_no: int) -> int:
    """Return an amount that has no sign. Raises Refused."""
    if text.startswith("-"):
        raise Refused("amount_invalid", f"{text[:40]!r} has a sign", line_no)
    return MONEY.read(text, currency, line_no)


_FLOW_COLUMNS = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型",
    "收支类型", "收支金额(元)", "账户结余(元)", "业务凭证号",
)  # fmt: skip
_DIRECTIONS = {"收入": 1, "支出": -1}
_FLOWS: dict[str, Signs] = {
    "交易": credit(Kind.CHARGE),
    "扣除交易手续费": debit(Kind.FEE),
    "退款": debit(Kind.REFUND),
    "退款关闭": credit(Kind.REFUND_FAILURE),
    "退还交易手续费": credit(Kind.FEE),
    "提现": debit(Kind.PAYOUT),
    "充值": credit(Kind.TOP_UP),
    "分账": debit(Kind.TRANSFER),
}


class FundFlow:
    """What moved an account's balance on a day: of BASIC, OPERATION or FEES, which the bill does not say.

    It is the statement of an account at the provider: its balance runs from row to row, which is checked, and
    fees are rows of their own. An account has a source of its own. Amounts have no sign in the file; the
    direction gives it. A type that is not known, or that goes the other way than its kind, and an amount of
    zero make a line of kind UNKNOWN.
    """

    name = "wechat.fund_flow"
    title = "WeChat Pay fund flow bill"
    kind = "psp"
    encodings: tuple[str, ...] = ("utf-8", "gb18030")
    suffixes: tuple[str, ...] = (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the items of a bill. Raises Refused as the modules say."""
        bill = Bill(body, options.encoding, marks=("记账时间", "资金流水单号"), first_title="资金流水总笔数")
        pick = bill.columns.picker(_FLOW_COLUMNS)
        period, _, rows = begin(bill.rows(), options, bill.columns.place("记账时间"))
        yield Document(
            str(period),
            period_from=period.first,
            period_to=period.last,
            account=options.account,
            currency=CURRENCY,
        )
        balance = RunningBalance()
        for line_no, row in rows:
            time, business, flow, _, business_type, direction, amount_text, balance_text, voucher = pick(row)
            at, day, local_time = moment(time, line_no)
            period.check(day, line_no)
            sign = _DIRECTIONS.get(direction)
            if sign is None:
                raise Refused("direction_invalid", f"{direction[:20]!r} is no direction", line_no)
            amount = sign * _unsigned(amount_text, CURRENCY, line_no)
            balance.add(amount, MONEY.read(balance_text, CURRENCY, line_no), line_no)
            kind = kind_of(_FLOWS, business_type, amount)
            # The number of the business is a payment's, a refund's (the flow then has its payment's), and for
            # a fee that of the payment which it is of.
            reference, related = (flow, business) if kind is Kind.FEE else (business, "")
            if kind in (Kind.REFUND, Kind.REFUND_FAILURE) and flow != business:
                related = flow
            if any(was_a_number(check_reference(each, line_no)) for each in (business, flow, voucher)):
                kind, reference, related, voucher = Kind.UNKNOWN, "", "", ""
            yield Line(
                line_no=line_no,
                kind=kind,
                raw_kind=f"{business_type}/{direction}"[:80],
                reference=reference,
                currency=CURRENCY,
                gross_minor=amount,
                fee_minor=0,
                net_minor=amount,
                business_date=day,
                related=related,
                merchant_reference=voucher,
                occurred_at=at,
                local_time=local_time,
                raw=as_written(row) if kind is Kind.UNKNOWN else None,
            )
        figures = bill.totals()
        yield Totals(
            (
                figures.count("lines", "资金流水总笔数"),
                figures.count("credit_count", "收入笔数"),
                figures.money("credits", "收入金额", CURRENCY),
                figures.count("debit_count", "支出笔数"),
                figures.money("debits", "支出金额", CURRENCY),
            )
        )


TRADE_BILL = TradeBill()
FUND_FLOW = FundFlow()
