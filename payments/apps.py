from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:

        from core.audits import register
        from core.drain import register_drain
        from payments.audits import INVARIANTS
        from payments.drains import OperationDrain

        register(INVARIANTS)
        register_drain(OperationDrain())
