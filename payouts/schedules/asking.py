"""One payout that nobody had to ask for: how much it is, and what came of it."""

import logging
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from core import clock
from core.errors import DomainError
from core.history import SYSTEM
from core.ids import public_id
from core.models import DeadLetter
from core.transactions import at_edge, requires_transaction
from payouts.calendar import execute_on_for
from payouts.engine.request import request_payout
from payouts.errors import PayoutBelowMinimum
from payouts.policy import PayoutPolicy, policy_of
from payouts.schedules.working_days import ScheduleData, schedule_of
from wallet.errors import InsufficientFunds
from wallet.selectors import get_wallet

__all__ = ["QUEUE", "Asked", "Failed", "Refused", "Wish", "ask", "replay_scheduled_payout"]

log = logging.getLogger(__name__)
QUEUE = "scheduled_payouts"


@dataclass(frozen=True)
class Wish:
    """What one seller should be paid in one currency by one run."""

    merchant_id: UUID
    seller_id: UUID
    seller_account: str
    wallet_id: UUID
    currency: str
    run: str

    @property
    def subject(self) -> str:
        """What it is called among dead letters."""
        return f"{public_id('sel', self.seller_id)} {self.currency} {self.run}"

    def as_detail(self) -> dict[str, Any]:
        """Return what a dead letter keeps of it."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Asked:
    """The payout was asked for."""


@dataclass(frozen=True)
class Refused:
    """It is not to be, for a reason with a public code."""

    code: str


@dataclass(frozen=True)
class Failed:
    """It did not work, for whatever reason; nothing was written."""

    error: str


def ask(wish: Wish, schedule: ScheduleData) -> Asked | Refused | Failed:
    """Ask for the payout in a transaction of its own. Whatever happens is the answer; nothing is raised."""
    try:
        at_edge(_request)(wish, schedule)
    except InsufficientFunds as error:
        # Somebody took of the wallet at the same moment: another look finds another amount.
        return Failed(error.code)
    except DomainError as error:
        return Refused(error.code)
    except Exception as error:
        log.exception("the payout of %s", wish.subject)
        return Failed(f"{type(error).__name__}: {error}"[:500])
    return Asked()


@requires_transaction
def _request(wish: Wish, schedule: ScheduleData) -> None:
    policy = policy_of(merchant_id=wish.merchant_id, currency=wish.currency)
    wallet = get_wallet(merchant_id=wish.merchant_id, wallet_id=wish.wallet_id)
    request_payout(
        merchant_id=wish.merchant_id,
        seller=public_id("sel", wish.seller_id),
        amount_minor=_amount(policy, wallet.available_minor),
        currency=wish.currency,
        origin="schedule",
        by=SYSTEM,
        run=wish.run,
        execute_on=execute_on_for(schedule, clock.now()),
    )


def _amount(policy: PayoutPolicy, available_minor: int) -> int:
    """All there is, less the fee beside it, within what may leave at once. Raises PayoutBelowMinimum."""
    amount = policy.price.most_for(available_minor)
    if policy.per_payout_minor is not None:
        amount = min(amount, policy.per_payout_minor)
    if policy.is_below_minimum(amount):
        raise PayoutBelowMinimum(param="amount")
    return amount


@requires_transaction
def replay_scheduled_payout(letter: DeadLetter) -> None:
    """Ask for a buried payout again, with what there is in the wallet now.

    For the same run, so that it is asked for once however often this is done. Raises as `request_payout`.
    """
    kept = letter.detail
    wish = Wish(
        merchant_id=UUID(kept["merchant_id"]),
        seller_id=UUID(kept["seller_id"]),
        seller_account=kept["seller_account"],
        wallet_id=UUID(kept["wallet_id"]),
        currency=kept["currency"],
        run=kept["run"],
    )
    _request(wish, schedule_of(merchant_id=wish.merchant_id))
