"""Clearing accounts by key: what is late is in a break, and the break ends when the key comes to zero."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core import clock
from core.ids import public_id
from core.money import format_minor
from core.transactions import requires_transaction
from ledger.chart import CHART
from ledger.selectors import open_clearing
from ledger.types import OpenKey
from reconciliation.breaks import BreakClass
from reconciliation.internal.lateness import late_before
from reconciliation.locks import lock_clearing
from reconciliation.matching.opening import Place, open_breaks, resolve_breaks
from reconciliation.matching.rules import ensure_rules
from reconciliation.matching.sql import long_statements
from reconciliation.matching.types import Finding
from reconciliation.models import Discrepancy, Match, SettlementSource

__all__ = ["Late", "age_clearing", "late_keys"]

_PREFIX = "clearing:"
_LINE = "line:"
# What a file of the provider clears: while a line is awaited, the key is not late.
_AWAITED = frozenset(["psp_clearing", "psp_fee_accrued"])
# New breaks of one transaction; the rest comes with the next.
_MOST = 2_000


@dataclass(frozen=True)
class Late:
    """A key that is over its time, and the open break that it is in, if it is in one."""

    key: OpenKey
    break_id: UUID | None


def late_keys(*, merchant_id: UUID, as_of: date | None = None) -> list[Late]:
    """Return the keys of clearing accounts that are over their time on a day (today), oldest first.

    What is still awaited in a provider's file is not among them: it is a difference of timing until then.
    """
    day = as_of or clock.today()
    keys = open_clearing(
        merchant_id=merchant_id,
        as_of=day,
        late_before=late_before(merchant_id=merchant_id, as_of=day),
        late_only=True,
    )
    awaited = _awaited(merchant_id, day, [key for key in keys if key.role in _AWAITED])
    keys = [key for key in keys if not (key.role in _AWAITED and key.clearing_key in awaited)]
    covered = _covered(merchant_id, keys)
    return [Late(key, covered.get(_name(key))) for key in keys]


@requires_transaction
def age_clearing(*, merchant_id: UUID) -> tuple[int, int]:
    """Open a break (LATE) for each key that is over its time and in none, and end those that came to zero.

    Returns how many were opened and ended; at most some thousand are opened at a time.
    """
    lock_clearing(merchant_id=merchant_id)
    long_statements()
    late = late_keys(merchant_id=merchant_id)
    ended = resolve_breaks(resolutions=_ended(merchant_id, {_name(each.key) for each in late}))
    findings = [_finding(each.key) for each in late if each.break_id is None][:_MOST]
    if not findings:
        return 0, ended
    ensure_rules(merchant_id=merchant_id)
    return len(_open(merchant_id, findings)), ended


def _open(merchant_id: UUID, findings: Sequence[tuple[str | None, Finding]]) -> list[UUID]:
    """Each at the source of its provider, where there is exactly one; else at none."""
    sources: dict[str, list[SettlementSource]] = {}
    for source in SettlementSource.objects.filter(merchant_id=merchant_id):
        for name in {source.provider, source.name} if source.kind == "bank" else {source.provider}:
            sources.setdefault(name, []).append(source)
    by_source: dict[UUID | None, tuple[SettlementSource | None, list[Finding]]] = {}
    for provider, finding in findings:
        known = sources.get(provider or "", [])
        one = known[0] if len(known) == 1 else None
        by_source.setdefault(one.id if one else None, (one, []))[1].append(finding)
    opened = []
    for one, found in by_source.values():
        opened += open_breaks(Place(one, merchant_id=merchant_id), found)
    return opened


def _name(key: OpenKey) -> str:
    return f"{_PREFIX}{key.account_id}:{key.clearing_key}"


def _finding(key: OpenKey) -> tuple[str | None, Finding]:
    role = CHART[key.role]
    clears = role.clears
    assert clears is not None, "only clearing accounts have keys"
    code = f"{role.code}:{key.provider}" if key.provider else role.code
    stake = abs(key.balance_minor)
    return key.provider, Finding(
        break_class=BreakClass.LATE,
        key=f"{_name(key)}:{BreakClass.LATE}",
        currency=key.currency,
        amount_minor=stake,
        summary=(
            f"{format_minor(stake, key.currency)} {key.currency}: {code} has not come to zero for"
            f" {clears.key} {key.clearing_key}, open since {key.opened_on}"
        )[:300],
        business_date=key.opened_on,
        steps=(
            {
                "step": "clearing",
                "account": f"{code}:{key.currency}",
                "key": key.clearing_key,
                "balance_minor": str(key.balance_minor),
                "opened_on": str(key.opened_on),
                "last_on": str(key.last_on),
                "lines": key.lines,
                "time": clears.says,
            },
        ),
        side="",
        clearing_key=key.clearing_key,
        conditions={
            "kind": key.role,
            "currency": key.currency,
            "sign": "out" if key.balance_minor < 0 else "in",
        },
    )


def _awaited(merchant_id: UUID, day: date, keys: Collection[OpenKey]) -> set[str]:
    """The keys whose line may still come in time."""
    if not keys:
        return set()
    rows = Match.objects.filter(
        source_id__in=SettlementSource.objects.filter(merchant_id=merchant_id).values("pk"),
        how="expected",
        live=True,
        clear_by__gte=day,
        clearing_key__in={key.clearing_key for key in keys},
    )
    return set(rows.values_list("clearing_key", flat=True))


def _covered(merchant_id: UUID, keys: Sequence[OpenKey]) -> Mapping[str, UUID]:
    """Which open break each key is in: one about its account, or any about what it is the key of."""
    names = {_name(key): key for key in keys}
    by_key: dict[str, UUID] = {}
    by_name: dict[str, UUID] = {}
    rows = Discrepancy.objects.filter(merchant_id=merchant_id).exclude(status="RESOLVED").order_by("-pk")
    for break_id, about, clearing_key, line_id in rows.values_list("pk", "key", "clearing_key", "line_id"):
        if about.startswith(_PREFIX):
            by_name[about.removesuffix(f":{BreakClass.LATE}")] = break_id
            continue
        if clearing_key:
            by_key[clearing_key] = break_id
        if line_id:
            by_key[f"{_LINE}{line_id}"] = break_id
    found = {}
    for name, key in names.items():
        covering = by_key.get(key.clearing_key) or by_name.get(name)
        if covering:
            found[name] = covering
    return found


def _ended(merchant_id: UUID, late: Collection[str]) -> dict[UUID, str]:
    """The open breaks of keys that are late no more, or that another break is about."""
    rows = Discrepancy.objects.filter(merchant_id=merchant_id, key__startswith=_PREFIX).exclude(
        status="RESOLVED"
    )
    ours = {
        key.removesuffix(f":{BreakClass.LATE}"): (break_id, status, clearing_key)
        for break_id, key, status, clearing_key in rows.values_list("pk", "key", "status", "clearing_key")
    }
    others = _others(merchant_id, {clearing_key for _, _, clearing_key in ours.values()})
    found = {}
    for name, (break_id, status, clearing_key) in ours.items():
        if name not in late:
            found[break_id] = "it has come to zero, or is in time again"
        elif status == "OPEN" and clearing_key in others:
            # One break is enough; what somebody works on already stays.
            found[break_id] = f"it is dealt with in {public_id('dsc', others[clearing_key])}"
    return found


def _others(merchant_id: UUID, keys: Collection[str]) -> dict[str, UUID]:
    if not keys:
        return {}
    rows = (
        Discrepancy.objects.filter(merchant_id=merchant_id)
        .exclude(status="RESOLVED")
        .exclude(key__startswith=_PREFIX)
    )
    found = {}
    for break_id, clearing_key, line_id in rows.values_list("pk", "clearing_key", "line_id"):
        for name in (clearing_key, f"{_LINE}{line_id}" if line_id else ""):
            if name in keys:
                found[name] = break_id
    return found
