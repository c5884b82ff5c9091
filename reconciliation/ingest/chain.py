"""Whether a bank statement follows on those around it: by its opening balance, and by its number."""

from datetime import date, datetime

from django.db.models import QuerySet

from core.money import format_minor
from reconciliation.models import BankStatement

__all__ = ["neighbours", "place_of", "why_not"]

# More statements of one account on one day than this are not told apart.
_NEAR = 100


def neighbours(statement: BankStatement) -> tuple[BankStatement | None, BankStatement | None]:
    """Return the live statements of the account just before and just after this one; not other versions."""
    live = BankStatement.objects.filter(
        source_id=statement.source_id,
        account=statement.account,
        currency=statement.currency,
        kind="statement",
        status="LIVE",
    ).exclude(document=statement.document)
    place = place_of(statement)
    # All of the days around it: on one day there may be several, told apart by number or balance.
    around = sorted(_near(live, statement), key=place_of)
    before = [each for each in around if place_of(each) < place]
    after = [each for each in around if place_of(each) > place]
    return (before[-1] if before else None), (after[0] if after else None)


def why_not(statement: BankStatement) -> str:
    """Return why a statement cannot count yet, for people; empty when it follows on what is known."""
    if statement.kind != "statement":
        return ""
    before, after = neighbours(statement)
    return (_gap(before, statement) if before else "") or (_gap(statement, after) if after else "")


def _gap(first: BankStatement, second: BankStatement) -> str:
    if first.closing_minor != second.opening_minor:
        return (
            f"{first.document} closes with {_money(first.closing_minor, first)},"
            f" {second.document} opens with {_money(second.opening_minor, second)}"
        )
    numbers = (first.sequence, second.sequence)
    if None in numbers or first.period_to.year != second.period_to.year:
        return ""
    if second.sequence != (first.sequence or 0) + 1:
        return f"number {second.sequence} comes after number {first.sequence}"
    return ""


def _near(live: "QuerySet[BankStatement]", statement: BankStatement) -> list[BankStatement]:
    before = live.filter(period_to__lte=statement.period_to).order_by("-period_to", "-sequence", "-pk")
    after = live.filter(period_to__gte=statement.period_to).order_by("period_to", "sequence", "pk")
    return list({each.pk: each for each in (*before[:_NEAR], *after[:_NEAR])}.values())


def place_of(statement: BankStatement) -> tuple[date, int, datetime, int]:
    """Return where a statement stands among those of its account: by days, by number, as they came."""
    return (statement.period_to, statement.sequence or 0, statement.created_at, statement.position)


def _money(minor: int | None, statement: BankStatement) -> str:
    return "nothing" if minor is None else f"{format_minor(minor, statement.currency)} {statement.currency}"
