from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:

        from core.audits import register
        from core.drain import register_drain
        from events.subscriptions import subscribe
        from payments.audits import INVARIANTS
        from payments.drains import OperationDrain
        from payments.engine.observe import on_provider_event

        register(INVARIANTS)
        register_drain(OperationDrain())
        subscribe("stripe", "payment_intent.", "payments", on_provider_event)
