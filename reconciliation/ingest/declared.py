"""What the provider says of a file elsewhere, held against its lines: payouts, and what the activity came to.

Such a figure is no part of the file, so that either side may be wrong, and neither can be asked twice in one
breath. A report that was cut exactly between two lines has the very bytes of one in which the provider forgot
the last lines: no reader can tell them apart, and no wrong line may keep a file out for ever. So:

* a payout that has no line at all refuses the file (`batch_missing`): a whole group is gone, it was cut. It
  is fetched again; a person who knows better lets it be read again, and then it contradicts like others;
* a figure that is another one is a contradiction. The file is PROVISIONAL: shown, matched to nothing, fetched
  again. When the provider says the same a second time, it is what the provider says: the file counts, and
  every contradiction is a break (BATCH_TOTAL_MISMATCH, BALANCE_MISMATCH). A download that says something else
  takes its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.formats.contract import Control, Refused
from reconciliation.ingest.counting import Counted, paid_nets

__all__ = ["BATCH_MISSING", "as_declared", "contradictions", "doubted"]

BATCH_MISSING = "batch_missing"
_DOUBTED = "is_doubted"


def as_declared(controls: Iterable[Control]) -> list[dict[str, Any]]:
    """Return the figures as they are kept with the file."""
    return [
        {"what": each.what, "value": each.value, "currency": each.currency, "scope": each.scope}
        for each in controls
    ]


def doubted(declared: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures marked as doubted by a person: what is missing is a contradiction, no refusal."""
    return [{**each, _DOUBTED: True} for each in declared]


@requires_transaction
def contradictions(
    number: int, declared: Sequence[Mapping[str, Any]], counted: Mapping[str, Counted]
) -> list[dict[str, Any]]:
    """Return each figure that is another one in the lines of a staged file, with both values.

    Where payouts are declared, a batch that is none of them is one as well. Raises Refused: `batch_missing`.
    """
    paid = paid_nets(number) if any(_is_batch(each) for each in declared) else {}
    found = [each for figure in declared if (each := _compare(figure, paid, counted))]
    known = {(each["scope"], each["currency"]) for each in declared if _is_batch(each)}
    beyond = sorted(set(paid) - known) if known else []
    return found + [
        {"what": "batch_net", "scope": batch, "currency": currency, "declared": 0, "counted": paid[key]}
        for key in beyond
        for batch, currency in (key,)
    ]


def _compare(
    figure: Mapping[str, Any], paid: Mapping[tuple[str, str], int], counted: Mapping[str, Counted]
) -> dict[str, Any] | None:
    what, currency, scope, value = (figure[name] for name in ("what", "currency", "scope", "value"))
    if _is_batch(figure):
        net = paid.get((scope, currency))
        if net is None and what == "batch_may_be":
            return None
        if net is None and not figure.get(_DOUBTED):
            amount = f"{format_minor(value, currency)} {currency}"
            raise Refused(BATCH_MISSING, f"the provider paid out {amount} as {scope}, and no line is of it")
    else:
        net = counted[currency].figures[what] if currency in counted else 0
    if net == value:
        return None
    return {"what": what, "scope": scope, "currency": currency, "declared": value, "counted": net or 0}


def _is_batch(figure: Mapping[str, Any]) -> bool:
    return str(figure["what"]).startswith("batch_")
