"""What each source of an entry is, where its page is, and by what it is proved: one finder for each kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from console.desks.payables import payable_story, payable_url
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.story import Chapter
from ledger.types import EntryData
from payments.selectors import PAYMENT_SOURCES, payment_behind, refund_story
from payouts.selectors import find_payout, payout_story
from reconciliation.selectors import (
    break_behind,
    file_behind,
    line_at_desk,
    lines_of_subjects,
    statement_behind,
)

__all__ = ["KINDS", "Evidence", "Page", "Source", "source_of"]

_PAYMENT, _FILE = "payments.view_paymentevent", "reconciliation.view_settlementfile"
_BREAK, _STATEMENT = "reconciliation.view_discrepancy", "reconciliation.view_bankstatement"
_PAYOUT, _INBOX = "payouts.view_payout", "events.view_webhookinbox"


@dataclass(frozen=True)
class Page:
    """A page, and the right that it needs."""

    says: str
    url: str
    permission: str


@dataclass(frozen=True)
class Evidence:
    """Something as it came from outside, redacted where it was stored: its text or the page that has it."""

    title: str
    permission: str
    at: datetime | None = None
    body: str = ""
    url: str = ""


@dataclass(frozen=True)
class Source:
    """What an entry was posted for: its pages, the nearest first, and what proves it."""

    says: str
    pages: tuple[Page, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def source_of(entry: EntryData) -> Source:
    """Return what an entry rests on; without pages where the kind has none, or its object is gone."""
    find = _FINDERS.get(entry.source)
    found = find(entry) if find else None
    return found or Source(_("Nothing of this console stands behind this kind of event."))


def _payment(entry: EntryData) -> Source | None:
    found = payment_behind(merchant_id=entry.merchant_id, source=entry.source, source_ref=entry.source_ref)
    if found is None:
        return None
    pages, chapters = [], list[Chapter]()
    if found.refund_id:
        name = public_id("re", found.refund_id)
        pages.append(
            Page(_("Refund %s") % name, reverse("console:refund", args=[name]), "payments.view_refund")
        )
        chapters = refund_story(merchant_id=entry.merchant_id, refund_id=found.refund_id)
    if found.dispute_id:
        name = public_id("dp", found.dispute_id)
        page = reverse("console:dispute", args=[name])
        pages.append(Page(_("Dispute %s") % name, page, "payments.view_dispute"))
    if found.checkout_id or found.top_up_id:
        url = payable_url(checkout_id=found.checkout_id, top_up_id=found.top_up_id)
        right = "payments.view_topup" if found.top_up_id else _PAYMENT
        pages.append(Page(_("The whole payment, step by step"), url, right))
        chapters = chapters or payable_story(
            merchant_id=entry.merchant_id, checkout_id=found.checkout_id, top_up_id=found.top_up_id
        )
    evidence = (*_told(chapters, _PAYMENT), *_lines(lines_of_subjects(subjects=found.subjects)))
    return Source(_("A payment of a buyer"), tuple(pages), evidence)


def _payout(entry: EntryData) -> Source | None:
    # Of what came back the books may have the sending's reference: the payout's id and a number.
    ref = entry.source_ref
    key = _key(ref) or parse_public_id(f"po_{ref.removeprefix('po').partition('-')[0]}", "po")
    payout = find_payout(payout_id=key) if key else None
    if key is None or payout is None or payout.merchant_id != entry.merchant_id:
        return None
    name = public_id("po", key)
    pages = (Page(_("Payout %s") % name, reverse("console:payout", args=[name]), _PAYOUT),)
    told = _told(payout_story(payout_id=key), _PAYOUT)
    return Source(_("A payout to a seller"), pages, (*told, *_lines(lines_of_subjects(subjects=[key]))))


def _file(entry: EntryData) -> Source | None:
    file = file_behind(merchant_id=entry.merchant_id, source_ref=entry.source_ref)
    if file is None:
        return None
    url = reverse("admin:reconciliation_settlementfile_change", args=[file.id])
    keys = {key for line in entry.lines if (key := _key(line.clearing_key or ""))}
    number = {"name": file.name, "id": file.public_id, "version": file.version}
    says = _("Settlement file %(name)s (%(id)s, version %(version)s)") % number
    proof = Evidence(_("The file as it was received, SHA-256 %s") % file.sha256, _FILE, url=url)
    lines = lines_of_subjects(subjects=keys)
    return Source(says, (Page(_("The file and its lines"), url, _FILE),), (proof, *_lines(lines)))


def _bank_line(entry: EntryData) -> Source | None:
    text = entry.source_ref.partition(":")[0]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    found = _lines([int(text)])
    pages = tuple(Page(each.title, each.url, each.permission) for each in found)
    return Source(_("A line of a bank statement"), pages, found) if found else None


def _statement(entry: EntryData) -> Source | None:
    key = statement_behind(merchant_id=entry.merchant_id, source_ref=entry.source_ref)
    if key is None:
        return None
    url = reverse("admin:reconciliation_bankstatement_change", args=[key])
    return Source(_("A bank statement"), (Page(_("The statement and its lines"), url, _STATEMENT),))


def _adjustment(entry: EntryData) -> Source | None:
    name = break_behind(merchant_id=entry.merchant_id, source_ref=entry.source_ref)
    if not name:
        return None
    url = reverse("console:break", args=[name])
    return Source(_("An adjustment that explains a break"), (Page(_("Break %s") % name, url, _BREAK),))


def _correction(entry: EntryData) -> Source | None:
    if entry.corrects is None:
        return None
    url = reverse("admin:ledger_journalentry_change", args=[entry.corrects])
    page = Page(_("Entry #%d") % entry.corrects, url, "ledger.view_journalentry")
    return Source(_("The correction of another entry"), (page,))


def _told(chapters: list[Chapter], permission: str) -> tuple[Evidence, ...]:
    """What a story has of raw evidence: what went over the line, and webhooks by their page."""
    found = []
    for chapter in chapters:
        for step in chapter.steps:
            if step.body:
                title = " ".join(part for part in (chapter.title, step.what, step.state) if part)
                found.append(Evidence(title, permission, step.at, step.body))
            elif chapter.kind == "webhook" and step.key:
                url = reverse("admin:events_webhookinbox_change", args=[step.key])
                found.append(Evidence(f"{chapter.title} {step.subject}", _INBOX, step.at, url=url))
    return tuple(found)


def _lines(ids: list[int]) -> tuple[Evidence, ...]:
    """The lines of files, each as its file has it."""
    found = []
    for line_id in ids:
        try:
            line = line_at_desk(line_id=line_id)
        except NotFound:
            continue
        title = _("Line %(number)d of %(file)s (%(source)s)") % {
            "number": line.line_no,
            "file": line.file_name,
            "source": line.source_name,
        }
        url = reverse("console:line", args=[line_id])
        found.append(Evidence(title, _BREAK, line.occurred_at, line.record, url))
    return tuple(found)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_FINDERS: Mapping[str, Callable[[EntryData], Source | None]] = {
    **dict.fromkeys(PAYMENT_SOURCES, _payment),
    "payout": _payout,
    "payout_return": _payout,
    "settlement_file": _file,
    "bank_line": _bank_line,
    "bank_statement": _statement,
    "adjustment": _adjustment,
    "correction": _correction,
}
KINDS = tuple(_FINDERS)
