from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Make the providers known."""
        from payouts.providers.contract import register_provider
        from payouts.providers.sepa import SepaFiles

        register_provider(SepaFiles())
