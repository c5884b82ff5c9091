from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        """Register the audits, the drain, how its dead letters are replayed, and what webhooks it wants."""
        from core.audits import register
        from core.dead_letters import register_replay
        from core.drain import register_drain
        from events.subscriptions import subscribe
        from payments.audits import INVARIANTS
        from payments.drains import OperationDrain
        from payments.engine.observe import on_provider_event
        from payments.services import on_risk_verdict, replay_operation
        from risk.subscriptions import on_verdict

        register(INVARIANTS)
        register_drain(OperationDrain())
        register_replay("operations", replay_operation)
        subscribe("stripe", "payment_intent.", "payments", on_provider_event)
        on_verdict(on_risk_verdict)
