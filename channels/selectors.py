"""How others read channels and the evidence of calls."""

from uuid import UUID

from channels.models import Channel, PspCall
from channels.rows import line_by_id, line_by_name, to_data
from channels.types import CallRecord, ChannelData
from core.rows import columns_of, read_rows

__all__ = ["calls_of", "channel_by_name", "enabled_channels", "get_channel"]

_ENABLED = (
    f"SELECT {columns_of(Channel, 'c')} FROM channels_channel c "  # noqa: S608 - names of the model
    "WHERE c.merchant_id = %s AND c.is_enabled ORDER BY c.id"
)


def get_channel(*, channel_id: UUID) -> ChannelData:
    """Return the channel as it was at most a second ago. Raises NotFound."""
    return line_by_id(channel_id).channel


def channel_by_name(*, name: str) -> ChannelData:
    """Return the channel of this name as it was at most a second ago. Raises NotFound."""
    return line_by_name(name).channel


def enabled_channels(*, merchant_id: UUID) -> list[ChannelData]:
    """Return the merchant's channels that are switched on, oldest first."""
    return [to_data(row) for (row,) in read_rows(sql=_ENABLED, params=[merchant_id], models=[Channel])]


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
