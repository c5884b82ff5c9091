"""How others read channels and the evidence of calls."""

from collections.abc import Collection, Mapping
from uuid import UUID

from channels.models import Channel, PspCall
from channels.redaction import redact
from channels.rows import enabled_of, line_by_id, line_by_name
from channels.stripe_amounts import STRIPE_CURRENCIES, from_stripe, to_stripe
from channels.types import CallRecord, ChannelData, Debtor
from core.errors import NotFound

__all__ = [
    "STRIPE_CURRENCIES",
    "calls_of",
    "channel_by_name",
    "channel_keys",
    "channel_names",
    "channels_of",
    "debtor_of",
    "enabled_channels",
    "expects_webhooks",
    "from_stripe",
    "get_channel",
    "to_stripe",
    "without_private_data",
]


def get_channel(*, channel_id: UUID) -> ChannelData:
    """Return the channel as it was at most a second ago. Raises NotFound."""
    return line_by_id(channel_id).channel


def channel_by_name(*, name: str) -> ChannelData:
    """Return the channel of this name as it was at most a second ago. Raises NotFound."""
    return line_by_name(name).channel


def channel_keys(*, limit: int = 1000) -> list[UUID]:
    """Return the keys of all channels, oldest first: at most `limit` of them."""
    return list(Channel.objects.order_by("pk").values_list("pk", flat=True)[:limit])


def channel_names(*, channel_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return what people call these channels, in one query; unknown ones are absent."""
    return dict(Channel.objects.filter(pk__in=channel_ids).values_list("pk", "name"))


def channels_of(*, merchant_id: UUID, provider: str) -> list[UUID]:
    """Return the keys of a merchant's channels to a provider, oldest first, also of those switched off."""
    found = Channel.objects.filter(merchant_id=merchant_id, provider=provider).order_by("pk")
    return list(found.values_list("pk", flat=True))


def enabled_channels(*, merchant_id: UUID) -> list[ChannelData]:
    """Return the merchant's channels that were switched on at most a second ago, oldest first."""
    return list(enabled_of(merchant_id))


def debtor_of(*, channel_id: UUID) -> Debtor:
    """Return the account that a bank channel pays from, for whoever writes its payment orders.

    Raises NotFound (no such channel, or no bank's).
    """
    debtor = line_by_id(channel_id).credentials.get("debtor")
    if not debtor:
        raise NotFound()
    return Debtor(name=debtor["name"], iban=debtor["iban"], bic=debtor["bic"])


def expects_webhooks(*, channel_id: UUID) -> bool:
    """Say whether the channel can verify webhooks, so that its provider is meant to send them."""
    return bool(line_by_id(channel_id).credentials.get("webhook_secrets"))


def calls_of(*, merchant_id: UUID, operation_id: UUID) -> list[CallRecord]:
    """Return what went over the line for one operation of the merchant, in order: the evidence."""
    rows = PspCall.objects.filter(merchant_id=merchant_id, operation_id=operation_id).order_by("at", "pk")
    return [
        CallRecord(
            channel_id=row.channel_id,
            merchant_id=row.merchant_id,
            kind=row.kind,
            request_digest=bytes(row.request_digest),
            bytes_sent=row.bytes_sent,
            http_status=row.http_status,
            body=bytes(row.body),
            error=row.error,
            duration_ms=row.duration_ms,
            request_id=row.request_id,
            psp_request_id=row.psp_request_id,
            at=row.at,
        )
        for row in rows
    ]


def without_private_data(*, raw: bytes) -> bytes:
    """Return at most 16 KB of what a provider sent, without personal data, secrets and card numbers."""
    return redact(raw)
