"""A merchant's rules and thresholds as they are in force, read at most once a second in each process."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from core.ids import public_id
from core.settings_store import get_settings
from core.transactions import requires_transaction
from risk.digests import secret_of
from risk.kinds import Kind, parse
from risk.models import RiskRule, RiskVendor

__all__ = ["Policy", "Rule", "forget", "policy_of", "rule_of", "scope_of"]

log = structlog.get_logger(__name__)

# As long as this a process that has just looked goes by what it saw.
_SECONDS = 1.0


@dataclass(frozen=True)
class Rule:
    """One version of a rule. `test` is None where it cannot be understood, and `problem` says why."""

    id: UUID
    name: str
    version: int
    decision: str
    score: int
    reason: str
    on_error: str
    is_shadow: bool
    test: Kind | None
    problem: str = ""


@dataclass(frozen=True)
class Policy:
    """All that decides about a merchant's payments. `vendor_id` is set where a slow check is asked for."""

    merchant_id: UUID
    is_on: bool
    review_from: int
    decline_from: int
    rules: tuple[Rule, ...]
    vendor_id: UUID | None
    vendor_seconds: int
    secret: bytes = field(repr=False)

    @property
    def needs_card(self) -> bool:
        """Say whether a rule asks about the card behind the payment method."""
        return any(rule.test is not None and rule.test.needs_card for rule in self.rules)


_lock = threading.Lock()
_seen: dict[UUID, tuple[float, Policy]] = {}


@requires_transaction
def policy_of(*, merchant_id: UUID) -> Policy:
    """Return what is in force for the merchant, or was a second ago."""
    with _lock:
        found = _seen.get(merchant_id)
    if found is not None and time.monotonic() - found[0] < _SECONDS:
        return found[1]
    policy, may_keep = _read(merchant_id)
    if may_keep:
        with _lock:
            _seen[merchant_id] = (time.monotonic(), policy)
    return policy


def forget() -> None:
    """Read everything again when it is next asked for: now, and once others can see what changed."""
    _clear()
    transaction.on_commit(_clear)


def rule_of(row: RiskRule) -> Rule:
    """Return a rule ready to be asked, or with the reason why it cannot be."""
    test, problem = None, ""
    try:
        test = parse(row.kind, row.params)
    except ValueError as error:
        problem = str(error)
    return Rule(
        id=row.pk,
        name=row.name,
        version=row.version,
        decision=row.decision,
        score=row.score,
        reason=row.reason,
        on_error=row.on_error,
        is_shadow=row.status == "SHADOW",
        test=test,
        problem=problem,
    )


def scope_of(merchant_id: UUID) -> str:
    """Return the scope under which a merchant's settings are stored."""
    return public_id("mer", merchant_id)


def _clear() -> None:
    with _lock:
        _seen.clear()


def _read(merchant_id: UUID) -> tuple[Policy, bool]:
    secret, is_committed = secret_of(merchant_id=merchant_id)
    settings = _settings(scope_of(merchant_id))
    rows = RiskRule.objects.filter(merchant_id=merchant_id, status__in=["ACTIVE", "SHADOW"])
    vendor_id = None
    if settings["external_check"]:
        vendor_id = RiskVendor.objects.filter(merchant_id=merchant_id).values_list("pk", flat=True).first()
        if vendor_id is None:
            log.error("risk_vendor_missing", merchant_id=str(merchant_id))
    policy = Policy(
        merchant_id=merchant_id,
        is_on=settings["enabled"],
        review_from=settings["review_from"],
        decline_from=settings["decline_from"],
        rules=tuple(rule_of(row) for row in rows.order_by("name", "version")),
        vendor_id=vendor_id,
        vendor_seconds=settings["external_deadline_seconds"],
        secret=secret,
    )
    return policy, is_committed


def _settings(scope: str) -> Mapping[str, Any]:
    names = ("enabled", "review_from", "decline_from", "external_check", "external_deadline_seconds")
    found = get_settings(names=[f"risk.{name}" for name in names], scope=scope)
    return {name: found[f"risk.{name}"] for name in names}
