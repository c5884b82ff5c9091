"""The last step down from a number: what an entry was posted for, and what proves it."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.frame import require, show
from console.sources.registry import Evidence, source_of
from core.admin_display import amount
from ledger.errors import EntryUnknown
from ledger.selectors import get_entry
from ledger.types import EntryData

__all__ = ["source_page"]

_SEE = "ledger.view_journalentry"


def source_page(request: HttpRequest, merchant_id: UUID, entry_id: int) -> HttpResponse:
    """Show what an entry rests on: pages and evidence that this person may see, and how much is not shown."""
    require(request, _SEE)
    try:
        entry = get_entry(merchant_id=merchant_id, entry_id=entry_id)
    except EntryUnknown as error:
        raise Http404 from error
    source = source_of(entry)
    may = request.user.has_perm
    shown = [each for each in source.evidence if may(each.permission)]
    context = {
        "entry": entry,
        "entry_url": reverse("admin:ledger_journalentry_change", args=[entry_id]),
        "entries_url": reverse("admin:ledger_journalentry_changelist"),
        "totals": _totals(entry),
        "says": source.says,
        "pages": [each for each in source.pages if may(each.permission)],
        "evidence": [_row(each) for each in shown],
        "hidden": len(source.evidence) - len(shown),
    }
    title = _("What entry #%d was posted for") % entry_id
    return show(request, "console/entry_source.html", title, context)


def _totals(entry: EntryData) -> list[str]:
    """The sum of the debits in each currency, which is that of the credits."""
    found: dict[str, int] = {}
    for line in entry.lines:
        found[line.currency] = found.get(line.currency, 0) + line.debit_minor
    return [amount(minor, currency) for currency, minor in sorted(found.items())]


def _row(each: Evidence) -> dict[str, Any]:
    return {"title": each.title, "at": each.at, "body": each.body, "url": each.url}
