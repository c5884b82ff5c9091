from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Register audits, and declare settings and alerts."""
        _register_destinations()


def _register_destinations() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.settings_store import declare
    from payouts.destinations import audits, notices, policy

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*notices.ALERTS)
