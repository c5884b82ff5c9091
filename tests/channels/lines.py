"""Channels for tests."""

import itertools
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from channels.services import create_channel, record_calls
from channels.types import CallRecord, ChannelData
from core.history import Changes
from merchants.services import create_merchant

__all__ = ["keep_calls", "open_channel", "open_merchant"]

_serial = itertools.count(1)


def open_merchant(mode: str = "test") -> UUID:
    with transaction.atomic():
        return create_merchant(name="Bazaar", mode=mode).id


def open_channel(*, merchant_id: UUID | None = None, name: str = "", **options: object) -> ChannelData:
    """A channel of a fresh merchant, with a name of its own."""
    values = {
        "provider": "stripe",
        "secret_key": "sk_test_secret",
        "webhook_secret": "whsec_current",
        **options,
    }
    with transaction.atomic():
        return create_channel(
            merchant_id=merchant_id or open_merchant(),
            name=name or f"line-{next(_serial)}",
            **values,
        )


def keep_calls(*, calls: Sequence[CallRecord], operation_id: UUID | None = None) -> None:
    """Record evidence as phase three does."""
    changes = Changes()
    record_calls(calls=calls, changes=changes, operation_id=operation_id)
    changes.save()
