from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Declare the settings of the policy."""
        from core.settings_store import declare
        from payouts import policy

        declare(*policy.SETTINGS)
