"""Random arguments for any template, made from its annotations: a new template is covered by being there."""

import dataclasses
import itertools
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from ledger.templates.capture import CapturedOrder, Share, Terms, split
from ledger.templates.cover import Cover, Restored
from ledger.templates.entry import Leg, Posting

__all__ = ["CURRENCIES", "arguments", "spoiled"]

CURRENCIES = ("USD", "JPY", "KWD", "PTS")
# What may come in or go out; everything else has a side.
_SIGNED = {"gross_minor", "received_minor", "gain_minor"}
minor = st.integers(1, 10**12)
maybe = st.one_of(st.just(0), minor)
shares = st.builds(
    lambda amount, bps, tax: split(amount_minor=amount, terms=Terms(bps, 0, tax)),
    minor,
    st.integers(0, 10_000),
    st.integers(0, 3_000),
)


@st.composite
def arguments(draw: st.DrawFn, template: Callable[..., Any], *, items: int = 4) -> dict[str, Any]:
    """Return keyword arguments that the template takes, with account ids that are all different.

    Lists have one to `items` items. What the template refuses by its own rule is put right by `_CURED`.
    """
    ids = itertools.count(1)
    hints = get_type_hints(template)
    hints.pop("return")
    optional = template.__kwdefaults__ or {}
    made = {
        name: _value(draw, name, hint, ids, items, optional=name in optional) for name, hint in hints.items()
    }
    return _CURED.get(template.__name__, lambda given: given)(made)


def _value(draw: st.DrawFn, name: str, hint: Any, ids: Iterator[int], items: int, *, optional: bool) -> Any:
    if get_origin(hint) is Sequence:
        (inner,) = get_args(hint)
        count = draw(st.integers(1, items))
        return [_value(draw, name, inner, ids, items, optional=False) for _ in range(count)]
    if hint is UUID or get_origin(hint) in (Union, types.UnionType):
        return draw(st.uuids())
    if hint is object or hint is date:
        return date(2026, 3, 1)
    if hint is str:
        return draw(st.sampled_from(CURRENCIES)) if "currency" in name or name == "unit" else "file:1"
    if hint is Decimal:
        return draw(st.decimals("0.0001", "10000", places=6))
    if hint is int:
        return _integer(draw, name, ids, optional=optional)
    return _record(draw, hint, ids, items)


def _integer(draw: st.DrawFn, name: str, ids: Iterator[int], *, optional: bool) -> int:
    if name in _SIGNED:
        return draw(st.one_of(minor, minor.map(lambda positive: -positive)))
    if name.endswith(("_minor", "points")):
        return draw(maybe if optional else minor)
    if name in ("version", "dispute_round"):
        return draw(st.integers(1, 3))
    return next(ids)


def _record(draw: st.DrawFn, hint: Any, ids: Iterator[int], items: int) -> Any:
    if hint is Posting:
        return Posting(draw(st.uuids()), draw(st.sampled_from(CURRENCIES)), date(2026, 3, 1))
    if hint is Leg:
        return Leg(next(ids), draw(minor), "a payment")
    if hint is Cover:
        return draw(st.builds(Cover, maybe, maybe, maybe, minor))
    if hint is Restored:
        return draw(st.builds(Restored, maybe, minor))
    if hint is Share:
        return draw(shares)
    hints = get_type_hints(hint)
    return hint(
        **{
            field.name: _value(
                draw,
                field.name,
                hints[field.name],
                ids,
                items,
                optional=field.default is not dataclasses.MISSING,
            )
            for field in dataclasses.fields(hint)
        }
    )


def _settlement(given: dict[str, Any]) -> dict[str, Any]:
    """The header agrees with the lines; no charge is settled and refunded to exactly nothing."""
    net = sum(line.gross_minor - line.fee_minor for line in given["lines"])
    file = dataclasses.replace(given["file"], net_minor=net + given["file"].released_minor)
    return given | {"file": file}


