from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"

    def ready(self) -> None:
        """Declare the settings and register the drain of slow checks."""
        from core.dead_letters import register_replay
        from core.drain import register_drain
        from core.settings_store import declare
        from risk.drains import CheckDrain
        from risk.services import replay_check
        from risk.thresholds import SETTINGS

        declare(*SETTINGS)
        register_drain(CheckDrain())
        register_replay("risk_checks", replay_check)
