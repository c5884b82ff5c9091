"""What a day owes to each source: its files, the sums that they say, and what the books have of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q

from core.ids import public_id
from ledger.types import DayPosition
from payouts.selectors import is_business_day
from reconciliation.models import BankStatement, DayExcuse, SettlementFile, SettlementSource
from reconciliation.states import FILE_LIVE

__all__ = ["excuses_of", "files_of", "is_expected", "quiet_files", "source_figures", "sources_of"]

_PSP_ROLES = ("psp_clearing", "psp_settlement_in_transit", "psp_reserve_held")


def sources_of(*, merchant_id: Any, day: date) -> list[SettlementSource]:
    """Return a merchant's sources that a day is about: those in use since then, by name."""
    rows = SettlementSource.objects.filter(merchant_id=merchant_id, begins_on__lte=day, is_enabled=True)
    return list(rows.order_by("name"))


def is_expected(source: SettlementSource, day: date) -> bool:
    """Say whether a file about the day is expected: on business days of the source."""
    return day >= source.begins_on and is_business_day(source.calendar, day)


def files_of(source: SettlementSource, day: date) -> list[SettlementFile]:
    """Return the files of a source about a day, in whatever state, oldest first."""
    about = Q(period_from__lte=day, period_to__gte=day) | Q(
        period_from__isnull=True, asked_from__lte=day, asked_to__gte=day
    )
    return list(SettlementFile.objects.filter(about, source_id=source.pk).order_by("pk"))


def quiet_files(source: SettlementSource, day: date) -> list[SettlementFile]:
    """Return the file that said of this day that nothing happened.

    A body without lines is stored once: as the file of the first day that it was sent for.
    """
    rows = SettlementFile.objects.filter(
        source_id=source.pk,
        lines_count=0,
        covers__day=day,
        status__in=(*FILE_LIVE, "DUPLICATE", "SUPERSEDED"),
    )
    return list(rows.order_by("pk"))


def _counting(source: SettlementSource, day: date) -> list[SettlementFile]:
    live = [each for each in files_of(source, day) if each.status in FILE_LIVE]
    return live or quiet_files(source, day)


def excuses_of(*, merchant_id: Any, day: date) -> dict[Any, DayExcuse]:
    """Return why files about a day may be missing, by source."""
    return {row.source_id: row for row in DayExcuse.objects.filter(merchant_id=merchant_id, day=day)}


def source_figures(
    source: SettlementSource, day: date, positions: Sequence[DayPosition], excuse: DayExcuse | None
) -> dict[str, Any]:
    """Return what the report says of one source."""
    said: dict[str, Any] = {
        "name": source.name,
        "kind": source.kind,
        "provider": source.provider,
        "is_expected": is_expected(source, day),
        "files": [_file(each) for each in _counting(source, day)],
        "excuse": {"reason": excuse.reason, "by": excuse.by} if excuse else None,
    }
    if source.kind == "bank":
        return said | {"accounts": _bank(source, day, positions)}
    return said | {"positions": _provider(source, positions)}


def _file(row: SettlementFile) -> dict[str, Any]:
    counted = row.totals.get("counted", {})
    return {
        "id": public_id("stl", row.id),
        "name": row.name,
        "document": row.document,
        "version": row.version,
        "status": row.status,
        "sha256": bytes(row.sha256).hex(),
        "lines": row.lines_count,
        "totals": [
            {"currency": currency, **{what: str(figures[what]) for what in ("gross", "fee", "net")}}
            for currency, figures in sorted(counted.items())
            if {"gross", "fee", "net"} <= set(figures)
        ],
    }


def _provider(source: SettlementSource, positions: Sequence[DayPosition]) -> list[dict[str, Any]]:
    """Opening, activity and closing of what the provider owes: sums over all accounts at the provider."""
    return [
        position_figures(each)
        for each in positions
        if each.role in _PSP_ROLES and each.provider == source.in_books
    ]


def position_figures(each: DayPosition) -> dict[str, Any]:
    """Return one position in words of the report: minor units as text."""
    return {
        "role": each.role,
        "provider": each.provider or "",
        "currency": each.currency,
        "opening_minor": str(each.opening_minor),
        "debit_minor": str(each.debit_minor),
        "credit_minor": str(each.credit_minor),
        "closing_minor": str(each.closing_minor),
    }


def _bank(source: SettlementSource, day: date, positions: Sequence[DayPosition]) -> list[dict[str, Any]]:
    """By currency: what the last statements up to the day end with, and what the books have."""
    stated = _statements(source, day)
    booked = {
        each.currency: each for each in positions if each.role == "bank" and each.provider == source.in_books
    }
    return [
        _account(currency, day, stated.get(currency, []), booked.get(currency))
        for currency in sorted({*stated, *booked})
    ]


def _account(
    currency: str, day: date, statements: Sequence[BankStatement], booked: DayPosition | None
) -> dict[str, Any]:
    today = [each for each in statements if each.period_from <= day <= each.period_to]
    closing = sum(each.closing_minor or 0 for each in statements)
    activity = sum(each.total_minor for each in today)
    in_books = booked.closing_minor if booked else 0
    return {
        "currency": currency,
        "through": str(max((each.period_to for each in statements), default="")),
        "statements": [each.document for each in today],
        "opening_minor": str(closing - activity),
        "activity_minor": str(activity),
        "closing_minor": str(closing),
        "books_opening_minor": str(booked.opening_minor if booked else 0),
        "books_activity_minor": str(booked.debit_minor - booked.credit_minor if booked else 0),
        "books_closing_minor": str(in_books),
        "difference_minor": str(closing - in_books),
    }


def _statements(source: SettlementSource, day: date) -> dict[str, list[BankStatement]]:
    """Of each account the last statement that counts up to a day, by currency."""
    rows = (
        BankStatement.objects.filter(
            source_id=source.pk, status="LIVE", kind="statement", period_to__lte=day,
            closing_minor__isnull=False,
        )
        .order_by("account", "currency", "-period_to", "-sequence", "-position", "-pk")
        .distinct("account", "currency")
    )  # fmt: skip
    found: dict[str, list[BankStatement]] = {}
    for row in rows:
        found.setdefault(row.currency, []).append(row)
    return found
