"""Over which channel a payout leaves."""

from uuid import UUID

from channels.errors import UnsupportedProvider
from channels.selectors import enabled_channels
from channels.types import ChannelData
from payouts.errors import PayoutChannelUnavailable
from payouts.providers.contract import provider_for

__all__ = ["can_pay", "choose_channel"]


def choose_channel(*, merchant_id: UUID, kind: str, currency: str) -> ChannelData:
    """Return the merchant's first enabled channel that pays out to such a destination in the currency.

    A channel pays out when its capabilities say so:
    `{"payouts": {"kinds": ["iban"], "currencies": ["EUR"]}}`.
    Raises PayoutChannelUnavailable.
    """
    for channel in enabled_channels(merchant_id=merchant_id):
        if can_pay(channel, kind=kind, currency=currency):
            return channel
    raise PayoutChannelUnavailable(param="currency")


def can_pay(channel: ChannelData, *, kind: str, currency: str) -> bool:
    """Say whether the channel, and the provider behind it, pays out to such a destination."""
    offered = channel.capabilities.get("payouts")
    if not offered or kind not in offered.get("kinds", ()) or currency not in offered.get("currencies", ()):
        return False
    try:
        provider = provider_for(channel.provider)
    except UnsupportedProvider:
        return False
    return kind in provider.kinds and (provider.currencies is None or currency in provider.currencies)
