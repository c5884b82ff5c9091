"""A number of the books taken apart in the console: figure, accounts, lines, each level with its sum.

Every page names the number that it explains and shows that its rows come to it. A figure of some days is read
up to one place of the fence, which stands in the address: the same link says the same for ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, QueryDict
from django.urls import reverse

from core.admin_display import amount, digits
from ledger.admin_tables import account_code, page_url, sided
from ledger.chart import CHART
from ledger.errors import PlaceUnknown
from ledger.models import Account
from ledger.selectors.account_keys import account_keys, lines_of_key
from ledger.selectors.places import checked_place, current_place
from ledger.selectors.statements import account_statement
from ledger.selectors.turnover import Asked, turnover_by_account, turnover_sum
from ledger.types import AccountTurnover, StatementPlace, TurnoverSum
from merchants.selectors import list_merchants, merchant_names, owner_names

__all__ = ["Question", "accounts_page", "days_page", "explain_url", "key_page", "keys_page", "question_in"]

_PAGE = 50
_MOST_MERCHANTS = 5_000
_SIDES = ("debit", "credit", "balance")
_MODES = ("live", "test")


@dataclass(frozen=True)
class Question:
    """Which number is to be explained: of which accounts, over which days, known how far, and which side."""

    roles: tuple[str, ...]
    currency: str
    side: str = "balance"
    merchant_id: UUID | None = None
    mode: str = ""
    provider: str | None = None
    one_provider: bool = False
    first_day: date | None = None
    last_day: date | None = None
    known: int | None = None

    def query(self, **place: object) -> str:
        """Return the question as it stands in an address, with a place on its pages."""
        asked: list[tuple[str, object]] = [("role", role) for role in self.roles]
        asked += [("currency", self.currency), ("side", self.side)]
        asked += [("merchant", self.merchant_id)] if self.merchant_id else []
        asked += [("mode", self.mode)] if self.mode else []
        asked += [("provider", self.provider or "")] if self.one_provider else []
        return "?" + urlencode([*asked, *self.days().items(), *place.items()])

    def days(self) -> dict[str, object]:
        """Return the part of the address that is about days and what was known."""
        if self.first_day is None or self.last_day is None:
            return {}
        return {"from": self.first_day, "until": self.last_day, "known": self.known}


def explain_url(question: Question) -> str:
    """Return the page that takes a number apart."""
    return reverse("admin:ledger_account_explain") + question.query()


def question_in(query: QueryDict) -> Question:
    """Return what an address asks. Raises Http404 for anything that is no question about the books."""
    roles, side, mode = tuple(query.getlist("role")), query.get("side", "balance"), query.get("mode", "")
    currency = query.get("currency", "")
    if not roles or not set(roles) <= set(CHART) or side not in _SIDES or (mode and mode not in _MODES):
        raise Http404
    if len(currency) != 3 or not currency.isascii():
        raise Http404
    question = Question(
        roles=roles,
        currency=currency,
        side=side,
        mode=mode,
        merchant_id=_uuid(_text(query, "merchant")) if "merchant" in query else None,
        provider=query.get("provider") or None,
        one_provider="provider" in query,
    )
    days = _days_in(query)
    return replace(question, first_day=days[0], last_day=days[1], known=days[2]) if days else question


def accounts_page(query: QueryDict) -> dict[str, Any]:
    """Return the accounts that a number is the sum of, a page at a time, with the sum of all of them."""
    question = question_in(query)
    asked = _asked(question)
    after = _number(query.get("after", "0"))
    found, whole = turnover_by_account(asked=asked, after=after, limit=_PAGE + 1)
    rows = found[:_PAGE]
    owners = owner_names(owner_ids={row.owner for row in rows if row.owner})
    names = merchant_names(merchant_ids={row.merchant_id for row in rows})
    is_dated = question.first_day is not None
    is_paged = len(found) > _PAGE or "after" in query
    return {
        "question": question,
        "is_dated": is_dated,
        "number": _figure(whole, question.side, question.currency),
        "codes": [account_code(role, question.provider, question.currency) for role in question.roles],
        "merchant": names.get(question.merchant_id) if question.merchant_id else "",
        "trial_url": _trial_url(question.merchant_id),
        "rows": [_account_row(row, question, owners, names) for row in rows],
        "count": f"{whole.accounts:,}",
        "number_of_accounts": whole.accounts,
        "whole": _columns(whole, question.currency),
        "debit_balances": amount(whole.debit_balances_minor, question.currency),
        "credit_balances": amount(whole.credit_balances_minor, question.currency),
        "page": _columns(_added(rows), question.currency) if is_paged else None,
        "next_url": question.query(after=rows[-1].account_id) if len(found) > _PAGE else "",
        "first_url": question.query() if "after" in query else "",
    }


def days_page(account: Account, query: QueryDict) -> dict[str, Any]:
    """Return the lines of an account over some days with a running balance, and the sums of all the days.

    Raises Http404 where the address names no days.
    """
    days = _days_in(query)
    if days is None:
        raise Http404
    first, last, known = days
    after = _line_place(_text(query, "after")) if "after" in query else None
    page = account_statement(
        merchant_id=account.merchant_id,
        account_id=account.pk,
        first_day=first,
        last_day=last,
        recorded_until=known,
        after=after,
        limit=_PAGE,
    )
    question = Question(
        (account.role,), account.currency, merchant_id=account.merchant_id, first_day=first, last_day=last,
        known=known, provider=account.provider, one_provider=True, side=_side(query),
    )  # fmt: skip
    whole = turnover_sum(asked=replace(_asked(question), account_id=account.pk))
    place = page.next
    closing = page.lines[-1].balance_minor if page.lines else page.page_opening_minor
    return {
        "question": question,
        "is_one_day": first == last,
        "number": _figure(whole, question.side, account.currency),
        "whole": _columns(whole, account.currency),
        "page_opening": sided(page.page_opening_minor, account.currency),
        "page_closing": sided(closing, account.currency),
        "page_debit": digits(sum(line.debit_minor for line in page.lines), account.currency),
        "page_credit": digits(sum(line.credit_minor for line in page.lines), account.currency),
        "lines": [
            {
                "entry": line.entry_id,
                "url": _entry_url(line.entry_id, line.id),
                "date": line.effective_date,
                "at": line.recorded_at,
                "kind": line.kind,
                "source": line.source,
                "reference": line.source_ref,
                "key": line.clearing_key or "",
                "debit": digits(line.debit_minor, account.currency) if line.debit_minor else "",
                "credit": digits(line.credit_minor, account.currency) if line.credit_minor else "",
                "balance": sided(line.balance_minor, account.currency),
            }
            for line in page.lines
        ],
        "next_url": _days_query(question, after=f"{place.effective_date}.{place.line_id}") if place else "",
        "first_url": _days_query(question) if after else "",
        "up_url": explain_url(replace(question, merchant_id=account.merchant_id)),
    }


def keys_page(account: Account, query: QueryDict) -> dict[str, Any]:
    """Return the open keys of a clearing account, with the sum of all of them. Raises Http404 for others."""
    if not account.clearing:
        raise Http404
    found = account_keys(account_id=account.pk, after=query.get("after", ""), limit=_PAGE)
    return {
        "number": sided(found.balance_minor, account.currency),
        "count": f"{found.count:,}",
        "clears": CHART[account.role].clears,
        "rows": [
            {"key": key, "url": "?" + urlencode({"key": key}), "balance": sided(minor, account.currency)}
            for key, minor in found.rows
        ],
        "page": sided(sum(minor for _key, minor in found.rows), account.currency),
        "is_paged": bool(found.after) or "after" in query,
        "next_url": "?" + urlencode({"keys": "open", "after": found.after}) if found.after else "",
        "first_url": "?keys=open" if "after" in query else "",
    }


def key_page(account: Account, query: QueryDict) -> dict[str, Any]:
    """Return the lines of one key of an account, the oldest first, and what all of them come to."""
    key, after = _text(query, "key"), _number(query.get("after", "0"))
    lines, count, balance = lines_of_key(account_id=account.pk, key=key, after=after, limit=_PAGE + 1)
    shown = lines[:_PAGE]
    return {
        "key": key,
        "count": f"{count:,}",
        "number": sided(balance, account.currency),
        "lines": [
            {
                "entry": line.entry_id,
                "url": _entry_url(line.entry_id, line.id),
                "date": line.effective_date,
                "at": line.recorded_at,
                "kind": line.kind,
                "source": line.source,
                "reference": line.source_ref,
                "debit": digits(line.amount_minor, account.currency) if line.amount_minor > 0 else "",
                "credit": digits(-line.amount_minor, account.currency) if line.amount_minor < 0 else "",
            }
            for line in shown
        ],
        "page_debit": digits(sum(max(line.amount_minor, 0) for line in shown), account.currency),
        "page_credit": digits(sum(max(-line.amount_minor, 0) for line in shown), account.currency),
        "next_url": "?" + urlencode({"key": key, "after": shown[-1].id}) if len(lines) > _PAGE else "",
        "first_url": "?" + urlencode({"key": key}) if after else "",
    }


def _asked(question: Question) -> Asked:
    merchants = [question.merchant_id] if question.merchant_id else _merchants(question.mode)
    return Asked(
        merchants=merchants,
        roles=question.roles,
        currency=question.currency,
        one_provider=question.one_provider,
        provider=question.provider,
        first_day=question.first_day,
        last_day=question.last_day,
        known=question.known,
    )


def _merchants(mode: str) -> list[UUID]:
    return [each.id for each in list_merchants(limit=_MOST_MERCHANTS) if not mode or each.mode == mode]


def _account_row(row: AccountTurnover, question: Question, owners: Any, names: Any) -> dict[str, Any]:
    query = urlencode({**question.days(), "side": question.side}) if question.first_day else ""
    return {
        "id": row.account_id,
        "code": account_code(row.role, row.provider, row.currency),
        "owner": owners.get(row.owner, str(row.owner)) if row.owner else "",
        "merchant": names.get(row.merchant_id, ""),
        "url": page_url("account", row.account_id) + (f"?{query}" if query else ""),
        **_columns(row, row.currency),
    }


def _columns(each: AccountTurnover | TurnoverSum, currency: str) -> dict[str, str]:
    return {
        "opening": sided(each.opening_minor, currency),
        "debit": digits(each.debit_minor, currency),
        "credit": digits(each.credit_minor, currency),
        "closing": sided(each.closing_minor, currency),
    }


def _added(rows: Iterable[AccountTurnover]) -> TurnoverSum:
    rows = list(rows)
    return TurnoverSum(
        accounts=len(rows),
        opening_minor=sum(row.opening_minor for row in rows),
        debit_minor=sum(row.debit_minor for row in rows),
        credit_minor=sum(row.credit_minor for row in rows),
        debit_balances_minor=sum(max(row.closing_minor, 0) for row in rows),
        credit_balances_minor=sum(max(-row.closing_minor, 0) for row in rows),
    )


def _figure(whole: TurnoverSum, side: str, currency: str) -> str:
    """Return the number that was asked about."""
    if side == "balance":
        return sided(whole.closing_minor, currency)
    return amount(whole.debit_minor if side == "debit" else whole.credit_minor, currency)


def _days_in(query: QueryDict) -> tuple[date, date, int] | None:
    """Return first day, last day and place of an address; None where it names no day.

    A place that the fence has not come to is replaced by where it stands: nothing is known beyond.
    """
    if "from" not in query and "until" not in query:
        return None
    try:
        until = date.fromisoformat(_text(query, "until") or _text(query, "from"))
        first = date.fromisoformat(_text(query, "from") or _text(query, "until"))
        place = _text(query, "known")
        known = checked_place(recorded_until=int(place)) if place else current_place()
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    except PlaceUnknown:
        known = current_place()
    if not first <= until < date.max:
        raise Http404
    return first, until, known


def _days_query(question: Question, **place: object) -> str:
    return "?" + urlencode({**question.days(), "side": question.side, **place})


def _line_place(text: str) -> StatementPlace:
    day, _dot, line = text.partition(".")
    try:
        return StatementPlace(date.fromisoformat(day), _number(line))
    except ValueError as error:
        raise Http404 from error


def _side(query: QueryDict) -> str:
    side = query.get("side", "balance")
    return side if side in _SIDES else "balance"


def _entry_url(entry_id: int, line_id: int) -> str:
    """The entry, with the line that one came from marked."""
    return f"{page_url('journalentry', entry_id)}?line={line_id % 1024}"


def _trial_url(merchant_id: UUID | None) -> str:
    base = reverse("admin:ledger_account_trial-balance")
    return f"{base}?merchant={merchant_id}" if merchant_id else base


def _text(query: QueryDict, name: str) -> str:
    return str(query.get(name, ""))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
