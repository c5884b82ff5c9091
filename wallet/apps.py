from django.apps import AppConfig


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        from core.audits import register
        from core.drain import register_drain
        from wallet import audits, debt_audits, hold_audits
        from wallet.drains import HoldDrain

        register(audits.INVARIANTS)
        register(hold_audits.INVARIANTS)
        register(debt_audits.INVARIANTS)
        register_drain(HoldDrain())
