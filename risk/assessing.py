"""Decide about a payment before money moves, and remember what it was decided on."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.canonical import canonical_json
from core.history import SYSTEM, Changes
from core.ids import uuid7
from core.nudges import nudge
from core.rows import new_row
from core.transactions import requires_transaction
from risk.judging import Verdict, combine, evaluate
from risk.known import Known, known_of, with_card
from risk.models import RiskCheck, RiskDecision, RiskFact
from risk.policy import Policy, policy_of
from risk.types import APPROVE, REVIEW, Assessment, Hit, PaymentFacts

__all__ = ["assess"]

NOT_ASSESSED = "not_assessed"


@requires_transaction
def assess(*, facts: PaymentFacts, changes: Changes) -> Assessment:
    """Decide about a payment; what is remembered of it is written with the caller's changes.

    No rules: it is approved. `not_assessed` is the answer where risk is switched off for the merchant.
    Reads the history in at most two trips to the database. Raises nothing of its own: a rule that breaks
    is answered for by its policy.
    """
    policy = policy_of(merchant_id=facts.merchant_id)
    if not policy.is_on:
        return Assessment(decision=NOT_ASSESSED, score=0, reasons=(), hits=())
    now = clock.now()
    known = known_of(policy.secret, facts, now)
    if policy.needs_card:
        known = with_card(policy.secret, known)
    hits = evaluate(policy.rules, known)
    verdict = combine(hits, review_from=policy.review_from, decline_from=policy.decline_from)
    vendor_id = policy.vendor_id if verdict.decision == APPROVE and not verdict.is_trusted else None
    changes.insert(_accepted(known))
    changes.insert([_decision(known, verdict, hits, policy)])
    if vendor_id is not None:
        changes.insert([_check(vendor_id, policy.vendor_seconds, facts, known)])
        nudge("risk_checks")
    return Assessment(
        decision=verdict.decision if vendor_id is None else REVIEW,
        score=verdict.score,
        reasons=verdict.reasons,
        hits=hits,
        pending_external=vendor_id is not None,
    )


def _accepted(known: Known) -> list[RiskFact]:
    """One fact per currency, so that amounts can be added up."""
    keys = known.keys
    return [
        new_row(
            RiskFact,
            merchant_id=known.merchant_id,
            kind="accepted",
            subject_id=known.subject_id,
            at=known.at,
            amount_minor=total,
            currency=currency,
            buyer_key=keys.get("buyer"),
            email_key=keys.get("email"),
            ip_key=keys.get("ip"),
            device_key=keys.get("device"),
            method_key=keys.get("method"),
        )
        for currency, total in known.totals().items()
    ]


def _decision(known: Known, verdict: Verdict, hits: tuple[Hit, ...], policy: Policy) -> RiskDecision:
    thresholds = {"review_from": policy.review_from, "decline_from": policy.decline_from}
    return new_row(
        RiskDecision,
        merchant_id=known.merchant_id,
        subject_id=known.subject_id,
        source="rules",
        decision=verdict.decision,
        score=verdict.score,
        inputs={**known.as_inputs(), "thresholds": thresholds},
        hits=[_as_json(hit) for hit in hits],
        reasons=list(verdict.reasons),
        by=SYSTEM,
        at=known.at,
    )


def _as_json(hit: Hit) -> dict[str, Any]:
    data = asdict(hit)
    canonical_json(data)  # Nothing inexact is kept.
    return data


def _check(vendor_id: UUID, seconds: int, facts: PaymentFacts, known: Known) -> RiskCheck:
    key = uuid7()
    who = facts.who
    return RiskCheck(
        id=key,
        merchant_id=facts.merchant_id,
        subject_id=facts.subject_id,
        vendor_id=vendor_id,
        reference=f"rck_{key.hex}",
        request={
            "payment_method": facts.payment_method,
            "amounts": [
                {"amount_minor": total, "currency": currency} for currency, total in known.totals().items()
            ],
            "sellers": sorted({order.seller_account for order in facts.orders}),
            "buyer": {
                "account": who.buyer_account,
                "email": who.email,
                "ip": who.ip,
                "device_id": who.device_id,
                "billing_country": who.billing_country,
                "shipping_country": who.shipping_country,
            },
        },
        ends_at=known.at + timedelta(seconds=seconds),
        due_at=known.at,
        created_at=known.at,
        updated_at=known.at,
    )
