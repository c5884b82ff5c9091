"""Which formats there are. A new one is a module beside this one, and a line in `FORMATS`."""

from reconciliation.formats import alipay, wechat
from reconciliation.formats.contract import Format

__all__ = ["FORMATS", "format_named"]

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        alipay.ACCOUNT_DETAIL,
        alipay.BUSINESS_DETAIL,
        wechat.FUND_FLOW,
        wechat.TRADE_BILL,
    )
}


def format_named(name: str) -> Format:
    """Return the format of this name. Raises KeyError for an unknown one."""
    return FORMATS[name]
