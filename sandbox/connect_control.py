"""What the control API does to connected accounts, transfers and payouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.psp import accounts, charges, payouts, transfers
from sandbox.psp.call import Call

if TYPE_CHECKING:
    from sandbox.world import World

Body = dict[str, Any]
Route = tuple[str, str, Callable[..., Any]]


#: What the provider books of its own accord, without any object behind it: category to type.
ADJUSTMENTS = {
    "fee": "stripe_fee",
    "network_cost": "network_cost",
    "tax": "tax_fee",
    "risk_reserved_funds": "reserve_transaction",
    "other_adjustment": "adjustment",
}


class ConnectControl:
    """Steers what a platform pays out; ``owner`` and ``account`` find whose an object is."""

    def __init__(self, world: World, *, owner: Callable[[str], str], account: Callable[[str], str]) -> None:
        self._world, self._owner, self._account = world, owner, account

    def routes(self) -> list[Route]:
        """Method, path and action of each request."""
        return [
            ("POST", "topups", self.top_up),
            ("POST", "adjustments", self.adjust),
            ("POST", "accounts/(?P<identifier>acct_[0-9a-f]{24})", self.change_account),
            ("POST", "transfers/(?P<identifier>tr_[0-9a-f]+)/reversal", self.reverse_transfer),
            ("POST", "payouts/(?P<identifier>po_[0-9a-f]+)/settle", self.settle_payout),
            ("POST", "payouts/(?P<identifier>po_[0-9a-f]+)/fail", self.fail_payout),
        ]

    def top_up(self, data: Body) -> Any:
        """Put ``amount`` of ``currency`` into the available balance of ``account``."""
        account, amount = self._account(str(data["account"])), int(data["amount"])
        currency = str(data["currency"]).lower()

        def act(call: Call) -> Any:
            return charges.balance_transaction(
                call, amount=amount, fee=0, currency=currency, type_="topup", category="topup",
                source=call.new_id("tu"), instant=True,
            )  # fmt: skip

        return self._world.api.perform(account=account, operation="dashboard.topup", action=act)

    def adjust(self, data: Body) -> Any:
        """The provider books ``amount`` of ``currency`` by itself: ``category`` (fee), ``description``."""
        account, amount = self._account(str(data["account"])), int(data["amount"])
        currency, category = str(data["currency"]).lower(), str(data.get("category", "fee"))
        if category not in ADJUSTMENTS:
            raise ValueError(f"category must be one of {', '.join(ADJUSTMENTS)}")
        words = str(data.get("description", "Billing - Usage Fee"))

        def act(call: Call) -> Any:
            booked = charges.balance_transaction(
                call, amount=amount, fee=0, currency=currency, type_=ADJUSTMENTS[category], category=category,
                source=None, instant=True, description=words,
            )  # fmt: skip
            transfers.note(call, "balance.adjusted", {**booked, "metadata": {}}, amount=amount)
            return booked

        return self._world.api.perform(account=account, operation="provider.adjustment", action=act)

    def change_account(self, data: Body, identifier: str) -> Any:
        """Let an account be paid or no longer: ``transfers`` active or inactive, ``payouts_enabled``."""
        transfers_now, enabled = data.get("transfers"), data.get("payouts_enabled")
        if transfers_now not in (None, accounts.ACTIVE, accounts.INACTIVE):
            raise ValueError("transfers is active or inactive")
        self._owner(identifier)
        return self._world.api.perform(
            account=identifier,
            operation="provider.account",
            action=lambda call: accounts.change(
                call, identifier, transfers=transfers_now, payouts_enabled=enabled
            ),
            target=identifier,
        )

    def reverse_transfer(self, data: Body, identifier: str) -> Any:
        """Somebody reverses a transfer on the provider's dashboard: ``amount``, or all that is left."""
        amount = int(data["amount"]) if "amount" in data else None
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="dashboard.transfer_reversal",
            action=lambda call: transfers.reverse(call, identifier, amount=amount, metadata={}),
            target=identifier,
        )

    def settle_payout(self, data: Body, identifier: str) -> Any:
        """A payout reaches the bank now."""
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.payout",
            action=lambda call: payouts.pay(call, identifier),
            target=identifier,
        )

    def fail_payout(self, data: Body, identifier: str) -> Any:
        """The bank does not take a payout, or sends a paid one back: ``failure_code``."""
        code = str(data.get("failure_code", "account_closed"))
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.payout_failure",
            action=lambda call: payouts.fail(call, identifier, code=code),
            target=identifier,
        )
