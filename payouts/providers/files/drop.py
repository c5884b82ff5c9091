"""The bank's file drop over HTTP. A file that it took is there for whoever asks from then on.

That is why a file that the drop does not know was provably not taken, and may be put again. Putting it again
is safe even if the first try should still arrive, because a name takes one content for ever.
"""

import hashlib

from channels.services import call
from channels.types import CallRecord, ChannelData, Exchange
from core.transactions import forbids_transaction
from payouts.providers.contract import BatchKind
from payouts.providers.files.transport import Placed, Received, Report

__all__ = ["HttpDrop"]

# The drop read it and will not have it, whoever sends it. 401, 403, 404, 408 and 429 speak of us and of now.
_FOR_GOOD = frozenset([400, 413, 415, 422])
_MOST_PAGES = 200


class HttpDrop:
    """A transport by `channels`: with its switch, its breaker, its deadline and its evidence."""

    @forbids_transaction
    def put(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """See Transport."""
        exchange = call(channel=channel, kind="file.put", send=lambda drop: drop.put_file(name, content))
        if exchange.sent is False:
            return Placed(BatchKind.NOT_SENT, _words(exchange), exchange.calls)
        if exchange.error is not None:
            return Placed(BatchKind.UNKNOWN, _words(exchange), exchange.calls)
        status = exchange.result.status
        if status in (200, 201):
            return self._same(exchange, content)
        if status == 409:
            return Placed(BatchKind.UNKNOWN, "the bank has another file of this name", exchange.calls)
        if not 400 <= status < 500:
            return Placed(BatchKind.UNKNOWN, f"the bank answered {status}", exchange.calls)
        # It says no; whether an earlier try was taken all the same, only asking tells.
        found = self.find(channel, name, content)
        calls = (*exchange.calls, *found.calls)
        if found.kind is not BatchKind.ABSENT:
            return Placed(found.kind, found.error, calls)
        kind = BatchKind.REFUSED if status in _FOR_GOOD else BatchKind.NOT_SENT
        return Placed(kind, f"the bank answered {status}", calls)

    @forbids_transaction
    def find(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """See Transport."""
        exchange = call(
            channel=channel, kind="file.find", send=lambda drop: drop.find_file(name), has_effect=False
        )
        if exchange.error is not None:
            return Placed(BatchKind.UNKNOWN, _words(exchange), exchange.calls)
        if exchange.result.status == 404:
            return Placed(BatchKind.ABSENT, "the bank has no file of this name", exchange.calls)
        if exchange.result.status != 200:
            return Placed(BatchKind.UNKNOWN, f"the bank answered {exchange.result.status}", exchange.calls)
        return self._same(exchange, content)

    @forbids_transaction
    def receive(self, channel: ChannelData) -> Received:
        """See Transport."""
        reports: list[Report] = []
        last = 0
        for _ in range(_MOST_PAGES):
            exchange = self._page(channel, last)
            if exchange.error is not None or exchange.result.status != 200:
                return Received(tuple(reports), _words(exchange), exchange.calls)
            try:
                page = _reports(exchange.result.data, exchange.calls, after=last)
            except (KeyError, TypeError, ValueError) as error:
                words = f"the list of reports cannot be read: {type(error).__name__}"
                return Received(tuple(reports), words, exchange.calls)
            if not page:
                return Received(tuple(reports))
            last = page[-1][0]
            reports += [report for _, report in page]
        return Received(tuple(reports), "the bank has more reports than are read at once")

    def _page(self, channel: ChannelData, after: int) -> Exchange:
        return call(
            channel=channel,
            kind="file.reports",
            send=lambda drop: drop.reports_after(after),
            has_effect=False,
        )

    def _same(self, exchange: Exchange, content: bytes) -> Placed:
        digest = hashlib.sha256(content).hexdigest()
        if exchange.result.data.get("sha256") == digest:
            return Placed(BatchKind.TAKEN, calls=exchange.calls)
        return Placed(BatchKind.UNKNOWN, "the bank has other bytes under this name", exchange.calls)


def _reports(data: object, calls: tuple[CallRecord, ...], *, after: int) -> list[tuple[int, Report]]:
    if not isinstance(data, dict):
        raise TypeError
    found: list[tuple[int, Report]] = []
    for row in data["data"]:
        number, content = row["seq"], row["content"]
        if type(number) is not int or number <= after or not isinstance(content, str):
            raise ValueError
        after = number
        found.append((number, Report(str(row["name"])[:120], content.encode(), calls)))
    return found


def _words(exchange: Exchange) -> str:
    if exchange.error is None:
        return f"the bank answered {exchange.result.status}"
    return f"{type(exchange.error).__name__}: {exchange.error}"[:300]
