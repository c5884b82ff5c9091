"""A third party that pays sellers: its payables API takes payees, and payments in batches.

What it is told first is who is paid, under the destination's own name; that moves no money and may be told
again. Then one request carries the whole batch, under references that the provider pays once, ever.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from channels.services import call
from channels.types import CallRecord, ChannelData, Exchange
from core.money import format_minor
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
from payouts.providers.payables_news import news_of_item, news_of_payment, unknown

__all__ = ["SandboxPayables"]

log = structlog.get_logger(__name__)

# The provider read it and will not have it, whoever sends it. Other refusals speak of us and of now.
_FOR_GOOD = frozenset([400, 413, 415, 422])
_LONGEST_TEXT = 140
# What of an account the provider is told, by its kind, which the provider calls as we do.
_ACCOUNTS: Mapping[str, tuple[str, ...]] = {
    "iban": ("iban",),
    "us_account": ("routing_number", "account_number"),
}
_ENDS = {"payment.paid": "paid", "payment.rejected": "rejected", "payment.returned": "returned"}
_ACCOUNT_PART = re.compile(r"[A-Z0-9]{1,34}")


@dataclass(frozen=True)
class _Split:
    """An order's payouts: those that are sent, and what is said of those that cannot be."""

    sendable: tuple[Instruction, ...]
    refused: tuple[News, ...]


