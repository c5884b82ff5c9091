"""The door to the channels, which know the secrets of each provider."""

from collections.abc import Mapping

from channels.services import verify_webhook
from channels.types import VerifiedDelivery

__all__ = ["verify"]


def verify(*, channel_name: str, raw: bytes, headers: Mapping[str, str]) -> VerifiedDelivery:
    return verify_webhook(channel_name=channel_name, raw=raw, headers=headers)
