from django.apps import AppConfig


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        from core.audits import register
        from core.drain import register_drain
        from core.metrics import register_gauges
        from core.settings_store import declare
        from wallet import audits, debt_audits, grant_audits, hold_audits, metrics
        from wallet.drains import HoldDrain
        from wallet.services.grants import SETTINGS

        register_gauges(*metrics.GAUGES)
        register(audits.INVARIANTS)
        register(hold_audits.INVARIANTS)
        register(debt_audits.INVARIANTS)
        register(grant_audits.INVARIANTS)
        declare(*SETTINGS)
        register_drain(HoldDrain())
