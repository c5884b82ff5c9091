"""SEPA credit transfers by bank files: pain.001 goes out, pain.002 comes back.

A channel of this provider names in its capabilities, under "payouts", how its bank is reached (`transport`:
`folder`, or `http` for a drop under the channel's URL) and which version it reads (`message`). Payouts that
SEPA cannot carry are left out of the file and refused one by one, the same ones every time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from channels.selectors import debtor_of
from channels.types import CallRecord, ChannelData
from core.transactions import forbids_transaction
from payouts.providers.contract import (
    BatchKind,
    BatchOrder,
    BatchOutcome,
    Instruction,
    Message,
    News,
    NewsKind,
    PayoutFailure,
)
from payouts.providers.files.drop import HttpDrop
from payouts.providers.files.folder import Folder
from payouts.providers.files.pain001 import VERSIONS, write_payment_order
from payouts.providers.files.pain002 import StatusReport, is_status_report, read_status_report
from payouts.providers.files.refusals import refusal_of
from payouts.providers.files.statuses import read_together
from payouts.providers.files.transport import Placed, Received, Transport, evidence
from payouts.providers.files.xml import BadFile

__all__ = ["SepaFiles"]

log = structlog.get_logger(__name__)

_TRANSPORTS: Mapping[str, Transport] = {"folder": Folder(), "http": HttpDrop()}


@dataclass(frozen=True)
class _Split:
    """An order's payouts: those that leave, and what is said of those that cannot."""

    sendable: tuple[Instruction, ...]
    refused: tuple[News, ...]


@dataclass(frozen=True)
class _Heard:
    """The bank's reports about one order, with their evidence, and what was wrong with others."""

    reports: tuple[StatusReport, ...]
    calls: tuple[CallRecord, ...]
    problems: tuple[str, ...]
    is_complete: bool


