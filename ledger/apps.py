from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from core.audits import register
        from ledger.audits import INVARIANTS

        register(INVARIANTS)