class SandboxPayables:
    """The adapter of channels with the provider `sandbox`. See the contract."""

    name = "sandbox"
    rail = "sandbox"
    max_batch = 250
    kinds = frozenset(_ACCOUNTS)
    currencies: frozenset[str] | None = None
    # It reads what was written: a batch that it does not know was not taken. Should an earlier try still
    # arrive after that, it is the same batch to the provider, which pays each reference once.
    proves_absence = True

    def message(self, channel: ChannelData, order: BatchOrder) -> Message | None:
        """Nothing: it is sent call by call."""
        return None

    @forbids_transaction
    def submit(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Tell who is paid, then send the batch. Until that last request nothing can have been paid."""
        try:
            split = _split(order, self.max_batch)
            body = _batch(order, split)
            payees = _payees(split)
        except Exception as error:
            log.exception("payout_batch_not_sent", channel_id=str(channel.id), batch=order.reference)
            return BatchOutcome(BatchKind.NOT_SENT, error=f"{type(error).__name__}: {error}"[:300])
        if not split.sendable:
            failure = PayoutFailure("instruction_invalid", "Nothing of the batch can be sent.")
            return BatchOutcome(BatchKind.REFUSED, split.refused, "nothing can be sent", failure)
        calls: list[CallRecord] = []
        for reference, payee in payees.items():
            problem = _tell(channel, reference, payee, calls)
            if problem:
                return BatchOutcome(BatchKind.NOT_SENT, error=problem, calls=tuple(calls))
        exchange = call(channel=channel, kind="batch.create", send=lambda line: line.create_batch(body))
        calls += exchange.calls
        if exchange.sent is False:
            return BatchOutcome(BatchKind.NOT_SENT, error=_words(exchange), calls=tuple(calls))
        if exchange.error is not None:
            return BatchOutcome(BatchKind.UNKNOWN, error=_words(exchange), calls=tuple(calls))
        if exchange.result.status in (200, 201):
            return _told(order, split, exchange.result.data, calls)
        return self._refused(channel, order, split, exchange, calls)

    @forbids_transaction
    def ask(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Ask for the batch, and with it for each payment as it is now."""
        try:
            return self._find(channel, order, _split(order, self.max_batch), [])
        except Exception as error:
            log.exception("payout_batch_not_asked", channel_id=str(channel.id), batch=order.reference)
            return BatchOutcome(BatchKind.UNKNOWN, error=f"{type(error).__name__}: {error}"[:300])

    def read(self, channel: ChannelData, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """Return how a callback says that its payment ended; that a payee changed is news of no payout.

        Callbacks come in any order, and that a payment was taken is told by the answer and by asking: a
        callback that says so after one that says that it was refused would look like a contradiction.
        """
        kind, payment = payload.get("type"), payload.get("data")
        if not isinstance(kind, str) or kind not in _ENDS or not isinstance(payment, dict):
            return ()
        if _ENDS[kind] != payment.get("state"):
            return ()
        news = news_of_payment(payment)
        return () if news is None else (news,)

    def _refused(
        self,
        channel: ChannelData,
        order: BatchOrder,
        split: _Split,
        exchange: Exchange,
        calls: list[CallRecord],
    ) -> BatchOutcome:
        status = exchange.result.status
        words = f"the provider answered {status}: {_said(exchange.result.data)}"
        if status == 409 or not 400 <= status < 500:
            return BatchOutcome(BatchKind.UNKNOWN, error=words, calls=tuple(calls))
        # It says no; whether an earlier try was taken all the same, only asking tells.
        found = self._find(channel, order, split, calls)
        if found.kind is not BatchKind.ABSENT:
            return found
        if status not in _FOR_GOOD:
            return BatchOutcome(BatchKind.NOT_SENT, error=words, calls=found.calls)
        failure = PayoutFailure("instruction_invalid", "The payment was not accepted in its form.")
        news = tuple(News(item.reference, NewsKind.REFUSED, failure=failure) for item in split.sendable)
        return BatchOutcome(BatchKind.REFUSED, (*news, *split.refused), words, failure, calls=found.calls)

    def _find(
        self, channel: ChannelData, order: BatchOrder, split: _Split, calls: list[CallRecord]
    ) -> BatchOutcome:
        exchange = call(
            channel=channel,
            kind="batch.find",
            send=lambda line: line.find_batch(order.reference),
            has_effect=False,
        )
        calls = [*calls, *exchange.calls]
        if exchange.error is not None:
            return BatchOutcome(BatchKind.UNKNOWN, error=_words(exchange), calls=tuple(calls))
        answer = exchange.result
        if answer.status == 404 and _code(answer.data) == "not_found":
            words = "the provider has no batch of this reference"
            return BatchOutcome(BatchKind.ABSENT, error=words, calls=tuple(calls))
        if answer.status != 200:
            words = f"the provider answered {answer.status}: {_said(answer.data)}"
            return BatchOutcome(BatchKind.UNKNOWN, error=words, calls=tuple(calls))
        return _told(order, split, answer.data, calls)


def _split(order: BatchOrder, most: int) -> _Split:
    references = [item.reference for item in order.instructions]
    if len(set(references)) != len(references) or len(references) > most:
        raise ValueError(f"an order names each payment once, and at most {most} of them")
    if any(item.currency != order.currency for item in order.instructions):
        raise ValueError("an order has one currency")
    reasons = [(item, _refusal(item)) for item in order.instructions]
    return _Split(
        sendable=tuple(item for item, reason in reasons if reason is None),
        refused=tuple(
            News(item.reference, NewsKind.REFUSED, failure=reason) for item, reason in reasons if reason
        ),
    )


def _refusal(item: Instruction) -> PayoutFailure | None:
    if item.kind not in SandboxPayables.kinds:
        return PayoutFailure("destination_unsupported", "This account cannot be paid in this way.")
    if item.amount_minor <= 0:
        return PayoutFailure("amount_unsupported", "The amount must be more than nothing.")
    if not _line(item.details.get("holder_name", "")):
        return _bad_account("The account has no holder's name.")
    if not all(_ACCOUNT_PART.fullmatch(item.details.get(part, "")) for part in _ACCOUNTS[item.kind]):
        return _bad_account("The account number cannot be sent.")
    return None


def _bad_account(message: str) -> PayoutFailure:
    return PayoutFailure("destination_invalid", message, is_of_destination=True)


def _batch(order: BatchOrder, split: _Split) -> dict[str, Any]:
    """The request: the same order is the same bytes, whenever it is built."""
    payments = [
        {
            "ref_code": item.reference,
            "payee_ref": item.payee_reference,
            "amount": format_minor(item.amount_minor, item.currency),
            "currency": item.currency,
            "remittance": _line(item.remittance) or item.reference,
        }
        for item in split.sendable
    ]
    return {"batch_ref": order.reference, "payments": payments}


def _payees(split: _Split) -> dict[str, dict[str, Any]]:
    """Each payee once. One name for two accounts would pay one of them for both."""
    payees: dict[str, dict[str, Any]] = {}
    for item in split.sendable:
        payee = _payee(item)
        if payees.setdefault(item.payee_reference, payee) != payee:
            raise ValueError("a payee has two accounts")
    return payees


def _payee(item: Instruction) -> dict[str, Any]:
    return {
        "name": _line(item.details["holder_name"]),
        "account": {"type": item.kind, **{part: item.details[part] for part in _ACCOUNTS[item.kind]}},
        "currency": item.currency,
        "country": item.country,
    }


def _tell(channel: ChannelData, reference: str, payee: dict[str, Any], calls: list[CallRecord]) -> str:
    """Tell the provider of one payee; return what is in the way of sending anything, empty when nothing is.

    Whether the payee can be paid is not judged here: the provider says it of the payment, with its reason.
    """
    exchange = call(
        channel=channel, kind="payee.put", send=lambda line: line.put_payee(reference, payee), has_effect=True
    )
    calls += exchange.calls
    if exchange.error is not None:
        return _words(exchange)
    answer = exchange.result
    if answer.status not in (200, 201):
        return f"the provider answered {answer.status} to a payee: {_said(answer.data)}"
    number = payee["account"].get("iban") or payee["account"]["account_number"]
    account = answer.data.get("account")
    shown = account.get("last4") if isinstance(account, dict) else None
    is_ours = answer.data.get("payee_ref") == reference and shown == number[-4:]
    return "" if is_ours else "the provider has another account for this payee"


def _told(
    order: BatchOrder, split: _Split, data: Mapping[str, Any], calls: list[CallRecord]
) -> BatchOutcome:  # fmt: skip
    """Read the answer about a batch. What is not about ours, or says nothing of a payout, is not guessed."""
    items = data.get("payments")
    if data.get("batch_ref") != order.reference or not isinstance(items, list):
        return BatchOutcome(
            BatchKind.UNKNOWN, error="the answer is about another batch", calls=tuple(calls)
        )  # fmt: skip
    by_reference = {item.get("ref_code"): item for item in items if isinstance(item, dict)}
    news = [
        news_of_item(item, by_reference[item.reference])
        if item.reference in by_reference
        else unknown(item.reference)
        for item in split.sendable
    ]
    doubted = [one.reference for one in news if one.kind is NewsKind.UNKNOWN]
    return BatchOutcome(
        kind=BatchKind.TAKEN,
        news=(*news, *split.refused),
        error=f"nothing certain about {', '.join(doubted)}"[:500] if doubted else "",
        provider_reference=order.reference,
        calls=tuple(calls),
    )


def _line(text: str) -> str:
    """One line of text as the provider takes it; the same text gives the same line."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_TEXT]


def _words(exchange: Exchange) -> str:
    return f"{type(exchange.error).__name__}: {exchange.error}"[:300]


def _code(data: Mapping[str, Any]) -> str:
    error = data.get("error")
    return str(error.get("code", ""))[:100] if isinstance(error, dict) else ""


def _said(data: Mapping[str, Any]) -> str:
    error = data.get("error")
    return str(error.get("message", ""))[:200] if isinstance(error, dict) else ""
