from django.apps import AppConfig


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        from core.audits import register
        from wallet.audits import INVARIANTS

        register(INVARIANTS)
