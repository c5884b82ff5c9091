"""What must be so before money leaves; looked at again in the moment in which it would."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from merchants.selectors import sellers_by_id
from merchants.types import SellerData
from payouts.destinations.blocks import standing_blocks
from payouts.destinations.fingerprints import Marks, marks_of
from payouts.destinations.reading import closed_because, is_intact
from payouts.engine.routes import can_pay
from payouts.models import Payout
from payouts.types import BlockData, Gate
from wallet.selectors import wallets_by_id
from wallet.types import WalletData

__all__ = ["Around", "closed_gate", "gates_of", "look_around"]


@dataclass(frozen=True)
class Around:
    """What the gates of some payouts of one merchant and currency look at, read together for all of them."""

    sellers: Mapping[UUID, SellerData]
    wallets: Mapping[UUID, WalletData]
    blocks: Mapping[UUID, BlockData]
    marks: Marks


def look_around(payouts: Collection[Payout]) -> Around:
    """Read what the gates of payouts look at, as it is now; they are of one merchant and one currency."""
    [(merchant_id, currency)] = {(each.merchant_id, each.currency) for each in payouts}
    sellers = {each.seller_id for each in payouts}
    return Around(
        sellers=sellers_by_id(merchant_id=merchant_id, seller_ids=sellers),
        wallets=wallets_by_id(merchant_id=merchant_id, wallet_ids={each.wallet_id for each in payouts}),
        blocks=standing_blocks(merchant_id=merchant_id, seller_ids=sellers, currency=currency),
        marks=marks_of(merchant_id=merchant_id),
    )


def gates_of(payout: Payout, around: Around | None = None) -> list[Gate]:
    """Return every gate of a payout and whether it is open: now, or when `around` was read."""
    around = around or look_around([payout])
    seller, wallet = around.sellers[payout.seller_id], around.wallets[payout.wallet_id]
    destination, block = payout.destination, around.blocks.get(payout.seller_id)
    shut = closed_because(destination, at=clock.now())
    intact = is_intact(destination, around.marks)
    channel = get_channel(channel_id=payout.channel_id)
    pays = channel.is_enabled and can_pay(channel, kind=destination.kind, currency=payout.currency)
    return [
        Gate("seller", seller.can_be_paid_out, f"the seller's identity is {seller.kyc_status}"),
        Gate("destination", shut is None, shut.message if shut else "the destination can be used"),
        Gate(
            "account",
            intact,
            "the account is the one that was added" if intact else "the stored account was altered",
        ),
        Gate("block", block is None, f"stopped: {block.reason}" if block else "nothing stops it"),
        # Money that is held is the seller's own, but what is owed comes first.
        Gate(
            "debt",
            wallet.receivable_minor == 0,
            "the seller owes nothing" if wallet.receivable_minor == 0 else "the seller owes money",
        ),
        Gate("channel", pays, f"the channel {channel.name} {'pays' if pays else 'does not pay'} out"),
    ]


def closed_gate(payout: Payout, around: Around | None = None) -> Gate | None:
    """Return the first gate that is closed, if there is one: now, or when `around` was read."""
    return next((gate for gate in gates_of(payout, around) if not gate.is_open), None)
