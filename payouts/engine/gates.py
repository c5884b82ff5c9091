"""What must be so before money leaves; looked at again in the moment in which it would."""

from channels.selectors import get_channel
from core import clock
from merchants.selectors import get_seller
from payouts.destinations.blocks import standing_block
from payouts.destinations.reading import closed_because, is_intact
from payouts.engine.routes import can_pay
from payouts.models import Payout
from payouts.types import Gate
from wallet.selectors import get_wallet

__all__ = ["closed_gate", "gates_of"]


def gates_of(payout: Payout) -> list[Gate]:
    """Return every gate of a payout and whether it is open now."""
    seller = get_seller(merchant_id=payout.merchant_id, seller_id=payout.seller_id)
    destination = payout.destination
    shut = closed_because(destination, at=clock.now())
    intact = is_intact(destination)
    block = standing_block(
        merchant_id=payout.merchant_id, seller_id=payout.seller_id, currency=payout.currency
    )
    wallet = get_wallet(merchant_id=payout.merchant_id, wallet_id=payout.wallet_id)
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


def closed_gate(payout: Payout) -> Gate | None:
    """Return the first gate that is closed now, if there is one."""
    return next((gate for gate in gates_of(payout) if not gate.is_open), None)
