"""What Stripe's balance summary says that the lines of another report about the same days must come to."""

from typing import BinaryIO

from reconciliation.fetchers.contract import Errand, FetchFailed
from reconciliation.formats.contract import Control, ReadOptions, Refused, Totals
from reconciliation.formats.stripe_summary import BALANCE_SUMMARY

__all__ = ["summary_controls"]


def summary_controls(errand: Errand, body: BinaryIO, scope: str) -> tuple[Control, ...]:
    """Return what the summary says of the activity, or of the payouts, by currency: the sum of net.

    Raises FetchFailed for a summary that cannot be read, or does not add up: it is asked for again.
    """
    settings, day = errand.source.settings, errand.day
    options = ReadOptions(
        name=f"balance summary of {day.day}",
        encoding="utf-8",
        time_zone=settings.time_zone,
        asked_from=day.first,
        asked_to=day.day,
    )
    try:
        totals = [each for each in BALANCE_SUMMARY.read(body, options) if isinstance(each, Totals)]
    except Refused as error:
        raise FetchFailed(f"Stripe's balance summary: {error}"[:300]) from error
    return tuple(
        # These lines are all of them: what is declared is declared of this file.
        Control(each.what, each.value, each.currency)
        for total in totals
        for each in total.controls
        if each.scope == scope
    )
