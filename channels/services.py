"""Channels and what goes over them: set up, call, keep the evidence, verify what comes in."""

import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from channels import rows
from channels.breaker import is_open, note_result
from channels.debtors import checked_debtor
from channels.downloads import Downloaded, download
from channels.errors import ChannelExists, InvalidChannel, UnsupportedProvider
from channels.exchange import call, deadline
from channels.json_calls import JsonAnswer, call_json
from channels.locks import lock_channel
from channels.models import Channel, PspCall
from channels.redaction import redact_text
from channels.types import CallRecord, ChannelData
from channels.webhooks import verify_webhook
from core import clock
from core.audit_trail import record_audit
from core.history import Changes
from core.rows import new_row
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants.selectors import get_merchant

__all__ = [
    "PROVIDERS",
    "Downloaded",
    "JsonAnswer",
    "call",
    "call_json",
    "create_channel",
    "deadline",
    "download",
    "is_open",
    "note_result",
    "record_calls",
    "redact_text",
    "rotate_webhook_secret",
    "set_base_url",
    "set_enabled",
    "set_secret_key",
    "verify_webhook",
]

PROVIDERS = frozenset(["sandbox", "sepa", "stripe"])
# Providers that are banks: they take files and pay from an account of the merchant's.
_BANKS = frozenset(["sepa"])
# Providers that have no server of their own: they are reached where somebody runs one, hence in tests only.
_NOWHERE = frozenset(["sandbox"])

