from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from core.audits import register
        from ledger.audits import INVARIANTS
        from ledger.clearing_audits import INVARIANTS as OF_CLEARING
        from ledger.seal_audits import INVARIANTS as OF_SEALS

        register(INVARIANTS)
        register(OF_SEALS)
        register(OF_CLEARING)
