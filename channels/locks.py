"""Locked rows of this app, evaluated."""

from uuid import UUID

from channels.models import Channel
from core.errors import NotFound

__all__ = ["lock_channel"]


def lock_channel(*, channel_id: UUID) -> Channel:
    """Lock one channel until the transaction ends. Raises NotFound."""
    row = Channel.objects.select_for_update().filter(pk=channel_id).first()
    if row is None:
        raise NotFound()
    return row