_BASE_URL = re.compile(r"(https?://(?:[a-zA-Z0-9.-]{1,120}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?)/?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@requires_transaction
def create_channel(
    *,
    merchant_id: UUID,
    name: str,
    provider: str,
    secret_key: str,
    webhook_secret: str = "",
    base_url: str = "",
    ca_pem: str = "",
    capabilities: Mapping[str, Any] | None = None,
    debtor: Mapping[str, str] | None = None,
    max_in_flight: int = 4,
    actor: str = "system",
) -> ChannelData:
    """Open a merchant's line to a provider, in the merchant's mode, switched on.

    `base_url` aims the SDK at another server than the provider's and is for test merchants only. With
    `ca_pem` the line trusts these authorities (PEM) and no others. `debtor` is the account that a bank pays
    from: name, iban, bic. A bank that is reached through a folder, not under a URL, needs no secret key.
    Raises NotFound (no such merchant), UnsupportedProvider, InvalidChannel, ChannelExists.
    """
    merchant = get_merchant(merchant_id=merchant_id)
    if provider not in PROVIDERS:
        raise UnsupportedProvider(param="provider")
    if not _NAME.fullmatch(name):
        raise InvalidChannel("A name is a to z, 0 to 9, - and _, at most 64 of them.", param="name")
    if not 1 <= max_in_flight <= 256:
        raise InvalidChannel("Between 1 and 256 calls at once.", param="max_in_flight")
    if not secret_key and (base_url or provider not in _BANKS):
        raise InvalidChannel("A channel needs the provider's secret key.", param="secret_key")
    if provider in _NOWHERE and not base_url:
        raise InvalidChannel("This provider is reached under a base URL.", param="base_url")
    now = clock.now()
    row = Channel(
        merchant_id=merchant_id,
        name=name,
        provider=provider,
        mode=merchant.mode,
        credentials={
            "secret_key": secret_key,
            "webhook_secrets": [{"secret": webhook_secret, "expires_at": None}] if webhook_secret else [],
            **({"ca_pem": _checked_ca(ca_pem)} if ca_pem else {}),
            **_account(provider, debtor),
        },
        base_url=_checked_base_url(base_url, merchant.mode),
        capabilities=dict(capabilities or {}),
        max_in_flight=max_in_flight,
        created_at=now,
        updated_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise ChannelExists(param="name") from error
        raise
    _forget()
    _audit(row, actor=actor, action="channel.create", reason="")
    return rows.to_data(row)


@requires_transaction
def set_enabled(*, channel_id: UUID, enabled: bool, actor: str, reason: str) -> ChannelData:
    """Switch a channel on or off; other processes notice within a second. Raises NotFound."""
    row = lock_channel(channel_id=channel_id)
    row.is_enabled = enabled
    _save(row, "is_enabled")
    _audit(row, actor=actor, action="channel.enable" if enabled else "channel.disable", reason=reason)
    return rows.to_data(row)


@requires_transaction
def set_base_url(*, channel_id: UUID, base_url: str, actor: str) -> ChannelData:
    """Aim a test channel at another server. Raises NotFound, InvalidChannel."""
    row = lock_channel(channel_id=channel_id)
    row.base_url = _checked_base_url(base_url, row.mode)
    _save(row, "base_url")
    _audit(row, actor=actor, action="channel.set_base_url", reason="")
    return rows.to_data(row)


@requires_transaction
def set_secret_key(*, channel_id: UUID, secret_key: str, actor: str) -> None:
    """Replace the key that calls are made with; new calls use it at once. Raises NotFound, InvalidChannel."""
    if not secret_key:
        raise InvalidChannel("A channel needs the provider's secret key.", param="secret_key")
    row = lock_channel(channel_id=channel_id)
    _save_credentials(row, {**row.credentials, "secret_key": secret_key})
    _audit(row, actor=actor, action="channel.set_secret_key", reason="")


@requires_transaction
def rotate_webhook_secret(*, channel_id: UUID, secret: str, overlap: timedelta, actor: str) -> None:
    """Accept deliveries signed with this secret; those before it stay good for `overlap`, then end.

    Secrets that would end sooner keep their own end. Raises NotFound, InvalidChannel.
    """
    if not secret or overlap < timedelta(0):
        raise InvalidChannel("A secret must not be empty, an overlap not negative.", param="secret")
    row = lock_channel(channel_id=channel_id)
    now = clock.now()
    ends = (now + overlap).isoformat()
    kept = [
        {**entry, "expires_at": min(entry["expires_at"] or ends, ends)}
        for entry in row.credentials["webhook_secrets"]
        if entry["secret"] != secret and (entry["expires_at"] or ends) > now.isoformat()
    ]
    _save_credentials(
        row, {**row.credentials, "webhook_secrets": [{"secret": secret, "expires_at": None}, *kept]}
    )
    _audit(row, actor=actor, action="channel.rotate_webhook_secret", reason="")


@requires_transaction
def record_calls(*, calls: Sequence[CallRecord], changes: Changes, operation_id: UUID | None = None) -> None:
    """Keep the evidence of calls, among the changes that record what came of them."""
    changes.insert([new_row(PspCall, operation_id=operation_id, **vars(entry)) for entry in calls])


def _account(provider: str, debtor: Mapping[str, str] | None) -> dict[str, Any]:
    if provider in _BANKS:
        return {"debtor": checked_debtor(debtor)}
    if debtor:
        raise InvalidChannel("Only a bank pays from an account.", param="debtor")
    return {}


def _checked_base_url(base_url: str, mode: str) -> str:
    if not base_url:
        return ""
    if mode != "test":
        raise InvalidChannel("A live channel calls its provider and nobody else.", param="base_url")
    found = _BASE_URL.fullmatch(base_url)
    if found is None:
        raise InvalidChannel("A base URL is http(s)://host[:port] and nothing more.", param="base_url")
    return found[1]


def _checked_ca(ca_pem: str) -> str:
    try:
        ssl.create_default_context(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidChannel("These are not certificates in PEM.", param="ca_pem") from error
    return ca_pem


def _save(row: Channel, *fields: str) -> None:
    row.updated_at = clock.now()
    row.save(update_fields=[*fields, "updated_at"])
    _forget()


def _forget() -> None:
    # Once now, for this transaction, and once when others can see it.
    rows.forget()
    transaction.on_commit(rows.forget)


def _save_credentials(row: Channel, credentials: dict[str, Any]) -> None:
    row.credentials = credentials
    row.credentials_version += 1
    _save(row, "credentials", "credentials_version")


def _audit(row: Channel, *, actor: str, action: str, reason: str) -> None:
    record_audit(
        actor=actor,
        action=action,
        subject=f"channel:{row.name}",
        reason=reason,
        detail={"channel_id": str(row.pk), "is_enabled": row.is_enabled, "version": row.credentials_version},
        merchant_id=row.merchant_id,
    )
