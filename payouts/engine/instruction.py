"""A payout exactly as it leaves: what somebody says yes to, and what the provider is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels.selectors import get_channel
from core.canonical import digest
from core.money import format_minor
from payouts.destinations.fingerprints import Marks, marks_of
from payouts.destinations.reading import account_seal, opened
from payouts.models import Payout, PayoutAttempt, PayoutBatch
from payouts.providers.contract import BatchOrder, Instruction, provider_for
from payouts.references import payout_reference

__all__ = ["digest_of", "instruction_of", "order_of", "remittance_of", "sent_with"]


def instruction_of(payout: Payout, marks: Marks | None = None) -> dict[str, Any]:
    """Return what leaves, in words for the person who says yes to it; `marks` as of its merchant, if read.

    The account's seal stands for all of it and for the holder's name, of which no more is shown than it is
    recognised by: what is agreed on is kept in the clear. Equal fingerprints are equal accounts.
    """
    destination, channel = payout.destination, get_channel(channel_id=payout.channel_id)
    marks = marks or marks_of(merchant_id=payout.merchant_id)
    currency = payout.currency
    return {
        "payout": payout.public_id,
        "seller": str(payout.seller_id),
        "payee": {
            "kind": destination.kind,
            "last4": destination.last4,
            "bank": destination.bank,
            "country": destination.country,
            "destination": destination.public_id,
            "fingerprint": bytes(destination.fingerprint).hex(),
            "account": account_seal(destination, marks),
        },
        "amount": format_minor(payout.amount_minor, currency),
        "fee": format_minor(payout.fee_minor, currency),
        "currency": currency,
        "channel": channel.name,
        "rail": provider_for(channel.provider).rail,
        "reference": payout_reference(payout.id),
        "execute_on": payout.execute_on.isoformat(),
    }


def digest_of(payout: Payout, marks: Marks | None = None) -> bytes:
    """Return the digest of the instruction as it is now."""
    return digest(instruction_of(payout, marks))


def remittance_of(payout: Payout) -> str:
    """Return what the seller reads on the bank's statement; the same for ever."""
    return f"Payout {payout_reference(payout.id)}"


def sent_with(attempts: Sequence[PayoutAttempt]) -> list[PayoutAttempt]:
    """Return the attempts that leave, or left, with their batch; in their order in it."""
    return [each for each in attempts if each.sent_at is not None and each.status != "CANCELED"]


def order_of(
    batch: PayoutBatch, attempts: Sequence[PayoutAttempt], *, leaves_at: datetime | None = None
) -> BatchOrder:
    """Return a batch as it leaves: the same whenever it is made again from what was sent with it.

    `leaves_at` is when it leaves, where it does so for the first time.
    """
    created_at = batch.first_sent_at or leaves_at
    assert created_at is not None, "a batch that leaves has its time"
    marks = marks_of(merchant_id=batch.merchant_id)
    return BatchOrder(
        reference=batch.reference,
        currency=batch.currency,
        execute_on=batch.execute_on,
        created_at=created_at,
        last_sent_at=batch.last_sent_at or created_at,
        instructions=[_instruction(each, marks) for each in sent_with(attempts)],
        file_name=batch.file_name,
        sha256=bytes(batch.sha256) if batch.sha256 is not None else None,
    )


def _instruction(attempt: PayoutAttempt, marks: Marks) -> Instruction:
    payout = attempt.payout
    destination = payout.destination
    return Instruction(
        reference=attempt.reference,
        payout_id=payout.public_id,
        payee_reference=destination.public_id,
        kind=destination.kind,  # type: ignore[arg-type]
        country=destination.country,
        details=opened(destination, marks),
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        remittance=remittance_of(payout),
    )
