"""What crosses to other apps: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

__all__ = ["CallRecord", "ChannelData", "Debtor", "Exchange", "VerifiedDelivery"]


@dataclass(frozen=True)
class ChannelData:
    """One line to a provider. It belongs to one merchant and never shows its credentials."""

    id: UUID
    merchant_id: UUID
    name: str
    provider: str
    mode: str
    is_enabled: bool
    capabilities: Mapping[str, Any]
    max_in_flight: int


@dataclass(frozen=True)
class Debtor:
    """The account that a bank channel pays from: IBAN without spaces, BIC of 8 or 11 characters."""

    name: str
    iban: str = field(repr=False)
    bic: str


@dataclass(frozen=True)
class CallRecord:
    """Evidence of one exchange with a provider, before it is a row.

    `bytes_sent` is False when provably nothing left this machine, True when the whole request was
    written, None when that is not known. `body` is redacted and at most 16 KB; `duration_ms` includes
    connecting; `request_id` is ours, `psp_request_id` the provider's.
    """

    channel_id: UUID
    merchant_id: UUID
    kind: str
    request_digest: bytes
    bytes_sent: bool | None
    http_status: int | None
    body: bytes
    error: str
    duration_ms: int
    request_id: str
    psp_request_id: str
    at: datetime


@dataclass(frozen=True)
class Exchange:
    """What came of one call: the SDK's result or the error instead of it, with the evidence.

    `sent` is read over all records: False means that the provider provably saw nothing of it.
    """

    result: Any
    error: Exception | None
    sent: bool | None
    calls: tuple[CallRecord, ...]


@dataclass(frozen=True)
class VerifiedDelivery:
    """A webhook delivery whose signature and time were checked; authentic is not yet valid.

    The caller still compares mode, account, amount, currency and reference before anything moves. `about` is
    the provider's reference of what it tells of, as far as it has one: for finding it, not for believing it.
    """

    channel: ChannelData
    event_id: str
    type: str
    created: datetime
    payload: Mapping[str, Any]
    livemode: bool
    account: str
    about: str = ""

    @property
    def fits_mode(self) -> bool:
        """Say whether the event comes from the mode, test or live, that the channel is in."""
        return self.livemode == (self.channel.mode == "live")
