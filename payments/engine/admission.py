"""What the answer of risk does to the orders of a checkout: they are paid, held for review, or failed."""

from collections.abc import Sequence

from channels.types import ChannelData
from core.history import SYSTEM, Changes
from core.transactions import requires_transaction
from payments.engine.assessment import charge_groups, decline_orders, open_review_case
from payments.engine.balance import Purse, hold_orders, pay_orders
from payments.engine.charges import open_charges
from payments.engine.facts import uncharged_fact
from payments.models import PaymentEvent, PaymentOrder, PspOperation
from risk.types import APPROVE, DECLINE, Assessment

__all__ = ["admit"]


@requires_transaction
def admit(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    assessment: Assessment,
    pays: ChannelData | Purse,
    changes: Changes,
    *,
    by: str,
    why: str = "accepted",
) -> list[PspOperation]:
    """Do to NOT_STARTED orders what was decided: pay them, hold them for review, or fail them.

    `pays` is the channel on which they are charged, or the wallets of the buyer. Returns the first operations
    of the charges; none where none was opened. Raises InsufficientFunds for wallets that hold too little.
    """
    if assessment.decision == DECLINE:
        decline_orders(checkout, orders, changes, by=SYSTEM, why="declined by risk rules")
    elif assessment.decision in (APPROVE, "not_assessed"):
        if isinstance(pays, Purse):
            pay_orders(checkout, orders, pays, changes, by=by, why=why)
        else:
            return open_charges(checkout, charge_groups(checkout, orders), pays, changes, by=by, why=why)
    else:
        if isinstance(pays, Purse):
            # What is being decided about is set aside, so that the decision can be carried out.
            orders = hold_orders(checkout, orders, pays, changes, by=by, why=why)
        _hold_for_review(checkout, orders, assessment, changes)
    return []


def _hold_for_review(
    checkout: PaymentEvent, orders: Sequence[PaymentOrder], assessment: Assessment, changes: Changes
) -> None:
    external = assessment.pending_external
    reason = "external" if external else "; ".join(assessment.reasons) or "score"
    for order in orders:
        fact = uncharged_fact(checkout, order, "in_review")
        changes.move(order, order.to_in_review, why=f"risk: {reason}"[:200], by=SYSTEM, fact=fact)
    if not external:
        open_review_case(checkout, orders, summary=reason)
