from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        """Register audits, settings, drains, how dead letters are replayed, and what webhooks it wants."""
        from core.alerts import declare_alert
        from core.dead_letters import register_needed, register_replay
        from core.drain import register_drain
        from core.metrics import register_gauges
        from core.overview import register_card
        from core.prometheus_rules import declare_rules
        from core.settings_store import declare
        from events.subscriptions import subscribe
        from payments import metrics
        from payments.cards import reviews_card
        from payments.drains import ExpiryDrain, OperationDrain, ReleaseDrain, TopUpDrain
        from payments.engine import stuck
        from payments.engine.disputes import policy as dispute_policy
        from payments.engine.disputes import watch as dispute_watch
        from payments.engine.failures import is_without_outcome
        from payments.engine.late_money import LATE_MONEY
        from payments.engine.methods import BALANCE
        from payments.engine.observe import on_provider_event
        from payments.engine.refunds.reviews import REVIEW_ABOVE
        from payments.engine.refunds.shares import RETURNS_COMMISSION
        from payments.releases import failures, plan, watch
        from payments.services import (
            on_dispute_event,
            on_refund_event,
            on_reversal_event,
            on_risk_verdict,
            replay_expiry,
            replay_operation,
            replay_release,
            replay_top_up_expiry,
        )
        from risk.subscriptions import on_verdict

        register_gauges(*metrics.GAUGES)
        declare_rules(*metrics.RULES)
        _register_audits()
        declare(LATE_MONEY, BALANCE, RETURNS_COMMISSION, REVIEW_ABOVE)
        declare(*stuck.SETTINGS, *plan.SETTINGS, watch.OVERDUE, *dispute_policy.SETTINGS)
        declare_alert(*stuck.ALERTS, watch.ALERT, *dispute_watch.ALERTS)
        register_card("risk.view_riskdecision", reviews_card)
        register_drain(OperationDrain())
        register_drain(ExpiryDrain())
        register_drain(TopUpDrain())
        register_drain(ReleaseDrain())
        register_replay("operations", replay_operation)
        register_needed("operations", is_without_outcome)
        register_replay("expiry", replay_expiry)
        register_replay("top_up_expiry", replay_top_up_expiry)
        register_replay(failures.QUEUE, replay_release)
        register_needed(failures.QUEUE, failures.is_unreleased)
        subscribe("stripe", "payment_intent.", "payments", on_provider_event)
        subscribe("stripe", "checkout.session.", "payments.pages", on_provider_event)
        subscribe("stripe", "refund.", "payments.refunds", on_refund_event)
        subscribe("stripe", "charge.refund", "payments.charge_refunds", on_refund_event)
        subscribe("stripe", "charge.dispute.", "payments.disputes", on_dispute_event)
        subscribe("stripe", "charge.failed", "payments.reversals", on_reversal_event)
        on_verdict(on_risk_verdict)


def _register_audits() -> None:
    from core.audits import register
    from payments import (
        audits,
        balance_audits,
        capture_audits,
        denial_audits,
        dispute_audits,
        refund_audits,
        top_up_audits,
    )
    from payments.releases import audits as release_audits

    for each in (audits, capture_audits, refund_audits, release_audits, dispute_audits):
        register(each.INVARIANTS)
    for each in (balance_audits, denial_audits, top_up_audits):
        register(each.INVARIANTS)
