from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "reconciliation"

    def ready(self) -> None:
        """Declare what reconciliation has; each part of it has a function of its own below."""
        _register_sources()


def _register_sources() -> None:
    from core.alerts import declare_alert
    from core.overview import register_card
    from reconciliation import cards
    from reconciliation.sources.sweeping import UNUSABLE_ALERT
    from reconciliation.sources.watching import LATE_ALERT

    declare_alert(LATE_ALERT, UNUSABLE_ALERT)
    for permission, make in cards.CARDS:
        register_card(permission, make)
