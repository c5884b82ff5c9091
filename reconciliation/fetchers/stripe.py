"""Stripe's reports: a report run is asked for, waited for, and its file is downloaded.

A report run has no effect on money, so that a second one does no harm; but its key is kept before it is asked
for, so that a start after a crash joins the run that is being written instead of ordering another one.
Sources: Stripe's API reference, "Report Runs" and "Report Types"; reports "Payout reconciliation".
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from channels.types import ChannelData
from core.canonical import digest
from core.failpoints import failpoint
from core.transactions import forbids_transaction
from reconciliation.fetchers.contract import Errand, Fetched, FetchFailed, NotYet
from reconciliation.fetchers.stripe_payouts import declared_payouts
from reconciliation.formats.contract import Control
from reconciliation.sources.types import SourceSettings

__all__ = ["REPORTS", "StripeReports"]

# So long a run is waited for here; then at the next opportunity.
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.5
_RUNS = "/v1/reporting/report_runs"


@dataclass(frozen=True)
class _Report:
    """The type of a report, and the columns that its reader knows by name."""

    type: str
    columns: tuple[str, ...]


# What we put into the metadata of what is ours: references that lines are matched by.
_OURS = ("payment_metadata[charge_id]", "refund_metadata[refund_id]", "transfer_metadata[payout_reference]")
_MONEY = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category", "description")
_ITEMIZED = (
    *("created_utc", "created", "available_on_utc", "source_id"),
    *_MONEY,
    *("customer_facing_amount", "customer_facing_currency", "charge_id", "payment_intent_id"),
    *("automatic_payout_id", "automatic_payout_effective_at_utc"),
    *_OURS,
)
_PAYOUTS = ("payout_id", "effective_at_utc", "effective_at", *_MONEY, "payout_status", "trace_id")
REPORTS: Mapping[str, _Report] = {
    "stripe.payout_reconciliation": _Report("payout_reconciliation.itemized.5", _ITEMIZED),
    "stripe.balance_activity": _Report("balance_change_from_activity.itemized.3", _ITEMIZED),
    "stripe.payouts": _Report("payouts.itemized.3", _PAYOUTS),
}
"""By the name of the format."""


class StripeReports:
    """Reports of a channel with the provider `stripe`."""

    name, title = "stripe", "Stripe's reports"

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """It takes a channel of Stripe's, and a format that is a report."""
        if channel is None or channel.provider != "stripe":
            return "Reports are asked for over a channel to Stripe."
        if settings.format not in REPORTS:
            return f"Stripe has reports for {', '.join(REPORTS)}."
        return ""

    @forbids_transaction
    def fetch(self, errand: Errand) -> Sequence[Fetched]:
        """Order the report of the day, or join the order that was given; bring its file."""
        number = int(errand.kept.get("number", 1))
        run_id = errand.kept.get("run") or self._order(errand, number)
        run = self._wait(errand, run_id)
        after = {"number": number + 1}
        if run.get("status") != "succeeded":
            errand.keep(after)
            why = str(run.get("error") or run.get("status"))[:300]
            raise FetchFailed(f"Stripe could not write the report: {why}")
        fetched = self._file(errand, run)
        errand.keep(after)
        return [fetched]

    def _order(self, errand: Errand, number: int) -> str:
        report = REPORTS[errand.source.settings.format]
        starts, ends = _interval(errand)
        asked = {
            "interval_start": starts,
            "interval_end": ends,
            "timezone": errand.source.settings.time_zone,
            "columns": list(report.columns),
        }
        # Another question has another key: Stripe refuses one that comes with other parameters.
        key = f"report:{errand.source.id}:{errand.day.day}:{number}:{digest(asked).hex()[:8]}"
        kept = {"number": number, "key": key}
        if errand.kept.get("key") != key:
            self._check_available(errand, report, ends)
            errand.keep(kept)
        made = errand.ask(
            "report.order",
            lambda client: client.raw_request(
                "post",
                _RUNS,
                report_type=report.type,
                parameters=asked,
                idempotency_key=key,
            ),
        )
        run_id = str(_read(made)["id"])
        failpoint("settlement_days.ordered")
        errand.keep({**kept, "run": run_id})
        return run_id

    def _check_available(self, errand: Errand, report: _Report, ends: int) -> None:
        """Ask how far the provider's own books have come: a report beyond would be silently short."""
        found = _read(
            errand.ask(
                "report.type",
                lambda client: client.raw_request("get", f"/v1/reporting/report_types/{report.type}"),
            )
        )
        through = found.get("data_available_end")
        if not isinstance(through, int):
            raise FetchFailed("Stripe does not say until when it has data")
        if through < ends:
            raise NotYet(f"Stripe has data until {datetime.fromtimestamp(through, UTC):%Y-%m-%d %H:%M} UTC")

    def _wait(self, errand: Errand, run_id: str) -> Mapping[str, Any]:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = _read(
                errand.ask("report.look", lambda client: client.raw_request("get", f"{_RUNS}/{run_id}"))
            )
            if found.get("status") != "pending":
                return found
            if time.monotonic() + _PAUSE_SECONDS > ends:
                raise NotYet(f"Stripe is writing the report {run_id}", is_under_way=True)
            time.sleep(_PAUSE_SECONDS)

    def _file(self, errand: Errand, run: Mapping[str, Any]) -> Fetched:
        result = run.get("result")
        if not isinstance(result, Mapping) or not isinstance(result.get("url"), str):
            raise FetchFailed("the report is written and has no file")
        body = TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
        try:
            status = errand.download("report.file", result["url"], body)
            if status != 200:
                raise FetchFailed(f"Stripe answered {status} for the file of the report")
            if isinstance(result.get("size"), int) and body.tell() != result["size"]:
                raise FetchFailed(f"the file has {body.tell()} bytes of {result['size']}")
            body.seek(0)
            declared = self._declared(errand)
        except BaseException:
            body.close()
            raise
        day = errand.day
        name = f"{REPORTS[errand.source.settings.format].type}-{day.day}-{run['id']}.csv"
        return Fetched(name, body, asked_from=day.first, asked_to=day.day, declared=declared)

    def _declared(self, errand: Errand) -> tuple[Control, ...]:
        """Ask what the lines must come to, where the report itself does not say: of settled ones it can."""
        if errand.source.settings.format != "stripe.payout_reconciliation":
            return ()
        return declared_payouts(errand, *_interval(errand))


def _interval(errand: Errand) -> tuple[int, int]:
    """From the first second of the first day to that of the day after the last one, in the zone."""
    zone = ZoneInfo(errand.source.settings.time_zone)
    return _begin(errand.day.first, zone), int(errand.day.over_at.timestamp())


def _begin(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time_of_day.min, tzinfo=zone).timestamp())


def _read(answer: Any) -> Mapping[str, Any]:
    data = getattr(answer, "data", None)
    if not isinstance(data, Mapping):
        raise FetchFailed("Stripe's answer is no object")
    return data