def _points(given: dict[str, Any]) -> dict[str, Any]:
    """The orders cost what the points are worth; the unit is not that of the money."""
    worth = sum(lot.value_minor for lot in given["lots"])
    share = split(amount_minor=worth, terms=Terms(1000, 0, 2000))
    order = CapturedOrder(given["orders"][0].seller_pending_account, share)
    return _other_unit(given) | {"orders": [order]}


def _to_balance(given: dict[str, Any]) -> dict[str, Any]:
    """The seller gives what the wallets get; the unit of the points is not that of the money."""
    unit = "PTS" if given["posting"].currency != "PTS" else "BTC"
    points = [
        dataclasses.replace(each, accounts=dataclasses.replace(each.accounts, unit=unit))
        for each in given["points"]
    ]
    worth = sum(each.amount_minor for each in given["money"])
    worth += sum(lot.value_minor for each in points for lot in each.lots)
    part = dataclasses.replace(given["orders"][0].part, cover=Cover(available_minor=worth))
    order = dataclasses.replace(given["orders"][0], part=part, commission_minor=0, tax_minor=0)
    return given | {"orders": [order], "points": points}


def _other_unit(given: dict[str, Any]) -> dict[str, Any]:
    unit = "PTS" if given["posting"].currency != "PTS" else "BTC"
    return given | {"accounts": dataclasses.replace(given["accounts"], unit=unit)}


def _at_least(larger: str, smaller: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda given: given | {larger: given[larger] + given[smaller]}


def _remittance(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"fee_minor": given["fee_minor"] % sum(parcel.amount_minor for parcel in given["parcels"])}


def _one_unit(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"line": dataclasses.replace(given["line"], amount_minor=1)}


def _batch_of_more(given: dict[str, Any]) -> dict[str, Any]:
    """The bank keeps a fee, and never gives more than there was."""
    line, batch = given["line"], given["batch"]
    return given | {"batch": dataclasses.replace(batch, amount_minor=batch.amount_minor + line.amount_minor)}


def _came_and_went(given: dict[str, Any]) -> dict[str, Any]:
    return given | {
        "payment": dataclasses.replace(given["payment"], amount_minor=given["receipt"].amount_minor)
    }


def _balanced(given: dict[str, Any]) -> dict[str, Any]:
    """What comes to one place leaves another."""
    legs = given["legs"]
    other = max(leg.account_id for leg in legs) + 1
    return given | {"legs": [*legs, Leg(other, -sum(leg.amount_minor for leg in legs), "a line")]}


def _two_currencies(given: dict[str, Any]) -> dict[str, Any]:
    name = "bought_currency" if "bought_currency" in given else "settled_currency"
    return given | {name: "EUR"}


_CURED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "settlement_entries": _settlement,
    "points_spend_entry": _points,
    "balance_refund_entry": _to_balance,
    "points_grant_entry": _other_unit,
    "release_entry": _at_least("amount_minor", "reserve_minor"),
    "payout_return_credit_entry": _at_least("amount_minor", "fee_minor"),
    "conversion_entry": lambda given: _two_currencies(_at_least("mid_minor", "spread_minor")(given)),
    "position_close_entry": _two_currencies,
    "foreign_settlement_entries": _two_currencies,
    "remittance_entries": _remittance,
    "rounding_entry": _one_unit,
    "line_reassigned_entry": _balanced,
    "identified_deposit_entry": _batch_of_more,
    "returned_receipt_entry": _came_and_went,
}


def spoiled(given: Any, bad: Any) -> Iterator[Any]:
    """Yield the arguments again and again, each time with another amount in them replaced by `bad`."""
    if isinstance(given, dict):
        for name, value in given.items():
            if type(value) is int and name.endswith(("_minor", "points")):
                yield given | {name: bad}
            else:
                yield from (given | {name: other} for other in spoiled(value, bad))
    elif isinstance(given, list):
        for at, value in enumerate(given):
            yield from ([*given[:at], other, *given[at + 1 :]] for other in spoiled(value, bad))
    elif isinstance(given, Leg):
        yield from (given._replace(**other) for other in spoiled(given._asdict(), bad))
    elif dataclasses.is_dataclass(given) and not isinstance(given, type):
        fields = {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}
        yield from (dataclasses.replace(given, **other) for other in spoiled(fields, bad))