class SepaFiles:
    """The adapter of channels with the provider `sepa`. See the contract."""

    name = "sepa"
    rail = "sepa"
    max_batch = 1000
    kinds = frozenset(["iban"])
    currencies = frozenset(["EUR"])
    # A bank's drop reads what was written, and the folder keeps copies: both can prove that a file was never
    # taken, and say UNKNOWN where they cannot.
    proves_absence = True

    def message(self, channel: ChannelData, order: BatchOrder) -> Message | None:
        """Return the file; None if nothing of the order can leave, or the channel cannot write files."""
        try:
            return self._file(channel, order, _split(order))
        except Exception:
            log.exception("payout_file_not_written", channel_id=str(channel.id), batch=order.reference)
            return None

    @forbids_transaction
    def submit(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Put the file where the bank takes it, once checked against its schema."""
        try:
            split = _split(order)
            message = self._file(channel, order, split, validate=True)
            transport = _transport(channel)
            if message is not None:
                _check_unchanged(order, message)
        except Exception as error:
            log.exception("payout_file_not_sent", channel_id=str(channel.id), batch=order.reference)
            return BatchOutcome(BatchKind.NOT_SENT, error=f"{type(error).__name__}: {error}"[:300])
        if message is None:
            return _nothing_to_send(split)
        placed = transport.put(channel, message.file_name, message.content)
        return _outcome(placed, split)

    @forbids_transaction
    def ask(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Read what the bank says of the order; where it says nothing, look whether it has the file."""
        try:
            split = _split(order)
            message = self._file(channel, order, split)
            transport = _transport(channel)
        except Exception as error:
            log.exception("payout_file_not_asked", channel_id=str(channel.id), batch=order.reference)
            return BatchOutcome(BatchKind.UNKNOWN, error=f"{type(error).__name__}: {error}"[:300])
        if message is None:
            return _nothing_to_send(split)
        heard = _listen(channel, order, transport.receive(channel))
        if heard.reports:
            return _told(split, heard)
        placed = transport.find(channel, message.file_name, message.content)
        if placed.kind is BatchKind.ABSENT and not heard.is_complete:
            placed = Placed(BatchKind.UNKNOWN, "; ".join(heard.problems)[:300], placed.calls)
        return _outcome(placed, split, heard)

    def read(self, channel: ChannelData, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """Nothing: banks do not call."""
        return ()

    def _file(
        self, channel: ChannelData, order: BatchOrder, split: _Split, *, validate: bool = False
    ) -> Message | None:
        if not split.sendable:
            return None
        content = write_payment_order(
            order,
            split.sendable,
            debtor_of(channel_id=channel.id),
            version=_options(channel).get("message", VERSIONS[-1]),
            validate=validate,
        )
        return Message(f"{order.reference}.xml", content)


def _options(channel: ChannelData) -> Mapping[str, Any]:
    options: Mapping[str, Any] = channel.capabilities.get("payouts") or {}
    return options


def _transport(channel: ChannelData) -> Transport:
    return _TRANSPORTS[_options(channel).get("transport", "folder")]


def _split(order: BatchOrder) -> _Split:
    references = [item.reference for item in order.instructions]
    if order.currency != "EUR" or len(set(references)) != len(references):
        raise BadFile("an order is in euro and names each payment once")
    reasons = [(item, refusal_of(item)) for item in order.instructions]
    return _Split(
        sendable=tuple(item for item, reason in reasons if reason is None),
        refused=tuple(
            News(item.reference, NewsKind.REFUSED, failure=reason) for item, reason in reasons if reason
        ),
    )


def _check_unchanged(order: BatchOrder, message: Message) -> None:
    """Refuse to send bytes that are not those of which the digest was stored before."""
    name_differs = order.file_name not in (None, message.file_name)
    if name_differs or order.sha256 not in (None, hashlib.sha256(message.content).digest()):
        raise BadFile("the file is not the one that was recorded")


def _nothing_to_send(split: _Split) -> BatchOutcome:
    failure = PayoutFailure("instruction_invalid", "Nothing of the batch can be sent as a SEPA payment.")
    return BatchOutcome(BatchKind.REFUSED, split.refused, "nothing can be sent", failure)


def _outcome(placed: Placed, split: _Split, heard: _Heard | None = None) -> BatchOutcome:
    news = split.refused
    failure = None
    if placed.kind is BatchKind.TAKEN and heard is None:
        # At the moment of sending; who asks later is told only what the bank says.
        news = (*(News(item.reference, NewsKind.ACCEPTED) for item in split.sendable), *news)
    if placed.kind is BatchKind.REFUSED:
        failure = PayoutFailure("refused_by_bank", "The bank refused the payment.")
        news = (*(News(item.reference, NewsKind.REFUSED, failure=failure) for item in split.sendable), *news)
    problems = heard.problems if heard else ()
    return BatchOutcome(
        kind=placed.kind,
        # What was not sent has no news: the same payouts are looked at again when it is.
        news=() if placed.kind in (BatchKind.NOT_SENT, BatchKind.ABSENT, BatchKind.UNKNOWN) else news,
        error="; ".join(filter(None, [placed.error, *problems]))[:500],
        failure=failure,
        calls=(*(heard.calls if heard else ()), *placed.calls),
    )


def _told(split: _Split, heard: _Heard) -> BatchOutcome:
    reading = read_together(split.sendable, heard.reports)
    return BatchOutcome(
        kind=BatchKind.REFUSED if reading.refusal else BatchKind.TAKEN,
        news=(*reading.news, *split.refused),
        error="; ".join([*reading.problems, *heard.problems])[:500],
        failure=reading.refusal,
        calls=heard.calls,
    )


def _listen(channel: ChannelData, order: BatchOrder, received: Received) -> _Heard:
    """Pick the reports about this order; what is no report at all may be somebody else's file."""
    reports: list[StatusReport] = []
    calls: list[CallRecord] = []
    problems = [received.error] if received.error else []
    for file in received.reports:
        try:
            report = read_status_report(file.content)
        except BadFile as error:
            if is_status_report(file.content):
                problems.append(f"{file.name}: {error}")
            continue
        if report.original_message_id == order.reference:
            reports.append(report)
            calls += [*(one for one in file.calls if one not in calls), _said(channel, file.content, report)]
    return _Heard(tuple(reports), (*calls, *received.calls), tuple(problems), is_complete=not received.error)


def _said(channel: ChannelData, content: bytes, report: StatusReport) -> CallRecord:
    """What a report says, with nobody's name or account: also how names compared with accounts."""
    facts = {
        "report": report.message_id[:35],
        "about": report.original_message_id[:35],
        "whole": None if report.whole is None else [report.whole.status, *report.whole.reasons],
        "transactions": [
            [item.end_to_end_id[:35], item.status, *item.reasons] for item in report.transactions
        ],
    }
    return evidence(channel, "pain.002", content, facts)
