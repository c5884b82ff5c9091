"""Who did what: every action of a person or a key leaves one line that nobody can change."""

import json
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from core import clock
from core.errors import DomainError
from core.models import User
from core.request_context import request_id
from core.transactions import requires_transaction

__all__ = ["ReasonRequired", "is_person", "key_actor", "record_audit", "required_reason", "user_actor"]

_REASON_MAX = 500


class ReasonRequired(DomainError):
    code = "reason_required"
    status = 422
    message = "Say why, in one to 500 characters; it is kept in the audit trail."


@requires_transaction
def record_audit(
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str = "",
    detail: dict[str, Any] | None = None,
    merchant_id: UUID | None = None,
) -> int:
    """Append one line to the audit trail, in the transaction of the action itself; return its number.

    `actor` comes from `user_actor` or `key_actor`, or is "system"; `action` is noun.verb, for example
    dead_letter.replay. `detail` must not hold secrets or card data: everybody who audits can read it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT core_audit_append(%s, %s, %s, %s, %s, %s::jsonb, %s, %s)",
            [
                merchant_id,
                actor,
                action,
                subject,
                reason,
                json.dumps(detail or {}, cls=DjangoJSONEncoder),
                request_id(),
                clock.now(),
            ],
        )
        row = cursor.fetchone()
    return int(row[0])


def user_actor(user: User) -> str:
    """Return how a person is named in histories: user:<id>."""
    return f"user:{user.pk}"


def key_actor(key_id: UUID) -> str:
    """Return how an API key is named in histories: key:<id>."""
    return f"key:{key_id}"


def is_person(actor: str) -> bool:
    """Say whether an actor is a signed-in person, and not a key or the system."""
    return actor.startswith("user:")


def required_reason(text: str) -> str:
    """Return the reason without outer blanks. Raises ReasonRequired when it is empty or too long."""
    reason = text.strip()
    if not 1 <= len(reason) <= _REASON_MAX:
        raise ReasonRequired(param="reason")
    return reason
