"""The only way to open and move wallets, and to hold money in them."""

from wallet.locks import lock_wallets
from wallet.services.accounts import account_of, open_wallet
from wallet.services.dispute_holds import end_dispute_hold, note_dispute_hold
from wallet.services.grants import approve_grant, grant_credit, reject_grant
from wallet.services.holds import cancel_hold, confirm_hold, expire_holds, try_hold
from wallet.services.parts import (
    buyer_accounts,
    hold_parts,
    pay_parts,
    points_of,
    release_parts,
    settle_parts,
)
from wallet.services.planning import plan_cash, plan_spending
from wallet.services.points_back import return_points
from wallet.services.posting import moves_for, post, post_netted
from wallet.services.releases import release_all, release_funds
from wallet.services.tranches import draw_on_tranche, tranche_of
from wallet.services.write_offs import reject_write_off, request_write_off, write_off_debt

__all__ = [
    "account_of",
    "approve_grant",
    "buyer_accounts",
    "cancel_hold",
    "confirm_hold",
    "draw_on_tranche",
    "end_dispute_hold",
    "expire_holds",
    "grant_credit",
    "hold_parts",
    "lock_wallets",
    "moves_for",
    "note_dispute_hold",
    "open_wallet",
    "pay_parts",
    "plan_cash",
    "plan_spending",
    "points_of",
    "post",
    "post_netted",
    "reject_grant",
    "reject_write_off",
    "release_all",
    "release_funds",
    "release_parts",
    "request_write_off",
    "return_points",
    "settle_parts",
    "tranche_of",
    "try_hold",
    "write_off_debt",
]
