"""How others read risk: what was decided about a payment, on what, and what else is known of its buyer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.money import format_minor
from risk.models import RiskCheck, RiskDecision, RiskFact

__all__ = [
    "CheckData",
    "DecisionData",
    "FactData",
    "decisions_of",
    "facts_of",
    "found_words",
    "related_facts",
    "vendor_check_of",
]


@dataclass(frozen=True)
class DecisionData:
    """One decision about a payment, with its inputs in digests."""

    id: UUID
    source: str
    decision: str
    score: int
    inputs: dict[str, Any]
    hits: list[dict[str, Any]]
    reasons: list[str]
    by: str
    at: datetime


@dataclass(frozen=True)
class FactData:
    """One observation. `shares` says what it has in common with the payment that was asked about."""

    kind: str
    subject_id: UUID
    at: datetime
    amount_minor: int
    currency: str
    card_brand: str
    card_country: str
    decline_code: str
    avs: str
    cvc: str
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckData:
    """The question to a vendor about a payment, and how it stands."""

    status: str
    decision: str
    error: str
    asked: int
    ends_at: datetime


_KEYS = ("buyer", "email", "ip", "device", "method", "card")


def found_words(*, detail: Mapping[str, Any]) -> str:
    """Return what a rule found, in words for people: amounts with their decimals, and no brackets."""
    if "total_minor" in detail:
        amounts = detail["total_minor"].items()
        return ", ".join(f"{format_minor(minor, currency)} {currency}" for currency, minor in amounts)
    return "; ".join(f"{name.replace('_', ' ')}: {_flat(value)}" for name, value in detail.items())


def decisions_of(*, merchant_id: UUID, subject_id: UUID) -> list[DecisionData]:
    """Return what was decided about a payment, oldest first."""
    rows = RiskDecision.objects.filter(merchant_id=merchant_id, subject_id=subject_id).order_by("pk")
    return [
        DecisionData(
            row.pk, row.source, row.decision, row.score, row.inputs, row.hits, row.reasons, row.by, row.at
        )
        for row in rows
    ]


def facts_of(*, merchant_id: UUID, subject_id: UUID) -> list[FactData]:
    """Return what was observed of a payment, oldest first."""
    rows = RiskFact.objects.filter(merchant_id=merchant_id, subject_id=subject_id).order_by("pk")
    return [_fact(row, ()) for row in rows]


def related_facts(*, merchant_id: UUID, subject_id: UUID, limit: int = 20) -> list[FactData]:
    """Return the newest observations of other payments that share a buyer, mailbox, device or card."""
    own = list(RiskFact.objects.filter(merchant_id=merchant_id, subject_id=subject_id))
    keys = {name: {bytes(value) for row in own if (value := _key(row, name))} for name in _KEYS}
    found: dict[UUID, RiskFact] = {}
    for name, values in keys.items():
        # One index range per thing in common, instead of one condition that no index serves.
        for value in values:
            rows = RiskFact.objects.filter(merchant_id=merchant_id, **{f"{name}_key": value})
            rows = rows.exclude(subject_id=subject_id).order_by("-at")
            found.update((row.pk, row) for row in rows[:limit])
    newest = sorted(found.values(), key=lambda row: (row.at, row.pk), reverse=True)[:limit]
    return [_fact(row, _shared(row, keys)) for row in newest]


def vendor_check_of(*, merchant_id: UUID, subject_id: UUID) -> CheckData | None:
    """Return the newest question to a vendor about a payment, if there was one."""
    row = RiskCheck.objects.filter(merchant_id=merchant_id, subject_id=subject_id).order_by("-pk").first()
    return CheckData(row.status, row.decision, row.error, row.asked, row.ends_at) if row else None


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _key(row: RiskFact, name: str) -> Any:
    return getattr(row, f"{name}_key")


def _shared(row: RiskFact, keys: dict[str, set[bytes]]) -> tuple[str, ...]:
    return tuple(
        name for name, values in keys.items() if (value := _key(row, name)) and bytes(value) in values
    )


def _fact(row: RiskFact, shares: Sequence[str]) -> FactData:
    return FactData(
        kind=row.kind,
        subject_id=row.subject_id,
        at=row.at,
        amount_minor=row.amount_minor,
        currency=row.currency,
        card_brand=row.card_brand,
        card_country=row.card_country,
        decline_code=row.decline_code,
        avs=row.avs,
        cvc=row.cvc,
        shares=tuple(shares),
    )
