"""Endpoints: where a store is told, about what, signed with which secret, and whether at all."""

import base64
import os
import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.api.errors import InvalidField
from core.audit_trail import is_person, record_audit, required_reason
from core.history import SYSTEM, begin, move
from core.nudges import nudge
from core.transactions import requires_transaction
from events import locks
from events.errors import EndpointDisabled, TooManyEndpoints, TooManySecrets
from events.facts import endpoint_data
from events.models import WebhookDelivery, WebhookEndpoint
from events.notices import close_notices, endpoint_fact
from events.signing import MOST_SECRETS, signers_in_use
from events.targets import read_target
from events.types import EndpointData, IssuedEndpoint
from merchants.selectors import get_merchant

__all__ = [
    "acknowledge_endpoint",
    "create_endpoint",
    "disable_endpoint",
    "pause_endpoint",
    "resume_endpoint",
    "rotate_endpoint_secret",
    "update_endpoint",
]

MOST_ENDPOINTS = 20
_EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SECRET_BYTES = 32


@requires_transaction
def create_endpoint(
    *, merchant_id: UUID, url: str, event_types: Collection[str] = ("*",), by: str = SYSTEM
) -> IssuedEndpoint:
    """Have a store told about events of these types ("*" for all); the secret is shown this once.

    The name in the URL is resolved and judged at each connection, not here. Raises UrlNotAllowed,
    InvalidField, TooManyEndpoints, NotFound.
    """
    merchant = get_merchant(merchant_id=merchant_id)
    read_target(url, mode=merchant.mode)
    # Every fact is copied for every endpoint. Two requests at once may pass the bound by one: no harm.
    if WebhookEndpoint.objects.filter(merchant_id=merchant_id).exclude(status="DISABLED").count() >= (
        MOST_ENDPOINTS
    ):
        raise TooManyEndpoints()
    secret = _new_secret()
    row = WebhookEndpoint(
        merchant_id=merchant_id,
        mode=merchant.mode,
        url=url,
        event_types=_read_event_types(event_types),
        secrets=[{"secret": secret, "expires_at": None}],
        created_at=clock.now(),
    )
    row.save(force_insert=True)
    begin(row, why="created", by=by)
    found = endpoint_data(row)
    _audit(row, "create", by, detail={"host": found.host, "event_types": row.event_types})
    return IssuedEndpoint(endpoint=found, secret=secret)


@requires_transaction
def update_endpoint(
    *,
    merchant_id: UUID,
    endpoint_id: UUID,
    url: str | None = None,
    event_types: Collection[str] | None = None,
    by: str = SYSTEM,
) -> EndpointData:
    """Send to another URL, or about other types, from the next delivery or event on; None leaves it as it is.

    Raises UrlNotAllowed, InvalidField, NotFound, EndpointDisabled.
    """
    row = _usable(merchant_id, endpoint_id)
    before = endpoint_data(row)
    if url is not None:
        read_target(url, mode=row.mode)
        row.url = url
    if event_types is not None:
        row.event_types = _read_event_types(event_types)
    found = endpoint_data(row)
    if found == before:
        return found
    row.save(update_fields=["url", "event_types"])
    _audit(
        row,
        "update",
        by,
        detail={
            "host": [before.host, found.host],
            "event_types": [list(before.event_types), row.event_types],
        },
    )
    return found


@requires_transaction
def rotate_endpoint_secret(
    *, merchant_id: UUID, endpoint_id: UUID, overlap: timedelta, by: str = SYSTEM
) -> IssuedEndpoint:
    """Sign with a new secret, and for `overlap` with the old one as well.

    A secret that is on its way out keeps its own end, also when there is another rotation before it. Raises
    NotFound, EndpointDisabled, TooManySecrets.
    """
    row, now = _usable(merchant_id, endpoint_id), clock.now()
    secret, (current, *earlier) = _new_secret(), row.secrets
    outgoing = current | {"expires_at": (now + overlap).isoformat()}
    staying = signers_in_use([outgoing, *earlier], now=now)
    if len(staying) >= MOST_SECRETS:
        raise TooManySecrets()
    row.secrets = [{"secret": secret, "expires_at": None}, *staying]
    row.save(update_fields=["secrets"])
    _audit(row, "rotate_secret", by, detail={"overlap_seconds": int(overlap.total_seconds())})
    return IssuedEndpoint(endpoint=endpoint_data(row), secret=secret)


@requires_transaction
def pause_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Stop telling an endpoint and keep its backlog.

    Raises NotFound, EndpointDisabled, and ReasonRequired where a person gives none.
    """
    row, why = _usable(merchant_id, endpoint_id), _reason(why, by)
    if row.status == "ENABLED":
        move(row, row.to_paused, why=why[:200], by=by, fact=endpoint_fact(row, "paused"))
        _audit(row, "pause", by, reason=why)
    return endpoint_data(row)


@requires_transaction
def resume_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Tell an endpoint again, its backlog first: up to a thousand that wait for a later try are due now.

    Raises NotFound, EndpointDisabled, and ReasonRequired where a person gives none.
    """
    row, why = _usable(merchant_id, endpoint_id), _reason(why, by)
    if row.status == "PAUSED":
        move(row, row.to_enabled, why=why[:200], by=by, fact=endpoint_fact(row, "enabled"))
        now = clock.now()
        waiting = locks.lock_waiting_deliveries(endpoint_id=row.pk, now=now)
        WebhookDelivery.objects.filter(pk__in=[each.pk for each in waiting]).update(due_at=now)
        close_notices(row, resolution="The endpoint was resumed.")
        _audit(row, "resume", by, reason=why)
        nudge("deliveries")
    return endpoint_data(row)


@requires_transaction
def disable_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Never tell an endpoint again; the drain of deliveries cancels what waits.

    Raises NotFound, and ReasonRequired where a person gives none.
    """
    row = locks.lock_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_id)
    why = _reason(why, by)
    if row.status != "DISABLED":
        move(row, row.to_disabled, why=why[:200], by=by, fact=endpoint_fact(row, "disabled"))
        close_notices(row, resolution="The endpoint was disabled.")
        _audit(row, "disable", by, reason=why)
        nudge("deliveries")
    return endpoint_data(row)


@requires_transaction
def acknowledge_endpoint(*, endpoint_id: UUID, why: str, by: str) -> None:
    """End the alert about an endpoint, with what a person did about it. Raises NotFound, ReasonRequired."""
    row, reason = locks.lock_endpoint(endpoint_id=endpoint_id), required_reason(why)
    close_notices(row, resolution=reason)
    _audit(row, "acknowledge", by, reason=reason)


def _audit(
    row: WebhookEndpoint, verb: str, by: str, *, reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Write down who did it; what the system does by itself is in the history already."""
    if by != SYSTEM:
        record_audit(
            actor=by,
            action=f"webhook_endpoint.{verb}",
            subject=row.public_id,
            reason=reason,
            detail=detail,
            merchant_id=row.merchant_id,
        )


def _reason(why: str, by: str) -> str:
    return required_reason(why) if is_person(by) else why


def _usable(merchant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    row = locks.lock_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_id)
    if row.status == "DISABLED":
        raise EndpointDisabled()
    return row


def _read_event_types(event_types: Collection[str]) -> list[str]:
    wanted = sorted(set(event_types))
    if not wanted or len(wanted) > 100:
        raise InvalidField("Name between 1 and 100 event types, or *.", param="event_types")
    for name in wanted:
        if name != "*" and (len(name) > 64 or not _EVENT_TYPE.fullmatch(name)):
            raise InvalidField(f"{name[:64]!r} is no event type.", param="event_types")
    return wanted


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()
