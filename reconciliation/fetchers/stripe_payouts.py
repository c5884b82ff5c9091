"""What Stripe says of its automatic payouts: the totals that its settlement report does not declare.

A report of settled transactions has no trailer; the payouts that arrived in the same interval say what each
group of its lines must come to. Source: Stripe's API reference, "Payouts"; guide "Payout reconciliation".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe
from core.transactions import forbids_transaction
from reconciliation.fetchers.contract import Errand, FetchFailed, NotYet
from reconciliation.formats.contract import Control

__all__ = ["declared_payouts"]

_PAYOUTS = "/v1/payouts"
_PAGE = 100
# So many payouts of one interval are no more an account's, but a mistake in the question.
_MOST_PAGES = 50
# The money went back into the balance: the report may have the transactions, or not yet.
_UNDONE = ("failed", "canceled")


@forbids_transaction
def declared_payouts(errand: Errand, starts: int, ends: int) -> tuple[Control, ...]:
    """Return what each automatic payout that arrives from `starts` until `ends` (Unix) comes to.

    Raises NotYet while Stripe is still putting one together, and FetchFailed.
    """
    return tuple(
        _control(payout) for payout in _arriving(errand, starts, ends) if payout.get("automatic") is True
    )


def _arriving(errand: Errand, starts: int, ends: int) -> Iterator[Mapping[str, Any]]:
    asked: dict[str, Any] = {"limit": _PAGE, "arrival_date": {"gte": starts, "lt": ends}}
    for _ in range(_MOST_PAGES):
        page = _page(errand, dict(asked))
        rows = page["data"]
        yield from rows
        if page.get("has_more") is not True:
            return
        if not rows:
            raise FetchFailed("Stripe's list of payouts has an empty page and goes on")
        asked["starting_after"] = rows[-1].get("id")
    raise FetchFailed(f"Stripe lists more than {_MOST_PAGES * _PAGE} payouts of one day")


def _page(errand: Errand, asked: dict[str, Any]) -> Mapping[str, Any]:
    answer = errand.ask("payouts.list", lambda client: client.raw_request("get", _PAYOUTS, **asked))
    page = getattr(answer, "data", None)
    if not isinstance(page, Mapping) or not isinstance(page.get("data"), list):
        raise FetchFailed("Stripe's answer is no list of payouts")
    if not all(isinstance(each, Mapping) for each in page["data"]):
        raise FetchFailed("Stripe's list holds what is no payout")
    return page


def _control(payout: Mapping[str, Any]) -> Control:
    name, amount, code = payout.get("id"), payout.get("amount"), payout.get("currency")
    if not isinstance(name, str) or not name or type(amount) is not int or not isinstance(code, str):
        raise FetchFailed("Stripe's list holds a payout without id, amount or currency")
    if payout.get("reconciliation_status") == "in_progress" and payout.get("status") not in _UNDONE:
        raise NotYet(f"Stripe is still putting the payout {name} together")
    what = "batch_may_be" if payout.get("status") in _UNDONE else "batch_net"
    currency = code.upper()
    try:
        minor = from_stripe(amount, currency)
    except UnsupportedAmount as error:
        raise FetchFailed(f"the payout {name}: {error}"[:300]) from error
    return Control(what, minor, currency, name)
