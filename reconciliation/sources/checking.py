"""What a source may be set up with. Whatever is wrong is said with the name of the part that is wrong."""

import re
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.selectors import channels_of, get_channel
from channels.types import ChannelData
from core.errors import NotFound
from core.money import InvalidCurrency, exponent
from payouts.selectors import CALENDARS
from reconciliation.errors import SourceInvalid
from reconciliation.fetchers.registry import FETCHERS
from reconciliation.formats.registry import FORMATS
from reconciliation.sources.types import SourceSettings

__all__ = ["books_of", "check_settings", "checked_name"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LONGEST_ACCOUNT = 64
_MOST_DAYS = 60


def checked_name(name: str) -> str:
    """Return a name that a folder may have too. Raises SourceInvalid."""
    if _NAME.fullmatch(name) is None:
        raise SourceInvalid("A name is a to z, 0 to 9, - and _, at most 64 of them.", param="name")
    return name


def check_settings(merchant_id: UUID, wanted: SourceSettings) -> None:
    """Raise SourceInvalid with the first part that does not fit, or that does not fit the others."""
    if wanted.kind not in ("psp", "bank"):
        raise SourceInvalid("A source is a payment provider's or a bank's.", param="kind")
    if _PROVIDER.fullmatch(wanted.provider) is None:
        raise SourceInvalid("A provider is a to z, 0 to 9, - and _, at most 32 of them.", param="provider")
    _check_format(wanted)
    _check_account(wanted)
    _check_days(wanted)
    _check_way(wanted, _channel_of(merchant_id, wanted))


def books_of(merchant_id: UUID, settings: SourceSettings) -> str:
    """Return the name of the channel under which the books have what a provider's files clear; empty if none.

    Pay-in keeps one clearing account for each channel. A source that names no channel is about the only one
    to its provider. Raises SourceInvalid where there are several, because a file can clear one account only.
    """
    if settings.kind != "psp":
        return ""
    if settings.channel_id is not None:
        return get_channel(channel_id=settings.channel_id).name
    channels = channels_of(merchant_id=merchant_id, provider=settings.provider)
    if len(channels) > 1:
        raise SourceInvalid("Say which of this provider's channels its files are about.", param="channel")
    return get_channel(channel_id=channels[0]).name if channels else ""


def _check_format(wanted: SourceSettings) -> None:
    found = FORMATS.get(wanted.format)
    if found is None:
        raise SourceInvalid("There is no such format.", param="format")
    if found.kind != wanted.kind:
        raise SourceInvalid("Files of this format come from the other kind of source.", param="format")
    if wanted.encoding not in found.encodings:
        offered = ", ".join(found.encodings)
        raise SourceInvalid(f"Files of this format are written in {offered}.", param="encoding")


def _check_account(wanted: SourceSettings) -> None:
    if len(wanted.account) > _LONGEST_ACCOUNT or wanted.account != wanted.account.strip():
        raise SourceInvalid(
            "An account has at most 64 characters, and no blanks around them.", param="account"
        )
    if not wanted.currency:
        return
    try:
        exponent(wanted.currency)
    except InvalidCurrency as error:
        raise SourceInvalid("There is no such currency.", param="currency") from error


def _check_days(wanted: SourceSettings) -> None:
    try:
        ZoneInfo(wanted.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceInvalid("Name a time zone, such as Europe/Berlin.", param="time_zone") from None
    if wanted.calendar not in CALENDARS:
        raise SourceInvalid(f"The calendar is one of {', '.join(CALENDARS)}.", param="calendar")
    if not 0 <= wanted.expected_after <= _MOST_DAYS:
        raise SourceInvalid(f"Between 0 and {_MOST_DAYS} days after.", param="expected_after")
    if wanted.expected_by.tzinfo is not None:
        raise SourceInvalid("It is a time of day in the zone.", param="expected_by")


def _channel_of(merchant_id: UUID, wanted: SourceSettings) -> ChannelData | None:
    if wanted.channel_id is None:
        return None
    try:
        channel = get_channel(channel_id=wanted.channel_id)
    except NotFound as error:
        raise SourceInvalid("There is no such channel.", param="channel") from error
    if channel.merchant_id != merchant_id:
        # Whether another merchant has it is nobody's business.
        raise SourceInvalid("There is no such channel.", param="channel")
    if channel.provider != wanted.provider:
        raise SourceInvalid(f"This channel leads to {channel.provider}.", param="channel")
    return channel


def _check_way(wanted: SourceSettings, channel: ChannelData | None) -> None:
    fetcher = FETCHERS.get(wanted.fetcher)
    if fetcher is None:
        raise SourceInvalid(f"A file comes by one of {', '.join(FETCHERS)}.", param="fetcher")
    why_not = fetcher.why_not(wanted, channel)
    if why_not:
        raise SourceInvalid(why_not, param="fetcher")
