"""The only way to open and move wallets, and to hold money in them."""

from wallet.locks import lock_wallets
from wallet.services.accounts import account_of, open_wallet
from wallet.services.dispute_holds import end_dispute_hold, note_dispute_hold
from wallet.services.holds import cancel_hold, confirm_hold, expire_holds, try_hold
from wallet.services.posting import moves_for, post, post_netted
from wallet.services.releases import release_all, release_funds
from wallet.services.tranches import draw_on_tranche, tranche_of
from wallet.services.write_offs import reject_write_off, request_write_off, write_off_debt

__all__ = [
    "account_of",
    "cancel_hold",
    "confirm_hold",
    "draw_on_tranche",
    "end_dispute_hold",
    "expire_holds",
    "lock_wallets",
    "moves_for",
    "note_dispute_hold",
    "open_wallet",
    "post",
    "post_netted",
    "reject_write_off",
    "release_all",
    "release_funds",
    "request_write_off",
    "tranche_of",
    "try_hold",
    "write_off_debt",
]
