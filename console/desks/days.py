"""The desk of days: what a day came to, what stands in the way of closing it, and who signs."""

import re
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.acting import ReasonForm, act
from console.frame import actor, require, show
from console.numbers import number_url
from core.admin_display import name_people, person, state
from core.approvals import at_decision_edge
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.transactions import at_edge
from merchants.selectors import get_merchant, list_merchants
from merchants.types import MerchantData
from reconciliation.selectors import (
    Section,
    day_at_desk,
    days_at_desk,
    find_day,
    next_day,
    report_csv,
    report_pdf,
    report_sections,
)
from reconciliation.services import excuse_file, prepare_day, reopen_day, sign_day
from reconciliation.types import DayAtDesk, DayData, Obstacle

__all__ = ["csv_file", "day_page", "days", "pdf_file"]

_SEE = "reconciliation.view_dayclose"
_PREPARE, _SIGN = "reconciliation.change_dayclose", "reconciliation.approve_dayclose"
_BOOKS = "ledger.view_account"
_NEEDS = {"prepare": _PREPARE, "reopen": _PREPARE, "excuse": _PREPARE, "sign": _SIGN}
_DONE = {
    "prepare": gettext_lazy("The figures stand. A second person is asked to sign them."),
    "reopen": gettext_lazy("The day is open again."),
    "excuse": gettext_lazy("The day can be closed without this file; the report says why."),
    "sign": gettext_lazy("The day is closed. It does not change any more."),
}
_LOOKS = {"OPEN": "neutral", "PREPARED": "waiting", "CLOSED": "done"}
_PAGE = 31
_ACTOR = re.compile(r"user:[0-9a-f-]{36}")
# A cell up to this long is never broken.
_UNBROKEN = 24
# Where what stands in the way is dealt with, by its code: a page, and what it is asked: the name of the
# parameter that is the subject, or the whole query.
_PLACES = {
    "file_missing": ("admin:reconciliation_settlementfile_changelist", ""),
    "file_unread": ("admin:reconciliation_settlementfile_changelist", "q"),
    "file_provisional": ("admin:reconciliation_settlementfile_changelist", "q"),
    "run_failed": ("admin:reconciliation_settlementfile_changelist", "q"),
    "run_unfinished": ("admin:reconciliation_settlementfile_changelist", "q"),
    "statement_held": ("admin:reconciliation_bankstatement_changelist", ""),
    "bank_differs": ("admin:reconciliation_bankstatement_changelist", ""),
    "clearing_unexplained": ("console:breaks", "queue=all"),
    "out_of_balance": ("admin:ledger_account_trial-balance", ""),
    "audit_violated": ("admin:core_auditrun_latest", ""),
    "audit_failed": ("admin:core_auditrun_latest", ""),
}


def days(request: HttpRequest) -> HttpResponse:
    """List the days of a merchant, the newest first."""
    require(request, _SEE)
    merchants = list_merchants()
    wanted = request.GET.get("merchant", "")
    chosen = next((each for each in merchants if public_id("mer", each.id) == wanted), None)
    if chosen is None and merchants and not wanted:
        chosen = merchants[0]
    before = _date(request.GET["before"]) if "before" in request.GET else None
    rows = days_at_desk(merchant_id=chosen.id, limit=_PAGE + 1, before=before) if chosen else []
    shown = rows[:_PAGE]
    named = [_Named(each) for each in shown]
    name_people(named, ("prepared_by", "closed_by"))
    context = {
        "merchants": [
            {"key": public_id("mer", each.id), "name": each.name, "mode": each.mode} for each in merchants
        ],
        "chosen": public_id("mer", chosen.id) if chosen else "",
        "rows": [_row(each, chosen) for each in named] if chosen else [],
        "next": next_day(merchant_id=chosen.id) if chosen else None,
        "is_earlier": before is not None,
        "sources_url": reverse("admin:reconciliation_settlementsource_changelist")
        if request.user.has_perm("reconciliation.view_settlementsource")
        else "",
        "older": shown[-1].day.isoformat() if len(rows) > _PAGE else "",
    }
    return show(request, "console/days.html", _("Close the day"), context)


