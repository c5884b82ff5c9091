from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Back office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Registers the system checks and the second module of console pages.
        from django.apps import apps

        from core import checks, gauges, kernel_audits, prometheus_rules, trail_audits, user_admin, watch  # noqa: F401
        from core.alerts import declare_alert
        from core.api import measuring  # noqa: F401 - declares its metrics
        from core.audits import register
        from core.fsm import StatefulModel
        from core.limits import failures, policy
        from core.metrics import register_gauges
        from core.prometheus_rules import declare_rules
        from core.settings_store import declare

        register_gauges(*gauges.GAUGES)
        declare_rules(*prometheus_rules.RULES)
        register([*trail_audits.INVARIANTS, *kernel_audits.INVARIANTS])
        declare(*policy.SETTINGS)
        declare_alert(*watch.ALERTS, *failures.ALERTS)
        models = [model for model in apps.get_models() if issubclass(model, StatefulModel)]
        register(kernel_audits.history_invariants(models))
