from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Declare settings and alerts."""
        _register_destinations()


def _register_destinations() -> None:
    from core.alerts import declare_alert
    from core.settings_store import declare
    from payouts.destinations import notices, policy

    declare(*policy.SETTINGS)
    declare_alert(*notices.ALERTS)
