"""Rules in force, for tests: drafted, run over history and activated as people do it."""

from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from core import clock
from core.ids import public_id
from core.settings_store import put_setting
from risk.policy import forget
from risk.services import activate_rule, add_to_list, create_list, draft_rule, dry_run
from risk.types import RuleDraft

__all__ = ["BY", "draft", "enforce", "in_force", "listed", "policy", "stored"]

BY = "user:test"


def draft(kind: str, params: dict[str, Any], **other: Any) -> RuleDraft:
    """A rule as a person writes it; it declines unless the test says otherwise."""
    columns = {"name": f"r-{uuid4().hex[:8]}", "score": 0, "decision": "decline", "on_error": "review"}
    return RuleDraft(kind=kind, params=params, **{**columns, "reason": f"{kind} says so", **other})


def stored(merchant_id: UUID, kind: str, params: dict[str, Any], **other: Any) -> UUID:
    """A draft in the database."""
    with transaction.atomic():
        return draft_rule(merchant_id=merchant_id, draft=draft(kind, params, **other), by=BY)


def enforce(merchant_id: UUID, kind: str, params: dict[str, Any], **other: Any) -> UUID:
    """A rule in force."""
    rule_id = stored(merchant_id, kind, params, **other)
    in_force(rule_id)
    return rule_id


def in_force(rule_id: UUID) -> None:
    """Run a draft over history and activate it."""
    with transaction.atomic():
        dry_run(rule_id=rule_id, since=clock.now(), by=BY)
        activate_rule(rule_id=rule_id, by=BY, reason="test")


def listed(merchant_id: UUID, name: str, kind: str, key_kind: str, *values: str) -> UUID:
    """A list with these values, and a rule in force that reads it."""
    with transaction.atomic():
        list_id = create_list(merchant_id=merchant_id, name=name, kind=kind, key_kind=key_kind, by=BY)
        for value in values:
            add_to_list(list_id=list_id, value=value, by=BY, reason="test")
    enforce(merchant_id, "list_hit", {"list": name}, decision="", name=f"list-{name}")
    return list_id


def policy(merchant_id: UUID, **values: Any) -> None:
    """Set the merchant's risk settings."""
    with transaction.atomic():
        for name, value in values.items():
            put_setting(
                name=f"risk.{name}", value=value, scope=public_id("mer", merchant_id), actor=BY, reason="test"
            )
        forget()
