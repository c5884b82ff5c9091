"""Writing a report: page by page into chunks of its file, then one short transaction that says it is done.

It happens outside of any transaction: a report of a hundred thousand lines stops nobody else. A sandbox that
is killed meanwhile begins again, because the alarm is only deleted at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.database import Database
from sandbox.psp.call import Call, Object
from sandbox.reporting import columns, lines, planting, runs, spoiling, summary
from sandbox.reporting.catalogue import TYPES, ReportType
from sandbox.reporting.lines import Line, Wanted
from sandbox.settlement import drawing

if TYPE_CHECKING:
    from sandbox.psp.api import Api

KEPT_SECONDS = 365 * 86_400


def by_clock(api: Api, account: str, target: str) -> None:
    """Write the report of a run that is pending, and tell so; what goes wrong makes the run ``failed``."""
    database = api.database
    row = database.one("SELECT body FROM object WHERE id = ? AND account = ?", (target, account))
    run: Object = {} if row is None else json.loads(row["body"])
    if run.get("status") != "pending":
        return
    now = _perform(api, account, target, _draw)
    spoiled = spoiling.of_run(database, account, run, _covered(database, run))
    late = spoiling.late_until(spoiled, now)
    if late is not None:
        _perform(api, account, target, lambda call: call.remind(due=late, kind=runs.WRITES, target=target))
        return
    if spoiling.fails(database, run, spoiled):
        _perform(api, account, target, lambda call: _fail(call, target, "The report could not be made."))
        return
    try:
        size = _store(database, target, _chunks(database, account, run))
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        _perform(api, account, target, lambda call: _fail(call, target, problem))
        raise

    def finish(call: Call) -> None:
        _finish(call, target, spoiling.truncate(database, size, run, spoiled))

    _perform(api, account, target, finish)


def _draw(call: Call) -> float:
    drawing.draw_due(call.database, call.clock)
    return call.clock


def _perform(api: Api, account: str, target: str, action: Any) -> Any:
    return api.perform(account=account, operation="clock.report_run", action=action, target=target)


def _covered(database: Database, run: Object) -> tuple[int, int]:
    """The moments that a report is about; of one payout the day on which it arrives."""
    parameters = run["parameters"]
    end = int(parameters.get("interval_end", 0))
    start = int(parameters.get("interval_start", end - spoiling.DAY))
    if "payout" in parameters:
        row = database.one(
            "SELECT json_extract(body, '$.arrival_date') AS at FROM object WHERE id = ? AND type = 'payout'",
            (parameters["payout"],),
        )
        start = 0 if row is None else int(row["at"])
        end = start + 1
    return start, end


def _store(database: Database, target: str, chunks: Iterator[str]) -> int:
    """Keep the chunks of a run's file, instead of what a killed sandbox left of it; returns its bytes."""
    database.execute("DELETE FROM file_chunk WHERE file = ?", (target,))
    size = 0
    for n, text in enumerate(chunks):
        content = text.encode()
        database.execute("INSERT INTO file_chunk (file, n, content) VALUES (?, ?, ?)", (target, n, content))
        size += len(content)
    return size


def _chunks(database: Database, account: str, run: Object) -> Iterator[str]:
    report, parameters = TYPES[run["report_type"]], run["parameters"]
    names = parameters.get("columns") or list(report.default)
    yield columns.csv_text([names])
    if report.lists == "summary":
        rows = summary.rows(
            database, account, first=parameters["interval_start"], after=parameters["interval_end"],
            currency=parameters.get("currency"),
        )  # fmt: skip
        yield columns.csv_text([row[name] for name in names] for row in rows)
        return
    zone = ZoneInfo(parameters.get("timezone", "Etc/UTC"))
    for page in _pages(database, account, report, parameters):
        yield columns.csv_text(columns.written(line, names, zone) for line in page)


def _pages(
    database: Database, account: str, report: ReportType, parameters: Object
) -> Iterator[Iterator[Line]]:
    """The lines of a report as its file shows them: with what faults make of them, late ones first."""
    first, after = parameters.get("interval_start", 0), parameters.get("interval_end", 0)
    is_daily = report.lists in ("activity", "reconciled")
    dated = planting.arrived if report.lists == "reconciled" else planting.booked
    window = (first, after) if is_daily else None
    planted = planting.plants(database, account, window=window, dated=dated)
    late = planted.late()
    if is_daily and late:
        marks = f"seq IN ({', '.join('?' * len(late))})"
        for wanted in _wanted(database, account, report, parameters, first - planting.DAY, first):
            for page in lines.pages(database, wanted.narrowed(marks, *late)):
                yield planted.seen(page)
    for wanted in _wanted(database, account, report, parameters, first, after):
        for page in lines.pages(database, wanted):
            yield planted.seen(page)


def _wanted(
    database: Database, account: str, report: ReportType, parameters: Object, first: int, after: int
) -> Iterator[Wanted]:
    """What the report lists, in order; of a reconciliation one part a payout."""
    found: list[Wanted]
    if report.lists == "activity":
        found = [lines.activity(account, first, after)]
    elif report.lists == "payouts":
        found = [lines.paid_out(account, first, after)]
    elif report.lists == "ending":
        found = [lines.open_at(account, after)]
    elif report.lists == "of_payout":
        found = [lines.settled(account, parameters["payout"])]
    else:
        arriving = lines.arriving(database, account, first, after)
        found = [lines.settled(account, payout["id"]) for payout in arriving]
    for wanted in found:
        yield wanted.chosen(parameters.get("currency"), parameters.get("reporting_category"))


def _finish(call: Call, target: str, size: int) -> None:
    run, _ = call.load("reporting.report_run", target)
    file = call.new_id("file")
    made: Object = {
        "id": file,
        "object": "file",
        "created": call.now,
        "expires_at": call.now + KEPT_SECONDS,
        "filename": f"{target}.csv",
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={file}"},
        "purpose": "finance_report_run",
        "size": size,
        "title": f"FinanceReportRun {target}",
        "type": "csv",
        "url": f"{call.base_url}/v1/files/{file}/contents",
    }
    call.insert(made, {"chunks": target})
    shown = {name: value for name, value in made.items() if name != "links"}
    run.update(status="succeeded", succeeded_at=call.now, result=shown)
    call.save(run)
    call.emit("reporting.report_run.succeeded", run)


def _fail(call: Call, target: str, problem: str) -> None:
    run, _ = call.load("reporting.report_run", target)
    run.update(status="failed", error=problem)
    call.save(run)
    call.emit("reporting.report_run.failed", run)
