from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "reconciliation"

    def ready(self) -> None:
        """Declare what reconciliation has; each part of it has a function of its own below."""
