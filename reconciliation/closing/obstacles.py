"""What stands in the way of closing a day, and what who signs it should know."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.audits import VIOLATED
from core.ids import public_id
from core.money import format_minor
from reconciliation.closing.sources import excuses_of, files_of, is_expected, sources_of
from reconciliation.closing.types import Obstacle
from reconciliation.internal.checks import audits_of_checks, internal_checks
from reconciliation.internal.clearing import late_keys
from reconciliation.models import (
    BankStatement,
    DayExcuse,
    Discrepancy,
    ReconciliationRun,
    SettlementFile,
    SettlementSource,
)
from reconciliation.states import FILE_LIVE, FILE_OPEN

__all__ = ["notices_of", "obstacles_of"]

# The audits run every few minutes; who signs should not rely on a verdict of yesterday.
_OLD = timedelta(hours=24)


def obstacles_of(*, merchant_id: UUID, day: date, books: Mapping[str, Any]) -> list[Obstacle]:
    """Return what must be dealt with before a day is closed; `books` are its figures."""
    return [
        *_of_files(merchant_id, day),
        *_of_statements(merchant_id, day),
        *_of_banks(merchant_id, day, books),
        *_of_books(books),
        *_of_clearing(merchant_id, day),
        *_of_breaks(merchant_id, day),
        *_of_audits(),
    ]


def _of_files(merchant_id: UUID, day: date) -> Iterator[Obstacle]:
    excuses = excuses_of(merchant_id=merchant_id, day=day)
    for source in sources_of(merchant_id=merchant_id, day=day):
        files = files_of(source, day)
        live = [each for each in files if each.status in FILE_LIVE]
        yield from _unfinished(source, files)
        if not live and is_expected(source, day) and source.pk not in excuses:
            refused = any(each.status == "REFUSED" for each in files)
            why = "the one that came was refused" if refused else "it has not come"
            yield Obstacle("file_missing", f"{source.name} has no file about {day}: {why}.", source.name)


def _unfinished(source: SettlementSource, files: Sequence[SettlementFile]) -> Iterator[Obstacle]:
    runs = {
        run.file_id: run.status
        for run in ReconciliationRun.objects.filter(file_id__in=[each.pk for each in files])
    }
    for each in files:
        name, subject = f"{source.name}: {each.name}", each.public_id
        status = runs.get(each.pk, "DONE")
        if each.status in FILE_OPEN:
            yield Obstacle("file_unread", f"{name} is still being read.", subject)
        elif each.status == "PROVISIONAL":
            yield Obstacle("file_provisional", f"{name} is not final: its period was not over.", subject)
        elif each.status == "PUBLISHED" and status == "FAILED":
            yield Obstacle("run_failed", f"{name} could not be matched and posted.", subject)
        elif each.status == "PUBLISHED" and status != "DONE":
            yield Obstacle("run_unfinished", f"{name} is not matched and posted yet.", subject)


def _of_statements(merchant_id: UUID, day: date) -> Iterator[Obstacle]:
    rows = BankStatement.objects.filter(merchant_id=merchant_id, status="HELD", period_from__lte=day)
    for row in rows.order_by("period_from", "pk"):
        yield Obstacle(
            "statement_held",
            f"The statement {row.document} of {row.account} does not count yet: {row.held_because}.",
            public_id("stl", row.file_id),
        )


def _of_banks(merchant_id: UUID, day: date, books: Mapping[str, Any]) -> Iterator[Obstacle]:
    """A bank account that the books see otherwise, unless somebody deals with a break about it."""
    owned = set(
        Discrepancy.objects.filter(merchant_id=merchant_id, source__kind="bank", business_date__lte=day)
        .exclude(status="RESOLVED")
        .exclude(owner="")
        .values_list("source__name", flat=True)
    )
    for source in books["sources"]:
        for account in source.get("accounts", ()):
            if account["difference_minor"] == "0" or source["name"] in owned:
                continue
            amount = format_minor(int(account["difference_minor"]), account["currency"])
            yield Obstacle(
                "bank_differs",
                f"{source['name']}: the statement says {amount} {account['currency']} more than the books,"
                " and nobody deals with it.",
                source["name"],
            )


def _of_books(books: Mapping[str, Any]) -> Iterator[Obstacle]:
    for each in books["totals"]:
        if each["debit_minor"] != each["credit_minor"] or each["day_debit_minor"] != each["day_credit_minor"]:
            yield Obstacle("out_of_balance", f"The books do not balance in {each['currency']}.")


def _of_clearing(merchant_id: UUID, day: date) -> Iterator[Obstacle]:
    """Keys that were late on the day and are not zero yet must be in a break."""
    late_now = {(each.key.account_id, each.key.clearing_key) for each in late_keys(merchant_id=merchant_id)}
    for each in late_keys(merchant_id=merchant_id, as_of=day):
        key = each.key
        if each.break_id is None and (key.account_id, key.clearing_key) in late_now:
            amount = format_minor(abs(key.balance_minor), key.currency)
            yield Obstacle(
                "clearing_unexplained",
                f"{amount} {key.currency} of {key.clearing_key} in {key.role} is late and in no break yet:"
                " preparing the day opens one.",
                key.clearing_key,
            )


def _of_breaks(merchant_id: UUID, day: date) -> Iterator[Obstacle]:
    """Of category C nobody knows what they are: somebody must have taken each on."""
    rows = Discrepancy.objects.filter(
        merchant_id=merchant_id, category="C", status="OPEN", business_date__lte=day
    )
    for row in rows.order_by("-amount_minor", "pk"):
        yield Obstacle("break_unassigned", f"Nobody looks into: {row.summary}.", row.public_id)


def _of_audits() -> Iterator[Obstacle]:
    belongs = audits_of_checks()
    for check in internal_checks():
        for each in check.bad:
            what = "is violated" if each.verdict == VIOLATED else "could not be examined"
            yield Obstacle(
                "audit_violated" if each.verdict == VIOLATED else "audit_failed",
                f"{belongs[each.name].capitalize()}: {each.name} {what}. {each.says}",
                each.name,
            )


def notices_of(*, merchant_id: UUID, day: date, now: datetime) -> list[Obstacle]:
    """Return what does not stand in the way, and should be known to who signs."""
    found = [
        Obstacle("file_excused", f"{row.source.name} has no file about {day}: {row.reason}", row.source.name)
        for row in DayExcuse.objects.filter(merchant_id=merchant_id, day=day).select_related("source")
    ]
    rows = Discrepancy.objects.filter(merchant_id=merchant_id, business_date__lte=day)
    still_open = rows.exclude(status="RESOLVED").count()
    if still_open:
        found.append(Obstacle("breaks_open", f"Breaks open up to this day: {still_open}."))
    waiting = rows.filter(status="PROPOSED").count()
    if waiting:
        found.append(Obstacle("proposals_waiting", f"Proposals that wait for a second person: {waiting}."))
    old = [each.name for each in internal_checks() if each.is_older_than(_OLD, now=now)]
    if old:
        found.append(
            Obstacle("audits_old", f"Not examined since yesterday or never: {', '.join(sorted(old))}.")
        )
    return found