def day_page(request: HttpRequest, merchant: str, day: str) -> HttpResponse:
    """Show one day; a POST calls the service behind the button."""
    require(request, _SEE)
    whose, when = _whose(merchant), _date(day)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        answer = act(
            request,
            form,
            needs=_NEEDS,
            done=_DONE,
            run=lambda what, said: _run(request, what, whose.id, when, said["reason"]),
            back=reverse("console:day", args=[merchant, day]),
        )
        if answer is not None:
            return answer
    found = day_at_desk(merchant_id=whose.id, day=when)
    status = 422 if form.errors else 200
    title = _("Close of %(day)s") % {"day": when.isoformat()}
    return show(request, "console/day.html", title, _context(request, whose, found, form), status=status)


def csv_file(request: HttpRequest, merchant: str, day: str) -> StreamingHttpResponse:
    """Hand out the report of a prepared or closed day as CSV."""
    whose, close = _kept(request, merchant, day)
    answer = StreamingHttpResponse(
        report_csv(close, merchant=whose.name), content_type="text/csv; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="close-{close.day}.csv"'
    return answer


def pdf_file(request: HttpRequest, merchant: str, day: str) -> HttpResponse:
    """Hand out the report of a prepared or closed day as PDF."""
    whose, close = _kept(request, merchant, day)
    named = _Named(close)
    name_people([named], ("prepared_by", "closed_by"))
    content = report_pdf(
        close,
        merchant=whose.name,
        mode=whose.mode,
        prepared_by=_plain(named, close.prepared_by),
        signed_by=_plain(named, close.closed_by),
    )
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="close-{close.day}.pdf"'
    return answer


class _Named:
    """A day, as the console names people on it."""

    def __init__(self, close: DayData) -> None:
        self.close = close
        self.prepared_by, self.closed_by = close.prepared_by, close.closed_by
        self.console_names: dict[str, str] = {}


def _plain(named: _Named, who: str) -> str:
    name = named.console_names.get(who)
    return f"{name} ({who})" if name else who


def _run(request: HttpRequest, what: str, merchant_id: UUID, day: date, reason: str) -> str:
    by = actor(request)
    if what == "prepare":
        at_edge(prepare_day)(merchant_id=merchant_id, day=day, maker=by)
    elif what == "sign":
        at_decision_edge(sign_day)(
            merchant_id=merchant_id, day=day, digest=request.POST.get("digest", ""), checker=by
        )
    elif what == "reopen":
        at_edge(reopen_day)(merchant_id=merchant_id, day=day, by=by, reason=reason)
    else:
        source = request.POST.get("source", "")
        at_edge(excuse_file)(merchant_id=merchant_id, source_name=source, day=day, by=by, reason=reason)
    return what


def _context(request: HttpRequest, whose: MerchantData, found: DayAtDesk, form: ReasonForm) -> dict[str, Any]:
    close, user, me = found.close, request.user, actor(request)
    named = _Named(close)
    name_people([named], ("prepared_by", "closed_by"))
    return {
        "form": form,
        "merchant": public_id("mer", whose.id),
        "whose": whose,
        "day": close.day,
        "key": close.day.isoformat(),
        "status": state(close.status, _LOOKS[close.status]),
        "is_open": close.status == "OPEN",
        "is_prepared": close.status == "PREPARED",
        "is_closed": close.status == "CLOSED",
        "is_next": found.is_next,
        "is_mine": close.prepared_by == me,
        "digest": close.digest,
        "prepared_by": person(named, close.prepared_by),
        "prepared_at": close.prepared_at,
        "closed_by": person(named, close.closed_by),
        "closed_at": close.closed_at,
        "obstacles": [_obstacle(each) for each in found.obstacles],
        # What is late gets its break when the day is prepared.
        "is_blocked": any(each.code != "clearing_unexplained" for each in found.obstacles),
        "missing": sorted({each.subject for each in found.obstacles if each.code == "file_missing"}),
        "notices": [_notice(each, public_id("mer", whose.id)) for each in found.notices],
        "sections": _sections(request, found, whose.id),
        "may": {"prepare": user.has_perm(_PREPARE), "sign": user.has_perm(_SIGN)},
    }


def _obstacle(each: Obstacle) -> dict[str, str]:
    if each.code == "break_unassigned":
        return {"says": each.says, "link": reverse("console:break", args=[each.subject])}
    page, asked = _PLACES.get(each.code, ("", ""))
    link = reverse(page) if page else ""
    query = asked if "=" in asked else urlencode({asked: each.subject})
    return {"says": each.says, "link": f"{link}?{query}" if link and asked else link}


def _notice(each: Obstacle, merchant: str) -> dict[str, str]:
    """What should be known, with the breaks that it is about."""
    narrowed = {"breaks_open": {}, "proposals_waiting": {"status": "PROPOSED"}}.get(each.code)
    if narrowed is None:
        return {"says": each.says, "link": ""}
    query = urlencode({"queue": "all", "merchant": merchant, **narrowed})
    return {"says": each.says, "link": f"{reverse('console:breaks')}?{query}"}


def _named_sections(sections: list[Section]) -> list[dict[str, Any]]:
    """The report as it is read on the page: people by their names."""
    shown = [_section(each) for each in sections]
    cells = [cell for section in shown for row in section["rows"] for cell in row]
    people = [_Person(who) for who in {who for cell in cells for who in _ACTOR.findall(cell["text"])}]
    name_people(people, ("actor",))
    for cell in cells:
        for each in people:
            name = each.console_names.get(each.actor)
            if name:
                cell["text"] = cell["text"].replace(each.actor, name)
    return shown


def _sections(request: HttpRequest, found: DayAtDesk, merchant_id: UUID) -> list[dict[str, Any]]:
    sections = _named_sections(report_sections(found.figures))
    if not request.user.has_perm(_BOOKS):
        return sections
    return _linked(sections, found.figures, merchant_id, found.close.day)


def _linked(
    sections: list[dict[str, Any]], figures: Any, merchant_id: UUID, day: date
) -> list[dict[str, Any]]:
    """Give each row that is about accounts the page of what it is made of, by the end of the day."""
    books = figures["books"]
    places = {
        "providers": [each for source in books["sources"] for each in source.get("positions", ())],
        "trial": books["positions"],
        "clearing": books["clearing"],
    }
    for section in sections:
        for row, each in zip(section["rows"], places.get(section["name"], ()), strict=False):
            row[0]["url"] = number_url(
                roles=[each["role"]],
                currency=each["currency"],
                side="balance",
                merchant_id=merchant_id,
                provider=each["provider"],
                day=day.isoformat(),
            )
    return sections


class _Person:
    """Somebody whom a report mentions."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.console_names: dict[str, str] = {}


def _section(section: Section) -> dict[str, Any]:
    table = section.table
    return {
        "name": section.name,
        "title": section.title,
        "note": section.note,
        "empty": section.empty,
        "columns": [
            {"name": name, "is_number": place in table.numbers} for place, name in enumerate(table.columns)
        ],
        "rows": [
            [
                {
                    "text": cell,
                    "label": table.columns[place],
                    "is_number": place in table.numbers,
                    "is_short": len(cell) <= _UNBROKEN,
                }
                for place, cell in enumerate(row)
            ]
            for row in table.rows
        ],
    }


def _row(named: _Named, chosen: MerchantData) -> dict[str, Any]:
    close = named.close
    return {
        "day": close.day,
        "link": reverse("console:day", args=[public_id("mer", chosen.id), close.day.isoformat()]),
        "status": state(close.status, _LOOKS[close.status]),
        "prepared": person(named, close.prepared_by) if close.prepared_at else "",
        "closed": person(named, close.closed_by) if close.closed_at else "",
        "closed_at": close.closed_at,
        "digest": close.digest[:12],
    }


def _kept(request: HttpRequest, merchant: str, day: str) -> tuple[MerchantData, DayData]:
    """A day that has figures. Raises Http404 for one that has none yet."""
    require(request, _SEE)
    whose = _whose(merchant)
    close = find_day(merchant_id=whose.id, day=_date(day))
    if close is None or close.status == "OPEN":
        raise Http404
    return whose, close


def _whose(reference: str) -> MerchantData:
    key = parse_public_id(reference, "mer")
    if key is None:
        raise Http404
    try:
        return get_merchant(merchant_id=key)
    except NotFound as error:
        raise Http404 from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error
