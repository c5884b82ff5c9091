"""Report runs and report types as the API knows them.

A run is ``pending`` until the clock lets it be written (``sandbox.reporting.writing``), a moment after it was
asked for. Data are available until the last midnight in UTC, as at the provider until the end of a day.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.psp.call import Call, Object
from sandbox.psp.currencies import CURRENCIES
from sandbox.psp.errors import invalid, missing, within
from sandbox.psp.lists import page
from sandbox.psp.params import Params
from sandbox.reporting.catalogue import CATEGORIES, TYPES, ReportType, is_column
from sandbox.timestamps import day_of, span

#: Alarm: a run is written.
WRITES = "report_run"
#: Seconds of sandbox time between asking and writing.
WAITS = 1.0
#: Since when there are data: 1 January 2020.
FIRST = 1_577_836_800


def available_end(call: Call) -> int:
    """Until when reports have data: the beginning of the current day in UTC."""
    return int(span(day_of(call.clock))[0])


def create(call: Call) -> Object:
    """``POST /v1/reporting/report_runs``: ``report_type`` and its ``parameters``."""
    name = call.params.required("report_type")
    asked = call.params.mapping("parameters") or {}
    call.params.close()
    report = TYPES.get(name)
    if report is None:
        raise invalid(f"Invalid report_type: {name}", param="report_type")
    with within("parameters"):
        parameters = _parameters(call, report, Params(asked))
    run: Object = {
        "id": call.new_id("frr"),
        "object": "reporting.report_run",
        "created": call.now,
        "error": None,
        "livemode": False,
        "parameters": parameters,
        "report_type": name,
        "result": None,
        "status": "pending",
        "succeeded_at": None,
    }
    call.insert(run)
    call.remind(due=call.clock + WAITS, kind=WRITES, target=run["id"])
    return run


def _parameters(call: Call, report: ReportType, params: Params) -> Object:
    """What a run was asked for, checked; only what was given, as the provider echoes it."""
    for name in report.needs:
        if not params.given(name):
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    found: dict[str, Any] = {"columns": params.names("columns"), "timezone": params.text("timezone")}
    for name in (*report.needs, *report.takes):
        found[name] = params.integer(name) if name.startswith("interval_") else params.text(name)
    params.close()
    _check_interval(found, available_end(call))
    for name in found["columns"] or ():
        if not is_column(report, name):
            raise invalid(f"Invalid column for {report.id}: {name}", param="columns")
    if len(set(found["columns"] or ())) != len(found["columns"] or ()):
        raise invalid("A column is asked for twice.", param="columns")
    if found["timezone"] is not None:
        _check_zone(found["timezone"])
    if found.get("currency") is not None and found["currency"] not in CURRENCIES:
        raise invalid(f"Invalid currency: {found['currency']}", param="currency")
    if found.get("reporting_category") is not None and found["reporting_category"] not in CATEGORIES:
        raise invalid(
            f"Invalid reporting_category: {found['reporting_category']}", param="reporting_category"
        )
    if found.get("payout") is not None:
        need_automatic(call, found["payout"])
    return {name: value for name, value in sorted(found.items()) if value is not None}


def _check_interval(found: dict[str, Any], end_of_data: int) -> None:
    start, end = found.get("interval_start"), found.get("interval_end")
    if start is not None and start < FIRST:
        raise invalid(f"interval_start is before {FIRST}, where data begin.", param="interval_start")
    if end is not None and end > end_of_data:
        raise invalid(f"interval_end is after {end_of_data}, where data end so far.", param="interval_end")
    if start is not None and end is not None and start >= end:
        raise invalid("interval_end must be after interval_start.", param="interval_end")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Invalid timezone: {name}", param="timezone") from None


def need_automatic(call: Call, identifier: str, *, param: str = "payout") -> Object:
    """The payout, which must be an automatic one: of others nobody knows what they are made of."""
    payout, _ = call.load("payout", identifier, param=param)
    if not payout["automatic"]:
        raise invalid("Balance transactions can only be told of automatic payouts, not of manual ones.",
                      param=param)  # fmt: skip
    return payout


def retrieve(call: Call) -> Object:
    """``GET /v1/reporting/report_runs/{id}``."""
    call.params.close()
    return call.load("reporting.report_run", call.target, param="report_run")[0]


def list_all(call: Call) -> Object:
    """``GET /v1/reporting/report_runs``."""
    return page(call, "reporting.report_run", {})


def retrieve_type(call: Call) -> Object:
    """``GET /v1/reporting/report_types/{id}``."""
    call.params.close()
    report = TYPES.get(call.target)
    if report is None:
        raise missing("reporting report type", call.target, param="report_type")
    return _shown(call, report)


def list_types(call: Call) -> Object:
    """``GET /v1/reporting/report_types``."""
    call.params.close()
    return {
        "object": "list", "data": [_shown(call, report) for report in TYPES.values()], "has_more": False,
        "url": call.path,
    }  # fmt: skip


def _shown(call: Call, report: ReportType) -> Object:
    end = available_end(call)
    return {
        "id": report.id,
        "object": "reporting.report_type",
        "data_available_end": end,
        "data_available_start": FIRST,
        "default_columns": list(report.default),
        "livemode": False,
        "name": report.name,
        "updated": end,
        "version": report.version,
    }
