"""Which of a merchant's channels can take a payment, by method, currency and amount; what all can take."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from channels.errors import UnsupportedProvider
from channels.selectors import enabled_channels
from channels.types import ChannelData
from core.ids import public_id
from core.settings_store import Declared, get_setting
from payments.errors import PaymentMethodUnavailable
from payments.psp.contract import adapter_for
from payments.types import MethodOffer
from wallet.selectors import buyer_currencies

__all__ = ["BALANCE", "choose_channel", "method_offers"]

# What no channel takes: the wallets of buyers do.
_BALANCE = "balance"


BALANCE = Declared(
    name="payments.balance",
    says="Whether buyers can pay from what they have in their wallets. The scope is a mer_…",
    kind=bool,
    default=True,
)


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


def method_offers(
    *,
    merchant_id: UUID,
    country: str | None = None,
    currency: str | None = None,
    amount_minor: int | None = None,
) -> list[MethodOffer]:
    """Return the methods with which a merchant can be paid now, by name, each by whichever channel takes it.

    A balance is taken by no channel; it pays where any buyer has a wallet, unless it is switched off.

    With a currency, or a currency and an amount in its minor units, only those that take it. With a country
    of the buyer, only those of channels whose capabilities (`{"countries": [...]}`) do not exclude it.
    """
    found: dict[str, list[ChannelData]] = {}
    for channel in enabled_channels(merchant_id=merchant_id):
        countries = channel.capabilities.get("countries")
        if country is not None and countries is not None and country not in countries:
            continue
        methods = _methods(channel)
        if methods and currency is not None and not _can_take(channel, currency, amount_minor):
            continue
        for method in methods:
            found.setdefault(method, []).append(channel)
    offers = [_offer(method, found[method]) for method in found]
    offers += _balance_offer(merchant_id, currency)
    return sorted(offers, key=lambda each: each.payment_method)


def _balance_offer(merchant_id: UUID, currency: str | None) -> list[MethodOffer]:
    """Paying from a balance, in the currencies in which any buyer has money, where it is not switched off."""
    if not get_setting(name=BALANCE.name, scope=public_id("mer", merchant_id)):
        return []
    currencies = [each for each in buyer_currencies(merchant_id=merchant_id) if currency in (None, each)]
    return [MethodOffer(_BALANCE, (), tuple(currencies), {})] if currencies else []


def _can_take(channel: ChannelData, currency: str, amount_minor: int | None) -> bool:
    if amount_minor is not None and not _takes(channel.capabilities, currency, amount_minor):
        return False
    return currency in _currencies(channel)


def _offer(method: str, channels: Sequence[ChannelData]) -> MethodOffer:
    by_currency: dict[str, list[tuple[int, int | None]]] = {}
    for channel in channels:
        for currency in _currencies(channel):
            by_currency.setdefault(currency, []).append(_limits(channel.capabilities, currency))
    limits = {
        currency: (
            min(least for least, _ in known),
            None if any(most is None for _, most in known) else max(most or 0 for _, most in known),
        )
        for currency, known in sorted(by_currency.items())
    }
    wallets = {name for channel in channels for name in adapter_for(channel.provider).wallets}
    return MethodOffer(
        payment_method=method,
        wallets=tuple(sorted(wallets)) if method == "card" else (),
        currencies=tuple(limits),
        limits={currency: both for currency, both in limits.items() if both != (0, None)},
    )


def _currencies(channel: ChannelData) -> frozenset[str]:
    every = adapter_for(channel.provider).currencies
    own = channel.capabilities.get("currencies")
    return every if own is None else every.intersection(own)


def _methods(channel: ChannelData) -> list[str]:
    """The methods of a channel; none of one that only pays out, because pay-in has no adapter for it."""
    try:
        every = adapter_for(channel.provider).payment_methods
    except UnsupportedProvider:
        return []
    own = channel.capabilities.get("payment_methods")
    return list(every if own is None else own)


def _takes(capabilities: Mapping[str, Any], currency: str, amount_minor: int) -> bool:
    currencies = capabilities.get("currencies")
    if currencies is not None and currency not in currencies:
        return False
    least, most = _limits(capabilities, currency)
    return least <= amount_minor and (most is None or amount_minor <= most)


def _limits(capabilities: Mapping[str, Any], currency: str) -> tuple[int, int | None]:
    limits = capabilities.get("limits", {}).get(currency, {})
    return limits.get("min_minor", 0), limits.get("max_minor")
