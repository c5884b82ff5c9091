"""Channels for tests."""

import itertools
from uuid import UUID

from django.db import transaction

from channels.services import create_channel
from channels.types import ChannelData
from merchants.services import create_merchant

__all__ = ["open_channel", "open_merchant"]

_serial = itertools.count(1)


def open_merchant(mode: str = "test") -> UUID:
    with transaction.atomic():
        return create_merchant(name="Bazaar", mode=mode).id


def open_channel(*, merchant_id: UUID | None = None, name: str = "", **options: object) -> ChannelData:
    """A channel of a fresh merchant, with a name of its own."""
    values = {"secret_key": "sk_test_secret", "webhook_secret": "whsec_current", **options}
    with transaction.atomic():
        return create_channel(
            merchant_id=merchant_id or open_merchant(),
            name=name or f"line-{next(_serial)}",
            provider="stripe",
            **values,
        )
