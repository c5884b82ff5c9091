"""Stripe Connect: a payout is a Transfer out of our balance into the seller's connected account.

The Transfer is what pays: it is made at once, and with it the money is the seller's at Stripe. When and how
that account pays its own bank is between the seller and Stripe; if it fails there, the money stays the
seller's and nothing returns to us (payouts.bank_failures shows it to a person). A payout is RETURNED when its
Transfer is reversed, because only then is the money ours again.

Sent again within a day, the same key gets the same answer. Keys may be pruned after that, so that an older
reference is looked for before it is sent again. A refusal for lack of funds is kept with its key, too; the
next key of the same reference is used only after Stripe has said again that the one before it paid nobody.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from channels.errors import UnsupportedAmount
from channels.selectors import STRIPE_CURRENCIES, from_stripe, to_stripe
from channels.services import call
from channels.types import CallRecord, ChannelData
from core import clock
from core.transactions import forbids_transaction
from payouts.providers.contract import (
    BatchKind,
    BatchOrder,
    BatchOutcome,
    Instruction,
    Message,
    News,
    PayoutFailure,
)
from payouts.providers.stripe_answers import (
    is_kept_refusal_for_funds,
    of_asking,
    of_sending,
    refused,
    unknown,
)
from payouts.providers.stripe_transfers import REFERENCE_KEY, Unreadable, news_of, read_transfer

__all__ = ["StripeTransfers"]

log = structlog.get_logger(__name__)

# Keys may be pruned when they are 24 hours old.
_KEYS_ARE_KEPT = timedelta(hours=23)
# No request is under way for longer than this: what is not there then never arrived.
_LONGEST_UNDER_WAY = timedelta(minutes=2)
_MOST_KEYS = 20

_UNSUPPORTED = {
    "amount_not_supported": PayoutFailure("amount_unsupported", "The provider cannot pay this amount."),
    "currency_not_supported": PayoutFailure("currency_unsupported", "The provider cannot pay this currency."),
}
_NO_ACCOUNT_THERE = PayoutFailure("destination_unsupported", "This account cannot be paid in this way.")


class StripeTransfers:
    """The adapter of channels with the provider `stripe`. See the contract."""

    name = "stripe"
    rail = "stripe"
    max_batch = 1
    kinds = frozenset(["stripe_account"])
    currencies = STRIPE_CURRENCIES
    # The list shows every Transfer that was made, and sending again under the same key joins one under way.
    proves_absence = True

    def message(self, channel: ChannelData, order: BatchOrder) -> Message | None:
        """Nothing leaves as a file."""
        return None

    @forbids_transaction
    def submit(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Create the Transfer."""
        try:
            instruction = _only(order)
            if instruction.kind not in self.kinds:
                return refused(instruction.reference, _NO_ACCOUNT_THERE)
            params = _params(instruction)
        except UnsupportedAmount as error:
            return refused(order.instructions[0].reference, _UNSUPPORTED[error.code], str(error))
        except Exception as error:
            log.exception("payout_not_sent", channel_id=str(channel.id), batch=order.reference)
            return BatchOutcome(BatchKind.NOT_SENT, error=f"{type(error).__name__}: {error}"[:300])
        if clock.now() - order.created_at < _KEYS_ARE_KEPT:
            return _send(channel, instruction, params)
        found = _look(channel, instruction)
        if found.kind is not BatchKind.ABSENT:
            return found
        return _send(channel, instruction, params, before=found.calls)

    @forbids_transaction
    def ask(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """List the Transfers of the reference."""
        try:
            instruction = _only(order)
        except ValueError as error:
            return unknown(str(error))
        found = _look(channel, instruction)
        if found.kind is BatchKind.ABSENT and _age(order) < _LONGEST_UNDER_WAY:
            return replace(found, kind=BatchKind.UNKNOWN)
        return found

    def read(self, channel: ChannelData, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """Return what an event about one of our Transfers says."""
        if not str(payload.get("type") or "").startswith("transfer.") or payload.get("account"):
            return ()
        data = payload.get("data")
        try:
            transfer = read_transfer(data.get("object") if isinstance(data, Mapping) else None)
        except Unreadable as error:
            # The state is asked for later all the same; an event is only the first to tell.
            log.warning("event_unreadable", event_id=payload.get("id"), error=str(error))
            return ()
        return news_of(transfer) if transfer.our_reference else ()


def _age(order: BatchOrder) -> timedelta:
    """How long ago it was last sent: what is under way cannot be younger."""
    return clock.now() - (order.last_sent_at or order.created_at)


def _only(order: BatchOrder) -> Instruction:
    """Return the instruction of an order of one. Raises ValueError for any other order."""
    if len(order.instructions) != 1:
        raise ValueError(f"{len(order.instructions)} payouts in an order, and Stripe takes one at a time")
    return order.instructions[0]


def _params(instruction: Instruction) -> dict[str, Any]:
    """Return what Stripe is told. Raises UnsupportedAmount."""
    return {
        "amount": to_stripe(instruction.amount_minor, instruction.currency),
        "currency": instruction.currency.lower(),
        "destination": instruction.details["account"],
        "description": instruction.remittance,
        "transfer_group": instruction.reference,
        "metadata": {REFERENCE_KEY: instruction.reference, "payout_id": instruction.payout_id},
    }


@forbids_transaction
def _send(
    channel: ChannelData,
    instruction: Instruction,
    params: Mapping[str, Any],
    before: tuple[CallRecord, ...] = (),
) -> BatchOutcome:
    calls = before
    for number in range(1, _MOST_KEYS + 1):
        key = instruction.reference if number == 1 else f"{instruction.reference}.{number}"
        exchange = call(channel=channel, kind="payout", send=partial(_create, params=params, key=key))
        calls += exchange.calls
        outcome = of_sending(exchange, instruction)
        if not is_kept_refusal_for_funds(exchange):
            return replace(outcome, calls=calls)
        if number == 1:
            # That this key paid nobody is no word about a later one.
            found = _look(channel, instruction)
            calls += found.calls
            if found.kind is not BatchKind.ABSENT:
                return replace(found, calls=calls)
            is_enough, asked = _has_funds(channel, instruction)
            calls += asked
            if not is_enough:
                return replace(outcome, calls=calls)
    return BatchOutcome(BatchKind.NOT_SENT, error="refused for lack of funds too often today", calls=calls)


def _create(client: Any, *, params: Mapping[str, Any], key: str) -> Any:
    return client.raw_request("post", "/v1/transfers", **params, idempotency_key=key)


@forbids_transaction
def _has_funds(channel: ChannelData, instruction: Instruction) -> tuple[bool, tuple[CallRecord, ...]]:
    """Say whether the balance would do now: another key is not spent in vain."""
    exchange = call(
        channel=channel,
        kind="payout_funds",
        send=lambda client: client.raw_request("get", "/v1/balance"),
        has_effect=False,
    )
    wanted = instruction.currency.lower()
    try:
        rows = exchange.result.data["available"]
        there = sum(int(row["amount"]) for row in rows if row["currency"] == wanted)
        return from_stripe(there, instruction.currency) >= instruction.amount_minor, exchange.calls
    except (AttributeError, KeyError, TypeError, ValueError):
        return False, exchange.calls


@forbids_transaction
def _look(channel: ChannelData, instruction: Instruction) -> BatchOutcome:
    """Look for the Transfer of a reference. A question that got no answer says nothing."""
    exchange = call(
        channel=channel,
        kind="payout_query",
        send=lambda client: client.raw_request(
            "get", "/v1/transfers", transfer_group=instruction.reference, limit=100
        ),
        has_effect=False,
    )
    found = of_asking(exchange, instruction)
    kind = BatchKind.UNKNOWN if found.kind is BatchKind.NOT_SENT else found.kind
    return replace(found, kind=kind, calls=exchange.calls)
