"""What risk is told of a payout: rules for amounts, sellers and lists look at what leaves as well."""

from core.history import Changes
from merchants.types import SellerData
from payouts.models import Payout
from risk.services import assess
from risk.types import REVIEW, OrderFacts, PaymentFacts, Who

__all__ = ["assess_payout"]


def assess_payout(payout: Payout, seller: SellerData, changes: Changes) -> str:
    """Return the decision about a payout. What slow checks are still asked about waits for a person."""
    facts = PaymentFacts(
        merchant_id=payout.merchant_id,
        subject_id=payout.id,
        payment_method="payout",
        orders=(
            OrderFacts(
                seller_account=seller.seller_account,
                seller_country=seller.country,
                seller_since=seller.created_at,
                amount_minor=payout.amount_minor,
                currency=payout.currency,
            ),
        ),
        who=Who(),
    )
    assessment = assess(facts=facts, changes=changes)
    return REVIEW if assessment.pending_external else assessment.decision
