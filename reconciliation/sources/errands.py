"""One day of one source on its way to the provider: every call leaves its evidence, whatever comes of it."""

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO
from uuid import UUID

from channels.selectors import get_channel
from channels.services import Downloaded, call, download, record_calls
from channels.types import CallRecord, ChannelData, Exchange
from core.errors import NotFound
from core.history import Changes
from core.settings_store import get_setting
from core.transactions import at_edge, forbids_transaction, requires_transaction
from reconciliation.fetchers.contract import FetchFailed
from reconciliation.ingest.policy import MAX_BYTES
from reconciliation.sources.types import Day, SourceData

__all__ = ["DayErrand"]

# A file may take longer than an answer; less than a worker may hold a task.
_DOWNLOAD_SECONDS = 120.0


class DayErrand:
    """See Errand. `keep` is told what to remember; `operation_id` is what the evidence is filed under."""

    def __init__(
        self,
        source: SourceData,
        day: Day,
        *,
        operation_id: UUID,
        kept: dict[str, Any],
        remember: Callable[[dict[str, Any]], None],
    ) -> None:
        self.source, self.day, self.kept = source, day, kept
        self._operation_id, self._remember = operation_id, remember

    def keep(self, facts: dict[str, Any]) -> None:
        """Replace what is kept until the day is done."""
        self._remember(facts)
        self.kept = facts

    @forbids_transaction
    def ask(self, kind: str, send: Callable[[Any], Any]) -> Any:
        """Make one call over the channel and return its result. Raises FetchFailed."""
        return self._result(call(channel=self._channel(), kind=kind, send=send, has_effect=False))

    @forbids_transaction
    def download(self, kind: str, url: str, to: BinaryIO) -> int:
        """Fetch a file and return the HTTP status. Raises FetchFailed."""
        found: Downloaded = self._result(
            download(
                channel=self._channel(),
                kind=kind,
                url=url,
                to=to,
                largest=get_setting(name=MAX_BYTES.name),
                seconds=_DOWNLOAD_SECONDS,
            )
        )
        return found.status

    def _result(self, exchange: Exchange) -> Any:
        if exchange.calls:
            at_edge(_record)(exchange.calls, self._operation_id)
        if exchange.error is not None:
            raise FetchFailed(f"{type(exchange.error).__name__}: {exchange.error}"[:300])
        return exchange.result

    def _channel(self) -> ChannelData:
        channel_id = self.source.settings.channel_id
        if channel_id is None:
            raise FetchFailed("the source has no channel")
        try:
            channel = get_channel(channel_id=channel_id)
        except NotFound as error:
            raise FetchFailed("the channel of the source does not exist") from error
        if not channel.is_enabled:
            raise FetchFailed(f"the channel {channel.name} is switched off")
        return channel


@requires_transaction
def _record(calls: Sequence[CallRecord], operation_id: UUID) -> None:
    changes = Changes()
    record_calls(calls=calls, changes=changes, operation_id=operation_id)
    changes.save()
