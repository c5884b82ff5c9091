from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        """Make the drains, the invariants, the alerts, the replay of dead letters and the checks known."""
        from core.alerts import declare_alert
        from core.audits import register
        from core.dead_letters import register_replay
        from core.drain import register_drain
        from events import checks as _checks  # noqa: F401 - registers itself
        from events import inbox
        from events.audits import INVARIANTS
        from events.deliveries import DeliveryDrain
        from events.notices import ALERTS
        from events.relay import Relay

        register_drain(inbox.InboxDrain())
        register_drain(Relay())
        register_drain(DeliveryDrain())
        register_replay(inbox.QUEUE, inbox.replay)
        register(INVARIANTS)
        declare_alert(*ALERTS)
