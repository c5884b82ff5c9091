"""Which of a merchant's channels can take a payment: by method, currency and amount."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from channels.selectors import enabled_channels
from channels.types import ChannelData
from payments.errors import PaymentMethodUnavailable
from payments.psp.contract import adapter_for

__all__ = ["choose_channel"]


def choose_channel(
    *,
    merchant_id: UUID,
    payment_method: str,
    amounts: Sequence[tuple[str, int]],
    only: UUID | None = None,
) -> ChannelData:
    """Return the first enabled channel that can take the method, and each charge's currency and amount.

    `only` is the one channel that will do, where the buyer pays with a method that was kept there.

    A channel's capabilities say what is less than everything its provider offers:
    `{"payment_methods": [...], "currencies": [...], "limits": {"USD": {"min_minor": 50, "max_minor": 99}}}`.
    Raises PaymentMethodUnavailable.
    """
    for channel in enabled_channels(merchant_id=merchant_id):
        if only is not None and channel.id != only:
            continue
        if payment_method in _methods(channel) and all(
            _takes(channel.capabilities, currency, amount) for currency, amount in amounts
        ):
            return channel
    raise PaymentMethodUnavailable(param="payment_method")


def _methods(channel: ChannelData) -> list[str]:
    own = channel.capabilities.get("payment_methods")
    return list(adapter_for(channel.provider).payment_methods if own is None else own)


def _takes(capabilities: Mapping[str, Any], currency: str, amount_minor: int) -> bool:
    currencies = capabilities.get("currencies")
    if currencies is not None and currency not in currencies:
        return False
    limits = capabilities.get("limits", {}).get(currency, {})
    least, most = limits.get("min_minor", 0), limits.get("max_minor")
    return bool(least <= amount_minor and (most is None or amount_minor <= most))
