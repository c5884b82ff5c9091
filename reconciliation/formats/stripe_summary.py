"""Stripe's balance summary: what the balance was, what moved it, and what it is, by currency.

It has no lines. Its figures are control totals of the other reports about the same days: `activity` is the
sum of `net` in the report of the activity, `payouts` in that of the payouts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from reconciliation.formats.amounts import minor_units
from reconciliation.formats.contract import Control, Item, ReadOptions, Refused, Totals
from reconciliation.formats.delimited import header, records, table
from reconciliation.formats.periods import asked_document

__all__ = ["BALANCE_SUMMARY", "StripeSummary"]

# What has parts in newer reports (activity_gross, activity_fee, …) is given as a whole as well.
_FIGURES = ("starting_balance", "activity", "payouts", "ending_balance")
_PARTS = frozenset({"activity_gross", "activity_fee", "payouts_gross", "payouts_fee"})


class _Figure(NamedTuple):
    minor: int
    line_no: int


@dataclass
class StripeSummary:
    """The report balance.summary.1. It is refused where start, activity and payouts do not make the end."""

    name: str = "stripe.balance_summary"
    title: str = "Stripe balance summary (balance.summary.1): control totals of the other reports"
    kind: str = "psp"
    encodings: tuple[str, ...] = ("utf-8",)
    suffixes: tuple[str, ...] = (".csv",)

    def read(self, body: BinaryIO, options: ReadOptions) -> Iterator[Item]:
        """Yield the document of the asked days, no line, and the controls. Raises Refused.

        A control's `scope` says which report's lines it counts: activity or payouts. `net` of the payouts is
        negative where money was paid out, whichever sign the report gives it.
        """
        yield asked_document(options)
        controls: list[Control] = []
        for currency, figures in sorted(_figures(body, options).items()):
            activity, payouts = _moved(currency, figures)
            for scope, figure in (("activity", activity), ("payouts", payouts)):
                controls.append(Control("net", figure.minor, currency, scope, figure.line_no))
        yield Totals(controls=tuple(controls))


def _figures(body: BinaryIO, options: ReadOptions) -> dict[str, dict[str, _Figure]]:
    found: dict[str, dict[str, _Figure]] = {}
    rows = records(body, encoding=options.encoding)
    for line_no, (category, text, code), _ in table(
        rows, header(rows), ("category", "net_amount", "currency")
    ):
        currency = code.upper()
        minor = minor_units(text, currency, line_no)
        if category in _PARTS:
            continue
        if category not in _FIGURES:
            raise Refused("category_unknown", f"{category[:40]!r} is no part of a balance summary", line_no)
        of_currency = found.setdefault(currency, {})
        if category in of_currency:
            raise Refused("category_twice", f"{category} of {currency} is there twice", line_no)
        of_currency[category] = _Figure(minor, line_no)
    return found


def _moved(currency: str, figures: dict[str, _Figure]) -> tuple[_Figure, _Figure]:
    """What the activity and the payouts moved. A summary without all four figures was cut off."""
    missing = [name for name in _FIGURES if name not in figures]
    if missing:
        raise Refused("truncated", f"{', '.join(missing)} of {currency} is missing")
    start, activity, payouts, end = (figures[name] for name in _FIGURES)
    for sign in (1, -1):
        if start.minor + activity.minor + sign * payouts.minor == end.minor:
            return activity, payouts._replace(minor=sign * payouts.minor)
    raise Refused(
        "balance_does_not_add_up",
        f"start, activity and payouts of {currency} do not make its end",
        end.line_no,
    )


BALANCE_SUMMARY = StripeSummary()
