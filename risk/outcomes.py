"""Remember what became of a payment, so that the next one can be judged by it."""

from uuid import UUID

from core import clock
from core.history import Changes
from core.rows import new_row
from core.transactions import requires_transaction
from risk.digests import digest
from risk.known import keys_of
from risk.models import RiskDecision, RiskFact
from risk.policy import policy_of
from risk.types import CardFacts, OutcomeFacts

__all__ = ["note_outcome", "note_verdict"]


@requires_transaction
def note_outcome(*, facts: OutcomeFacts, changes: Changes) -> None:
    """Add the fact that a try was paid or declined, with what the provider told of the card."""
    policy = policy_of(merchant_id=facts.merchant_id)
    if not policy.is_on:
        return
    keys, card = keys_of(policy.secret, facts.who), facts.card or CardFacts()
    changes.insert(
        [
            new_row(
                RiskFact,
                merchant_id=facts.merchant_id,
                kind=facts.result,
                subject_id=facts.subject_id,
                at=clock.now(),
                amount_minor=facts.amount_minor,
                currency=facts.currency,
                buyer_key=keys.get("buyer"),
                email_key=keys.get("email"),
                ip_key=keys.get("ip"),
                device_key=keys.get("device"),
                method_key=keys.get("method"),
                card_key=digest(policy.secret, "card", card.fingerprint),
                card_bin=card.bin[:8] or None,
                card_brand=card.brand[:24],
                card_country=card.country[:2],
                decline_code=facts.decline_code[:64],
                avs=card.avs[:12],
                cvc=card.cvc[:12],
            )
        ]
    )


@requires_transaction
def note_verdict(
    *, merchant_id: UUID, subject_id: UUID, source: str, decision: str, by: str, reason: str, changes: Changes
) -> None:
    """Remember what was decided after the rules: by a person, a vendor, or the policy for no answer."""
    changes.insert(
        [
            RiskDecision(
                merchant_id=merchant_id,
                subject_id=subject_id,
                source=source,
                decision=decision,
                reasons=[reason[:500]],
                by=by,
                at=clock.now(),
            )
        ]
    )
