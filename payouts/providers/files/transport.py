"""How a file reaches a bank, and how the bank's files come back: what every transport does."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from channels.types import CallRecord, ChannelData
from core import clock
from payouts.providers.contract import BatchKind

__all__ = ["Placed", "Received", "Report", "Transport", "evidence"]


@dataclass(frozen=True)
class Placed:
    """Whether the bank has the file: TAKEN, REFUSED, NOT_SENT, UNKNOWN, or ABSENT when it was asked about."""

    kind: BatchKind
    error: str = ""
    calls: tuple[CallRecord, ...] = ()


@dataclass(frozen=True)
class Report:
    """One file of the bank's, with the evidence of how it came."""

    name: str
    content: bytes
    calls: tuple[CallRecord, ...] = ()


@dataclass(frozen=True)
class Received:
    """The bank's files, oldest first. `error` says why there may be more; `calls` are of the failure."""

    reports: tuple[Report, ...]
    error: str = ""
    calls: tuple[CallRecord, ...] = ()


class Transport(Protocol):
    """One way to a bank. No exception leaves it, and none of it is called in a transaction."""

    def put(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """Put a file; the same file again changes nothing, and nothing is ever overwritten."""

    def find(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """Say whether the bank has this very file. ABSENT only where that is proved."""

    def receive(self, channel: ChannelData) -> Received:
        """Return all files of the bank's that are there."""


def evidence(
    channel: ChannelData, kind: str, content: bytes, facts: Mapping[str, Any], *, error: str = ""
) -> CallRecord:
    """Return the record of something that was not a call over the network: facts, and the bytes' digest."""
    return CallRecord(
        channel_id=channel.id,
        merchant_id=channel.merchant_id,
        kind=kind,
        request_digest=hashlib.sha256(content).digest(),
        bytes_sent=not error,
        http_status=None,
        body=json.dumps(facts, separators=(",", ":")).encode()[: 16 * 1024],
        error=error[:500],
        duration_ms=0,
        request_id="",
        psp_request_id="",
        at=clock.now(),
    )
