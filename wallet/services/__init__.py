"""The only way to open and move wallets, and to hold money in them."""

from wallet.locks import lock_wallets
from wallet.services.accounts import account_of, open_wallet
from wallet.services.holds import cancel_hold, confirm_hold, expire_holds, try_hold
from wallet.services.posting import moves_for, post, post_netted
from wallet.services.releases import release_funds
from wallet.services.tranches import draw_on_tranche, tranche_of

__all__ = [
    "account_of",
    "cancel_hold",
    "confirm_hold",
    "draw_on_tranche",
    "expire_holds",
    "lock_wallets",
    "moves_for",
    "open_wallet",
    "post",
    "post_netted",
    "release_funds",
    "tranche_of",
    "try_hold",
]
