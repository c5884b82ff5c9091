from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "reconciliation"

    def ready(self) -> None:
        """Declare what reconciliation has; each part of it has a function of its own below."""
        _register_ingest()
        _register_matching()
        _register_sources()
        _register_resolving()
        _register_closing()


def _register_sources() -> None:
    from core.alerts import declare_alert
    from core.overview import register_card
    from reconciliation import cards
    from reconciliation.sources.sweeping import UNUSABLE_ALERT
    from reconciliation.sources.watching import LATE_ALERT

    declare_alert(LATE_ALERT, UNUSABLE_ALERT)
    for permission, make in cards.CARDS:
        register_card(permission, make)


def _register_ingest() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.dead_letters import register_needed, register_replay
    from core.drain import register_drain
    from core.settings_store import declare
    from reconciliation import audits
    from reconciliation.drains import FileDrain
    from reconciliation.ingest import policy
    from reconciliation.ingest.failures import is_undecided, replay_file
    from reconciliation.ingest.receive import DRAIN

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*policy.ALERTS)
    register_drain(FileDrain())
    register_replay(DRAIN, replay_file)
    register_needed(DRAIN, is_undecided)


def _register_matching() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.drain import register_drain
    from core.settings_store import declare
    from reconciliation.drains import RunDrain
    from reconciliation.matching import audits, policy

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*policy.ALERTS)
    register_drain(RunDrain())


def _register_resolving() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from reconciliation.resolving import audits, policy

    register(audits.INVARIANTS)
    declare_alert(*policy.ALERTS)


def _register_closing() -> None:
    from core.audits import register
    from core.settings_store import declare
    from reconciliation.closing import audits
    from reconciliation.internal import policy

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
